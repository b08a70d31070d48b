//! Transfer encodings (RFC 2045, 6): off, whole or for the first octets only.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::message::Lines;

/// Base64 as readers take it: with or without padding, whatever its last bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a body is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 7bit, 8bit, binary: as it is.
    Identity,
    /// RFC 2045, 6.8.
    Base64,
    /// RFC 2045, 6.7.
    QuotedPrintable,
}

impl Encoding {
    /// The encoding of this name, without regard to case; none if RFC 2045 does not know it.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name.to_ascii_lowercase().as_slice() {
            b"7bit" | b"8bit" | b"binary" => Some(Encoding::Identity),
            b"base64" => Some(Encoding::Base64),
            b"quoted-printable" => Some(Encoding::QuotedPrintable),
            _ => None,
        }
    }
}

/// A body without its transfer encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// What a reader gets.
    pub octets: Cow<'a, [u8]>,
    /// Whether the encoded body held nothing else: no octet that a reader skips, no blank inside a line,
    /// nothing behind the padding. What is skipped can be read on the disk.
    pub is_exact: bool,
}

/// Takes the transfer encoding off.
pub fn decode(body: &[u8], encoding: Encoding) -> Decoded<'_> {
    match encoding {
        Encoding::Identity => Decoded { octets: Cow::Borrowed(body), is_exact: true },
        Encoding::Base64 => base64(body),
        Encoding::QuotedPrintable => quoted_printable(body),
    }
}

/// The first octets of the decoded body: of a large one all that a look at its beginning needs.
pub fn beginning(body: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    decode(&body[..body.len().min(4096)], encoding).octets
}

fn base64(body: &[u8]) -> Decoded<'_> {
    let mut text = Vec::with_capacity(body.len());
    let mut is_exact = true;
    let mut padded = false;
    for line in Lines(body) {
        let line = line.trim_ascii_end();
        let letters = line.len() - line.iter().rev().take_while(|octet| **octet == b'=').count();
        if padded {
            is_exact &= line.is_empty();
        } else if is_base64(&line[..letters]) {
            text.extend_from_slice(&line[..letters]);
        } else {
            is_exact = false;
            text.extend(line.iter().take_while(|octet| **octet != b'=').filter(|o| is_base64(&[**o])));
        }
        padded |= line.contains(&b'=');
    }
    // One letter alone is less than an octet.
    if text.len() % 4 == 1 {
        text.pop();
        is_exact = false;
    }
    let octets = BASE64.decode(&text).unwrap_or_default();
    Decoded { octets: Cow::Owned(octets), is_exact }
}

/// Whether all octets are letters of base64.
pub fn is_base64(text: &[u8]) -> bool {
    are_base64([text])
}

/// Whether all octets of all these lines are letters of base64. What tells them apart from others is gathered in
/// sixteen lanes and looked at once, so that the compiler can do many at a time; a table takes ten times as long.
pub fn are_base64<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut all = [0; LANES];
    for line in lines {
        let (blocks, rest) = line.as_chunks();
        blocks.iter().for_each(|block| gather(&mut all, block));
        match line.last_chunk() {
            _ if rest.is_empty() => {}
            // Some of its octets were seen before, which changes nothing.
            Some(last) => gather(&mut all, last),
            None => all[0] = rest.iter().fold(all[0], |all, octet| all | foreign(*octet)),
        }
    }
    all == [0; LANES]
}

/// What a processor compares at once, at the least.
const LANES: usize = 16;

fn gather(all: &mut [u8; LANES], block: &[u8; LANES]) {
    all.iter_mut().zip(block).for_each(|(all, octet)| *all |= foreign(*octet));
}

/// Zero for a letter of base64 alone: how far an octet is from the nearest ones. No branches: vectors have none.
fn foreign(octet: u8) -> u8 {
    let from_letters = (octet | 0x20).wrapping_sub(b'a').saturating_sub(25);
    // The digits stand behind the slash.
    let from_digits = octet.wrapping_sub(b'/').saturating_sub(10);
    from_letters.min(from_digits).min(octet ^ b'+')
}

fn quoted_printable(body: &[u8]) -> Decoded<'_> {
    let mut octets = Vec::with_capacity(body.len());
    for line in Lines(body) {
        let end = crate::message::line_end(line);
        // Blanks at the end of a line are not the sender's (RFC 2045, 6.7, rule 3).
        let mut rest = line[..line.len() - end.len()].trim_ascii_end();
        let mut joins = false;
        while let Some(escape) = memchr::memchr(b'=', rest) {
            octets.extend_from_slice(&rest[..escape]);
            rest = &rest[escape + 1..];
            match rest.first_chunk::<2>().and_then(|pair| hex(*pair)) {
                Some(octet) => {
                    octets.push(octet);
                    rest = &rest[2..];
                }
                None if rest.is_empty() => joins = true,
                // Readers show a false escape as it stands; GnuPG's checksum line in it is one.
                None => octets.push(b'='),
            }
        }
        octets.extend_from_slice(rest);
        if !joins {
            octets.extend_from_slice(end);
        }
    }
    Decoded { octets: Cow::Owned(octets), is_exact: true }
}

/// The octet that two hexadecimal digits of either case stand for.
pub(super) fn hex(digits: [u8; 2]) -> Option<u8> {
    let digit = |octet: u8| (octet as char).to_digit(16);
    Some((digit(digits[0])? * 16 + digit(digits[1])?) as u8)
}
