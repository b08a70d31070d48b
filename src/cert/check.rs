//! What `encrypt-to-self --check` says: which certificate, which subkeys, until when, and what will soon go
//! wrong. For a person before the first mail, and for cron after it.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use rustix::process::{Resource, getrlimit};
use sequoia_openpgp as openpgp;

use openpgp::cert::Cert;
use openpgp::crypto::mpi::PublicKey;
use openpgp::packet::Key;
use openpgp::policy::StandardPolicy;
use openpgp::types::PublicKeyAlgorithm::{MLKEM768_X25519, MLKEM1024_X448};

use super::find::look;
use super::found::{CertificateFile, Found};
use super::usable::{State, Subkey, judge};
use super::{Expired, Readers, Sources, Subkeys, date, readers};
use crate::address::Address;
use crate::escape;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long before the end a warning begins, in days.
const AHEAD: u32 = 30;

/// What is wrong although mail can be sealed.
pub const HAS_SECRET: &str = "holds a secret key, which does not belong on this machine";
pub const GIVEN_AWAY: &str = "a classical subkey beside a post-quantum one gives the protection away";

/// What sealing the largest message of a default Postfix may take: 1.5 times its `message_size_limit`, and
/// 1 MB for what comes with it.
const LARGEST_SEALED: u64 = 10_240_000 * 3 / 2 + 1_000_000;

/// The text, and whether nothing in it needs anybody's attention.
pub struct Report {
    pub text: String,
    pub is_good: bool,
}

/// Looks for the readers as a delivery would, and seals something to them with `trial`.
///
/// Nothing here fails: what keeps a delivery from sealing is a `problem` line of the report.
pub fn report(
    sources: &Sources,
    recipient: Option<&Address>,
    expired: Expired,
    subkeys: Subkeys,
    now: SystemTime,
    trial: impl FnOnce(&Readers) -> Result<()>,
) -> Report {
    let mut report = Report { text: String::new(), is_good: true };
    match look(sources, recipient) {
        Ok(Some(found)) => {
            let readers = readers(&found, expired, subkeys, now);
            report.certificates(&found, readers.as_ref().ok(), now);
            report.sealing(readers, trial);
        }
        Ok(None) => report.problem(&format!("no certificate in {}; put yours there", sources.places())),
        Err(error) => report.problem(&format!("{error:#}")),
    }
    report.file_size_limit(getrlimit(Resource::Fsize).current);
    report
}

impl Report {
    fn certificates(&mut self, found: &Found, readers: Option<&Readers>, now: SystemTime) {
        for (file, certificate) in found.certificates() {
            self.line(&file.path.display().to_string());
            let user_id = user_id(certificate, now);
            self.line(&format!("  certificate {}{user_id}", certificate.fingerprint()));
            match judge(certificate, now) {
                Ok(judged) => judged.subkeys.iter().for_each(|subkey| self.subkey(subkey, readers, now)),
                Err(fault) => self.line(&format!("    {fault}")),
            }
            self.secret(file);
        }
    }

    fn subkey(&mut self, subkey: &Subkey, readers: Option<&Readers>, now: SystemTime) {
        let fingerprint = subkey.key.fingerprint();
        let is_used = readers
            .is_some_and(|readers| readers.subkeys.iter().any(|used| used.fingerprint() == fingerprint));
        let used = if is_used { "" } else { ", not used" };
        let role = if subkey.is_primary { "primary key" } else { "subkey" };
        self.line(&format!("    {role} {fingerprint} {}{used}", description(subkey)));
        let end = match subkey.state {
            State::Live(end) => end,
            State::Expired(end) => Some(end),
            _ => None,
        };
        if let Some(words) = end.filter(|_| is_used).and_then(|end| ending(end, now)) {
            self.warning(&format!("{fingerprint} {words}"));
        }
    }

    fn secret(&mut self, file: &CertificateFile) {
        if file.parsed.had_secret {
            let path = file.path.display();
            self.warning(&format!("{path}: {HAS_SECRET}"));
        }
    }

