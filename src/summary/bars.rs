//! Bars of characters.

use super::figures::{Counts, Verdict};
use super::look::Look;

/// The order in a bar of several verdicts. Mail in the clear lies on the base line, so that lengths compare.
const ORDER: [Verdict; 5] =
    [Verdict::Plain, Verdict::Tls, Verdict::Local, Verdict::Unknown, Verdict::NotVisible];

/// Bold.
pub const BOLD: &str = "1";

/// Faint.
pub const FAINT: &str = "2";

/// The colour of a verdict.
pub fn colour(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Tls => "32",
        Verdict::Plain => "31",
        Verdict::Local => "34",
        Verdict::Unknown => "33",
        Verdict::NotVisible => "35",
    }
}

/// The character of a verdict: without colours, too, no two are alike.
pub fn cell(verdict: Verdict, look: Look) -> &'static str {
    let [ascii, block] = match verdict {
        Verdict::Tls => ["=", "\u{2592}"],
        Verdict::Plain => ["#", "\u{2588}"],
        Verdict::Local => ["-", "\u{2591}"],
        Verdict::Unknown => ["?", "?"],
        Verdict::NotVisible => [".", "\u{b7}"],
    };
    if look.has_blocks { block } else { ascii }
}

/// A bar that is `part` of `whole` long, `width` at most. What is not nothing is seen.
pub fn single(part: u64, whole: u64, width: usize, verdict: Verdict, look: Look) -> String {
    let cells = match scaled(part, whole, width) {
        0 if part > 0 => 1,
        cells => cells,
    };
    look.paint(colour(verdict), &cell(verdict, look).repeat(cells))
}

/// A bar of `width` with all verdicts side by side; empty when there is no mail.
pub fn stacked(counts: &Counts, width: usize, look: Look) -> String {
    let cells = apportioned(counts, width);
    let piece =
        |(verdict, cells): (Verdict, usize)| look.paint(colour(verdict), &cell(verdict, look).repeat(cells));
    ORDER.into_iter().zip(cells).map(piece).collect()
}

fn scaled(part: u64, whole: u64, width: usize) -> usize {
    let whole = u128::from(whole.max(1));
    let cells = (u128::from(part) * width as u128 + whole / 2) / whole;
    usize::try_from(cells).unwrap_or(width).min(width)
}

/// Cells for each verdict in [`ORDER`], `width` together: at least one for each that occurs, the rounding at
/// the expense of the largest.
fn apportioned(counts: &Counts, width: usize) -> [usize; 5] {
    let total = counts.total();
    let mut cells = ORDER
        .map(|verdict| scaled(counts.of(verdict), total, width).max(usize::from(counts.of(verdict) > 0)));
    while total > 0 && cells.iter().sum::<usize>() != width {
        let sum = cells.iter().sum::<usize>();
        let Some(largest) = cells.iter_mut().max() else { break };
        if sum > width {
            *largest -= 1;
        } else {
            *largest += 1;
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::figures::Figures;
    use crate::summary::tests::{NOW, facts};

    const ASCII: Look = Look { width: 80, has_colours: false, has_blocks: false };

    fn counts(of: [u64; 5]) -> Counts {
        let mut figures = Figures::default();
        for (verdict, count) in Verdict::ALL.into_iter().zip(of) {
            (0..count).for_each(|_| figures.count(&facts(verdict, NOW)));
        }
        figures.verdicts
    }

    #[test]
    fn one_message_among_many_is_seen() {
        for (name, of, bar) in [
            ("none", [0; 5], ""),
            ("one of each", [1; 5], "##==--??.."),
            ("one in a thousand", [999, 1, 0, 0, 0], "#========="),
            ("all but one", [1, 999, 0, 0, 0], "#########="),
            ("each in a thousand", [996, 1, 1, 1, 1], "#======-?."),
            ("half", [1, 1, 0, 0, 0], "#####====="),
            ("thirds", [1, 1, 1, 0, 0], "###===----"),
        ] {
            assert_eq!(stacked(&counts(of), 10, ASCII), bar, "{name}");
        }
    }

    #[test]
    fn a_single_bar_is_as_long_as_its_share() {
        for (part, whole, bar) in
            [(0, 9, ""), (1, 1000, "="), (5, 10, "====="), (10, 10, "=========="), (7, 0, "==========")]
        {
            assert_eq!(single(part, whole, 10, Verdict::Tls, ASCII), bar, "{part} of {whole}");
        }
    }

    #[test]
    fn colours_stand_around_their_piece() {
        let look = Look { has_colours: true, ..ASCII };
        assert_eq!(stacked(&counts([1, 1, 0, 0, 0]), 4, look), "\x1b[31m##\x1b[0m\x1b[32m==\x1b[0m");
    }
}
