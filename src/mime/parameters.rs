//! A structured field with parameters: `value; name=value; ...` (RFC 2045, 5.1; RFC 2231).

use super::Oddity;

/// More parameters than this are an attack; the rest is not read.
const MOST: usize = 100;

/// A value and its parameters, as the most tolerant readers see them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// What stands before the first semicolon, in lower case.
    pub value: Vec<u8>,
    /// Names in lower case up to the first `*`, and the values put together.
    pub list: Vec<(Vec<u8>, Vec<u8>)>,
    /// The first thing about it that readers may read otherwise.
    pub oddity: Option<Oddity>,
}

impl Parameters {
    /// Reads an unfolded field body.
    pub fn read(text: &[u8]) -> Self {
        let mut scan = Scan { text, at: 0, malformed: false };
        let value = scan.value();
        let mut pieces = Vec::new();
        while let Some(piece) = scan.parameter() {
            pieces.push(piece);
            if pieces.len() > MOST {
                scan.malformed = true;
                break;
            }
        }
        let mut parameters = Parameters { value, list: Vec::new(), oddity: None };
        parameters.join(pieces);
        if scan.malformed {
            parameters.oddity = Some(Oddity::MalformedContentType);
        }
        parameters
    }

    /// The value of the parameter called `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.list.iter().find(|(known, _)| known == name.as_bytes()).map(|(_, value)| value.as_slice())
    }

    fn join(&mut self, pieces: Vec<Piece>) {
        let mut bases: Vec<&[u8]> = Vec::new();
        for piece in &pieces {
            if !bases.contains(&piece.base()) {
                bases.push(piece.base());
            }
        }
        for base in bases {
            let same: Vec<&Piece> = pieces.iter().filter(|piece| piece.base() == base).collect();
            self.list.push((base.to_vec(), value_of(&same)));
            if spelled_twice(&same) {
                self.oddity = self.oddity.or(Some(Oddity::ParameterTwice));
            } else if !is_in_one_piece(&same) {
                self.oddity = self.oddity.or(Some(Oddity::MalformedContentType));
            }
        }
    }
}

/// One `name=value` as it stands there.
struct Piece {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Piece {
    fn base(&self) -> &[u8] {
        let end = self.name.iter().position(|octet| *octet == b'*').unwrap_or(self.name.len());
        &self.name[..end]
    }

    /// What follows the base: nothing, `*`, `*0`, `*0*`.
    fn suffix(&self) -> &[u8] {
        &self.name[self.base().len()..]
    }

    /// The number of a continuation, and whether it is percent-encoded (RFC 2231, 3 and 4.1).
    fn section(&self) -> Option<(usize, bool)> {
        let number = self.suffix().strip_prefix(b"*")?;
        let (digits, encoded) = match number.strip_suffix(b"*") {
            Some(digits) => (digits, true),
            None => (number, false),
        };
        let leading_zero = digits.len() > 1 && digits.starts_with(b"0");
        let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
        (!leading_zero && digits.iter().all(u8::is_ascii_digit)).then_some((number, encoded))
    }
}

/// Whether the pieces of one parameter are more than one spelling of it.
fn spelled_twice(same: &[&Piece]) -> bool {
    let whole = same.iter().filter(|piece| piece.section().is_none()).count();
    let mut numbers: Vec<usize> = same.iter().filter_map(|piece| piece.section()).map(|(n, _)| n).collect();
    numbers.sort_unstable();
    let repeated = numbers.windows(2).any(|pair| pair[0] == pair[1]);
    whole > 1 || (whole == 1 && !numbers.is_empty()) || repeated
}

/// Whether no piece of a continued parameter is missing, or numbered in a way of its own. Some readers go on
/// behind a gap.
fn is_in_one_piece(same: &[&Piece]) -> bool {
    let is_known = |piece: &&Piece| matches!(piece.suffix(), b"" | b"*") || piece.section().is_some();
    let last = same.iter().filter_map(|piece| piece.section()).map(|(number, _)| number).max();
    same.iter().all(is_known) && last.is_none_or(|last| last < same.len())
}

/// The value of one parameter: `name*` before `name*0`, `name*1` ..., before `name`.
fn value_of(same: &[&Piece]) -> Vec<u8> {
    if let Some(extended) = same.iter().find(|piece| piece.suffix() == b"*") {
        return percent_decoded(without_charset(&extended.value));
    }
    let mut joined = Vec::new();
    let mut next = 0;
    while let Some((piece, encoded)) = section_number(same, next) {
        match encoded {
            true if next == 0 => joined.extend(percent_decoded(without_charset(&piece.value))),
            true => joined.extend(percent_decoded(&piece.value)),
            false => joined.extend_from_slice(&piece.value),
        }
        next += 1;
    }
    match same.iter().find(|piece| piece.suffix().is_empty()) {
        Some(plain) if next == 0 => plain.value.clone(),
        _ => joined,
    }
}

fn section_number<'a>(same: &[&'a Piece], number: usize) -> Option<(&'a Piece, bool)> {
    same.iter().find_map(|piece| match piece.section() {
        Some((n, encoded)) if n == number => Some((*piece, encoded)),
        _ => None,
    })
}

