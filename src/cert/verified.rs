//! RSA self-signatures that [`crate::rsa`] verifies, in a fifth of the time that the OpenPGP library takes.
//!
//! The library remembers what it has verified, and takes such memories from elsewhere. So each question it is
//! asked later has its own answer, and only the exponentiation is ours.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{self, Builder};

use sequoia_openpgp::crypto::mpi;
use sequoia_openpgp::packet::key::{PrimaryRole, PublicParts};
use sequoia_openpgp::packet::signature::cache::SignatureVerificationCache;
use sequoia_openpgp::packet::{Key, Packet, Signature, Tag};
use sequoia_openpgp::serialize::MarshalInto;
use sequoia_openpgp::types::HashAlgorithm;

use crate::rsa;

/// Of each component of these certificates, lets the library know its newest signature if it holds. The
/// library verifies what is not remembered when it comes to it.
pub fn remember(packets: &[Packet]) {
    let claims = claims(packets);
    if claims.is_empty() {
        return;
    }
    // The library takes memories in a thread of its own, and panics where none can be had. So one is asked
    // for first, and does half of the work.
    let (here, there) = claims.split_at(claims.len() / 2);
    let memories = thread::scope(|scope| {
        let there = Builder::new().spawn_scoped(scope, || memories(there)).ok()?;
        let here = memories(here);
        Some([here, there.join().ok()?].concat())
    });
    if let Some(memories) = memories.filter(|memories| !memories.is_empty()) {
        let (finished, is_finished) = channel();
        SignatureVerificationCache::restore(memories.into_iter(), move || {
            let _ = finished.send(());
        });
        let _ = is_finished.recv();
    }
}

/// The newest signature of each component of the certificates whose primary key is of RSA.
fn claims(packets: &[Packet]) -> Vec<Claim<'_>> {
    let mut claims = Vec::new();
    let mut primary = None;
    // Behind each component stand its signatures.
    for group in packets.chunk_by(|_, next| next.tag() == Tag::Signature) {
        let [component, signatures @ ..] = group else { continue };
        if let Packet::PublicKey(key) = component {
            primary = Primary::of(key).map(Arc::new);
        }
        let signatures = signatures.iter().filter_map(|packet| match packet {
            Packet::Signature(signature) => Some(signature),
            _ => None,
        });
        let newest = signatures.max_by_key(|signature| signature.signature_creation_time());
        if let (Some(primary), Some(signature)) = (&primary, newest) {
            claims.push(Claim { primary: primary.clone(), component, signature });
        }
    }
    claims
}

fn memories(claims: &[Claim]) -> Vec<Vec<u8>> {
    claims.iter().filter_map(Claim::memory).collect()
}

/// A primary key of RSA.
struct Primary<'a> {
    packet: &'a Key<PublicParts, PrimaryRole>,
    key: rsa::PublicKey,
}

impl<'a> Primary<'a> {
    fn of(packet: &'a Key<PublicParts, PrimaryRole>) -> Option<Self> {
        match packet.mpis() {
            mpi::PublicKey::RSA { e, n } => {
                rsa::PublicKey::new(n.value(), e.value()).map(|key| Primary { packet, key })
            }
            _ => None,
        }
    }
}

/// What a signature says: that a component belongs to a primary key.
struct Claim<'a> {
    primary: Arc<Primary<'a>>,
    component: &'a Packet,
    signature: &'a Signature,
}