    fn sealing(&mut self, readers: Result<Readers>, trial: impl FnOnce(&Readers) -> Result<()>) {
        let readers = match readers {
            Ok(readers) => readers,
            Err(error) => return self.problem(&format!("{error:#}")),
        };
        let format = if readers.all_read_seipd_v2 { "SEIPDv2 (OCB)" } else { "SEIPDv1" };
        let count = readers.subkeys.len();
        let post_quantum = post_quantum(&readers);
        let strength = if post_quantum == count { ", post-quantum" } else { "" };
        self.line(&format!("seals with {format}, {}{strength}; subkeys used: {count}", readers.cipher));
        if (1..count).contains(&post_quantum) {
            self.warning(GIVEN_AWAY);
        }
        if let Err(error) = trial(&readers).context("sealing") {
            self.problem(&format!("{error:#}"));
        }
    }

    /// Postfix: `mailbox_size_limit`, which holds for files in memory too.
    fn file_size_limit(&mut self, limit: Option<u64>) {
        if let Some(limit) = limit.filter(|limit| *limit < LARGEST_SEALED) {
            self.warning(&format!(
                "the file size limit of {limit} octets keeps large mail waiting for ever; raise it to \
                 {LARGEST_SEALED} (Postfix: mailbox_size_limit)"
            ));
        }
    }

    /// Says what needs attention, unless it was said before: two looks may meet the same directory.
    pub fn warning(&mut self, text: &str) {
        self.is_good = false;
        let harmless = escape::harmless(text.as_bytes());
        if !self.text.lines().any(|line| line.ends_with(&format!(": {harmless}"))) {
            self.line(&format!("warning: {text}"));
        }
    }

    /// Says why mail would wait.
    pub fn problem(&mut self, text: &str) {
        self.is_good = false;
        self.line(&format!("problem: {text}"));
    }

    /// Adds a line of harmless text.
    pub fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{}", escape::harmless(text.as_bytes()));
    }
}

/// The words for an end that has come, or will soon.
pub fn ending(end: SystemTime, now: SystemTime) -> Option<String> {
    let day = date(end);
    if end <= now {
        return Some(format!("expired on {day}; extend it"));
    }
    (end <= now + DAY * AHEAD).then(|| format!("expires on {day}; extend it"))
}

/// How many of the subkeys are post-quantum.
pub fn post_quantum(readers: &Readers) -> usize {
    let is_post_quantum = |key: &&Key<_, _>| matches!(key.pk_algo(), MLKEM768_X25519 | MLKEM1024_X448);
    readers.subkeys.iter().filter(is_post_quantum).count()
}

/// The primary User ID, or the first one, in quotes; a certificate may have none.
fn user_id(certificate: &Cert, now: SystemTime) -> String {
    let policy = StandardPolicy::at(now);
    let valid = certificate.with_policy(&policy, now).ok();
    let primary = valid.and_then(|valid| valid.primary_userid().ok()).map(|user_id| user_id.userid());
    let shown = primary.or_else(|| certificate.userids().next().map(|user_id| user_id.userid()));
    shown.map(|user_id| format!(" \"{}\"", escape::foreign(user_id.value()))).unwrap_or_default()
}

fn description(subkey: &Subkey) -> String {
    let state = subkey.state;
    match subkey.key.mpis() {
        // These states name the algorithm themselves.
        _ if matches!(state, State::ShortRsa(_) | State::ElGamal) => state.to_string(),
        PublicKey::RSA { n, .. } => format!("RSA {}, {state}", n.bits()),
        PublicKey::ECDH { curve, .. } => format!("ECDH {curve}, {state}"),
        _ => format!("{}, {state}", subkey.key.pk_algo()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_size_limit_below_what_large_mail_needs_is_a_warning() {
        // 1.5 times Postfix's default message_size_limit of 10240000, and 1 MB.
        for (limit, is_good) in [(None, true), (Some(16_360_000), true), (Some(16_359_999), false)] {
            let mut report = Report { text: String::new(), is_good: true };
            report.file_size_limit(limit);
            assert_eq!(report.is_good, is_good, "{}", report.text);
        }
    }
}
