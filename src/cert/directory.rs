//! A directory with certificates of many recipients: from an address to the name of a file.
//!
//! Senders choose addresses, `ALICE+anything@example.org` too. A name is lower case, so that no spelling
//! makes a recipient a stranger, without the tag, and checked before it touches the file system.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, ensure};
use sequoia_openpgp::cert::Cert;
use sequoia_openpgp::types::HashAlgorithm;

use super::found::{CertificateFile, Claim, Found, file_in};
use super::open::Directory;
use super::user_id;
use crate::address::Address;
use crate::place;

/// What the names in a directory of certificates are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// `local@domain.asc`
    #[default]
    Address,
    /// `domain/local.asc`
    Domain,
    /// A Web Key Directory: `domain/hu/HASH`, or `hu/HASH` for a single domain.
    Wkd,
    /// An OpenPGP certificate directory: `ab/cdef...` by fingerprint, searched by User ID.
    CertD,
}

impl Layout {
    /// The layouts as they are typed.
    pub const NAMES: [(&str, Layout); 4] = [
        ("address", Layout::Address),
        ("domain", Layout::Domain),
        ("wkd", Layout::Wkd),
        ("cert-d", Layout::CertD),
    ];
}

impl FromStr for Layout {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Layout::NAMES.iter().find(|(known, _)| *known == name);
        known
            .map(|(_, layout)| *layout)
            .ok_or_else(|| anyhow!("no such layout; say address, domain, wkd or cert-d"))
    }
}

