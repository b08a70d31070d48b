//! Messages that have another name now: known by what stays when flags change, which is a part of the name and
//! the file. A part of the name alone may be another message's too, where copies of a mailbox were put together.

use std::collections::HashMap;

use super::rules::Candidate;
use crate::mailbox::Name;

/// What was known of messages that were not found under their name.
#[derive(Debug, Default)]
pub struct Successors(HashMap<Vec<u8>, (u64, Candidate)>);

impl Successors {
    /// A message called `file`, whose file has the number `inode`, was not there.
    pub fn expect(&mut self, file: &[u8], inode: u64, candidate: Candidate) {
        if let Some(name) = Name::of(file) {
            self.0.insert(name.base.to_vec(), (inode, candidate));
        }
    }

    /// What is known of the message with this identity, if it is looked for. It is found once.
    pub fn find(&mut self, base: &[u8], inode: u64) -> Option<Candidate> {
        let (_, candidate) = *self.0.get(base).filter(|(expected, _)| *expected == inode)?;
        self.0.remove(base);
        Some(candidate)
    }

    /// Whether none is looked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
