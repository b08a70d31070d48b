//! The sealed message: RFC 3156's multipart/encrypted around the encrypted payload.

mod armor;
mod container;
mod encrypt;
mod session_key;

use std::io::Write;

use anyhow::{Context, Result};
use mail_builder::headers::Header as _;
use mail_builder::headers::content_type::ContentType;

pub use encrypt::Compression;

use crate::cert::Readers;
use crate::message::{Arrival, Entity, line_end_of};
use crate::outer::{self, Extent, OuterField, Outside};
use crate::payload::{self, Payload};

/// The text in front of the parts, by which repair programs find mail that a gateway has mangled.
const PREAMBLE: &str = "This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)";

/// The parts around the armor. No Content-Transfer-Encoding: some readers fail on a coded `Version: 1`.
const VERSION_PART: &str = "Content-Type: application/pgp-encrypted\n\
    Content-Description: PGP/MIME version identification\n\nVersion: 1\n\n";
const DATA_PART: &str = "Content-Type: application/octet-stream; name=\"encrypted.asc\"\n\
    Content-Description: OpenPGP encrypted message\n\
    Content-Disposition: inline; filename=\"encrypted.asc\"\n\n";

/// How a message is sealed.
#[derive(Clone, Debug)]
pub struct Manner {
    /// What stands outside.
    pub outside: Outside,
    /// Whether the payload is compressed.
    pub compression: Compression,
}

/// Writes what arrived, sealed for its readers: the host's frame, the outer header section, the encrypted
/// payload.
///
/// # Errors
/// Those of `out`, which is then half written; a certificate turns out unusable.
pub fn seal(
    arrived: &[u8],
    manner: &Manner,
    readers: &Readers,
    mut out: impl Write + Send + Sync,
) -> Result<()> {
    let Arrival { frame, message } = Arrival::read(arrived);
    let header = Entity::split(message).header;
    let outer = outer::fields(header, &manner.outside, Extent::of(header));
    let eol = line_end_of(message);
    let payload = Payload::of(message, &outer)?;
    let boundary = payload::boundary(&[])?;

    out.write_all(frame)?;
    out.write_all(&head(&outer, &boundary, eol)?)?;
    encrypt::encrypt(&payload, readers, manner.compression, eol, &mut out).context("encryption")?;
    let mut tail = Vec::new();
    write_lines(&format!("\n--{boundary}--\n"), eol, &mut tail);
    Ok(out.write_all(&tail)?)
}

/// The outer header section, and all that stands before the armor.
fn head(outer: &[OuterField], boundary: &str, eol: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for field in outer {
        field.write(&mut out, b"", eol);
    }
    let mut content_type = b"MIME-Version: 1.0\nContent-Type: ".to_vec();
    ContentType::new("multipart/encrypted")
        .attribute("protocol", "application/pgp-encrypted")
        .attribute("boundary", boundary)
        .write_header(&mut content_type, 14)?;
    write_lines(&String::from_utf8(content_type)?.replace("\r\n", "\n"), eol, &mut out);
    let frame = format!("\n{PREAMBLE}\n--{boundary}\n{VERSION_PART}--{boundary}\n{DATA_PART}");
    write_lines(&frame, eol, &mut out);
    Ok(out)
}

/// Appends `text`, whose lines end with LF, with `eol` instead.
fn write_lines(text: &str, eol: &[u8], out: &mut Vec<u8>) {
    for line in text.split_inclusive('\n') {
        let line = line.strip_suffix('\n').unwrap_or(line);
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(eol);
    }
}
