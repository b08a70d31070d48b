//! A message as spans of its bytes: the host's frame, the header section, the body.
//!
//! This is the one header splitter of the crate. Copies of fields, outer fields and verdicts all come
//! from it, so no two of them can disagree about where the header section ends: with two splitters, a
//! header section with LF and a body with CRLF gave readers a forged Subject out of the body.
//! Nothing here changes, copies or refuses anything: hostile mail is data (RFC 5322, 4).

/// What arrived: the host's mbox `From ` line, if it put one in front, and the message itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival<'a> {
    /// The `From ` line with its line end, or nothing. It is the host's, not the message's.
    pub frame: &'a [u8],
    /// All bytes behind it.
    pub message: &'a [u8],
}

impl<'a> Arrival<'a> {
    /// Takes the frame off. `From : a@b` is a field with obsolete blanks (RFC 5322, 4.5), not a frame.
    pub fn read(bytes: &'a [u8]) -> Self {
        let (frame, message) = bytes.split_at(frame_len(bytes));
        Arrival { frame, message }
    }
}

fn frame_len(bytes: &[u8]) -> usize {
    match bytes.strip_prefix(b"From ") {
        Some(rest) if rest.trim_ascii_start().first() != Some(&b':') => line_len(bytes),
        _ => 0,
    }
}

/// A header section, the empty line behind it, and a body: a message, or one part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entity<'a> {
    /// All fields, line ends included.
    pub header: Header<'a>,
    /// The empty line that ends the header section: LF, CRLF, or nothing where the section ends at the
    /// end of the data or before a line that is no field.
    pub separator: &'a [u8],
    /// All that follows.
    pub body: &'a [u8],
}

impl<'a> Entity<'a> {
    /// Splits at the first empty line of either kind, or before the first line that is neither a field
    /// nor the continuation of one.
    pub fn split(bytes: &'a [u8]) -> Self {
        let mut fields = Header(bytes).fields();
        fields.by_ref().for_each(drop);
        let rest = fields.rest();
        let (separator, body) = rest.split_at(empty_line(rest).len());
        Entity { header: Header(&bytes[..bytes.len() - rest.len()]), separator, body }
    }
}

/// A header section: the bytes of all its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a>(pub &'a [u8]);

impl<'a> Header<'a> {
    /// The fields from the top.
    pub fn fields(self) -> Fields<'a> {
        Fields(self.0)
    }

    /// The fields called `name`, from the top, whatever their letters' case.
    pub fn all(self, name: &str) -> impl Iterator<Item = Field<'a>> {
        self.fields().filter(move |field| field.is(name))
    }
}

/// The fields of a header section, one after the other, up to the first line that is no part of one.
#[derive(Clone, Debug)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// What follows the last field that was taken.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let first = line_len(self.0);
        let colon = colon_of(&self.0[..first])?;
        let mut end = first;
        // A line of blanks is no empty line but a continuation (RFC 5322, 4.2, obs-FWS).
        while matches!(self.0.get(end), Some(b' ' | b'\t')) {
            end += line_len(&self.0[end..]);
        }
        let (raw, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(Field { raw, colon })
    }
}

/// One field: name, colon, body (RFC 5322, 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// From the name to the end of the last folded line, its line end included.
    pub raw: &'a [u8],
    colon: usize,
}

impl<'a> Field<'a> {
    /// The name, without blanks before the colon: they hide no name (RFC 5322, 4.5).
    pub fn name(&self) -> &'a [u8] {
        self.raw[..self.colon].trim_ascii_end()
    }

    /// What follows the colon, folds and last line end included.
    pub fn body(&self) -> &'a [u8] {
        &self.raw[self.colon + 1..]
    }

    /// The body without line breaks (RFC 5322, 2.2.3: only the break goes, the blank stays) and without
    /// blanks at both ends.
    pub fn unfolded(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.body().len());
        for line in Lines(self.body()) {
            text.extend_from_slice(&line[..line.len() - line_end(line).len()]);
        }
        text.trim_ascii().to_vec()
    }

    /// Whether this is a field called `name`.
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether blanks stand between name and colon, which is read but never written.
    pub fn has_blank_before_colon(&self) -> bool {
        self.name().len() < self.colon
    }
}

/// The lines of some bytes, line ends included; the last one may lack its own.
#[derive(Clone, Debug)]
pub struct Lines<'a>(pub &'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = self.0.split_at(line_len(self.0));
        self.0 = rest;
        Some(line)
    }
}

/// The length of the first line, its LF included.
pub fn line_len(bytes: &[u8]) -> usize {
    find(bytes, b'\n').map_or(bytes.len(), |lf| lf + 1)
}

/// The line end of `line`: LF, CRLF, or nothing. A CR anywhere else belongs to the text.
pub fn line_end(line: &[u8]) -> &[u8] {
    let end = if line.ends_with(b"\r\n") { 2 } else { usize::from(line.ends_with(b"\n")) };
    &line[line.len() - end..]
}

