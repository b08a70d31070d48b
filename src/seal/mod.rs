//! The sealed message: RFC 3156's multipart/encrypted around the encrypted payload.

mod armor;
mod encrypt;

use anyhow::{Context, Result};
use mail_builder::headers::Header as _;
use mail_builder::headers::content_type::ContentType;

pub use encrypt::Compression;

use crate::cert::Readers;
use crate::input::reserve;
use crate::message::{Arrival, Entity, line_end, line_len};
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

/// Seals what arrived for its readers: the host's frame, the outer header section, the encrypted payload.
///
/// # Errors
/// Memory is short, or a certificate turns out unusable. Nothing is ever half sealed.
pub fn seal(arrived: &[u8], manner: &Manner, readers: &Readers) -> Result<Vec<u8>> {
    let Arrival { frame, message } = Arrival::read(arrived);
    let header = Entity::split(message).header;
    let outer = outer::fields(header, &manner.outside, Extent::of(header));
    let eol = if line_end(&message[..line_len(message)]) == b"\r\n" { b"\r\n".as_slice() } else { b"\n" };
    let payload = Payload::of(message, &outer)?;
    let boundary = payload::boundary(&[])?;

    let mut sealed = Vec::new();
    reserve(&mut sealed, frame.len() + 2 * header.0.len() + 4096)?;
    sealed.extend_from_slice(frame);
    write_head(&outer, &boundary, eol, &mut sealed)?;
    encrypt::encrypt(&payload, readers, manner.compression, eol, &mut sealed).context("encryption")?;
    write_lines(&format!("\n--{boundary}--\n"), eol, &mut sealed);
    Ok(sealed)
}

/// The outer header section, and all that stands before the armor.
fn write_head(outer: &[OuterField], boundary: &str, eol: &[u8], out: &mut Vec<u8>) -> Result<()> {
    for field in outer {
        field.write(out, b"", eol);
    }
    let mut content_type = b"MIME-Version: 1.0\nContent-Type: ".to_vec();
    ContentType::new("multipart/encrypted")
        .attribute("protocol", "application/pgp-encrypted")
        .attribute("boundary", boundary)
        .write_header(&mut content_type, 14)?;
    write_lines(&String::from_utf8(content_type)?.replace("\r\n", "\n"), eol, out);
    let frame = format!("\n{PREAMBLE}\n--{boundary}\n{VERSION_PART}--{boundary}\n{DATA_PART}");
    write_lines(&frame, eol, out);
    Ok(())
}

/// Appends `text`, whose lines end with LF, with `eol` instead.
fn write_lines(text: &str, eol: &[u8], out: &mut Vec<u8>) {
    for line in text.split_inclusive('\n') {
        let line = line.strip_suffix('\n').unwrap_or(line);
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(eol);
    }
}
