//! All users of a directory of certificates at once: who can be sealed to, until when, and what is wrong.
//!
//! Each file is judged as a delivery to its owner would judge it, by as many threads as the machine runs at
//! once. A certificate is dropped before its thread reads the next one: only what is told of it stays.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};
use std::time::SystemTime;

use anyhow::{Context, Error, Result, bail, ensure};
use sequoia_openpgp::cert::Cert;

use super::check::{GIVEN_AWAY, HAS_SECRET, ending, post_quantum};
use super::directory::Layout;
use super::found::CertificateFile;
use super::listing::{Entry, entries};
use super::open::Directory;
use super::usable::judge;
use super::{Expired, Readers, Sources, Subkeys, gather};
use crate::place;

/// What is told of one user.
pub struct User {
    /// The address that leads to the file, if one does.
    pub address: Option<String>,
    /// The file, from the directory.
    pub path: String,
    /// Of the certificates that mail is sealed to; where it is to none, of those that are there.
    pub fingerprints: Vec<String>,
    /// How mail is sealed, if it can be.
    pub sealing: Option<Sealing>,
    /// What needs somebody's attention; behind a semicolon, the way out.
    pub wrong: Option<String>,
}

/// How mail is sealed.
pub struct Sealing {
    /// When the first of the subkeys used ends, if ever.
    pub until: Option<SystemTime>,
    pub is_seipd_v2: bool,
    /// Of all subkeys used.
    pub is_post_quantum: bool,
}

/// The users in the directory of `sources`: first those of whom something is wrong, then sorted by address.
///
/// Something is sealed to each with `trial`, since a certificate that parses may still not seal.
///
/// # Errors
/// The directory is not there, cannot be trusted or read, or is empty.
pub fn users(
    sources: &Sources,
    expired: Expired,
    subkeys: Subkeys,
    now: SystemTime,
    trial: impl Fn(&Readers) -> Result<()> + Sync,
) -> Result<Vec<User>> {
    let Some(directory) = &sources.directory else { return Ok(Vec::new()) };
    let path = place::expand(directory)?;
    let directory =
        Directory::open(&path)?.with_context(|| format!("{}: no such directory", path.display()))?;
    let entries = entries(&directory, sources.layout)?;
    let look = Look { directory, sources, expired, subkeys, now, trial };
    let mut users = look.all(&entries);
    // One that is not mounted would make everybody a stranger.
    ensure!(!users.is_empty(), "{}: holds no certificate; put one there for each user", path.display());
    users.sort_by(|one, other| one.key().cmp(&other.key()));
    if sources.layout == Layout::CertD {
        users.dedup_by(|later, earlier| later.address == earlier.address && merge(earlier, later));
    }
    users.sort_by_key(|user| user.wrong.is_none());
    Ok(users)
}

/// What is the same for each user.
struct Look<'a, Trial> {
    directory: Directory,
    sources: &'a Sources,
    expired: Expired,
    subkeys: Subkeys,
    now: SystemTime,
    trial: Trial,
}

