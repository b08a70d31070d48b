//! The places where certificates lie, in their order.
//!
//! "No such file" goes on to the next place; everything else that is odd is an error, because the next
//! place may belong to somebody else.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use super::directory::{self, Layout};
use super::found::{Claim, Found, file_at};
use super::parse::MOST_CERTIFICATES;
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