/// The empty line that `bytes` begin with: LF, CRLF, or nothing.
pub fn empty_line(bytes: &[u8]) -> &[u8] {
    let length = if bytes.starts_with(b"\r\n") { 2 } else { usize::from(bytes.starts_with(b"\n")) };
    &bytes[..length]
}

/// The line end that a message uses, by its first line: what is added to it has that one too.
pub fn line_end_of(message: &[u8]) -> &'static [u8] {
    if line_end(&message[..line_len(message)]) == b"\r\n" { b"\r\n" } else { b"\n" }
}

/// Where the colon stands, if `line` begins a field: octets 33 to 126, perhaps blanks, a colon.
fn colon_of(line: &[u8]) -> Option<usize> {
    let name = line.iter().position(|octet| !IN_NAMES[usize::from(*octet)])?;
    let blanks = line[name..].iter().position(|octet| !matches!(octet, b' ' | b'\t'))?;
    (name > 0 && line[name + blanks] == b':').then_some(name + blanks)
}

/// Which octets a field's name may have: a look at a table for each costs half of two comparisons.
const IN_NAMES: [bool; 256] = {
    let mut octets = [false; 256];
    let mut octet = 33;
    while octet <= 126 {
        octets[octet] = octet != b':' as usize;
        octet += 1;
    }
    octets
};

/// Where `octet` stands first. `slice::contains` and `position` look at one octet at a time, and most of
/// the time over a large message goes into finding line ends.
fn find(bytes: &[u8], octet: u8) -> Option<usize> {
    memchr::memchr(octet, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_is_the_hosts_and_comes_off() {
        for (name, bytes, frame) in [
            (
                "Postfix",
                &b"From a@b  Mon Jan  1 00:00:00 2026\nTo: x\n\nhi"[..],
                &b"From a@b  Mon Jan  1 00:00:00 2026\n"[..],
            ),
            ("none", b"To: x\n\nFrom here on", b""),
            ("a field with a blank before its colon", b"From : a@b\n\nhi", b""),
            ("the field", b"From: a@b\n\nhi", b""),
            ("nothing but a frame", b"From a@b", b"From a@b"),
            ("CRLF", b"From a@b x\r\nTo: x\r\n", b"From a@b x\r\n"),
        ] {
            let arrival = Arrival::read(bytes);
            assert_eq!(arrival.frame, frame, "{name}");
            assert_eq!([arrival.frame, arrival.message].concat(), bytes, "{name}");
        }
    }

    #[test]
    fn the_header_section_ends_where_one_splitter_says() {
        for (name, bytes, header, separator) in [
            ("LF", &b"A: 1\nB: 2\n\nbody"[..], &b"A: 1\nB: 2\n"[..], &b"\n"[..]),
            ("CRLF", b"A: 1\r\n\r\nbody", b"A: 1\r\n", b"\r\n"),
            ("header LF, first empty line CRLF", b"A: 1\n\r\nSubject: forged\n\n", b"A: 1\n", b"\r\n"),
            ("header CRLF, first empty line LF", b"A: 1\r\n\nSubject: forged\r\n\r\n", b"A: 1\r\n", b"\n"),
            ("a fold of blanks only", b"A: 1\n \t\n 2\n\nbody", b"A: 1\n \t\n 2\n", b"\n"),
            ("no body", b"A: 1\n", b"A: 1\n", b""),
            ("no last line end", b"A: 1", b"A: 1", b""),
            ("a line that is no field", b"A: 1\nnot a field\nB: 2\n\n", b"A: 1\n", b""),
            ("a first line that begins with a blank", b" A: 1\nB: 2\n\n", b"", b""),
            ("no header section", b"\nbody", b"", b"\n"),
            ("a second frame", b"From x y\nA: 1\n\n", b"", b""),
            ("a bare CR", b"A: 1\rB: 2\n\nbody", b"A: 1\rB: 2\n", b"\n"),
            ("an 8-bit name", b"A: 1\nN\xe4me: 2\n\n", b"A: 1\n", b""),
            ("nothing", b"", b"", b""),
        ] {
            let entity = Entity::split(bytes);
            assert_eq!(
                entity.header.0.escape_ascii().to_string(),
                header.escape_ascii().to_string(),
                "{name}"
            );
            assert_eq!(entity.separator, separator, "{name}");
            assert_eq!([header, separator, entity.body].concat(), bytes, "{name}");
        }
    }

    #[test]
    fn fields_come_whole_and_in_order() {
        let header = Header(b"To : a\r\n b\r\nX-1:\r\nto:c\n\td\n");
        let fields: Vec<_> = header.fields().map(|f| (f.name(), f.unfolded())).collect();
        assert_eq!(
            fields,
            [(&b"To"[..], b"a b".to_vec()), (b"X-1", b"".to_vec()), (b"to", b"c\td".to_vec())]
        );
        assert_eq!(header.all("TO").count(), 2);
        assert!(header.fields().next().is_some_and(|f| f.has_blank_before_colon()));
        assert_eq!(header.fields().map(|f| f.raw).collect::<Vec<_>>().concat(), header.0);
    }
}
