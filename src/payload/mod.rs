//! The original to the Cryptographic Payload and back (RFC 9788; `selfseal(7)` has the format).
//!
//! The payload begins with a field of ours, `Selfseal: form=FORM; lines=LINES; added=N`, and has one of
//! three forms. *Spliced*: the original with whole lines put in, so that readers show no difference.
//! *Wrapped*: the original, verbatim, as the one part of a multipart/mixed. *Divided*: the same, with an
//! empty line behind a header section that has none. Whatever the form, the way
//! back gives the original byte for byte; whatever writes a payload goes it at the same time.

pub mod content_type;
mod lines;
mod signed;
mod splice;
mod undo;

use std::io::{self, Write};

use anyhow::Result;
use mail_builder::headers::Header as _;
use mail_builder::headers::content_type::ContentType;
use memchr::memmem;
use rustix::rand::{GetRandomFlags, getrandom};

pub use lines::LineEnds;
pub use splice::Reason;
pub use undo::Undo;

use crate::message::{Entity, Lines};
use crate::outer::{Extent, OuterField, copies};

/// The name of our field.
const OUR_FIELD: &str = "Selfseal";

/// The continuation line that marks a Content-Type as that of a payload: the older draft's parameter for
/// the readers of today, RFC 9788's for those of tomorrow.
const MARK_LINE: &str = " ; protected-headers=\"v1\"; hp=\"cipher\"\r\n";
const MARK: &str = MARK_LINE.trim_ascii_end();

/// How the original stands in the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Itself, with lines put in.
    Spliced,
    /// As the one part of a multipart, for this reason.
    Wrapped(Reason),
}

/// What is encrypted: a MIME entity around spans of the original, in canonical form unless the original's
/// line ends were mixed. It is written piece by piece and never stands in memory as a whole.
#[derive(Debug)]
pub struct Payload<'a> {
    /// How the original stands in it.
    pub form: Form,
    original: &'a [u8],
    head: Vec<u8>,
    spans: [&'a [u8]; 2],
    between: &'static str,
    tail: String,
    ends: LineEnds,
    growth: usize,
}

impl<'a> Payload<'a> {
    /// The payload for `original`, where `outer` are the fields that stand outside.
    ///
    /// # Errors
    /// The kernel has no random octets.
    pub fn of(original: &'a [u8], outer: &[OuterField]) -> Result<Self> {
        let canonical = canonical_ends(original);
        let reason = match spliced(original, outer, canonical) {
            Ok(payload) if payload.header_leads_back() => return Ok(payload),
            Ok(_) => Reason::NoWayBack,
            Err(reason) => reason,
        };
        wrapped(original, outer, canonical, reason)
    }

    /// How many octets `write_to` writes.
    pub fn length(&self) -> usize {
        let spans = self.spans.iter().map(|span| span.len()).sum::<usize>() + self.growth;
        self.head.len() + self.between.len() + spans + self.tail.len()
    }

    /// Writes all of it, and undoes it on the way.
    ///
    /// # Errors
    /// Those of `out`; what was written does not lead back to the original, which would be a fault of ours.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        let mut checked = Checked { out, undo: Undo::into(Expected(self.original)) };
        self.write_unchecked(&mut checked)?;
        match checked.undo.finish() {
            Ok(Expected(b"")) => Ok(()),
            _ => Err(no_way_back()),
        }
    }

    fn write_unchecked(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.head)?;
        self.ends.write_canonical(self.spans[0], out)?;
        out.write_all(self.between.as_bytes())?;
        self.ends.write_canonical(self.spans[1], out)?;
        out.write_all(self.tail.as_bytes())
    }

    /// Whether its header section comes back, the one place that lines are put into. Found out beforehand,
    /// since a wrapped original may still do.
    fn header_leads_back(&self) -> bool {
        let header = Entity::split(self.original);
        let length = header.header.0.len() + header.separator.len();
        let [before, behind] = self.spans;
        let (head, tail) = (self.head.clone(), self.tail.clone());
        let spans = [before, &behind[..length - before.len()]];
        let payload = Payload { original: &self.original[..length], head, spans, tail, ..*self };
        payload.write_to(&mut io::sink()).is_ok()
    }
}

/// A writer that hands on what leads back to the original, and stops at what does not.
#[derive(Debug)]
struct Checked<'a, W> {
    out: W,
    undo: Undo<Expected<'a>>,
}

impl<W: Write> Write for Checked<'_, W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.undo.write_all(octets).map_err(|_| no_way_back())?;
        self.out.write_all(octets)?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn no_way_back() -> io::Error {
    io::Error::other("the sealed form would not lead back to the message; it is kept")
}

/// A writer that accepts nothing but these bytes.
#[derive(Debug)]
struct Expected<'a>(&'a [u8]);