/// The certificates of `recipient` in the directory at `path`, if it has any.
///
/// # Errors
/// The directory is not there or cannot be trusted, the address cannot be a name, a file is odd.
pub fn look(path: &Path, layout: Layout, tags: bool, recipient: &Address) -> Result<Option<Found>> {
    let path = place::expand(path)?;
    // Not "no such file": a directory that is not mounted would make everybody a stranger.
    let directory =
        Directory::open(&path)?.with_context(|| format!("{}: no such directory", path.display()))?;
    for mailbox in mailboxes(recipient, layout, tags)? {
        let found = match layout {
            Layout::Address => of_one(file_in(&directory, format!("{mailbox}.asc"))?),
            Layout::Domain => in_domain(&directory, &mailbox)?,
            Layout::Wkd => in_wkd(&directory, &mailbox)?,
            Layout::CertD => in_cert_d(&directory, &mailbox)?,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// A mailbox whose two halves are safe names of files.
pub struct Mailbox {
    pub local: String,
    pub domain: String,
}

/// Whose certificate may serve `recipient`: with its tag only if that is asked for, then without.
pub fn mailboxes(recipient: &Address, layout: Layout, tags: bool) -> Result<Vec<Mailbox>> {
    let domain = name(recipient.domain(), layout)?;
    let whole = name(recipient.local(), layout)?;
    let base = whole.split('+').next().filter(|base| !base.is_empty()).unwrap_or(&whole).to_owned();
    let mut locals = vec![base];
    if tags && locals[0] != whole {
        locals.insert(0, whole);
    }
    Ok(locals.into_iter().map(|local| Mailbox { local, domain: domain.clone() }).collect())
}

/// `part` of an address in lower case, if it is a plain name: an address may hold `/`, and in quotes
/// anything.
fn name(part: &str, layout: Layout) -> Result<String> {
    let is_plain = !part.is_empty()
        && !part.starts_with('.')
        && !part.chars().any(|c| matches!(c, '/' | '\\' | '"') || c.is_control());
    // A Web Key Directory's hash is made over other scripts as they are.
    let folds = layout != Layout::Wkd;
    let is_plain = is_plain && !(folds && part.chars().any(becomes_ascii));
    ensure!(is_plain, "--certs: \"{part}\" cannot be part of a file name; give --cert FILE");
    Ok(if folds { part.to_lowercase() } else { part.to_ascii_lowercase() })
}

/// The sign for kelvin is no k: who has one in an address is somebody else.
fn becomes_ascii(c: char) -> bool {
    !c.is_ascii() && c.to_lowercase().all(|lower| lower.is_ascii())
}

fn of_one(file: Option<CertificateFile>) -> Option<Found> {
    file.map(|file| Found { claim: Claim::OneReads, files: vec![file] })
}

fn in_domain(directory: &Directory, mailbox: &Mailbox) -> Result<Option<Found>> {
    let Some(domain) = directory.subdirectory(&mailbox.domain)? else { return Ok(None) };
    Ok(of_one(file_in(&domain, format!("{}.asc", mailbox.local))?))
}

/// draft-koch-openpgp-webkey-service, 3.1. The name is a hash of the local part alone, so the User ID is
/// asked for the whole address.
fn in_wkd(directory: &Directory, mailbox: &Mailbox) -> Result<Option<Found>> {
    let name = wkd_name(&mailbox.local)?;
    let advanced = directory.subdirectory(&mailbox.domain)?;
    for above in advanced.iter().chain([directory]) {
        let Some(hashed) = above.subdirectory("hu")? else { continue };
        let Some(mut file) = file_in(&hashed, &name)? else { continue };
        file.parsed.certificates.retain(|certificate| claims(certificate, mailbox));
        if !file.parsed.certificates.is_empty() {
            return Ok(of_one(Some(file)));
        }
    }
    Ok(None)
}

/// draft-nwjw-openpgp-cert-d, 3: no index is asked, since anybody's could lie there. Names are two
/// hexadecimal digits of a fingerprint, then the rest.
fn in_cert_d(directory: &Directory, mailbox: &Mailbox) -> Result<Option<Found>> {
    let mut files = Vec::new();
    for prefix in directory.names()?.iter().filter(|name| is_prefix(name)) {
        let Some(below) = directory.subdirectory(prefix)? else { continue };
        for name in below.names()?.iter().filter(|name| is_rest(name)) {
            let Some(bytes) = below.read(name)? else { continue };
            // Certificates stand there in binary: the address can be seen without reading packets.
            if !might_contain(&bytes, &mailbox.to_string()) {
                continue;
            }
            let Some(mut file) = file_in(&below, name)? else { continue };
            file.parsed.certificates.retain(|certificate| claims(certificate, mailbox));
            files.extend((!file.parsed.certificates.is_empty()).then_some(file));
        }
    }
    Ok((!files.is_empty()).then_some(Found { claim: Claim::ExactlyOne, files }))
}

pub fn is_prefix(name: &OsStr) -> bool {
    is_hex(name, 2)
}

/// Of a fingerprint of version 4 or 6.
pub fn is_rest(name: &OsStr) -> bool {
    is_hex(name, 38) || is_hex(name, 62)
}

fn is_hex(name: &OsStr, digits: usize) -> bool {
    let octets = name.as_encoded_bytes();
    octets.len() == digits && octets.iter().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
}

fn might_contain(bytes: &[u8], text: &str) -> bool {
    !text.is_ascii() || memchr::memmem::find(&bytes.to_ascii_lowercase(), text.as_bytes()).is_some()
}

/// Whether the certificate's own primary key says that `mailbox` is its owner's, and never took it back.
pub fn claims(certificate: &Cert, mailbox: &Mailbox) -> bool {
    let address = mailbox.to_string().to_lowercase();
    certificate.userids().any(|user_id| {
        let email = user_id::address(user_id.userid());
        email.is_some_and(|email| email.as_str().to_lowercase() == address)
            && user_id.self_signatures().next().is_some()
            && user_id.self_revocations().next().is_none()
    })
}

/// SHA-1 of the local part in z-base-32.
pub fn wkd_name(local: &str) -> Result<String> {
    let mut context = HashAlgorithm::SHA1.context()?.for_digest();
    context.update(local.as_bytes());
    Ok(z_base_32(&context.into_digest()?))
}

/// Five bits a character. A SHA-1 digest has 160, so none are left over.
fn z_base_32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";
    let bit = |at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    let fives =
        (0..bytes.len() * 8 / 5).map(|five| (0..5).fold(0, |value, at| value << 1 | bit(5 * five + at)));
    fives.map(|value| char::from(ALPHABET[usize::from(value)])).collect()
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}
