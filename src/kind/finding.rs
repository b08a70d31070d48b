//! What was found out about one part.

use std::iter::Sum;

use crate::openpgp::{Fault, Message, Recipient};

use super::{Kind, Reason, State};

/// The most octets of each that can be read although the rest is encrypted.
///
/// The sentences that programs write before the first part; the header sections of parts, of which Exchange
/// writes some 500 octets; armor header lines.
const MOST: Told = Told { preambles: 200, part_headers: 8192, armor_headers: 1024 };

/// What anybody can read of a message although the rest is encrypted, in octets of all of it together: in
/// portions it is a letter all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub preambles: usize,
    pub part_headers: usize,
    pub armor_headers: usize,
}

impl Told {
    /// What there is too much of.
    pub fn excess(self) -> Option<Reason> {
        match () {
            () if self.preambles > MOST.preambles => Some(Reason::Preamble),
            () if self.part_headers > MOST.part_headers => Some(Reason::PartHeader),
            () if self.armor_headers > MOST.armor_headers => Some(Reason::Pgp(Fault::ArmorHeader)),
            () => None,
        }
    }
}

impl Sum for Told {
    fn sum<I: Iterator<Item = Told>>(told: I) -> Told {
        told.fold(Told::default(), |all, one| Told {
            preambles: all.preambles + one.preambles,
            part_headers: all.part_headers + one.part_headers,
            armor_headers: all.armor_headers + one.armor_headers,
        })
    }
}

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
    /// What can be read of what is in it.
    pub told: Told,
}

impl Finding {
    pub fn new(state: State, reason: Reason) -> Self {
        let (recipients, told) = (Vec::new(), Told::default());
        Finding { state, reason, kind: None, is_signed: false, recipients, told }
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

    pub fn inline(message: Message) -> Self {
        Finding::openpgp(Kind::PgpInline, message)
    }

    pub fn openpgp(kind: Kind, message: Message) -> Self {
        let told = Told { armor_headers: message.armor_header, ..Told::default() };
        Finding { recipients: message.recipients, told, ..Finding::encrypted(kind) }
    }
}
