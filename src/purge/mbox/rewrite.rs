//! The new file beside an mbox, and the exchange of the two.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Context, Result, ensure};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use crate::store::directory::Directory;
use crate::store::lock::Fcntl;
use crate::store::mbox::Mbox;

/// The second name in the directory of an mbox: of the new file at first, of the old one in the end.
///
/// It says which file the mbox was, and how many octets it had, so that whoever finds it can tell the two
/// apart: `.NAME.purge-old.INODE-OCTETS`.
#[derive(Debug, PartialEq, Eq)]
pub struct SecondName {
    pub file: OsString,
    pub inode: u64,
    pub octets: u64,
}

impl SecondName {
    pub fn of(mbox: &Mbox, state: &Stat) -> Self {
        let (inode, octets) = (state.st_ino, u64::try_from(state.st_size).unwrap_or(0));
        let mut file = SecondName::beginning(mbox);
        file.push(format!("{inode}-{octets}"));
        SecondName { file, inode, octets }
    }

    /// `file`, if it is such a name beside `mbox`.
    pub fn read(mbox: &Mbox, file: &std::ffi::OsStr) -> Option<Self> {
        let rest = file.as_bytes().strip_prefix(SecondName::beginning(mbox).as_bytes())?;
        let (inode, octets) = std::str::from_utf8(rest).ok()?.split_once('-')?;
        let (inode, octets) = (inode.parse().ok()?, octets.parse().ok()?);
        Some(SecondName { file: file.to_owned(), inode, octets })
    }

    fn beginning(mbox: &Mbox) -> OsString {
        let mut file = OsString::from(".");
        file.push(&mbox.name);
        file.push(".purge-old.");
        file
    }
}

/// A file that nobody else may read, which goes away again unless it takes the place of the mbox.
pub struct New<'a> {
    directory: &'a Directory,
    name: OsString,
    pub file: OwnedFd,
    has_its_place: bool,
}

impl<'a> New<'a> {
    /// Makes an empty one, 0600, beside `old`.
    ///
    /// # Errors
    /// The system cannot.
    pub fn beside(old: &'a Mbox, before: &Stat) -> Result<Self> {
        let name = SecondName::of(old, before).file;
        let directory = &old.directory;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = rustix::fs::openat(directory, &name, flags, mode)
            .with_context(|| directory.path().join(&name).display().to_string())?;
        let new = New { directory, name, file, has_its_place: false };
        // An umask may take more than others' rights.
        rustix::fs::fchmod(&new.file, mode).with_context(|| nothing_in(old))?;
        Ok(new)
    }

    /// Puts it on stable storage.
    ///
    /// # Errors
    /// It may not be there.
    pub fn sync(&self, old: &Mbox) -> Result<()> {
        rustix::fs::fsync(&self.file).with_context(|| nothing_in(old))
    }

    /// Exchanges the two names, on stable storage; `old` then has the second one. Nobody who finds the new
    /// file gets its lock before that.
    ///
    /// # Errors
    /// Somebody changed the old one in spite of the locks, or the system fails;
    /// nothing was removed then, unless the last sync failed.
    pub fn take_the_place_of(mut self, old: &Mbox, before: &Stat) -> Result<()> {
        let lock = Fcntl::attempt(&self.file).with_context(|| nothing_in(old))?;
        ensure!(lock.is_some(), "{}: somebody locks its copy; nothing was removed", old.path.display());
        ensure!(
            is_unchanged(before, &old.judged()?),
            "{}: was changed in spite of its locks; nothing was removed",
            old.path.display()
        );
        self.exchange(&old.name).with_context(|| nothing_in(old))?;
        self.has_its_place = true;
        self.directory
            .sync()
            .with_context(|| format!("{}: what was removed may come back", old.path.display()))
    }

    fn exchange(&self, name: &OsString) -> rustix::io::Result<()> {
        let directory = self.directory;
        match rustix::fs::renameat_with(directory, &self.name, directory, name, RenameFlags::EXCHANGE) {
            // NFS and some others cannot. Then the old file has no name, but this program has it open.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                rustix::fs::renameat(directory, &self.name, directory, name)
            }
            exchanged => exchanged,
        }
    }
}

impl Drop for New<'_> {
    fn drop(&mut self) {
        if !self.has_its_place {
            let _ = rustix::fs::unlinkat(self.directory, &self.name, AtFlags::empty());
        }
    }
}

/// What failed before anything was removed.
pub fn nothing_in(old: &Mbox) -> String {
    format!("{}: nothing was removed", old.path.display())
}

/// Whether nobody has written to it or changed its state.
fn is_unchanged(before: &Stat, now: &Stat) -> bool {
    let of = |stat: &Stat| {
        (stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec, stat.st_ino)
    };
    of(before) == of(now)
}
