//! Which messages go: rules over what is known of each.
//!
//! Conditions (`--only`, `--match`) choose the messages that the rules are about; nothing else is looked
//! at. Of those, what any rule would remove goes, unless it is spared: flagged, a draft, unread when asked
//! so, or of a time that nobody knows.

use super::age::Age;
use crate::mailbox::Flags;

/// What is known of one message.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// When it came, in seconds since 1970. None when that is not known: then it stays, and takes no place
    /// among the newest.
    pub time: Option<i64>,
    /// Octets, if they were asked for.
    pub size: Option<u64>,
    /// Read, flagged and so on. What is in `new/` is not [`Flags::SEEN`].
    pub flags: Flags,
    /// Whether its header section meets all of `--match`.
    pub matches: bool,
}

impl Candidate {
    /// Whether the rules are about it, and nobody knows its time.
    pub fn is_undated(&self) -> bool {
        self.matches && self.time.is_none()
    }
}

/// What to do with messages of some kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// They stay, whatever the rules say.
    #[default]
    Spared,
    /// The rules decide.
    Judged,
}

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Older ones go.
    pub older_than: Option<Age>,
    /// All but so many of the newest go.
    pub keep: Option<u64>,
    /// All but the newest that have so many octets together go.
    pub keep_size: Option<u64>,
    /// What has not been read.
    pub unread: Fate,
    /// What is flagged.
    pub flagged: Fate,
    /// What is not finished.
    pub drafts: Fate,
    /// Flags that a message has to have for any rule to be about it.
    pub only: Flags,
    /// Flags that it may not have.
    pub only_without: Flags,
}

impl Rules {
    /// Whether any of them could be about a message with these flags: if not, nothing else of it needs to be
    /// known.
    pub fn concern(&self, flags: Flags) -> bool {
        flags.has(self.only) && flags.without(self.only_without) == flags
    }

    /// Whether a message with these flags stays, whatever its age.
    pub fn spare(&self, flags: Flags) -> bool {
        flags.has(Flags::FLAGGED) && self.flagged == Fate::Spared
            || flags.has(Flags::DRAFT) && self.drafts == Fate::Spared
            || !flags.has(Flags::SEEN) && self.unread == Fate::Spared
    }

    /// Whether one message's fate depends on the others.
    pub fn rank(&self) -> bool {
        self.keep.is_some() || self.keep_size.is_some()
    }

    /// Whether a message of this time is too old.
    pub fn outlived(&self, time: i64, now: i64) -> bool {
        self.older_than.is_some_and(|age| time < age.before(now))
    }

    /// For each of `candidates` whether it goes. Of two with the same time the later one is the newer.
    pub fn chosen(&self, candidates: &[Candidate], now: i64) -> Vec<bool> {
        let mut go = vec![false; candidates.len()];
        let limit = self.older_than.map(|age| age.before(now));
        for (candidate, goes) in candidates.iter().zip(&mut go) {
            *goes = candidate.time.is_some_and(|time| limit.is_some_and(|limit| time < limit));
        }
        if self.rank() {
            self.mark_beyond_the_newest(candidates, &mut go);
        }
        for (candidate, goes) in candidates.iter().zip(&mut go) {
            *goes = *goes && self.is_about(candidate) && !self.spare(candidate.flags);
        }
        go
    }

    fn is_about(&self, candidate: &Candidate) -> bool {
        candidate.matches && self.concern(candidate.flags)
    }

    /// A spared message takes its place among the newest like any other.
    fn mark_beyond_the_newest(&self, candidates: &[Candidate], go: &mut [bool]) {
        let mut ranked: Vec<(i64, usize)> = candidates
            .iter()
            .enumerate()
            .filter(|(_, candidate)| self.is_about(candidate))
            .filter_map(|(at, candidate)| Some((candidate.time?, at)))
            .collect();
        ranked.sort_unstable_by(|one, other| other.cmp(one));
        let (mut count, mut octets) = (0, 0_u64);
        for (_, at) in ranked {
            count += 1;
            octets = octets.saturating_add(candidates[at].size.unwrap_or(0));
            go[at] |= self.keep.is_some_and(|keep| count > keep)
                || self.keep_size.is_some_and(|keep| octets > keep);
        }
    }
}

#[cfg(test)]
mod tests;
