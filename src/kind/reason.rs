//! Why a part is what it is: named facts, and the words for them.

use std::fmt;

use crate::mime::Oddity;
use crate::{cms, openpgp};

/// A fact about one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It holds other parts.
    Structure,
    /// An OpenPGP message that was followed to its end.
    OpenPgp,
    /// A CMS envelope.
    Enveloped,
    /// The version part of PGP/MIME.
    Version,
    /// A signature that parses, beside what it signs.
    Signature,
    /// Nothing but white space, a signature separator or `Empty Message`.
    Empty,
    /// Plainly readable.
    Readable,
    /// Text in the cleartext framework of OpenPGP (RFC 9580, 7).
    SignedText,
    /// A message of its own.
    Forwarded,
    /// A charset in which text can look like armor, or one that nobody knows.
    Charset,
    /// A text type whose readers show more than armor.
    TextType,
    /// HTML with more in it than tags and armor.
    Html,
    /// A name or type under which another program opens it.
    OtherName,
    /// Octets in a transfer encoding that readers skip.
    SkippedOctets,
    /// Binary data in a type that has readers of its own.
    OtherType,
    /// `multipart/encrypted` of another protocol.
    Protocol,
    /// More or fewer than two parts.
    PartCount,
    /// Parts of other types than the protocol demands.
    PartTypes,
    /// A version part that holds something else.
    NoVersion,
    /// More than 200 octets before the first part, or no part at all.
    Preamble,
    /// Something behind the last part.
    Epilogue,
    /// Fields in what is signed that are none of MIME's, or very long header sections of parts.
    PartHeader,
    /// A second part that is no signature of the declared type.
    NoSignature,
    /// Too many layers of signatures.
    Layers,
    /// A structure that readers take differently.
    Mime(Oddity),
    /// What is wrong with its armor or packets.
    Pgp(openpgp::Fault),
    /// What is wrong with its CMS.
    Cms(cms::Fault),
}

impl Reason {
    /// The name of the fact, for tests and programs.
    pub fn name(self) -> String {
        match self {
            Reason::Mime(oddity) => format!("{oddity:?}"),
            Reason::Pgp(fault) => format!("{fault:?}"),
            Reason::Cms(fault) => format!("{fault:?}"),
            own => format!("{own:?}"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Reason::Structure => "holds other parts",
            Reason::OpenPgp => "is an encrypted OpenPGP message",
            Reason::Enveloped => "is enveloped CMS",
            Reason::Version => "is the version part of PGP/MIME",
            Reason::Signature => "is a signature",
            Reason::Empty => "is empty",
            Reason::Readable => "is readable",
            Reason::SignedText => "is signed and readable",
            Reason::Forwarded => "is a message with a readable header section",
            Reason::Charset => "has a charset in which text can look like armor",
            Reason::TextType => "is armor in a type that is shown in another way",
            Reason::Html => "is HTML with more than armor in it",
            Reason::OtherName => "is encrypted by its octets, but not by its name",
            Reason::SkippedOctets => "has something readable in its transfer encoding",
            Reason::OtherType => "is encrypted by its octets, but not by its type",
            Reason::Protocol => "has another protocol than application/pgp-encrypted",
            Reason::PartCount => "has more or fewer than two parts",
            Reason::PartTypes => "has other parts than its type demands",
            Reason::NoVersion => "has no version part that says Version: 1",
            Reason::Preamble => "is readable before its first part",
            Reason::Epilogue => "is readable behind its last part",
            Reason::PartHeader => "has a header section that can be read",
            Reason::NoSignature => "is not followed by one signature of its type",
            Reason::Layers => "has too many layers of signatures",
            Reason::Mime(oddity) => oddity.words(),
            Reason::Pgp(fault) => fault.words(),
            Reason::Cms(fault) => fault.words(),
        })
    }
}
