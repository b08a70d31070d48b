//! The session key, encrypted to each subkey of the readers (RFC 9580, 5.1).

use anyhow::{Context, Result};
use sequoia_openpgp::Packet;
use sequoia_openpgp::crypto::SessionKey;
use sequoia_openpgp::crypto::mpi::{Ciphertext, MPI, PublicKey};
use sequoia_openpgp::packet::key::{PublicParts, UnspecifiedRole};
use sequoia_openpgp::packet::pkesk::{PKESK3, PKESK6};
use sequoia_openpgp::packet::{Key, PKESK};

use crate::cert::Readers;
use crate::rsa;

/// The packets in front of a container of the version that all readers read.
///
/// # Errors
/// A subkey turns out unusable; the kernel has no random octets.
pub fn packets(session_key: &SessionKey, readers: &Readers) -> Result<Vec<Packet>> {
    let cipher = readers.cipher;
    let packet = |key: &Key<PublicParts, UnspecifiedRole>| -> Result<Packet> {
        let (name, algorithm) = (key.fingerprint(), key.pk_algo());
        let packet: PKESK = match (key.mpis(), readers.all_read_seipd_v2) {
            (PublicKey::RSA { e, n }, true) => {
                PKESK6::new(Some(name), algorithm, rsa(n, e, &[], session_key)?)?.into()
            }
            (PublicKey::RSA { e, n }, false) => {
                PKESK3::new(Some(name.into()), algorithm, rsa(n, e, &[cipher.into()], session_key)?)?.into()
            }
            (_, true) => PKESK6::for_recipient(session_key, key)?.into(),
            (_, false) => PKESK3::for_recipient(cipher, session_key, key)?.into(),
        };
        Ok(packet.into())
    };
    readers.subkeys.iter().map(packet).collect()
}

/// By our own RSA, for its speed. In a packet of version 3 the cipher stands before the session key; behind it
/// is the sum of its octets (5.1.3).
fn rsa(modulus: &MPI, exponent: &MPI, cipher: &[u8], session_key: &[u8]) -> Result<Ciphertext> {
    let sum = session_key.iter().fold(0_u16, |sum, octet| sum.wrapping_add((*octet).into()));
    let key = rsa::PublicKey::new(modulus.value(), exponent.value()).context(rsa::UNUSABLE)?;
    let encrypted = key.encrypt(&[cipher, session_key, &sum.to_be_bytes()].concat())?;
    Ok(Ciphertext::RSA { c: MPI::new(&encrypted) })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sequoia_openpgp::cert::Cert;
    use sequoia_openpgp::parse::Parse;
    use sequoia_openpgp::types::SymmetricAlgorithm::AES256;

    use super::*;

    #[test]
    fn the_owner_of_an_rsa_key_reads_it_in_both_versions() {
        for name in ["rosa.key", "rsa4096.key"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(name);
            let owner = Cert::from_file(path).unwrap();
            let secret = owner.keys().subkeys().find(|key| key.key().pk_algo().for_encryption()).unwrap();
            let secret = secret.key().clone().role_into_unspecified();
            let mut owner = secret.clone().parts_into_secret().unwrap().into_keypair().unwrap();
            for all_read_seipd_v2 in [true, false] {
                let subkeys = vec![secret.clone().take_secret().0];
                let readers = Readers { subkeys, all_read_seipd_v2, cipher: AES256 };
                let session_key = SessionKey::new(32).unwrap();
                let packets = packets(&session_key, &readers).unwrap();
                let [Packet::PKESK(packet)] = packets.as_slice() else { panic!("{packets:?}") };
                let (cipher, read) = packet.decrypt(&mut owner, None).unwrap();
                assert_eq!((cipher, read), ((!all_read_seipd_v2).then_some(AES256), session_key));
                assert_eq!(packet.version(), if all_read_seipd_v2 { 6 } else { 3 });
            }
        }
    }
}
