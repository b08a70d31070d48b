//! The payload, encrypted to the readers' certificates (RFC 9580).

use std::io::Write;

use anyhow::Result;
use sequoia_openpgp::KeyHandle;
use sequoia_openpgp::packet::Key;
use sequoia_openpgp::packet::key::{PublicParts, UnspecifiedRole};
use sequoia_openpgp::serialize::stream::{Compressor, Encryptor, LiteralWriter, Message, Recipient};
use sequoia_openpgp::types::{CompressionAlgorithm, Features};

use super::armor::{Armor, Checksum};
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
    let encryptor = Encryptor::for_recipients(Message::new(&mut armor), recipients(readers));
    let mut message = encryptor.symmetric_algo(readers.cipher).build()?;
    if compression == Compression::Zip {
        message = Compressor::new(message).algo(CompressionAlgorithm::Zip).build()?;
    }
    let mut literal = LiteralWriter::new(message).build()?;
    payload.write_to(&mut literal)?;
    literal.finalize()?;
    armor.end()?;
    Ok(())
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
