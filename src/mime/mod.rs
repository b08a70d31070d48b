//! The parts of a message: a bounded walk over spans of its bytes, parameters, transfer encodings.
//!
//! Readers of mail disagree about malformed structure (RFC 2045, 2046, 2231), and a verdict must hold for
//! all of them. So nothing is refused or repaired here: the walk goes on in the most common reading and
//! names each place where another reader may see something else. Whoever judges takes that as a doubt.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod content;
mod field;
mod parameters;
mod transfer;
mod walk;

#[cfg(test)]
mod tests;

pub use content::Content;
pub use field::{date, text};
pub use parameters::Parameters;
pub use transfer::{Decoded, Encoding, are_base64, beginning, decode, is_base64};
pub use walk::{Part, Tree, walk};

/// A place at which two readers may see different things, or a bound at which the walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// The header section does not end with an empty line.
    NoEmptyLine,
    /// Blanks between the name of a field and its colon.
    BlankBeforeColon,
    /// A line of blanks only in the header section: some readers end it there.
    FoldOfBlanks,
    /// NUL, or CR without LF, in the header section.
    ControlInHeader,
    /// More than one Content-Type; Microsoft takes the last, others the first.
    TwoContentTypes,
    /// More than one Content-Transfer-Encoding.
    TwoEncodings,
    /// A transfer encoding that RFC 2045 does not know.
    UnknownEncoding,
    /// A Content-Type with a comment, an open quote, an escape or a parameter without value.
    MalformedContentType,
    /// One parameter twice, in whatever spelling.
    ParameterTwice,
    /// A multipart without a boundary.
    NoBoundary,
    /// A boundary that RFC 2046 does not allow.
    OddBoundary,
    /// A boundary that begins as one that is still open does, or the other way round.
    NestedBoundary,
    /// A line that begins with an open boundary and is no delimiter, or comes after its last one.
    AmbiguousDelimiter,
    /// A multipart or message in base64 or quoted-printable: readers differ on whether they decode it.
    EncodedStructure,
    /// More levels than any reader opens.
    TooDeep,
    /// More parts than any reader opens.
    TooManyParts,
}

impl Oddity {
    /// What is so, said of the part.
    pub fn words(self) -> &'static str {
        match self {
            Oddity::NoEmptyLine => "has a header section that no empty line ends",
            Oddity::BlankBeforeColon => "has blanks before the colon of a field",
            Oddity::FoldOfBlanks => "has a line of blanks in its header section",
            Oddity::ControlInHeader => "has NUL or a bare CR in its header section",
            Oddity::TwoContentTypes => "has more than one Content-Type",
            Oddity::TwoEncodings => "has more than one Content-Transfer-Encoding",
            Oddity::UnknownEncoding => "has an unknown transfer encoding",
            Oddity::MalformedContentType => "has a malformed Content-Type",
            Oddity::ParameterTwice => "has a parameter twice",
            Oddity::NoBoundary => "has no boundary",
            Oddity::OddBoundary => "has a malformed boundary",
            Oddity::NestedBoundary => "has the beginning of another part's boundary as its own",
            Oddity::AmbiguousDelimiter => "has a line that is almost a delimiter",
            Oddity::EncodedStructure => "has parts inside a transfer encoding",
            Oddity::TooDeep => "has too many levels of parts",
            Oddity::TooManyParts => "has too many parts",
        }
    }
}