impl<Trial: Fn(&Readers) -> Result<()> + Sync> Look<'_, Trial> {
    fn all(&self, entries: &[Entry]) -> Vec<User> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut users = Vec::new();
            while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
                users.append(&mut self.users_of(entry));
            }
            users
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            // Where no other thread can be had, this one does it all.
            let spawn = |_| Builder::new().spawn_scoped(scope, work).ok();
            let others: Vec<_> = (1..threads).filter_map(spawn).collect();
            let mut users = work();
            // A panic ends the program before it could come here.
            users.extend(others.into_iter().flat_map(|other| other.join().unwrap_or_default()));
            users
        })
    }

    /// Whom this name is for: one user where names are made of addresses, else all whom the User IDs name.
    fn users_of(&self, entry: &Entry) -> Vec<User> {
        let Sources { layout, tags, .. } = *self.sources;
        let is_named = matches!(layout, Layout::Address | Layout::Domain);
        let mailbox = entry.mailbox(layout, tags).map(|mailbox| mailbox.to_string());
        if let Some(fault) = &entry.fault {
            return vec![User::without(entry, None, reason(fault))];
        }
        if is_named && mailbox.is_none() {
            return vec![User::without(entry, None, "no address leads to this name".to_owned())];
        }
        let file = match entry.read(&self.directory) {
            Ok(Some(file)) => file,
            // It went away after the directory was read.
            Ok(None) => return Vec::new(),
            Err(error) => return vec![User::without(entry, mailbox, reason(&error))],
        };
        let mut users = match is_named {
            true => vec![self.user(entry, mailbox, file.parsed.certificates.iter().collect())],
            false => self.claimants(entry, &file),
        };
        if file.parsed.had_secret {
            users.iter_mut().for_each(|user| user.wrong = Some(HAS_SECRET.to_owned()));
        }
        users
    }

    fn claimants(&self, entry: &Entry, file: &CertificateFile) -> Vec<User> {
        let Sources { layout, tags, .. } = *self.sources;
        let mut claims: Vec<(String, &Cert)> = Vec::new();
        for certificate in &file.parsed.certificates {
            let claimed = entry.claimed(certificate, layout, tags);
            claims.extend(claimed.iter().map(|mailbox| (mailbox.to_string(), certificate)));
        }
        // A certificate directory may hold strangers' too. In the other one no one else has a place.
        if claims.is_empty() && layout == Layout::Wkd {
            return vec![User::without(entry, None, "no User ID leads to this name".to_owned())];
        }
        claims.sort_by(|one, other| one.0.cmp(&other.0));
        let of_one = claims.chunk_by(|one, other| one.0 == other.0);
        let user = |claims: &[(String, &Cert)]| {
            let certificates = claims.iter().map(|(_, certificate)| *certificate).collect();
            self.user(entry, Some(claims[0].0.clone()), certificates)
        };
        of_one.map(user).collect()
    }

    fn user(&self, entry: &Entry, address: Option<String>, certificates: Vec<&Cert>) -> User {
        let path = entry.path().display().to_string();
        match self.sealing(&certificates) {
            Ok((used, sealing, wrong)) => {
                User { address, path, fingerprints: fingerprints(&used), sealing: Some(sealing), wrong }
            }
            Err(error) => {
                let wrong = Some(format!("{error:#}"));
                User { address, path, fingerprints: fingerprints(&certificates), sealing: None, wrong }
            }
        }
    }

    /// The certificates that mail is sealed to, how, and what will soon go wrong. As for a delivery, of
    /// several those that are good count.
    fn sealing<'c>(&self, certificates: &[&'c Cert]) -> Result<(Vec<&'c Cert>, Sealing, Option<String>)> {
        let mut used = Vec::new();
        let mut good = Vec::new();
        let mut ends = Vec::new();
        let mut faults = Vec::new();
        for certificate in certificates {
            let judged = judge(certificate, self.now);
            let chosen = judged.and_then(|judged| {
                let reader = judged.choose(self.expired, self.subkeys)?;
                Ok((judged.first_end(&reader), reader))
            });
            match chosen {
                Ok((end, reader)) => {
                    used.push(*certificate);
                    ends.extend(end);
                    good.push(reader);
                }
                Err(fault) => faults.push(fault),
            }
        }
        if let (true, Some(fault)) = (good.is_empty(), faults.first()) {
            bail!("{fault}");
        }
        let readers = gather(good)?;
        (self.trial)(&readers).context("sealing")?;
        let until = ends.into_iter().min();
        let count = post_quantum(&readers);
        let is_post_quantum = count == readers.subkeys.len();
        let given_away = (count > 0 && !is_post_quantum).then(|| GIVEN_AWAY.to_owned());
        let wrong = until.and_then(|end| ending(end, self.now)).or(given_away);
        Ok((used, Sealing { until, is_seipd_v2: readers.all_read_seipd_v2, is_post_quantum }, wrong))
    }
}

impl User {
    /// One who cannot be sealed to.
    fn without(entry: &Entry, address: Option<String>, wrong: String) -> Self {
        let path = entry.path().display().to_string();
        User { address, path, fingerprints: Vec::new(), sealing: None, wrong: Some(wrong) }
    }

    /// By which they are sorted, and what is shown where there is no address.
    pub fn name(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.path)
    }

    fn key(&self) -> (&str, &str) {
        (self.name(), &self.path)
    }
}

/// Puts two users of one address together: whoever wrote it into a User ID is there, so only one may be good.
fn merge(earlier: &mut User, later: &mut User) -> bool {
    if earlier.sealing.is_none() {
        std::mem::swap(earlier, later);
    } else if later.sealing.is_some() {
        earlier.fingerprints.append(&mut later.fingerprints);
        let count = earlier.fingerprints.len();
        earlier.wrong = Some(format!("{count} certificates claim the address; keep one of them"));
    }
    true
}

fn fingerprints(certificates: &[&Cert]) -> Vec<String> {
    certificates.iter().map(|certificate| certificate.fingerprint().to_hex()).collect()
}

/// What is so, without the place: that has a column of its own.
fn reason(error: &Error) -> String {
    error.root_cause().to_string()
}
