//! Which subkeys of a certificate mail may be sealed to, until when, and why not to the others.
//!
//! RFC 9580 and RFC 9980, as of `now`. The library verifies a signature when it is first asked for, so the
//! order of the questions here decides what an RSA certificate costs.

use std::fmt;
use std::time::SystemTime;

use sequoia_openpgp as openpgp;

use openpgp::cert::amalgamation::ValidateAmalgamation;
use openpgp::cert::amalgamation::key::PrimaryKey;
use openpgp::cert::prelude::ErasedKeyAmalgamation;
use openpgp::cert::{Cert, Preferences, ValidCert};
use openpgp::crypto::mpi::PublicKey;
use openpgp::packet::Key;
use openpgp::packet::key::{PublicParts, UnspecifiedRole};
use openpgp::policy::StandardPolicy;
use openpgp::types::{AEADAlgorithm, PublicKeyAlgorithm, SymmetricAlgorithm};

use super::parse::is_for_encryption;
use super::{Expired, Subkeys, date};

/// RFC 9580, 12.4: a shorter RSA key MUST NOT be encrypted to.
const SHORTEST_RSA: usize = 2_048;

/// What a valid certificate says about encryption.
pub struct Judged {
    /// All subkeys for encryption, the unusable ones too. An old certificate's primary key may be one.
    pub subkeys: Vec<Subkey>,
    /// Whether its programs read SEIPDv2.
    pub reads_seipd_v2: bool,
    /// The ciphers that its programs read in SEIPDv1, and with OCB in SEIPDv2.
    pub ciphers_v1: Vec<SymmetricAlgorithm>,
    pub ciphers_v2: Vec<SymmetricAlgorithm>,
}

/// What one certificate adds to [`super::Readers`].
pub struct Reader {
    pub subkeys: Vec<Key<PublicParts, UnspecifiedRole>>,
    pub reads_seipd_v2: bool,
    pub ciphers_v1: Vec<SymmetricAlgorithm>,
    pub ciphers_v2: Vec<SymmetricAlgorithm>,
}

/// One subkey for encryption.
pub struct Subkey {
    pub key: Key<PublicParts, UnspecifiedRole>,
    /// Whether it is the primary key itself.
    pub is_primary: bool,
    pub state: State,
}

/// Whether a subkey can be sealed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Until then, or for ever.
    Live(Option<SystemTime>),
    /// Since then, itself or with its primary key.
    Expired(SystemTime),
    /// It begins only then.
    NotYet(SystemTime),
    /// By its owner, for whatever reason.
    Revoked,
    /// RSA of so few bits.
    ShortRsa(usize),
    /// RFC 9580, 12.6: MUST NOT be encrypted to.
    ElGamal,
    /// An algorithm or curve that this program does not know.
    Unknown,
    /// No signature of the primary key binds it by the rules of today.
    Unbound,
}

/// Why a certificate cannot be sealed to.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    Revoked,
    Expired(SystemTime),
    /// No self-signature holds by the rules of today (SHA-1, a short primary key).
    Invalid,
    /// None of its subkeys can be used; what is said of each.
    NoSubkey(Vec<State>),
}

/// What `certificate` says, as of `now`.
///
/// # Errors
/// It is revoked, or no self-signature of it holds.
pub fn judge(certificate: &Cert, now: SystemTime) -> Result<Judged, Fault> {
    // Any revocation that verifies, whatever its hash, its date, and what was signed after it.
    if certificate.primary_key().self_revocations().next().is_some() {
        return Err(Fault::Revoked);
    }
    let policy = StandardPolicy::at(now);
    let valid = certificate.with_policy(&policy, now).map_err(|_| Fault::Invalid)?;
    let version = certificate.primary_key().key().version();
    // RFC 9580, 10.1.1: of version 6, a direct-key signature MUST exist.
    if version == 6 && valid.direct_key_signature().is_err() {
        return Err(Fault::Invalid);
    }
    let end = valid.primary_key().key_expiration_time();
    let subkeys: Vec<Subkey> =
        certificate.keys().filter_map(|key| judge_subkey(&key, &policy, end, now)).collect();
    let features = valid.features();
    let is_post_quantum = subkeys.iter().any(Subkey::is_post_quantum);
    Ok(Judged {
        // RFC 9580, 13.7: what is of version 6 and says nothing reads it.
        reads_seipd_v2: features.map_or(version == 6, |features| features.supports_seipdv2()),
        ciphers_v1: ciphers_v1(&valid, is_post_quantum),
        ciphers_v2: ciphers_v2(&valid, is_post_quantum),
        subkeys,
    })
}

