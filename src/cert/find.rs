//! The places where certificates lie, in their order.
//!
//! "No such file" goes on to the next place; everything else that is odd is an error, because the next
//! place may belong to somebody else.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sequoia_openpgp::cert::Cert;

use super::directory::{self, Layout};
use super::open::{self, Directory};
use super::parse::{self, MOST_CERTIFICATES, Parsed};
use crate::address::Address;
use crate::place;

/// Where to look, as the options say.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--cert`: these files, and no other place.
    pub files: Vec<PathBuf>,
    /// `--certs`: a directory with certificates of many recipients.
    pub directory: Option<PathBuf>,
    /// `--layout`: what the names in that directory are.
    pub layout: Layout,
    /// `--tags`: whether `local+tag` may have a certificate of its own there.
    pub tags: bool,
}

/// What several certificates in one place mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Several readers of one mailbox: each has to be able to read.
    EachReads,
    /// Old and new ones of one person: those that are good count.
    OneReads,
    /// Whoever wrote the address into a User ID: only one may be good.
    ExactlyOne,
}

/// The files of the first place that has any.
pub struct Found {
    pub claim: Claim,
    pub files: Vec<CertificateFile>,
}

/// A file with what it holds.
pub struct CertificateFile {
    pub path: PathBuf,
    pub parsed: Parsed,
}

impl Found {
    /// All certificates, each with the file that it stands in.
    pub fn certificates(&self) -> impl Iterator<Item = (&CertificateFile, &Cert)> {
        self.files.iter().flat_map(|file| file.parsed.certificates.iter().map(move |one| (file, one)))
    }
}

/// # Errors
/// Something is there that cannot be trusted or is no certificate; `--certs` without a recipient, or
/// without that directory; no home directory although its places are asked for.
pub fn look(sources: &Sources, recipient: Option<&Address>) -> Result<Option<Found>> {
    if !sources.files.is_empty() {
        return named(&sources.files);
    }
    if let Some(directory) = &sources.directory {
        let recipient = recipient.context("--certs: the recipient is not known; give --recipient=ADDRESS")?;
        let found = directory::look(directory, sources.layout, sources.tags, recipient)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    own()
}

impl Sources {
    /// The places that were looked at, for a line that says that there is no certificate.
    pub fn places(&self) -> String {
        if !self.files.is_empty() {
            return self.files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        }
        let directory = self.directory.as_ref().map(|path| format!("{}, ", path.display()));
        format!("{}~/.config/selfseal/cert.asc, ~/.pgpkey", directory.unwrap_or_default())
    }
}

/// The files that were named. A name without a file never leads to another place: the mail would be sealed
/// to somebody who was not asked for.
fn named(paths: &[PathBuf]) -> Result<Option<Found>> {
    let mut files = Vec::new();
    let mut missing = None;
    for path in paths {
        let path = place::expand(path)?;
        match file_at(&path)? {
            Some(file) => files.push(file),
            None => missing = Some(path),
        }
    }
    let count: usize = files.iter().map(|file| file.parsed.certificates.len()).sum();
    ensure!(count <= MOST_CERTIFICATES, "--cert: {count} certificates are more than {MOST_CERTIFICATES}");
    match missing {
        Some(path) if !files.is_empty() => bail!("{}: no such file", path.display()),
        _ => Ok((!files.is_empty()).then_some(Found { claim: Claim::EachReads, files })),
    }
}

/// The user's own places.
fn own() -> Result<Option<Found>> {
    let places: [fn() -> Result<PathBuf>; 2] =
        [|| Ok(place::config()?.join("selfseal/cert.asc")), || Ok(place::home()?.join(".pgpkey"))];
    for place in places {
        if let Some(file) = file_at(&place()?)? {
            return Ok(Some(Found { claim: Claim::EachReads, files: vec![file] }));
        }
    }
    Ok(None)
}

/// The certificates in the file at `path`, if there is one.
pub fn file_at(path: &Path) -> Result<Option<CertificateFile>> {
    open::read(path)?.map(|bytes| parsed(path.to_owned(), &bytes)).transpose()
}

/// The certificates in the file `name` of `directory`, if there is one.
pub fn file_in(directory: &Directory, name: &str) -> Result<Option<CertificateFile>> {
    directory.read(name)?.map(|bytes| parsed(directory.path().join(name), &bytes)).transpose()
}

fn parsed(path: PathBuf, bytes: &[u8]) -> Result<CertificateFile> {
    let parsed = parse::certificates(bytes).with_context(|| path.display().to_string())?;
    Ok(CertificateFile { path, parsed })
}
