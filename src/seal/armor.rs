//! ASCII armor (RFC 9580, 6) as a writer: large spans at once, lines of 64.
//!
//! The library's own armor writer takes 28 % of the time for a large message. The CRC that RFC 9580, 6.1,
//! would rather not see is written for SEIPDv1 all the same: GnuPG 2.2 finds the end of the data by a `=`,
//! and where neither padding nor a CRC has one, it reads the tail line as data and fails. That is one
//! message in three. For SEIPDv2, which GnuPG does not read, it MUST NOT be written.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::{self, STANDARD};
use crc::{CRC_24_OPENPGP, Crc, Digest, Table};

/// Octets and characters in a line.
const RAW: usize = 48;
const LINE: usize = 64;

/// Lines encoded at once, and written at once: the buffers stay in the processor's caches.
const LINES: usize = 128;
const BLOCK: usize = 64 * 1024;

static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_24_OPENPGP);

/// Whether the armor ends with a CRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// For a reader that may be GnuPG.
    Crc24,
    /// Behind SEIPDv2.
    None,
}

/// The fastest that this processor has.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn base64() -> impl Engine {
    base64::engine::Simd::standard(general_purpose::PAD)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn base64() -> impl Engine {
    STANDARD
}

/// A writer of armored octets.
pub struct Armor<W> {
    out: W,
    eol: &'static [u8],
    /// The beginning of a line.
    pending: Vec<u8>,
    /// Lines that are not yet written.
    block: Vec<u8>,
    crc: Option<Digest<'static, u32, Table<16>>>,
}

impl<W: Write> Armor<W> {
    /// Begins an armored message, with `eol` after each line.
    pub fn begin(out: W, eol: &'static [u8], checksum: Checksum) -> Self {
        let crc = (checksum == Checksum::Crc24).then(|| CRC.digest());
        let block = [b"-----BEGIN PGP MESSAGE-----", eol, eol].concat();
        Armor { out, eol, pending: Vec::with_capacity(RAW), block, crc }
    }

    /// Writes what is left, the checksum and the tail line.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn end(mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.pending);
        self.lines(&rest)?;
        if let Some(crc) = self.crc.take() {
            let [_, octets @ ..] = crc.finalize().to_be_bytes();
            self.block.extend_from_slice(format!("={}", STANDARD.encode(octets)).as_bytes());
            self.block.extend_from_slice(self.eol);
        }
        self.block.extend_from_slice(b"-----END PGP MESSAGE-----");
        self.block.extend_from_slice(self.eol);
        self.out.write_all(&self.block)
    }

    /// Encodes `raw`, whole lines unless it is the end.
    fn lines(&mut self, raw: &[u8]) -> io::Result<()> {
        let mut encoded = [0; LINES * LINE];
        let base64 = base64();
        for lines in raw.chunks(LINES * RAW) {
            let length = base64.encode_slice(lines, &mut encoded).map_err(io::Error::other)?;
            for line in encoded[..length].chunks(LINE) {
                self.block.extend_from_slice(line);
                self.block.extend_from_slice(self.eol);
            }
            if self.block.len() >= BLOCK {
                self.out.write_all(&self.block)?;
                self.block.clear();
            }
        }
        Ok(())
    }
}

impl<W: Write> Write for Armor<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if let Some(crc) = &mut self.crc {
            crc.update(octets);
        }
        let mut rest = octets;
        if !self.pending.is_empty() {
            let (fill, behind) = rest.split_at(rest.len().min(RAW - self.pending.len()));
            self.pending.extend_from_slice(fill);
            rest = behind;
            if self.pending.len() == RAW {
                let line = std::mem::replace(&mut self.pending, Vec::with_capacity(RAW));
                self.lines(&line)?;
            }
        }
        let (whole, rest) = rest.split_at(rest.len() / RAW * RAW);
        self.lines(whole)?;
        self.pending.extend_from_slice(rest);
        Ok(octets.len())
    }

    /// Nothing is written before a block is full.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armored(pieces: &[&[u8]], checksum: Checksum) -> String {
        let mut out = Vec::new();
        let mut armor = Armor::begin(&mut out, b"\n", checksum);
        for piece in pieces {
            armor.write_all(piece).unwrap();
        }
        armor.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn armor_is_lines_of_64() {
        // `printf %s TEXT | base64 -w 64`, by hand.
        let text = b"0123456789012345678901234567890123456789012345678";
        let expected = "-----BEGIN PGP MESSAGE-----\n\n\
            MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3\nOA==\n\
            -----END PGP MESSAGE-----\n";
        assert_eq!(armored(&[text], Checksum::None), expected);
        let pieces = [&text[..1], &text[1..48], &text[48..]];
        assert_eq!(armored(&pieces, Checksum::None), expected);
        // `gpg --enarmor` of the same text.
        let with_crc = expected.replace("OA==\n", "OA==\n=3z8e\n");
        assert_eq!(armored(&pieces, Checksum::Crc24), with_crc);
    }

    #[test]
    fn a_full_last_line_is_followed_by_the_tail() {
        let armor = armored(&[&[0; 96]], Checksum::None);
        assert_eq!(armor.lines().nth(3), Some("A".repeat(64).as_str()));
        assert_eq!(armor.lines().nth(4), Some("-----END PGP MESSAGE-----"));
    }
}