impl Judged {
    /// The subkeys to seal to, at least one.
    ///
    /// # Errors
    /// There is none that is live, or, if `expired` waives that, none that was until it expired.
    pub fn choose(&self, expired: Expired, subkeys: Subkeys) -> Result<Reader, Fault> {
        let mut chosen: Vec<&Subkey> =
            self.subkeys.iter().filter(|subkey| matches!(subkey.state, State::Live(_))).collect();
        if let (true, Some(last)) = (chosen.is_empty(), self.last_expiry()) {
            match expired {
                Expired::Defer => return Err(Fault::Expired(last)),
                // Of several that were rotated, the last is the one whose secret is still there.
                Expired::Seal => {
                    chosen.extend(self.subkeys.iter().filter(|subkey| subkey.state == State::Expired(last)));
                }
            }
        }
        // GnuPG gives an RSA primary key this flag too; readers expect the subkey to be used.
        if chosen.iter().any(|subkey| !subkey.is_primary) {
            chosen.retain(|subkey| !subkey.is_primary);
        }
        if chosen.is_empty() {
            return Err(Fault::NoSubkey(self.subkeys.iter().map(|subkey| subkey.state).collect()));
        }
        // RFC 9980, 8.1: one PKESK to a classical subkey gives the protection away.
        if subkeys == Subkeys::Strongest && chosen.iter().any(|subkey| subkey.is_post_quantum()) {
            chosen.retain(|subkey| subkey.is_post_quantum());
        }
        Ok(Reader {
            subkeys: chosen.into_iter().map(|subkey| subkey.key.clone()).collect(),
            reads_seipd_v2: self.reads_seipd_v2,
            ciphers_v1: self.ciphers_v1.clone(),
            ciphers_v2: self.ciphers_v2.clone(),
        })
    }

    /// When the first of the subkeys that `reader` has ends, if ever.
    pub fn first_end(&self, reader: &Reader) -> Option<SystemTime> {
        let is_used = |subkey: &&Subkey| {
            reader.subkeys.iter().any(|used| used.fingerprint() == subkey.key.fingerprint())
        };
        let ends = self.subkeys.iter().filter(is_used).filter_map(|subkey| match subkey.state {
            State::Live(end) => end,
            State::Expired(end) => Some(end),
            _ => None,
        });
        ends.min()
    }

    fn last_expiry(&self) -> Option<SystemTime> {
        let expiries = self.subkeys.iter().filter_map(|subkey| match subkey.state {
            State::Expired(since) => Some(since),
            _ => None,
        });
        expiries.max()
    }
}

impl Subkey {
    /// Whether it is a composite with ML-KEM (RFC 9980).
    pub fn is_post_quantum(&self) -> bool {
        use PublicKeyAlgorithm::{MLKEM768_X25519, MLKEM1024_X448};
        matches!(self.key.pk_algo(), MLKEM768_X25519 | MLKEM1024_X448)
    }
}

