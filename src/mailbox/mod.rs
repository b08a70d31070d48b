//! Mailboxes as they rest on disk: what a path is, and the messages in it.
//!
//! Nothing here changes a mailbox. Whatever is opened in one is opened through the handle of the directory
//! that it is in, never through a link, so nobody who can write to a mailbox can lead a reader out of it.

mod listing;
pub mod maildir;
pub mod mbox;
mod name;
pub mod tree;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, bail};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::store::directory::Directory;

pub use listing::{Entry, each_entry};
pub use maildir::{Maildir, Message, Part};
pub use name::{Flags, Name};

/// What a path is.
pub enum Mailbox {
    /// A directory with cur, new and tmp in it; perhaps with folders, which [`tree::walk`] finds.
    Maildir(Maildir),
    /// A directory that is no Maildir itself and holds nothing but Maildirs.
    Tree(Directory),
    /// A file of messages, or one that is empty.
    Mbox(PathBuf),
}

/// The path is no mailbox, and why.
#[derive(Debug)]
pub struct NoMailbox(pub String);

impl fmt::Display for NoMailbox {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoMailbox {}

impl Mailbox {
    /// What `path` is. A link that `path` itself is or goes through is followed when it leads to a directory:
    /// a Maildir may lie on another disk.
    ///
    /// # Errors
    /// It is no mailbox ([`NoMailbox`]), or may not be looked at.
    pub fn at(path: &Path) -> Result<Self> {
        match Directory::open(path) {
            Ok(Some(root)) => of_directory(root),
            Ok(None) => bail!(NoMailbox(format!("{}: is missing", path.display()))),
            Err(error) if is_no_directory(&error) => of_file(path),
            Err(error) => Err(error),
        }
    }
}

fn of_directory(root: Directory) -> Result<Mailbox> {
    match Maildir::inside(root)? {
        Ok(maildir) => Ok(Mailbox::Maildir(maildir)),
        Err(root) => match tree::doubt(&root)? {
            None => Ok(Mailbox::Tree(root)),
            Some(doubt) => bail!(NoMailbox(format!("{}: is no mailbox: {doubt}", root.path().display()))),
        },
    }
}

/// An mbox begins with a `From ` line (RFC 4155); one from which everything was removed is empty.
fn of_file(path: &Path) -> Result<Mailbox> {
    let named = || path.display().to_string();
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    // Readers tell new mail by the time of access, so this is none. Only the owner may have that.
    let opened = match rustix::fs::openat(CWD, path, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => rustix::fs::openat(CWD, path, flags, Mode::empty()),
        opened => opened,
    };
    let file = match opened {
        Err(Errno::NOTDIR) => bail!(NoMailbox(format!("{}: is missing", named()))),
        Err(Errno::LOOP) => bail!(NoMailbox(format!("{}: is a symbolic link; give its target", named()))),
        Err(Errno::NXIO) => bail!(NoMailbox(format!("{}: is no regular file", named()))),
        opened => opened.with_context(named)?,
    };
    let stat = rustix::fs::fstat(&file).with_context(named)?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        bail!(NoMailbox(format!("{}: is no regular file", named())));
    }
    let mut beginning = [0; 5];
    let length = rustix::io::pread(&file, &mut beginning, 0).with_context(named)?;
    match beginning.get(..length) {
        Some(b"" | b"From ") => Ok(Mailbox::Mbox(path.to_owned())),
        _ => bail!(NoMailbox(format!("{}: is no mailbox: no From line stands at its beginning", named()))),
    }
}

/// Whether what was to be opened is a file or, where none may be followed, a link.
fn is_no_directory(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(&Errno::NOTDIR | &Errno::LOOP))
}

#[cfg(test)]
mod tests;
