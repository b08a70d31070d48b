//! Content-Length: where the text of a message ends, as its header section claims.
//!
//! It is never trusted to find a message: a sender can write one that hides the next message, and then
//! removing the one would remove the other. But where it leads exactly to a later separator (mboxcl, mboxcl2),
//! those in between may be lines of the text. So nobody knows what is a message there, and all of it stays.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The claims that lead beyond what was read, by the place where they end: the earliest message of each.
#[derive(Debug, Default)]
pub struct Claims(BTreeMap<u64, usize>);

/// How many octets may lie between the end that is claimed and the next separator: an empty line of either
/// kind, or nothing where that line was counted.
const EMPTY_LINE: u64 = 2;

impl Claims {
    /// The text of the message with this number ends at `end`, it says.
    pub fn add(&mut self, number: usize, end: u64) {
        self.0.entry(end).or_insert(number);
    }

    /// The messages whose bounds are in doubt since one's text ends where a separator stands, at `at`, or
    /// all does. `last` is the number of the last message before it.
    ///
    /// To be asked with growing `at`.
    pub fn contradicted(&mut self, at: u64, last: usize) -> Option<RangeInclusive<usize>> {
        while let Some(first) =
            self.0.first_entry().filter(|first| *first.key() < at.saturating_sub(EMPTY_LINE))
        {
            first.remove();
        }
        let first = *self.0.range(..=at).map(|(_, number)| number).min()?;
        (first < last).then_some(first..=last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_claim_that_leads_to_a_later_separator_makes_doubt() {
        let mut claims = Claims::default();
        claims.add(0, 49);
        // To its own end, and to nowhere.
        assert_eq!(claims.contradicted(50, 0), None);
        claims.add(1, 75);
        claims.add(1, 200);
        assert_eq!(claims.contradicted(100, 1), None);
        claims.add(2, 198);
        claims.add(2, u64::MAX);
        assert_eq!(claims.contradicted(150, 2), None);
        assert_eq!(claims.contradicted(200, 3), Some(1..=3));
        assert_eq!(claims.contradicted(203, 4), None);
    }
}
