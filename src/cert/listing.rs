//! Every file of a directory of certificates, with the addresses that lead to it: the way of a look-up,
//! backwards.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::{Error, Result};
use sequoia_openpgp::cert::Cert;

use super::directory::{Layout, Mailbox, claims, is_prefix, is_rest, mailboxes, wkd_name};
use super::found::{CertificateFile, file_in};
use super::open::Directory;
use super::user_id;
use crate::address::Address;

/// The names that a Web Key Directory has beside its certificates (draft-koch-openpgp-webkey-service).
const BESIDE: [&str; 2] = ["policy", "submission-address"];

/// A name in a directory of certificates.
pub struct Entry {
    /// The directories between.
    above: Vec<OsString>,
    name: OsString,
    /// What keeps every look-up from what is below this name.
    pub fault: Option<Error>,
}

/// All names to which a look-up could come, or for which somebody may wait for it to: hidden ones are left
/// out, and of an OpenPGP certificate directory whatever is no fingerprint.
///
/// # Errors
/// The directory itself cannot be read.
pub fn entries(directory: &Directory, layout: Layout) -> Result<Vec<Entry>> {
    let hu = OsStr::new("hu");
    let mut entries = Vec::new();
    for name in visible(directory)? {
        match layout {
            Layout::Address => entries.push(Entry { above: Vec::new(), name, fault: None }),
            Layout::Domain => entries.extend(below(directory, &[&name])),
            Layout::Wkd if BESIDE.iter().any(|beside| name == *beside) => {}
            Layout::Wkd if name == hu => entries.extend(below(directory, &[hu])),
            Layout::Wkd => entries.extend(below(directory, &[&name, hu])),
            Layout::CertD if is_prefix(&name) => entries.extend(
                below(directory, &[&name])
                    .into_iter()
                    .filter(|entry| entry.fault.is_some() || is_rest(&entry.name)),
            ),
            Layout::CertD => {}
        }
    }
    Ok(entries)
}

/// The names in the directory at the end of `way`; where it cannot be gone, its beginning with the reason.
fn below(directory: &Directory, way: &[&OsStr]) -> Vec<Entry> {
    let above: Vec<OsString> = way.iter().map(|name| (*name).to_owned()).collect();
    match within(directory, &above, visible) {
        Ok(names) => {
            let names = names.unwrap_or_default().into_iter();
            names.map(|name| Entry { above: above.clone(), name, fault: None }).collect()
        }
        Err(fault) => vec![Entry { above: Vec::new(), name: way[0].to_owned(), fault: Some(fault) }],
    }
}

/// What `act` finds in the directory at the end of `way`, if there is one.
fn within<T>(
    directory: &Directory,
    way: &[OsString],
    act: impl FnOnce(&Directory) -> Result<T>,
) -> Result<Option<T>> {
    let Some((first, rest)) = way.split_first() else { return act(directory).map(Some) };
    match directory.subdirectory(first)? {
        Some(next) => within(&next, rest, act),
        None => Ok(None),
    }
}

fn visible(directory: &Directory) -> Result<Vec<OsString>> {
    let mut names = directory.names()?;
    names.retain(|name| !name.as_encoded_bytes().starts_with(b"."));
    Ok(names)
}

impl Entry {
    /// Where it is, from the directory of certificates.
    pub fn path(&self) -> PathBuf {
        self.above.iter().chain([&self.name]).collect()
    }

    /// What the file holds, if it is still there.
    ///
    /// # Errors
    /// It cannot be trusted, or holds no certificate.
    pub fn read(&self, directory: &Directory) -> Result<Option<CertificateFile>> {
        Ok(within(directory, &self.above, |last| file_in(last, &self.name))?.flatten())
    }

    /// The mailbox that leads to this name, where names are made of addresses.
    pub fn mailbox(&self, layout: Layout, tags: bool) -> Option<Mailbox> {
        let stem = self.name.to_str()?.strip_suffix(".asc")?;
        let typed = match self.above.first() {
            Some(domain) => format!("{stem}@{}", domain.to_str()?),
            None => stem.to_owned(),
        };
        let address = Address::parse(typed.as_bytes())?;
        let asked = mailboxes(&address, layout, tags).ok()?;
        asked.into_iter().find(|mailbox| mailbox.to_string() == typed)
    }

    /// The mailboxes that lead to `certificate` in this file, where its User IDs are asked.
    pub fn claimed(&self, certificate: &Cert, layout: Layout, tags: bool) -> Vec<Mailbox> {
        let addresses = certificate.userids().filter_map(|user_id| user_id::address(user_id.userid()));
        let asked = addresses.filter_map(|address| mailboxes(&address, layout, tags).ok()).flatten();
        let mut claimed: Vec<Mailbox> = asked
            .filter(|mailbox| layout != Layout::Wkd || self.is_of(mailbox))
            .filter(|mailbox| claims(certificate, mailbox))
            .collect();
        claimed.sort_by_key(Mailbox::to_string);
        claimed.dedup_by_key(|mailbox| mailbox.to_string());
        claimed
    }

    /// Whether a look-up for `mailbox` in a Web Key Directory comes here.
    fn is_of(&self, mailbox: &Mailbox) -> bool {
        let is_domain =
            self.above.len() == 1 || self.above.first().is_some_and(|name| *name == *mailbox.domain);
        is_domain && wkd_name(&mailbox.local).is_ok_and(|name| self.name == *name)
    }
}