/// The value behind `charset'language'`.
fn without_charset(value: &[u8]) -> &[u8] {
    value.splitn(3, |octet| *octet == b'\'').nth(2).unwrap_or(value)
}

fn percent_decoded(value: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, behind)) = rest.split_first() {
        match (first, behind.first_chunk::<2>().and_then(|pair| super::transfer::hex(*pair))) {
            (b'%', Some(octet)) => {
                decoded.push(octet);
                rest = &behind[2..];
            }
            _ => {
                decoded.push(*first);
                rest = behind;
            }
        }
    }
    decoded
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    malformed: bool,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn until(&mut self, ends: impl Fn(u8) -> bool) -> &[u8] {
        let rest = &self.text[self.at..];
        let len = rest.iter().position(|octet| ends(*octet)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    fn blanks(&mut self) {
        self.until(|octet| !is_blank(octet));
    }

    fn value(&mut self) -> Vec<u8> {
        self.blanks();
        let value = trimmed(self.until(|octet| octet == b';' || octet == b'(')).to_ascii_lowercase();
        self.end_of_parameter();
        value
    }

    fn parameter(&mut self) -> Option<Piece> {
        loop {
            self.until(|octet| octet != b';' && !is_blank(octet));
            if self.peek()? == b'(' {
                self.comment();
                continue;
            }
            let name = self.until(|octet| matches!(octet, b'=' | b';' | b'(')).to_ascii_lowercase();
            if self.peek() != Some(b'=') {
                self.end_of_parameter();
                // A name without value, or a comment.
                self.malformed = true;
                continue;
            }
            self.at += 1;
            let before = self.at;
            self.blanks();
            self.malformed |= before != self.at || !is_token(&name);
            let value = if self.peek() == Some(b'"') { self.quoted() } else { self.token() };
            self.end_of_parameter();
            return Some(Piece { name: name.trim_ascii().to_vec(), value });
        }
    }

    /// A quoted-string. An escape is read, but not every reader reads it.
    fn quoted(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut value = Vec::new();
        loop {
            let run = self.until(|octet| matches!(octet, b'"' | b'\\'));
            value.extend_from_slice(run);
            match self.peek() {
                Some(b'\\') => {
                    self.malformed = true;
                    value.extend(self.text.get(self.at + 1));
                    self.at = self.text.len().min(self.at + 2);
                }
                Some(_) => {
                    self.at += 1;
                    return value;
                }
                None => {
                    self.malformed = true;
                    return value;
                }
            }
        }
    }

    fn token(&mut self) -> Vec<u8> {
        let value = trimmed(self.until(|octet| matches!(octet, b';' | b'('))).to_vec();
        let is_foreign = |octet: &u8| is_blank(*octet) || octet.is_ascii_control() || *octet == b'"';
        self.malformed |= value.is_empty() || value.iter().any(is_foreign);
        value
    }

    /// Passes over a comment, which may hold comments. Not every reader does.
    fn comment(&mut self) {
        self.malformed = true;
        let mut open = 0;
        while let Some(octet) = self.peek() {
            self.at += 1;
            match octet {
                b'\\' => self.at = self.text.len().min(self.at + 1),
                b'(' => open += 1,
                b')' if open == 1 => return,
                b')' => open -= 1,
                _ => {}
            }
        }
    }

    /// Goes to the next semicolon. Anything but blanks on the way is a comment or garbage.
    fn end_of_parameter(&mut self) {
        self.blanks();
        while self.peek() == Some(b'(') {
            self.comment();
            self.blanks();
        }
        let skipped = self.until(|octet| octet == b';').len();
        self.malformed |= skipped > 0;
    }
}

/// RFC 2045, 5.1. A reader that takes other octets for blanks sees another name.
pub(super) fn is_token(name: &[u8]) -> bool {
    let is_special = |octet: &u8| b"()<>@,;:\\\"/[]?=".contains(octet);
    !name.is_empty() && name.iter().all(|octet| octet.is_ascii_graphic() && !is_special(octet))
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without blanks at both ends. A form feed or a vertical tab is none (RFC 5322, 2.2.2).
fn trimmed(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|octet| !is_blank(*octet)).unwrap_or(text.len());
    let end = text.iter().rposition(|octet| !is_blank(*octet)).map_or(start, |last| last + 1);
    &text[start..end]
}
