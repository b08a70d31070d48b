//! A directory that is held open: what its path names meanwhile does not matter any more.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

/// An open directory, and the path by which errors name it.
#[derive(Debug)]
pub struct Directory {
    fd: OwnedFd,
    path: PathBuf,
}

impl Directory {
    /// Opens the directory that `path` names, through links too: a mailbox may lie on another disk.
    /// None when there is nothing.
    ///
    /// # Errors
    /// It is no directory, or may not be opened.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        open(CWD, path, OFlags::empty(), path.to_owned())
    }

    /// Opens the directory `name` in this one; a link is none. None when there is nothing.
    ///
    /// # Errors
    /// It is no directory, or may not be opened.
    pub fn inside(&self, name: impl AsRef<Path>) -> Result<Option<Self>> {
        let name = name.as_ref();
        open(self.fd.as_fd(), name, OFlags::NOFOLLOW, self.path.join(name))
    }

    /// Makes the directory `name` in this one, 0700 whatever the umask. That it is there is no failure.
    ///
    /// # Errors
    /// The system cannot.
    pub fn make(&self, name: impl AsRef<Path>) -> Result<()> {
        let name = name.as_ref();
        let made = rustix::fs::mkdirat(&self.fd, name, Mode::RWXU)
            .and_then(|()| rustix::fs::chmodat(&self.fd, name, Mode::RWXU, AtFlags::empty()));
        match made {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(errno).with_context(|| self.path.join(name).display().to_string()),
        }
    }

    /// What `name` in this directory is, a link not followed. None when there is nothing.
    ///
    /// # Errors
    /// The system cannot tell.
    pub fn stat(&self, name: impl AsRef<Path>) -> Result<Option<Stat>> {
        let name = name.as_ref();
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno).with_context(|| self.path.join(name).display().to_string()),
        }
    }

    /// Gives the file `name` the same name in `target`, never over another file: rename(2) would replace one
    /// without a word. Where that cannot be had, a link does it; true: then the file stands here too.
    ///
    /// # Errors
    /// EEXIST: the name is taken. Otherwise the system cannot.
    pub fn place(&self, name: impl AsRef<Path>, target: &Directory) -> rustix::io::Result<bool> {
        let name = name.as_ref();
        match rustix::fs::renameat_with(self, name, target, name, RenameFlags::NOREPLACE) {
            // NFS and some others cannot, and a sandbox may not know the call.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => {
                rustix::fs::linkat(self, name, target, name, AtFlags::empty()).map(|()| true)
            }
            renamed => renamed.map(|()| false),
        }
    }

    /// Puts the names in this directory on stable storage.
    ///
    /// # Errors
    /// They may not be there. A file system that cannot sync a directory says EINVAL (fsync(2)); then
    /// nobody can do more.
    pub fn sync(&self) -> Result<()> {
        match rustix::fs::fsync(&self.fd) {
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(errno) => Err(errno).with_context(|| self.path.display().to_string()),
        }
    }

    /// Where it was when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn open(at: BorrowedFd, name: &Path, how: OFlags, path: PathBuf) -> Result<Option<Directory>> {
    let flags = how | OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::openat(at, name, flags, Mode::empty()) {
        Ok(fd) => Ok(Some(Directory { fd, path })),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno).with_context(|| path.display().to_string()),
    }
}

/// Whether both are the same file.
pub fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}
