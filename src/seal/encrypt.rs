//! The payload, encrypted to the readers' certificates (RFC 9580).

use std::io::Write;

use anyhow::Result;
use sequoia_openpgp::crypto::SessionKey;
use sequoia_openpgp::serialize::Marshal as _;
use sequoia_openpgp::serialize::stream::{Compressor, Encryptor, LiteralWriter, Message};
use sequoia_openpgp::types::{AEADAlgorithm, CompressionAlgorithm};

use super::armor::{Armor, Checksum};
use super::container::{self, Container};
use super::session_key;
use crate::cert::Readers;
use crate::payload::Payload;

/// Whether what is encrypted is compressed first. Compressed size tells about content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// The payload as it is.
    None,
    /// Deflate (RFC 1951).
    Zip,
}

/// Writes `payload`, encrypted and armored with `eol`.
///
/// # Errors
/// Those of `out`; a certificate's key turns out unusable; the kernel has no random octets.
pub fn encrypt(
    payload: &Payload,
    readers: &Readers,
    compression: Compression,
    eol: &'static [u8],
    out: impl Write + Send + Sync,
) -> Result<()> {
    let checksum = if readers.all_read_seipd_v2 { Checksum::None } else { Checksum::Crc24 };
    let mut armor = Armor::begin(out, eol, checksum);
    let length = u32::try_from(payload.length()).ok().filter(|length| *length <= container::LONGEST);
    match (compression, length) {
        (Compression::None, Some(length)) if readers.all_read_seipd_v2 => {
            seipd_v2(payload, length, readers, &mut armor)?;
        }
        (Compression::None, Some(length)) => seipd_v1(payload, length, readers, &mut armor)?,
        _ => of_unknown_length(payload, readers, compression, &mut armor)?,
    }
    armor.end()?;
    Ok(())
}

fn seipd_v1(payload: &Payload, length: u32, readers: &Readers, out: &mut impl Write) -> Result<()> {
    let session_key = begin(readers, out)?;
    let header = container::literal_header(length);
    let mut container = Container::begin(out, readers.cipher, &session_key, length + header.len() as u32)?;
    container.write_all(&header)?;
    payload.write_to(&mut container)?;
    Ok(container.end()?)
}

/// The library's container, around a literal packet of ours: its own would buffer 4 MiB.
fn seipd_v2(
    payload: &Payload,
    length: u32,
    readers: &Readers,
    out: &mut (impl Write + Send + Sync),
) -> Result<()> {
    let mut message = encryptor(readers, out)?;
    message.write_all(&container::literal_header(length))?;
    payload.write_to(&mut message)?;
    message.finalize()
}

/// The library's packets, of partial lengths (RFC 9580, 4.2.1.4).
fn of_unknown_length(
    payload: &Payload,
    readers: &Readers,
    compression: Compression,
    out: &mut (impl Write + Send + Sync),
) -> Result<()> {
    let mut message = encryptor(readers, out)?;
    if compression == Compression::Zip {
        message = Compressor::new(message).algo(CompressionAlgorithm::Zip).build()?;
    }
    let mut literal = LiteralWriter::new(message).build()?;
    payload.write_to(&mut literal)?;
    literal.finalize()
}

/// The library's container, whose version follows the readers as that of the packets before it does.
fn encryptor<'a>(readers: &Readers, out: &'a mut (impl Write + Send + Sync)) -> Result<Message<'a>> {
    let session_key = begin(readers, out)?;
    let encryptor = Encryptor::with_session_key(Message::new(out), readers.cipher, session_key)?;
    match readers.all_read_seipd_v2 {
        true => encryptor.aead_algo(AEADAlgorithm::OCB).build(),
        false => encryptor.build(),
    }
}

/// Writes what stands before the container. The answer is the key to it.
fn begin(readers: &Readers, out: &mut impl Write) -> Result<SessionKey> {
    let session_key = SessionKey::new(readers.cipher.key_size()?)?;
    session_key::packets(&session_key, readers)?.iter().try_for_each(|packet| packet.serialize(out))?;
    Ok(session_key)
}
