//! The walk: one pass over the bytes, with a stack of open boundaries (RFC 2046, 5.1).

use memchr::memmem;

use crate::message::{Entity, Header, line_end, line_len};

use super::{Content, Encoding, Oddity};

/// The levels that Postfix (`mime_nesting_limit`) and Dovecot open.
const DEEPEST: usize = 100;

/// The parts that Dovecot opens.
const MOST: usize = 10_000;

/// The longest boundary that RFC 2046 allows.
const BOUNDARY: usize = 70;

/// The longest boundary that is looked for.
const LONGEST: usize = 2048;

/// All parts of a message, the message itself first, each before those that it holds.
#[derive(Clone, Debug)]
pub struct Tree<'a> {
    /// The parts.
    pub parts: Vec<Part<'a>>,
    /// Where the walk ended before the message did.
    pub bound: Option<Oddity>,
}

/// One part.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// Its header section.
    pub header: Header<'a>,
    /// What the header section says.
    pub content: Content,
    /// Its body, without the line break that belongs to the next delimiter.
    pub body: &'a [u8],
    /// Where its body begins in the message.
    pub at: usize,
    /// The part that holds it.
    pub parent: Option<usize>,
    /// The parts directly inside.
    pub children: Vec<usize>,
    /// Of a multipart: what stands before its first delimiter.
    pub preamble: &'a [u8],
    /// Of a multipart: what stands behind its last one.
    pub epilogue: &'a [u8],
    /// The first place where readers may differ.
    pub oddity: Option<Oddity>,
}

/// Finds all parts, up to 100 levels and 10,000 of them, in time linear in the message's length.
pub fn walk(message: &[u8]) -> Tree<'_> {
    let mut walker = Walker { bytes: message, parts: Vec::new(), open: Vec::new(), boundaries: Vec::new() };
    let bound = walker.run().err();
    walker.close_all();
    Tree { parts: walker.parts, bound }
}

/// A part whose end has not been seen yet.
struct Open {
    part: usize,
    body: usize,
    state: State,
}

/// Where the walk stands in an open part.
#[derive(PartialEq)]
enum State {
    /// A part that holds no others.
    Leaf,
    /// In a multipart, before its first delimiter.
    Preamble,
    /// Between two delimiters.
    Inside,
    /// Behind the close delimiter, which ends at this place.
    Epilogue(usize),
}

/// A line that begins with two hyphens and an open boundary.
struct Delimiter {
    start: usize,
    end: usize,
    level: usize,
    exact: Exact,
}

#[derive(PartialEq)]
enum Exact {
    Next,
    Close,
    /// Readers that compare only the beginning take it for a delimiter, others do not.
    No,
}

struct Walker<'a> {
    bytes: &'a [u8],
    parts: Vec<Part<'a>>,
    open: Vec<Open>,
    /// The boundaries of the open multiparts, sorted, with their level in `open`.
    boundaries: Vec<(Vec<u8>, usize)>,
}

impl<'a> Walker<'a> {
    fn run(&mut self) -> Result<(), Oddity> {
        let mut at = self.enter(0, None)?;
        while let Some(delimiter) = self.next_delimiter(at) {
            at = delimiter.end;
            let level = delimiter.level;
            let part = self.open[level].part;
            if delimiter.exact == Exact::No || matches!(self.open[level].state, State::Epilogue(_)) {
                self.odd(part, Oddity::AmbiguousDelimiter);
                continue;
            }
            let end = self.before_line_break(delimiter.start);
            self.close_above(level, end);
            let open = &mut self.open[level];
            if open.state == State::Preamble {
                self.parts[part].preamble = slice(self.bytes, open.body, end);
            }
            if delimiter.exact == Exact::Close {
                open.state = State::Epilogue(at);
            } else {
                open.state = State::Inside;
                at = self.enter(at, Some(part))?;
            }
        }
        Ok(())
    }

    /// Reads the header section at `at`, and that of the message inside where there is one. Returns where
    /// the body begins.
    fn enter(&mut self, mut at: usize, mut parent: Option<usize>) -> Result<usize, Oddity> {
        loop {
            if self.parts.len() == MOST {
                return Err(Oddity::TooManyParts);
            }
            if self.open.len() == DEEPEST {
                return Err(Oddity::TooDeep);
            }
            let entity = self.entity(at);
            at += entity.header.0.len() + entity.separator.len();
            let index = self.add(&entity, parent);
            let content = &self.parts[index].content;
            let plain = content.encoding == Encoding::Identity;
            if content.is_message() && plain {
                self.open.push(Open { part: index, body: at, state: State::Leaf });
                parent = Some(index);
                continue;
            }
            let boundary = if content.is_multipart() { self.boundary(index) } else { None };
            let state = if boundary.is_some() { State::Preamble } else { State::Leaf };
            self.boundaries.extend(boundary.map(|boundary| (boundary, self.open.len())));
            self.boundaries.sort_unstable();
            self.open.push(Open { part: index, body: at, state });
            return Ok(at);
        }
    }

