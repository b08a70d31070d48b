//! The original to the Cryptographic Payload and back (RFC 9788; `selfseal(7)` has the format).
//!
//! The payload begins with a field of ours, `Selfseal: form=FORM; lines=LINES; added=N`, and has one of
//! two forms. *Spliced*: the original with whole lines put in, so that readers show no difference.
//! *Wrapped*: the original, verbatim, as the one part of a multipart/mixed. Whatever the form, the way
//! back gives the original byte for byte; it is gone before anything is encrypted.

pub mod content_type;
mod lines;
mod signed;
mod splice;

use std::io::{self, Write};

use anyhow::{Result, ensure};
use mail_builder::headers::Header as _;
use mail_builder::headers::content_type::ContentType;
use memchr::memmem;
use rustix::rand::{GetRandomFlags, getrandom};

pub use lines::LineEnds;
pub use splice::Reason;

use crate::input::reserve;
use crate::message::{Entity, Lines, line_len};
use crate::outer::{Extent, OuterField, copies};

/// The name of our field.
const OUR_FIELD: &str = "Selfseal";

/// The continuation line that marks a Content-Type as that of a payload: the older draft's parameter for
/// the readers of today, RFC 9788's for those of tomorrow.
const MARK: &str = " ; protected-headers=\"v1\"; hp=\"cipher\"";

/// A line that RFC 5322 allows, and some for the rest of the frame.
const ROOM: usize = 4096;

/// How the original stands in the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Itself, with lines put in.
    Spliced,
    /// As the one part of a multipart, for this reason.
    Wrapped(Reason),
}

/// What is encrypted: a MIME entity.
#[derive(Debug)]
pub struct Payload {
    /// The entity, in canonical form unless the original's line ends were mixed.
    pub bytes: Vec<u8>,
    /// How the original stands in it.
    pub form: Form,
}

impl Payload {
    /// The payload for `original`, where `outer` are the fields that stand outside.
    ///
    /// # Errors
    /// Memory is short; or the way back fails even from the wrapped form, which would be a fault of ours.
    pub fn of(original: &[u8], outer: &[OuterField]) -> Result<Self> {
        let reason = match spliced(original, outer)? {
            Ok(bytes) if restores_to(&bytes, original) => return Ok(Payload { bytes, form: Form::Spliced }),
            Ok(_) => Reason::NoWayBack,
            Err(reason) => reason,
        };
        let bytes = wrapped(original, outer)?;
        ensure!(
            restores_to(&bytes, original),
            "the sealed form would not lead back to the message; it is kept"
        );
        Ok(Payload { bytes, form: Form::Wrapped(reason) })
    }
}

/// Whether the canonical form of `original` would grow beyond what a host's limits expect: a message of
/// nothing but empty lines would double. Then its line ends stay as they are.
fn grows_too_much(ends: LineEnds, original: &[u8]) -> bool {
    let growth = ends.growth(original);
    growth > 8 * 1024 && growth > original.len() / 16
}

fn spliced(original: &[u8], outer: &[OuterField]) -> Result<Result<Vec<u8>, Reason>> {
    let ends = LineEnds::of(original);
    let entity = Entity::split(original);
    if Extent::of(entity.header) == Extent::Lean {
        return Ok(Err(Reason::LargeHeader));
    }
    if grows_too_much(ends, original) {
        return Ok(Err(Reason::ManyLines));
    }
    let field = match splice::type_field(&entity, ends) {
        Err(reason) => return Ok(Err(reason)),
        Ok(field) => field,
    };
    let mut added = hp_outer(outer);
    if field.is_none() {
        added.extend_from_slice(format!("Content-Type: text/plain;{}\r\n", &MARK[2..]).as_bytes());
    }
    let mut payload = begin("spliced", ends, &added, original.len() + ends.growth(original))?;
    // The line goes behind the last line of the field: spans of one buffer, so addresses tell where.
    let end = field.map_or(0, |field| field.raw.as_ptr_range().end.addr() - original.as_ptr().addr());
    ends.write_canonical(&original[..end], &mut payload);
    if field.is_some() {
        payload.extend_from_slice(MARK.as_bytes());
        payload.extend_from_slice(b"\r\n");
    }
    ends.write_canonical(&original[end..], &mut payload);
    Ok(Ok(payload))
}

