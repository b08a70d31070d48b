//! The certificates that mail is sealed to: where they come from, and which of their subkeys are good.
//!
//! Only public material, only from the places that the options name or that the manual page lists, and
//! never from arriving mail.

pub mod check;
mod directory;
mod find;
mod found;
mod listing;
mod minimal;
mod open;
mod parse;
pub mod table;
mod usable;
mod user_id;
mod users;
mod verified;

use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use sequoia_openpgp::packet::Key;
use sequoia_openpgp::packet::key::{PublicParts, UnspecifiedRole};
use sequoia_openpgp::types::SymmetricAlgorithm;

use crate::address::Address;
use found::{Claim, Found};
use usable::Reader;

pub use directory::Layout;
pub use find::Sources;
pub use minimal::{Minimal, read as read_minimal};
pub use users::{User, users};

/// The ciphers that are used at all: AES, which every program knows (RFC 9580, 5.1.6).
const STRONGEST_FIRST: [SymmetricAlgorithm; 3] =
    [SymmetricAlgorithm::AES256, SymmetricAlgorithm::AES192, SymmetricAlgorithm::AES128];

/// How many subkeys one message is sealed to at most.
const MOST_SUBKEYS: usize = 16;

/// What becomes of mail when the certificate has expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expired {
    /// It waits: the secret of an expired subkey may be gone for good.
    #[default]
    Defer,
    /// It is sealed all the same. Only the expiry is waived.
    Seal,
}

/// Which of several usable subkeys are sealed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subkeys {
    /// Of a certificate that has post-quantum ones, only those.
    #[default]
    Strongest,
    /// All, for a reader that still needs the classical one.
    All,
}

/// What sealing needs to know of those who will read the mail.
#[derive(Debug)]
pub struct Readers {
    /// The subkeys to encrypt the session key to, each once.
    pub subkeys: Vec<Key<PublicParts, UnspecifiedRole>>,
    /// Whether all readers' programs read SEIPDv2.
    pub all_read_seipd_v2: bool,
    /// The strongest cipher that all of them read.
    pub cipher: SymmetricAlgorithm,
}

/// The readers of the mail for `recipient`; None when none of the places has a certificate.
///
/// # Errors
/// A certificate is there, but it, its file, or a directory above it cannot be used or trusted. The reason
/// names the file and the way out.
pub fn find(
    sources: &Sources,
    recipient: Option<&Address>,
    expired: Expired,
    subkeys: Subkeys,
    now: SystemTime,
) -> Result<Option<Readers>> {
    match find::look(sources, recipient)? {
        Some(found) => readers(&found, expired, subkeys, now).map(Some),
        None => Ok(None),
    }
}

fn readers(found: &Found, expired: Expired, subkeys: Subkeys, now: SystemTime) -> Result<Readers> {
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for (file, certificate) in found.certificates() {
        match usable::judge(certificate, now).and_then(|judged| judged.choose(expired, subkeys)) {
            Ok(reader) => good.push(reader),
            Err(fault) => {
                let path = file.path.display();
                bad.push(format!("{path}: certificate {} {fault}", certificate.fingerprint()));
            }
        }
    }
    match (found.claim, bad.into_iter().next(), good.len()) {
        (Claim::EachReads, Some(fault), _) | (_, Some(fault), 0) => bail!(fault),
        (Claim::ExactlyOne, _, several @ 2..) => {
            bail!("--certs: {several} certificates claim the address; keep one of them")
        }
        _ => gather(good),
    }
}

/// What all of `readers` can read together.
fn gather(readers: Vec<Reader>) -> Result<Readers> {
    let all_read_seipd_v2 = readers.iter().all(|reader| reader.reads_seipd_v2);
    let reads = |reader: &Reader, cipher| {
        let ciphers = if all_read_seipd_v2 { &reader.ciphers_v2 } else { &reader.ciphers_v1 };
        ciphers.contains(cipher)
    };
    let cipher = STRONGEST_FIRST.iter().find(|cipher| readers.iter().all(|reader| reads(reader, cipher)));
    let cipher = *cipher.context("no cipher that all certificates allow")?;
    let mut subkeys: Vec<Key<PublicParts, UnspecifiedRole>> = Vec::new();
    for key in readers.into_iter().flat_map(|reader| reader.subkeys) {
        if subkeys.iter().all(|known| known.fingerprint() != key.fingerprint()) {
            subkeys.push(key);
        }
    }
    let count = subkeys.len();
    ensure!(count <= MOST_SUBKEYS, "{count} subkeys for encryption are more than {MOST_SUBKEYS}");
    Ok(Readers { subkeys, all_read_seipd_v2, cipher })
}

impl FromStr for Expired {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "defer" => Ok(Expired::Defer),
            "seal" => Ok(Expired::Seal),
            _ => bail!("say defer or seal"),
        }
    }
}

/// The day of `time` in UTC, as ISO 8601 writes it.
fn date(time: SystemTime) -> String {
    const DAY: u64 = 24 * 60 * 60;
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut days = seconds / DAY;
    let mut year = 1970;
    while days >= days_in(year) {
        days -= days_in(year);
        year += 1;
    }
    let february = days_in(year) - 337;
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

fn days_in(year: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    365 + u64::from(is_leap)
}

#[cfg(test)]
pub(crate) mod tests;
