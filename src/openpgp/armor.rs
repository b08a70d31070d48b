//! ASCII armor (RFC 9580, 6), so strictly that no sentence fits into what passes for it.

use std::borrow::Cow;

use memchr::memmem;

use crate::message::{line_end, line_len};
use crate::mime::{are_base64, is_base64};

use super::{Fault, Octets, Passage};

/// The armor header keys of RFC 9580, 6.2.2, and the one that PGP wrote more.
const KEYS: [&str; 5] = ["Version", "Comment", "Hash", "Charset", "MessageID"];

/// What every armor header line begins with.
const BEGIN: &[u8] = b"-----BEGIN PGP ";

/// Armor header lines, and octets of them.
const HEADER: (usize, usize) = (8, 512);

/// The shortest and the longest line of base64. Shorter lines could spell words one below the other; every
/// encrypted message fills at least one of 48.
pub(super) const LINE: std::ops::RangeInclusive<usize> = 32..=76;

/// The octets of a checksum that is joined to the last line of base64.
const JOINED: usize = 5;

/// What the header line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// `PGP MESSAGE`, in parts too.
    Message,
    /// `PGP SIGNATURE`.
    Signature,
    /// `PGP SIGNED MESSAGE`: the cleartext framework.
    SignedText,
    /// A key or something unknown.
    Other,
}

/// One armored object at the beginning of a text.
#[derive(Clone, Debug)]
pub struct Armor<'a> {
    /// What it says it is.
    pub label: Label,
    /// How many octets its armor header lines have, which anybody can read.
    pub header: usize,
    /// The octets inside.
    pub octets: Octets<'a>,
    /// The text behind it.
    pub rest: &'a [u8],
}

impl<'a> Armor<'a> {
    /// Reads armor that begins `text`, blanks and a byte order mark aside.
    ///
    /// # Errors
    /// What is so that it cannot be taken for armor and nothing else.
    pub fn read(text: &'a [u8]) -> Result<Self, Fault> {
        Armor::read_around(text, None)
    }

    /// The same, of a text from which `passage` was let go.
    ///
    /// # Errors
    /// As for `read`.
    pub fn read_around(text: &'a [u8], passage: Option<Passage>) -> Result<Self, Fault> {
        let opening = Opening::read(text)?;
        let body = opening.body;
        let block = Block::read(body)?;
        let behind = skip_tail(&body[block.end..], opening.name)?;
        let octets = block.octets(body)?;
        let octets = match passage.and_then(|passage| passage.behind(text.len() - body.len())) {
            Some(passage) => octets.around(passage, block.octets_before(passage.at)),
            None => octets,
        };
        Ok(Armor { label: opening.label, header: opening.header, octets, rest: behind })
    }
}

/// What stands before the base64: the armor header line, further ones, a blank one.
pub(super) struct Opening<'a> {
    pub label: Label,
    /// What the first line has behind `BEGIN PGP`: the last one ends with the same.
    name: &'a [u8],
    /// How many octets the lines behind the first one have.
    header: usize,
    /// The lines of base64, and all that follows.
    pub body: &'a [u8],
}

impl<'a> Opening<'a> {
    pub fn read(text: &'a [u8]) -> Result<Self, Fault> {
        let (first, rest) = split_line(trim_start(text));
        let label = label(first).ok_or(Fault::NoArmor)?;
        if matches!(label, Label::Other | Label::SignedText) {
            return Err(Fault::OtherLabel);
        }
        let body = skip_header(rest)?;
        Ok(Opening { label, name: &first[BEGIN.len()..], header: rest.len() - body.len(), body })
    }
}

/// The first line of `text` that begins an armored object or a signed text: where it is, and its label.
pub fn next_label(text: &[u8]) -> Option<(usize, Label)> {
    let begins = |at: &usize| *at == 0 || text[at - 1] == b'\n';
    memmem::find_iter(text, BEGIN).filter(begins).find_map(|at| {
        let (line, _) = split_line(&text[at..]);
        label(line).map(|label| (at, label))
    })
}

fn label(line: &[u8]) -> Option<Label> {
    let name = line.strip_prefix(BEGIN)?.strip_suffix(b"-----")?;
    Some(match name {
        b"MESSAGE" => Label::Message,
        b"SIGNATURE" => Label::Signature,
        b"SIGNED MESSAGE" => Label::SignedText,
        _ if is_part_of_message(name) => Label::Message,
        _ => Label::Other,
    })
}

/// `MESSAGE, PART 1/2` (RFC 4880, 6.2).
fn is_part_of_message(name: &[u8]) -> bool {
    name.strip_prefix(b"MESSAGE, PART ")
        .is_some_and(|part| part.len() <= 7 && part.iter().all(|octet| matches!(octet, b'0'..=b'9' | b'/')))
}

/// Passes over the armor header lines and the blank line behind them, which some programs lose.
fn skip_header(text: &[u8]) -> Result<&[u8], Fault> {
    let mut rest = text;
    for _ in 0..=HEADER.0 {
        let (line, behind) = split_line(rest);
        if is_blank(line) {
            return if behind.len() == rest.len() { Err(Fault::ArmorText) } else { Ok(behind) };
        }
        if !is_header_line(line) {
            // A line that is no base64 either is text.
            return if memchr::memchr(b':', line).is_some() { Err(Fault::ArmorHeader) } else { Ok(rest) };
        }
        if text.len() - behind.len() > HEADER.1 {
            return Err(Fault::ArmorHeader);
        }
        rest = behind;
    }
    Err(Fault::ArmorHeader)
}

fn is_header_line(line: &[u8]) -> bool {
    // Some readers end a line at a bare CR, and the next one might be anything.
    let is_one = !line.iter().any(u8::is_ascii_control);
    is_one
        && KEYS
            .iter()
            .any(|key| line.strip_prefix(key.as_bytes()).is_some_and(|value| value.starts_with(b":")))
}