fn wrapped(original: &[u8], outer: &[OuterField]) -> Result<Vec<u8>> {
    let ends = Some(LineEnds::of(original))
        .filter(|ends| !grows_too_much(*ends, original))
        .unwrap_or(LineEnds::AsIs);
    let header = Entity::split(original).header;
    let boundary = boundary(original)?;
    let added = hp_outer(outer);
    let copies: Vec<u8> = copies(header, Extent::of(header)).iter().fold(Vec::new(), |mut out, field| {
        field.write(&mut out, b"", b"\r\n");
        out
    });
    let length = copies.len() + original.len() + ends.growth(original);
    let mut payload = begin("wrapped", ends, &added, length)?;
    payload.extend_from_slice(&copies);
    payload.extend_from_slice(b"Content-Type: ");
    ContentType::new("multipart/mixed").attribute("boundary", &boundary).write_header(&mut payload, 14)?;
    payload.extend_from_slice(format!("{MARK}\r\n\r\n--{boundary}\r\n").as_bytes());
    ends.write_canonical(original, &mut payload);
    payload.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    Ok(payload)
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

/// Our field and the lines behind it, with room for `length` octets more.
fn begin(form: &str, ends: LineEnds, added: &[u8], length: usize) -> Result<Vec<u8>> {
    let mut payload = Vec::new();
    reserve(&mut payload, added.len() + length + ROOM)?;
    let count = Lines(added).count();
    payload.extend_from_slice(
        format!("{OUR_FIELD}: form={form}; lines={}; added={count}\r\n", ends.word()).as_bytes(),
    );
    payload.extend_from_slice(added);
    Ok(payload)
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

/// What a payload claims its original to be: spans of the payload, and how their line ends are restored.
///
/// A claim, since anyone can encrypt to a public certificate.
#[derive(Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    spans: [&'a [u8]; 2],
    ends: LineEnds,
}

impl<'a> Claim<'a> {
    /// Reads a payload; nothing where it is none of ours.
    pub fn read(payload: &'a [u8]) -> Option<Self> {
        let (first, rest) = payload.split_at(line_len(payload));
        let statement = first.strip_prefix(b"Selfseal: form=")?.strip_suffix(b"\r\n")?;
        let mut words = statement.splitn(3, |octet| *octet == b';');
        let form = words.next()?;
        let ends = LineEnds::from_word(words.next()?.strip_prefix(b" lines=")?)?;
        let added = std::str::from_utf8(words.next()?.strip_prefix(b" added=")?).ok()?.parse().ok()?;
        let spans = match form {
            b"spliced" => unspliced(rest, added)?,
            b"wrapped" => [unwrapped(rest)?, b""],
            _ => return None,
        };
        Some(Claim { spans, ends })
    }

    /// Writes the original.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        self.spans.iter().try_for_each(|span| self.ends.restore(span, out))
    }
}

/// All behind the `added` lines, less the one line of the header section that marks the Content-Type.
fn unspliced(rest: &[u8], added: usize) -> Option<[&[u8]; 2]> {
    let start: usize = Lines(rest).take(added).map(<[u8]>::len).sum();
    let original = &rest[start..];
    let mut end = 0;
    for line in Lines(original).take_while(|line| *line != b"\r\n") {
        if line.strip_suffix(b"\r\n") == Some(MARK.as_bytes()) {
            return Some([&original[..end], &original[end + line.len()..]]);
        }
        end += line.len();
    }
    Some([original, b""])
}

/// What lies between `--BOUNDARY` CRLF and CRLF `--BOUNDARY--`.
fn unwrapped(rest: &[u8]) -> Option<&[u8]> {
    let entity = Entity::split(rest);
    let boundary = content_type::ContentType::plain(&entity.header.all("Content-Type").next()?)?;
    let boundary = boundary.parameter("boundary")?;
    let part = entity.body.strip_prefix(format!("--{boundary}\r\n").as_bytes())?;
    let end = memmem::rfind(part, format!("\r\n--{boundary}--").as_bytes())?;
    Some(&part[..end])
}

/// The undo before the encryption: whether `payload` leads back to `original`.
fn restores_to(payload: &[u8], original: &[u8]) -> bool {
    let mut rest = Expected(original);
    Claim::read(payload).is_some_and(|claim| claim.write_to(&mut rest).is_ok() && rest.0.is_empty())
}

/// A writer that accepts nothing but these bytes: a comparison without another copy of the message.
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

#[cfg(test)]
mod tests;
