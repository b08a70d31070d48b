//! The payload, encrypted to the readers' certificates (RFC 9580).

use std::io::Write;

use anyhow::Result;
use sequoia_openpgp::KeyHandle;
use sequoia_openpgp::Packet;
use sequoia_openpgp::crypto::SessionKey;
use sequoia_openpgp::packet::key::{PublicParts, UnspecifiedRole};
use sequoia_openpgp::packet::pkesk::PKESK3;
use sequoia_openpgp::packet::{Key, PKESK};
use sequoia_openpgp::serialize::Marshal as _;
use sequoia_openpgp::serialize::stream::{Compressor, Encryptor, LiteralWriter, Message, Recipient};
use sequoia_openpgp::types::{CompressionAlgorithm, Features};

use super::armor::{Armor, Checksum};
use super::container::{self, Container};
use crate::cert::Readers;
use crate::payload::Payload;

type PublicKey = Key<PublicParts, UnspecifiedRole>;

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
    let cipher = readers.cipher;
    let session_key = SessionKey::new(cipher.key_size()?)?;
    for key in &readers.subkeys {
        let mut packet = PKESK3::for_recipient(cipher, &session_key, key)?;
        packet.set_recipient(Some(key.keyid()));
        Packet::from(PKESK::from(packet)).serialize(out)?;
    }
    let header = container::literal_header(length);
    let mut container = Container::begin(out, cipher, &session_key, length + header.len() as u32)?;
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

fn encryptor<'a>(readers: &'a Readers, out: &'a mut (impl Write + Send + Sync)) -> Result<Message<'a>> {
    let encryptor = Encryptor::for_recipients(Message::new(out), recipients(readers));
    encryptor.symmetric_algo(readers.cipher).build()
}

/// The library writes SEIPDv2 when every recipient's features say so, and SEIPDv1 otherwise; the key
/// packets of either name their subkey in their own way (RFC 9580, 5.1).
fn recipients(readers: &Readers) -> Vec<Recipient<'_>> {
    let v2 = readers.all_read_seipd_v2;
    let features = if v2 { Features::empty().set_seipdv2() } else { Features::empty() };
    let recipient = |key| {
        let name = |key: &PublicKey| if v2 { KeyHandle::from(key.fingerprint()) } else { key.keyid().into() };
        Recipient::new(features.clone(), name(key), key)
    };
    readers.subkeys.iter().map(recipient).collect()
}