/// White space alone, a no-break space of UTF-8 or Latin-1 included: some clients make them of blanks.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|octet| matches!(octet, b' ' | b'\t' | b'\r' | 0xa0 | 0xc2))
}

/// The lines of base64, as found.
struct Block {
    /// All letters, padding aside.
    letters: usize,
    /// What the last line has behind its letters.
    padding: usize,
    /// The length of the first line, and of it with its line end.
    line: usize,
    stride: usize,
    /// Whether each line but the last is like the first.
    is_uniform: bool,
    /// Whether the lines follow each other at one distance, so that places can be calculated.
    is_regular: bool,
    /// Where the line behind the last one of base64 begins.
    end: usize,
}

impl Block {
    fn read(body: &[u8]) -> Result<Self, Fault> {
        let mut block =
            Block { letters: 0, padding: 0, line: 0, stride: 0, is_uniform: true, is_regular: true, end: 0 };
        let (mut short, mut shifted) = (false, false);
        while block.end < body.len() {
            let rest = &body[block.end..];
            let whole = line_len(rest);
            let line = trim_end(&rest[..whole]);
            if line.first().is_none_or(|octet| matches!(octet, b'=' | b'-')) {
                break;
            }
            // Behind a line that is shorter than the first one nothing may follow.
            block.is_uniform &= !short;
            block.is_regular &= !shifted;
            let letters = letters_of(line);
            if !is_base64(&line[..letters]) || block.padding > 0 {
                return Err(Fault::ArmorText);
            }
            let is_first = block.end == 0;
            if is_first {
                (block.line, block.stride) = (line.len(), whole);
            }
            block.is_uniform &= line.len() <= block.line;
            block.is_regular &= line.len() <= block.line;
            short |= line.len() != block.line;
            shifted |= short || whole != block.stride;
            block.padding = line.len() - letters;
            block.letters += letters;
            block.end += whole;
            if is_first && block.padding == 0 {
                block.pass_lines_like_the_first(body);
            }
        }
        Ok(block)
    }

    /// Nearly all lines are like the first, its line end included: they need no search for their end.
    fn pass_lines_like_the_first(&mut self, body: &[u8]) {
        let count = count_lines(&body[self.stride..], self.line, &body[self.line..self.stride]);
        self.letters += count * self.line;
        self.end += count * self.stride;
    }

    /// How many octets are in the lines before `at`, where all are like the first.
    fn octets_before(&self, at: usize) -> usize {
        at / self.stride.max(1) * self.line / 4 * 3
    }

    fn octets<'a>(&self, body: &'a [u8]) -> Result<Octets<'a>, Fault> {
        let is_short = self.end == self.stride && self.line <= *LINE.end();
        if !self.is_uniform || !(is_short || LINE.contains(&self.line)) {
            return Err(Fault::ArmorLines);
        }
        // Without padding any number will do: the last letters may be lost.
        let is_padded = self.padding == 0 || self.padding >= JOINED;
        if !is_padded && (self.padding > 2 || !(self.letters + self.padding).is_multiple_of(4)) {
            return Err(Fault::ArmorText);
        }
        let text = &body[..self.end];
        if self.is_regular {
            return Ok(Octets::base64(text, self.letters, self.line, self.stride));
        }
        let letters: Vec<u8> =
            text.iter().copied().filter(|octet| !octet.is_ascii_whitespace() && *octet != b'=').collect();
        Ok(Octets::base64(Cow::from(letters), self.letters, self.letters, self.letters))
    }
}

/// How many lines `text` begins with that have so many letters and then this end.
pub(super) fn count_lines(text: &[u8], letters: usize, end: &[u8]) -> usize {
    let lines = text.chunks_exact(letters + end.len()).map(|line| line.split_at(letters));
    // To compare slices would be a call for each line.
    let is_ended = |(_, found): (&[u8], &[u8])| found.iter().eq(end);
    // All at once, which is nearly always the answer.
    let mut are_ended = true;
    let look = |line| {
        are_ended &= is_ended(line);
        line.0
    };
    if are_base64(lines.clone().map(look)) && are_ended {
        return lines.len();
    }
    lines.take_while(|line| is_ended(*line) && is_base64(line.0)).count()
}

/// The letters of a line, without what is padding: `=` at its end, and the checksum that quoted-printable
/// joins to it when it takes the padding for a soft line break.
fn letters_of(line: &[u8]) -> usize {
    let line = match line.split_last_chunk::<JOINED>() {
        Some((letters, [b'=', checksum @ ..])) if is_base64(checksum) => letters,
        _ => line,
    };
    line.len() - line.iter().rev().take_while(|octet| **octet == b'=').count()
}

/// Passes over the checksum and the last line. Both may be missing, and the checksum may be wrong: an
/// object must not be refused for that (RFC 9580, 6.1).
fn skip_tail<'a>(text: &'a [u8], name: &[u8]) -> Result<&'a [u8], Fault> {
    let mut rest = text;
    let (line, behind) = split_line(rest);
    if let Some(checksum) = line.strip_prefix(b"=") {
        if checksum.len() != 4 || !is_base64(checksum) {
            return Err(Fault::ArmorText);
        }
        rest = behind;
    }
    // Some programs put an empty line before the last one.
    let (line, behind) = split_line(trim_start(rest));
    Ok(if line.strip_prefix(b"-----END PGP ") == Some(name) { behind } else { rest })
}

/// The first line without its end and the blanks before it, and what follows.
fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = text.split_at(line_len(text));
    (trim_end(&line[..line.len() - line_end(line).len()]), rest)
}

fn trim_end(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

fn trim_start(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_start();
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start()
}
