//! Decryption inside the test, for many messages at once: the library that seals, used the other way.

use std::io::Read;

use sequoia_openpgp::cert::Cert;
use sequoia_openpgp::crypto::SessionKey;
use sequoia_openpgp::packet::{PKESK, SKESK};
use sequoia_openpgp::parse::Parse;
use sequoia_openpgp::parse::stream::{
    DecryptionHelper, DecryptorBuilder, MessageStructure, VerificationHelper,
};
use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::types::SymmetricAlgorithm;
use sequoia_openpgp::{KeyHandle, Result};

struct Owner<'a>(&'a Cert);

impl VerificationHelper for Owner<'_> {
    fn get_certs(&mut self, _: &[KeyHandle]) -> Result<Vec<Cert>> {
        Ok(Vec::new())
    }

    fn check(&mut self, _: MessageStructure) -> Result<()> {
        Ok(())
    }
}

impl DecryptionHelper for Owner<'_> {
    fn decrypt(
        &mut self,
        pkesks: &[PKESK],
        _: &[SKESK],
        cipher: Option<SymmetricAlgorithm>,
        decrypt: &mut dyn FnMut(Option<SymmetricAlgorithm>, &SessionKey) -> bool,
    ) -> Result<Option<Cert>> {
        for key in self.0.keys().unencrypted_secret() {
            let mut pair = key.key().clone().into_keypair()?;
            for pkesk in pkesks {
                if pkesk.decrypt(&mut pair, cipher).is_some_and(|(cipher, key)| decrypt(cipher, &key)) {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }
}

/// What `encrypted` decrypts to with the secret key of the fixture `name`.
pub fn opened(encrypted: &[u8], name: &str) -> Vec<u8> {
    let owner = Cert::from_bytes(&crate::world::fixture(&format!("keys/{name}.key"))).unwrap();
    let policy = StandardPolicy::new();
    let builder = DecryptorBuilder::from_bytes(encrypted).unwrap();
    let mut text = Vec::new();
    let mut decryptor = builder.with_policy(&policy, None, Owner(&owner)).unwrap();
    decryptor.read_to_end(&mut text).unwrap();
    text
}
