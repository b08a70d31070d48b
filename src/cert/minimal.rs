//! A certificate cut down to what a stranger needs to write to its owner: it has to fit into a bounce.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, ensure};
use sequoia_openpgp as openpgp;

use openpgp::Packet;
use openpgp::cert::Cert;
use openpgp::cert::amalgamation::ValidateAmalgamation;
use openpgp::policy::StandardPolicy;
use openpgp::serialize::Marshal;

use super::found::file_at;
use super::usable::judge;
use super::{Expired, Subkeys};
use crate::place;

/// A certificate to offer.
pub struct Minimal {
    /// In hexadecimal digits.
    pub fingerprint: String,
    /// Its primary key, one User ID, the usable subkeys for encryption, and one signature of its own for
    /// each: binary, without armor.
    pub octets: Vec<u8>,
}

/// The certificate in the file at `path`.
///
/// # Errors
/// There is no such file, it cannot be trusted (a sender would seal to somebody else's certificate), it
/// holds none or several, or nobody could write to the one it holds.
pub fn read(path: &Path, now: SystemTime) -> Result<Minimal> {
    let path = place::expand(path)?;
    let file = file_at(&path)?.with_context(|| format!("{}: no such file", path.display()))?;
    let minimal = || {
        let [certificate] = &file.parsed.certificates[..] else {
            return Err(anyhow!("holds several certificates; offer one"));
        };
        let octets = minimal_of(certificate, now)?;
        Ok(Minimal { fingerprint: certificate.fingerprint().to_hex(), octets })
    };
    minimal().with_context(|| path.display().to_string())
}

fn minimal_of(certificate: &Cert, now: SystemTime) -> Result<Vec<u8>> {
    let usable = judge(certificate, now).and_then(|judged| judged.choose(Expired::Defer, Subkeys::All));
    let usable = usable.map_err(|fault| anyhow!("certificate {fault}"))?;
    let policy = StandardPolicy::at(now);
    let valid = certificate.with_policy(&policy, now)?;
    let mut packets = vec![Packet::from(certificate.primary_key().key().clone())];
    // Version 6 keeps everything that holds for the whole certificate in this one.
    packets.extend(valid.direct_key_signature().ok().cloned().map(Packet::from));
    if let Ok(user_id) = valid.primary_userid() {
        packets.push(user_id.userid().clone().into());
        packets.push(user_id.binding_signature().clone().into());
    }
    for subkey in certificate.keys().subkeys() {
        if usable.subkeys.iter().any(|key| key.fingerprint() == subkey.key().fingerprint()) {
            packets.push(subkey.key().clone().into());
            packets.push(subkey.with_policy(&policy, now)?.binding_signature().clone().into());
        }
    }
    let mut octets = Vec::new();
    for packet in packets {
        packet.export(&mut octets)?;
    }
    ensure!(!octets.is_empty(), "holds nothing to offer");
    Ok(octets)
}
