//! What a message is: encrypted end to end, partly, only signed, or plain; and the reason.
//!
//! The verdict comes from the structure, never from what is declared: a `multipart/encrypted` around text
//! is text. It has to hold for every reader of mail, so where two of them may see different things the
//! message counts as readable. To seal what was encrypted already is harmless; to store readable mail as
//! it came is not.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod finding;
mod html;
mod judge;
mod leaf;
mod passing;
mod reason;
mod smime;
mod text;

use std::fmt;

use crate::escape;
use crate::mime;
use crate::openpgp::Recipient;

/// How much of a large message is looked at first, in octets.
const BEGINNING: usize = 64 * 1024;

use finding::Told;

pub use passing::Passing;
pub use reason::Reason;

/// The kinds of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// PGP/MIME (RFC 3156, 4).
    PgpMime,
    /// PGP/MIME as Exchange and others rearrange it.
    PgpMimeMangled,
    /// Every text that a reader would see is inside armor.
    PgpInline,
    /// S/MIME, enveloped (RFC 8551, 3.3).
    Smime,
    /// Some of it is encrypted, some readable.
    Partial,
    /// Signed and readable.
    Signed,
    /// Readable.
    Plain,
}

impl Kind {
    /// The name that `is-encrypted --print` shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::PgpMime => "pgp-mime",
            Kind::PgpMimeMangled => "pgp-mime-mangled",
            Kind::PgpInline => "pgp-inline",
            Kind::Smime => "smime",
            Kind::Partial => "partial",
            Kind::Signed => "signed",
            Kind::Plain => "plain",
        }
    }

    /// Whether nothing but header sections can be read.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Kind::PgpMime | Kind::PgpMimeMangled | Kind::PgpInline | Kind::Smime)
    }
}

/// What a part is to a reader without keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds other parts and nothing else.
    Structure,
    /// It cannot be read.
    Encrypted,
    /// It can be read, or some reader may find a way.
    Readable,
    /// There is nothing in it that a sender wrote.
    Empty,
    /// A signature over another part.
    Signature,
}

impl State {
    /// The name in a report.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Structure => "structure",
            State::Encrypted => "encrypted",
            State::Readable => "readable",
            State::Empty => "empty",
            State::Signature => "signature",
        }
    }
}

/// One part as the verdict saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its type and subtype in lower case.
    pub media: String,
    /// Its file name, as it came.
    pub name: Option<Vec<u8>>,
    /// Whether its disposition is `attachment`.
    pub is_attachment: bool,
    /// What it is.
    pub state: State,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&escape::foreign(self.media.as_bytes()))?;
        if self.is_attachment {
            f.write_str(" attachment")?;
        }
        match &self.name {
            Some(name) => write!(f, " \"{}\"", escape::foreign(name)),
            None => Ok(()),
        }
    }
}

/// The kind, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The kind.
    pub kind: Kind,
    /// The reason of the part that decided.
    pub reason: Reason,
    /// Its place in `parts`.
    pub part: usize,
    /// All parts that were found, the message itself first.
    pub parts: Vec<Part>,
    /// The recipients of all OpenPGP messages in it, in order.
    pub recipients: Vec<Recipient>,
    /// What anybody can read of it.
    told: Told,
}

impl Verdict {
    /// Which part decided, and its reason, in words.
    pub fn why(&self) -> String {
        match self.parts.get(self.part) {
            Some(part) => format!("{part} {}", self.reason),
            None => format!("it {}", self.reason),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.why())
    }
}

/// Judges a message, the host's `From ` line taken off.
///
/// It reads nothing but the message, cannot fail, and takes time in proportion to the length. At every
/// bound the answer is "not encrypted".
pub fn of(message: &[u8]) -> Verdict {
    judge::judge(message, 0, None)
}

/// Whether a message that begins like this is readable, whatever follows.
///
/// Of a large message this answers in no time: most of them begin with a text.
pub fn begins_readable(beginning: &[u8]) -> bool {
    mime::walk(beginning).parts.iter().any(leaf::begins_readable)
}

/// Whether `message` is a large one that begins readable. Of any other its parts are decoded.
pub fn is_told_by_beginning(message: &[u8]) -> bool {
    message.get(..BEGINNING).is_some_and(begins_readable)
}
