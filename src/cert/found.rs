//! Files with certificates, and what several of them in one place mean.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sequoia_openpgp::cert::Cert;

use super::open::{self, Directory};
use super::parse::{self, Parsed};

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

/// The certificates in the file at `path`, if there is one.
pub fn file_at(path: &Path) -> Result<Option<CertificateFile>> {
    open::read(path)?.map(|bytes| parsed(path.to_owned(), &bytes)).transpose()
}

/// The certificates in the file `name` of `directory`, if there is one.
pub fn file_in(directory: &Directory, name: impl AsRef<OsStr>) -> Result<Option<CertificateFile>> {
    let name = name.as_ref();
    directory.read(name)?.map(|bytes| parsed(directory.path().join(name), &bytes)).transpose()
}

fn parsed(path: PathBuf, bytes: &[u8]) -> Result<CertificateFile> {
    let parsed = parse::certificates(bytes).with_context(|| path.display().to_string())?;
    Ok(CertificateFile { path, parsed })
}