impl Write for Expected<'_> {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(written).ok_or(io::ErrorKind::InvalidData)?;
        Ok(written.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The line ends of `original`. In canonical form a message of nothing but empty lines would double, beyond
/// what a host's limits expect: then its line ends stay as they are. With them comes by how many octets the
/// canonical form is longer.
fn canonical_ends(original: &[u8]) -> (LineEnds, usize) {
    let ends = LineEnds::of(original);
    let growth = ends.growth(original);
    let is_too_much = growth > 8 * 1024 && growth > original.len() / 16;
    if is_too_much { (LineEnds::AsIs, 0) } else { (ends, growth) }
}

fn spliced<'a>(
    original: &'a [u8],
    outer: &[OuterField],
    (ends, growth): (LineEnds, usize),
) -> Result<Payload<'a>, Reason> {
    let entity = Entity::split(original);
    if Extent::of(entity.header) == Extent::Lean {
        return Err(Reason::LargeHeader);
    }
    let field = splice::type_field(&entity, ends)?;
    let mut added = hp_outer(outer);
    let mut between = MARK_LINE;
    if field.is_none() {
        added.extend_from_slice(b"Content-Type: text/plain;");
        added.extend_from_slice(&MARK_LINE.as_bytes()[2..]);
        between = "";
    }
    // The line goes behind the last line of the field: spans of one buffer, so addresses tell where.
    let end = field.map_or(0, |field| field.raw.as_ptr_range().end.addr() - original.as_ptr().addr());
    let (before, behind) = original.split_at(end);
    let head = beginning("spliced", ends, &added);
    let (spans, tail) = ([before, behind], String::new());
    Ok(Payload { form: Form::Spliced, original, head, spans, between, tail, ends, growth })
}

fn wrapped<'a>(
    original: &'a [u8],
    outer: &[OuterField],
    (ends, growth): (LineEnds, usize),
    reason: Reason,
) -> Result<Payload<'a>> {
    let entity = Entity::split(original);
    let boundary = boundary(original)?;
    let (word, between) = if begins_with_text(&entity) { ("divided", "\r\n") } else { ("wrapped", "") };
    let mut head = beginning(word, ends, &hp_outer(outer));
    for field in copies(entity.header, Extent::of(entity.header)) {
        field.write(&mut head, b"", b"\r\n");
    }
    head.extend_from_slice(b"Content-Type: ");
    ContentType::new("multipart/mixed").attribute("boundary", &boundary).write_header(&mut head, 14)?;
    head.extend_from_slice(format!("{MARK_LINE}\r\n--{boundary}\r\n").as_bytes());
    let tail = format!("\r\n--{boundary}--\r\n");
    let (header, rest) = original.split_at(entity.header.0.len());
    Ok(Payload {
        form: Form::Wrapped(reason),
        original,
        head,
        spans: [header, rest],
        between,
        tail,
        ends,
        growth,
    })
}

/// Whether a line that is no field ends the header section and only text follows, up to the empty line. A
/// reader of the part would take that text for fields and drop it, so an empty line of ours goes in front of
/// it, as MTAs do it. Where fields follow, most readers read on behind the broken line, and so they shall.
fn begins_with_text(entity: &Entity) -> bool {
    let stands_before = |line: &&[u8]| !matches!(*line, b"\n" | b"\r\n");
    let mut lines = Lines(entity.body).take_while(stands_before);
    entity.separator.is_empty()
        && !entity.body.is_empty()
        && lines.all(|line| Entity::split(line).header.0.is_empty())
}

/// The fields that say what stands outside, in order, with the outer value (RFC 9788, 2.2). A field that
/// is not clean gets none: readers then call it confidential, which fails safe.
fn hp_outer(outer: &[OuterField]) -> Vec<u8> {
    let mut lines = Vec::new();
    for field in outer.iter().filter(|field| field.is_clean()) {
        field.write(&mut lines, b"HP-Outer: ", b"\r\n");
    }
    lines
}

/// Our field and the lines behind it.
fn beginning(form: &str, ends: LineEnds, added: &[u8]) -> Vec<u8> {
    let count = Lines(added).count();
    let statement = format!("{OUR_FIELD}: form={form}; lines={}; added={count}\r\n", ends.word());
    [statement.as_bytes(), added].concat()
}

/// 128 random bits that do not occur in `original`.
///
/// # Errors
/// The kernel has no random octets.
pub fn boundary(original: &[u8]) -> Result<String> {
    loop {
        let mut random = [0; 16];
        getrandom(&mut random, GetRandomFlags::empty())?;
        let boundary = format!("{:032x}", u128::from_ne_bytes(random));
        if memmem::find(original, boundary.as_bytes()).is_none() {
            return Ok(boundary);
        }
    }
}

#[cfg(test)]
mod tests;