fn judge_subkey(
    key: &ErasedKeyAmalgamation<PublicParts>,
    policy: &StandardPolicy,
    end: Option<SystemTime>,
    now: SystemTime,
) -> Option<Subkey> {
    let algorithm = key.key().pk_algo();
    // A primary key that can only sign needs no further look.
    if algorithm.for_signing() && !algorithm.for_encryption() {
        return None;
    }
    let is_primary = key.primary();
    let subkey = |state| Subkey { key: key.key().clone(), is_primary, state };
    if let Some(state) = unusable_algorithm(key.key()) {
        return (!is_primary).then(|| subkey(state));
    }
    let Ok(valid) = key.with_policy(policy, now) else {
        return Some(subkey(State::Unbound));
    };
    if !valid.key_flags().is_some_and(|flags| is_for_encryption(&flags)) {
        return None;
    }
    let own_end = valid.key_expiration_time();
    let until = [own_end, end].into_iter().flatten().min();
    let created = key.key().creation_time();
    let state = if key.self_revocations().next().is_some() {
        State::Revoked
    } else if created > now {
        State::NotYet(created)
    } else {
        match until {
            Some(until) if until <= now => State::Expired(until),
            until => State::Live(until),
        }
    };
    Some(subkey(state))
}

/// What bars an encryption key before any signature is looked at.
fn unusable_algorithm(key: &Key<PublicParts, UnspecifiedRole>) -> Option<State> {
    match key.mpis() {
        PublicKey::RSA { n, .. } => (n.bits() < SHORTEST_RSA).then(|| State::ShortRsa(n.bits())),
        PublicKey::ElGamal { .. } => Some(State::ElGamal),
        PublicKey::ECDH { curve, .. } if !curve.is_supported() => Some(State::Unknown),
        _ => (!key.pk_algo().is_supported()).then_some(State::Unknown),
    }
}

/// RFC 9580, 12.2: what is not listed MUST NOT be used; AES-128 is always listed, and beside a post-quantum
/// key AES-256 too (RFC 9980, 7.1).
fn ciphers_v1(valid: &ValidCert, is_post_quantum: bool) -> Vec<SymmetricAlgorithm> {
    let mut ciphers = valid.preferred_symmetric_algorithms().unwrap_or_default().to_vec();
    ciphers.push(SymmetricAlgorithm::AES128);
    ciphers.extend(is_post_quantum.then_some(SymmetricAlgorithm::AES256));
    ciphers
}

/// RFC 9580, 5.2.3.15 lists pairs. A certificate without that list, but with one of ciphers, comes from
/// a program that has those ciphers and must have OCB.
fn ciphers_v2(valid: &ValidCert, is_post_quantum: bool) -> Vec<SymmetricAlgorithm> {
    let Some(pairs) = valid.preferred_aead_ciphersuites() else {
        return ciphers_v1(valid, is_post_quantum);
    };
    let with_ocb = pairs.iter().filter(|(_, mode)| *mode == AEADAlgorithm::OCB).map(|(cipher, _)| *cipher);
    let tacit = is_post_quantum.then_some(SymmetricAlgorithm::AES256);
    with_ocb.chain([SymmetricAlgorithm::AES128]).chain(tacit).collect()
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            State::Live(None) => f.write_str("does not expire"),
            State::Live(Some(until)) => write!(f, "until {}", date(*until)),
            State::Expired(since) => write!(f, "expired on {}", date(*since)),
            State::NotYet(from) => write!(f, "valid from {} only", date(*from)),
            State::Revoked => f.write_str("revoked"),
            State::ShortRsa(bits) => write!(f, "RSA of {bits} bits, fewer than {SHORTEST_RSA}"),
            State::ElGamal => f.write_str("ElGamal, which must not be used any more"),
            State::Unknown => f.write_str("of an algorithm that is not known here"),
            State::Unbound => f.write_str("without a valid signature of its primary key"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Fault::Revoked => f.write_str("is revoked; put the new certificate there"),
            Fault::Expired(since) => {
                write!(f, "expired on {}; extend it, or give --expired=seal", date(*since))
            }
            Fault::Invalid => f.write_str(
                "has no self-signature that holds today (SHA-1? a short key? a wrong clock?); renew it",
            ),
            Fault::NoSubkey(states) if states.is_empty() => {
                f.write_str("has no subkey for encryption; add one")
            }
            Fault::NoSubkey(states) => {
                let said: Vec<String> = states.iter().map(State::to_string).collect();
                write!(f, "has no usable subkey for encryption ({}); add one", said.join(", "))
            }
        }
    }
}