impl Claim<'_> {
    /// What the library would remember of the signature, if it holds.
    fn memory(&self) -> Option<Vec<u8>> {
        let mpi::Signature::RSA { s } = self.signature.mpis() else { return None };
        let digest = self.digest()?;
        let digest_info = [self.signature.hash_algo().oid().ok()?, &digest].concat();
        self.primary.key.verifies(&digest_info, s.value()).then(|| self.memory_of(&digest))?
    }

    fn digest(&self) -> Option<Vec<u8>> {
        let (signature, primary) = (self.signature, self.primary.packet);
        let mut hash = signature.hash_algo().context().ok()?.for_signature(signature.version());
        let hashed = match self.component {
            Packet::PublicKey(_) => signature.hash_direct_key(&mut hash, primary),
            Packet::UserID(user_id) => signature.hash_userid_binding(&mut hash, primary, user_id),
            Packet::PublicSubkey(subkey) => signature.hash_subkey_binding(&mut hash, primary, subkey),
            _ => return None,
        };
        hashed.and_then(|()| hash.into_digest()).ok()
    }

    /// The form that the library gives it; if that should change, the library finds nothing it remembers.
    fn memory_of(&self, digest: &[u8]) -> Option<Vec<u8>> {
        const VERSION: u8 = 0;
        const LENGTH: usize = 32;
        let numbers = self.signature.mpis().to_vec().ok()?;
        let length = u32::try_from(numbers.len()).ok()?.to_le_bytes();
        let mut hash = HashAlgorithm::SHA512.context().ok()?.for_digest();
        hash.update(&[VERSION]);
        hash.update(&length);
        hash.update(&numbers);
        hash.update(&[self.signature.hash_algo().into()]);
        hash.update(digest);
        hash.update(&self.primary.packet.mpis().to_vec().ok()?);
        Some(hash.into_digest().ok()?[..LENGTH].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use sequoia_openpgp::cert::{Cert, CertBuilder, CipherSuite};
    use sequoia_openpgp::parse::Parse;
    use sequoia_openpgp::serialize::Marshal;

    use super::*;

    /// A certificate that the library has never seen.
    fn fresh() -> (Cert, Vec<Packet>) {
        let builder = CertBuilder::new().set_cipher_suite(CipherSuite::RSA2k);
        let builder = builder.add_userid("Alice <alice@example.org>").add_transport_encryption_subkey();
        let (certificate, _) = builder.generate().unwrap();
        let certificate = certificate.strip_secret_key_material();
        let packets = certificate.clone().into_packets().collect();
        (certificate, packets)
    }

    fn is_remembered(memory: &[u8]) -> bool {
        SignatureVerificationCache::dump().into_iter().any(|entry| entry.value() == memory)
    }

    /// How many signatures hold.
    fn verified_by_the_library(certificate: &Cert) -> usize {
        let of_keys = certificate.keys().map(|key| key.self_signatures().count());
        let of_user_ids = certificate.userids().map(|user_id| user_id.self_signatures().count());
        of_keys.chain(of_user_ids).sum()
    }

    #[test]
    fn a_memory_is_what_the_library_remembers_by_itself() {
        let (certificate, packets) = fresh();
        let memories = memories(&claims(&packets));
        assert_eq!(memories.len(), 3, "direct key, User ID, subkey");
        // The library verified what it made; what it verifies now it remembers.
        let copy = Cert::try_from(packets).unwrap();
        assert_eq!(verified_by_the_library(&copy), 3);
        assert!(memories.iter().all(|memory| is_remembered(memory)));
        assert_eq!(certificate, copy);
    }

    #[test]
    fn what_is_remembered_is_used() {
        let (_, packets) = fresh();
        let memories = memories(&claims(&packets));
        assert!(!memories.iter().any(|memory| is_remembered(memory)));
        remember(&packets);
        assert!(memories.iter().all(|memory| is_remembered(memory)));
        let used = |memory: &Vec<u8>| {
            let entries = SignatureVerificationCache::dump().into_iter();
            entries.filter(|entry| entry.value() == memory).all(|entry| entry.accessed() && !entry.inserted())
        };
        let certificate = Cert::try_from(packets).unwrap();
        assert_eq!(verified_by_the_library(&certificate), 3);
        assert!(memories.iter().all(used));
    }

    /// Only what the library verifies too may be remembered, whatever is changed.
    #[test]
    fn no_signature_that_was_tampered_with_is_remembered() {
        let (certificate, packets) = fresh();
        let mut octets = Vec::new();
        certificate.serialize(&mut octets).unwrap();
        let expected = memories(&claims(&packets));
        let mut refused = 0;
        for place in (0..octets.len()).step_by(3) {
            let mut changed = octets.clone();
            changed[place] ^= 1 << (place % 8);
            let Ok(parser) = sequoia_openpgp::PacketPile::from_bytes(&changed) else { continue };
            let packets: Vec<Packet> = parser.into_children().collect();
            let found = memories(&claims(&packets));
            // What is not hashed may be changed.
            refused += usize::from(found.len() < expected.len());
            assert!(found.iter().all(|memory| expected.contains(memory)), "octet {place}");
        }
        assert!(refused * 3 > octets.len() / 2, "{refused} of {} were noticed", octets.len() / 3);
    }

    #[test]
    fn what_is_not_by_rsa_or_has_no_primary_key_is_not_looked_at() {
        let (_, packets) = fresh();
        let without: Vec<Packet> =
            packets.iter().filter(|packet| packet.tag() != Tag::PublicKey).cloned().collect();
        assert!(claims(&without).is_empty() && claims(&[]).is_empty());
        let (other, _) = CertBuilder::general_purpose(Some("bob@example.org")).generate().unwrap();
        let other: Vec<Packet> = other.strip_secret_key_material().into_packets().collect();
        assert!(claims(&other).is_empty());
    }
}
