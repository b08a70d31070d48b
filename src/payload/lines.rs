//! Line ends: what the original has, the canonical form for what is encrypted, and the way back.

use std::io;

use memchr::{memchr_iter, memchr2_iter};

/// How much is converted at once, in octets.
const PIECE: usize = 32 * 1024;

/// How the line ends of an original are restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnds {
    /// It has no CR: CRLF stands for its LF.
    Lf,
    /// CRLF everywhere, no bare CR or LF.
    CrLf,
    /// Untouched.
    AsIs,
}

impl LineEnds {
    /// What `original` has.
    pub fn of(original: &[u8]) -> Self {
        let Some(first) = memchr::memchr(b'\r', original) else { return LineEnds::Lf };
        let pair = |at: usize| match original[at] {
            b'\r' => original.get(at + 1) == Some(&b'\n'),
            _ => at > 0 && original[at - 1] == b'\r',
        };
        let bare_before = memchr::memchr(b'\n', &original[..first]).is_some();
        if !bare_before && memchr2_iter(b'\r', b'\n', original).all(pair) {
            LineEnds::CrLf
        } else {
            LineEnds::AsIs
        }
    }

    /// The word for the `lines` parameter.
    pub fn word(self) -> &'static str {
        match self {
            LineEnds::Lf => "lf",
            LineEnds::CrLf => "crlf",
            LineEnds::AsIs => "asis",
        }
    }

    /// What a `lines` parameter says.
    pub fn from_word(word: &str) -> Option<Self> {
        [LineEnds::Lf, LineEnds::CrLf, LineEnds::AsIs].into_iter().find(|ends| ends.word() == word)
    }

    /// How many octets the canonical form of `text` has more than `text`.
    pub fn growth(self, text: &[u8]) -> usize {
        if self == LineEnds::Lf { memchr_iter(b'\n', text).count() } else { 0 }
    }

    /// Writes the canonical form of `text`, a span of the original, in pieces that stay in the processor's
    /// caches.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_canonical(self, text: &[u8], out: &mut impl io::Write) -> io::Result<()> {
        if self != LineEnds::Lf {
            return out.write_all(text);
        }
        let mut canonical = Vec::with_capacity(2 * PIECE);
        for piece in text.chunks(PIECE) {
            canonical.clear();
            let mut start = 0;
            for lf in memchr_iter(b'\n', piece) {
                canonical.extend_from_slice(&piece[start..lf]);
                canonical.extend_from_slice(b"\r\n");
                start = lf + 1;
            }
            canonical.extend_from_slice(&piece[start..]);
            out.write_all(&canonical)?;
        }
        Ok(())
    }

    /// Writes what `canonical` restores to: every CRLF becomes LF again where the original had LF.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn restore(self, canonical: &[u8], out: &mut impl io::Write) -> io::Result<()> {
        if self != LineEnds::Lf {
            return out.write_all(canonical);
        }
        let mut start = 0;
        for lf in memchr_iter(b'\n', canonical) {
            if canonical[start..lf].ends_with(b"\r") {
                out.write_all(&canonical[start..lf - 1])?;
                out.write_all(b"\n")?;
            } else {
                out.write_all(&canonical[start..=lf])?;
            }
            start = lf + 1;
        }
        out.write_all(&canonical[start..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_told_apart() {
        for (text, ends) in [
            (&b""[..], LineEnds::Lf),
            (b"no line end", LineEnds::Lf),
            (b"a\nb\n", LineEnds::Lf),
            (b"a\r\nb", LineEnds::CrLf),
            (b"a\r\nb\n", LineEnds::AsIs),
            (b"a\nb\r\n", LineEnds::AsIs),
            (b"a\rb\n", LineEnds::AsIs),
            (b"a\r\nb\r", LineEnds::AsIs),
            (b"a\r\r\n", LineEnds::AsIs),
            (b"\n\r\n", LineEnds::AsIs),
            (b"\r", LineEnds::AsIs),
        ] {
            assert_eq!(LineEnds::of(text), ends, "{}", text.escape_ascii());
        }
    }
}
