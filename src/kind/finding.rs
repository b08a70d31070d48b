//! What was found out about one part.

use crate::openpgp::Recipient;

use super::{Kind, Reason, State};

/// What was found out about one part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    pub state: State,
    pub reason: Reason,
    /// The kind of what is encrypted in it, beside something readable or not.
    pub kind: Option<Kind>,
    /// Whether it is signed.
    pub is_signed: bool,
    pub recipients: Vec<Recipient>,
}

impl Finding {
    pub fn new(state: State, reason: Reason) -> Self {
        Finding { state, reason, kind: None, is_signed: false, recipients: Vec::new() }
    }

    pub fn readable(reason: Reason) -> Self {
        Finding::new(State::Readable, reason)
    }

    pub fn structure() -> Self {
        Finding::new(State::Structure, Reason::Structure)
    }

    pub fn encrypted(kind: Kind) -> Self {
        let reason = if kind == Kind::Smime { Reason::Enveloped } else { Reason::OpenPgp };
        Finding { kind: Some(kind), ..Finding::new(State::Encrypted, reason) }
    }

    pub fn inline(recipients: Vec<Recipient>) -> Self {
        Finding { recipients, ..Finding::encrypted(Kind::PgpInline) }
    }
}
