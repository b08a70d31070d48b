//! Messages that have another name now: known by what stays of a name when flags change.

use std::collections::HashMap;

use super::rules::Candidate;
use crate::mailbox::Name;

/// What was known of messages that were not found under their name.
#[derive(Debug, Default)]
pub struct Successors(HashMap<Vec<u8>, Candidate>);

impl Successors {
    /// A message called `file` was not there.
    pub fn expect(&mut self, file: &[u8], candidate: Candidate) {
        if let Some(name) = Name::of(file) {
            self.0.insert(name.base.to_vec(), candidate);
        }
    }

    /// What is known of the message with this identity, if it is looked for. It is found once.
    pub fn find(&mut self, base: &[u8]) -> Option<Candidate> {
        self.0.remove(base)
    }

    /// Whether none is looked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