    /// The header section at `at`. A line in it, or right behind it, that is a delimiter ends the part,
    /// whatever it looks like. What follows that line is not looked at: where delimiters look like fields,
    /// each part would be read to the message's end.
    fn entity(&self, at: usize) -> Entity<'a> {
        let rest = &self.bytes[at..];
        let mut fields = Header(rest).fields();
        let mut end = at;
        while !self.is_delimiter(end)
            && let Some(field) = fields.next()
        {
            end += field.raw.len();
        }
        Entity::split(if self.is_delimiter(end) { &rest[..end - at] } else { rest })
    }

    fn is_delimiter(&self, start: usize) -> bool {
        self.bytes[start..].starts_with(b"--") && self.delimiter(start).is_some()
    }

    fn add(&mut self, entity: &Entity<'a>, parent: Option<usize>) -> usize {
        let digest = parent.is_some_and(|parent| self.parts[parent].content.media == "multipart/digest");
        let content = Content::read(entity, if digest { "message/rfc822" } else { "text/plain" });
        let index = self.parts.len();
        if let Some(parent) = parent {
            self.parts[parent].children.push(index);
        }
        self.parts.push(Part {
            header: entity.header,
            oddity: content.oddity,
            content,
            body: b"",
            at: 0,
            parent,
            children: Vec::new(),
            preamble: b"",
            epilogue: b"",
        });
        let content = &self.parts[index].content;
        if (content.is_multipart() || content.is_message()) && content.encoding != Encoding::Identity {
            self.odd(index, Oddity::EncodedStructure);
        }
        index
    }

    /// The boundary of a multipart, if it can be looked for.
    fn boundary(&mut self, index: usize) -> Option<Vec<u8>> {
        let content = &self.parts[index].content;
        let boundary = content.parameters.get("boundary").unwrap_or_default().to_vec();
        if content.encoding != Encoding::Identity {
            return None;
        }
        if boundary.is_empty() || boundary.len() > LONGEST {
            self.odd(index, Oddity::NoBoundary);
            return None;
        }
        if boundary.len() > BOUNDARY
            || !boundary.iter().all(|octet| is_bchar(*octet))
            || boundary.trim_ascii().len() < boundary.len()
        {
            self.odd(index, Oddity::OddBoundary);
        }
        if self.boundaries.iter().any(|(open, _)| open.starts_with(&boundary) || boundary.starts_with(open)) {
            self.odd(index, Oddity::NestedBoundary);
        }
        Some(boundary)
    }

    fn odd(&mut self, index: usize, oddity: Oddity) {
        let part = &mut self.parts[index];
        part.oddity = part.oddity.or(Some(oddity));
    }

    /// The first delimiter of an open multipart that begins in a line from `from` on.
    fn next_delimiter(&self, from: usize) -> Option<Delimiter> {
        if self.boundaries.is_empty() {
            return None;
        }
        let area = &self.bytes[from..];
        let first = area.starts_with(b"--").then_some(from);
        let later = memmem::find_iter(area, b"\n--").map(|lf| from + lf + 1);
        first.into_iter().chain(later).find_map(|start| self.delimiter(start))
    }

    fn delimiter(&self, start: usize) -> Option<Delimiter> {
        let rest = &self.bytes[start + 2..];
        // Where no boundary begins with another, only the one that sorts right before can begin this line.
        // Where one does, its part is odd already. Of the same boundary twice the innermost counts.
        let next = self.boundaries.partition_point(|(boundary, _)| boundary.as_slice() <= rest);
        let (boundary, level) = self.boundaries.get(next.checked_sub(1)?)?;
        let behind = rest.strip_prefix(boundary.as_slice())?;
        let end = line_len(behind);
        let line = &behind[..end];
        let exact = match trim_blanks(&line[..line.len() - line_end(line).len()]) {
            b"" => Exact::Next,
            b"--" => Exact::Close,
            _ => Exact::No,
        };
        Some(Delimiter { start, end: start + 2 + boundary.len() + end, level: *level, exact })
    }

    /// The line break before a delimiter belongs to it.
    fn before_line_break(&self, start: usize) -> usize {
        let before = &self.bytes[..start];
        before.len() - line_end(before).len()
    }

    /// Ends all parts inside the one at `level`.
    fn close_above(&mut self, level: usize, end: usize) {
        while self.open.len() > level + 1 {
            self.close_last(end);
        }
    }

    fn close_all(&mut self) {
        while !self.open.is_empty() {
            self.close_last(self.bytes.len());
        }
    }

    fn close_last(&mut self, end: usize) {
        let Some(open) = self.open.pop() else { return };
        let level = self.open.len();
        self.boundaries.retain(|(_, open)| *open != level);
        let part = &mut self.parts[open.part];
        part.body = slice(self.bytes, open.body, end);
        part.at = open.body;
        match open.state {
            State::Preamble => part.preamble = part.body,
            State::Epilogue(start) => part.epilogue = slice(self.bytes, start, end),
            State::Leaf | State::Inside => {}
        }
    }
}

/// The bytes between two places; nothing where the line break before a delimiter also ended the header
/// section.
fn slice(bytes: &[u8], start: usize, end: usize) -> &[u8] {
    bytes.get(start..end).unwrap_or_default()
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().rev().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    &text[..text.len() - blanks]
}

/// RFC 2046, 5.1.1.
fn is_bchar(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&octet)
}
