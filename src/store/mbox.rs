//! An mbox, of the kind mboxrd: one file, a `From ` line before each message, an empty line behind it.
//!
//! | step | if it fails: 75 and | the machine stops after it: there is |
//! | --- | --- | --- |
//! | open, or make with 0600 | nothing | perhaps an empty mbox |
//! | lock | nothing | a stale lock, which the next program breaks |
//! | append | cut back to the old length | the old content, perhaps a part of the message |
//! | sync | cut back to the old length | the old content, perhaps the message or a part of it |
//! | sync the directory of a new mbox | the message stays, and comes again | a delivered message |
//!
//! A part stays only when cutting back fails too, when there was no time for it, or when a program that heeds
//! neither lock has written meanwhile.

mod entry;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::directory::{Directory, is_same};
use super::from_line;
use super::lock::Lock;
use crate::address::Address;
use crate::chain::within_file_size_limit;
use crate::deadline::Deadline;
use crate::message::Arrival;
use entry::entry;

pub use entry::{GAP, restored};

/// Appends what arrived to the mbox at `path`, on stable storage; makes a missing one.
///
/// The host's `From ` line is kept if it is one, else made: with `sender`, or MAILER-DAEMON for the null
/// sender, and the time.
///
/// # Errors
/// It is not certain that the message is stored. Nothing of it is left unless cutting back failed too,
/// which the error then says.
pub fn store(path: &Path, arrival: Arrival, sender: Option<&Address>, deadline: &Deadline) -> Result<()> {
    let from_line =
        from_line::kept(arrival.frame).unwrap_or_else(|| from_line::made(sender, SystemTime::now()));
    let entry = entry(&from_line, arrival.message)?;
    // Before the lock is written: a limit that small would kill there.
    within_file_size_limit(entry.len()).with_context(|| path.display().to_string())?;
    let mbox = Mbox::open_or_make(path)?;
    let _lock = Lock::take(&mbox.directory, &mbox.name, &mbox.file, deadline)?;
    let before = mbox.judged()?;
    deadline.check()?;
    mbox.append(&entry, before)
}

/// An open mbox, not yet trusted.
pub struct Mbox {
    /// The directory that it is in.
    pub directory: Directory,
    /// Its name there.
    pub name: OsString,
    /// Its path as it was given, for errors.
    pub path: PathBuf,
    /// The file, open for reading and for writing at its end.
    pub file: OwnedFd,
}

impl Mbox {
    /// Opens the mbox at `path`, which is there; to read it is not to have read it.
    ///
    /// # Errors
    /// It is missing, a symbolic link, or may not be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let (directory, name) = place(path)?;
        // Of a file that is another user's the system gives no silent look; it is refused later.
        let file = match rustix::fs::openat(&directory, &name, FLAGS | OFlags::NOATIME, Mode::empty()) {
            Err(Errno::PERM) => rustix::fs::openat(&directory, &name, FLAGS, Mode::empty()),
            opened => opened,
        };
        Mbox::opened(file, directory, name, path)
    }

    fn open_or_make(path: &Path) -> Result<Self> {
        let (directory, name) = place(path)?;
        let file = match rustix::fs::openat(&directory, &name, FLAGS, Mode::empty()) {
            Err(Errno::NOENT) => make(&directory, &name, FLAGS),
            opened => opened,
        };
        Mbox::opened(file, directory, name, path)
    }

    fn opened(
        file: rustix::io::Result<OwnedFd>,
        directory: Directory,
        name: OsString,
        path: &Path,
    ) -> Result<Self> {
        let named = || path.display().to_string();
        ensure!(!matches!(file, Err(Errno::LOOP)), "{}: is a symbolic link; give its target", named());
        let file = file.with_context(named)?;
        Ok(Mbox { directory, name, path: path.to_owned(), file })
    }

    /// Its state, when it is one that may be written to: what another user can swap, share or change is
    /// no place for mail. Only now, under the lock, since only now nobody who locks can change it.
    ///
    /// Rights of the group are allowed: Debian's /var/mail/USER is 0660 and belongs to USER and mail.
    ///
    /// # Errors
    /// It is not such a one.
    pub fn judged(&self) -> Result<Stat> {
        let path = self.path.display();
        let stat = rustix::fs::fstat(&self.file).with_context(|| path.to_string())?;
        ensure!(FileType::from_raw_mode(stat.st_mode).is_file(), "{path}: is no regular file");
        let there = self.directory.stat(&self.name)?;
        ensure!(there.is_some_and(|there| is_same(&there, &stat)), "{path}: was moved away meanwhile");
        ensure!(stat.st_nlink == 1, "{path}: has a second name (a hard link); remove that");
        ensure!(
            stat.st_uid == rustix::process::geteuid().as_raw(),
            "{path}: belongs to another user, number {}",
            stat.st_uid
        );
        let mode = Mode::from_raw_mode(stat.st_mode);
        ensure!(
            !mode.contains(Mode::WOTH),
            "{path}: others may write to it; take that right away (chmod o-w)"
        );
        Ok(stat)
    }

    /// Appends `entry`, which begins with [`GAP`], to the mbox, which is locked and whose state is `before`.
    ///
    /// # Errors
    /// It is not certain that it is stored; as for [`store`].
    pub fn append(&self, entry: &[u8], before: Stat) -> Result<()> {
        let named = || self.path.display().to_string();
        let old = u64::try_from(before.st_size)?;
        let gap = self.gap(old).with_context(named)?;
        // The longest gap stands in front of the entry already.
        let bytes = &entry[GAP.len() - gap..];
        within_file_size_limit(usize::try_from(old)?.saturating_add(bytes.len())).with_context(named)?;
        let (written, done) = super::write_counted(&self.file, bytes);
        if let Err(errno) = done.and_then(|()| rustix::fs::fsync(&self.file)) {
            let left = match self.cut_back(old, written) {
                Ok(()) => "nothing was stored",
                Err(_) => "a part of a message may stand at its end",
            };
            return Err(errno).with_context(|| format!("{}: {left}", named()));
        }
        // An empty one may be new, made by this delivery or by one that stopped: its name is to last too.
        match old {
            0 => self.directory.sync().context("the message may come twice"),
            _ => Ok(()),
        }
    }

    /// Takes away the `written` octets behind the `old` ones, if nobody else has written too: a program that
    /// locks by flock(2) alone is kept out by neither lock, and what it stored is not ours to cut.
    fn cut_back(&self, old: u64, written: usize) -> rustix::io::Result<()> {
        let length = u64::try_from(rustix::fs::fstat(&self.file)?.st_size).map_err(|_| Errno::IO)?;
        if length != old + written as u64 {
            return Err(Errno::BUSY);
        }
        rustix::fs::ftruncate(&self.file, old)?;
        rustix::fs::fsync(&self.file)
    }

    /// How many line ends are missing at its end, so that an empty line stands before the next message.
    fn gap(&self, old: u64) -> rustix::io::Result<usize> {
        let mut end = [0; 3];
        let length = usize::try_from(old).unwrap_or(end.len()).min(end.len());
        let end = &mut end[..length];
        let read = rustix::io::pread(&self.file, &mut *end, old - length as u64)?;
        Ok(match &end[..read] {
            b"" | b"\n" | [.., b'\n', b'\n'] | [.., b'\n', b'\r', b'\n'] => 0,
            [.., b'\n'] => 1,
            _ => 2,
        })
    }
}

/// Never through a link, and never waiting: a FIFO or a device opens at once and is judged later.
const FLAGS: OFlags = OFlags::RDWR
    .union(OFlags::APPEND)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// The directory above `path`, open, and the name in it.
fn place(path: &Path) -> Result<(Directory, OsString)> {
    // A path that ends in `/.` names a directory, although Rust's `file_name` passes over the dot.
    let is_directory = path.as_os_str().as_bytes().ends_with(b"/.");
    let name = path.file_name().filter(|_| !is_directory);
    let name = name.with_context(|| format!("{}: names no file", path.display()))?;
    let above = path.parent().filter(|above| *above != Path::new("")).unwrap_or(Path::new("."));
    let directory =
        Directory::open(above)?.with_context(|| format!("{}: is missing; make it", above.display()))?;
    Ok((directory, name.to_owned()))
}

/// Another program may make it first; then that one is opened.
fn make(directory: &Directory, name: &OsStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::openat(directory, name, flags | OFlags::CREATE | OFlags::EXCL, mode) {
        // An umask may take more than others' rights.
        Ok(file) => rustix::fs::fchmod(&file, mode).map(|()| file),
        Err(Errno::EXIST) => rustix::fs::openat(directory, name, flags, Mode::empty()),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;

    use super::*;

    #[test]
    fn what_another_program_wrote_meanwhile_is_not_cut() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("mbox");
        let append = |bytes: &str| {
            File::options().append(true).open(&path).unwrap().write_all(bytes.as_bytes()).unwrap();
        };
        for (before_ours, behind_ours, is_cut) in
            [("", "", true), ("", "theirs", false), ("theirs", "", false)]
        {
            fs::write(&path, "old").unwrap();
            let mbox = Mbox::open(&path).unwrap();
            append(before_ours);
            let (written, _) = crate::store::write_counted(&mbox.file, b"a part");
            append(behind_ours);
            assert_eq!(mbox.cut_back(3, written).is_ok(), is_cut);
            let all = format!("old{before_ours}a part{behind_ours}");
            assert_eq!(fs::read_to_string(&path).unwrap(), if is_cut { "old" } else { &all });
        }
        // Of an mbox that became shorter meanwhile nothing is cut, and it is not filled up with NUL.
        fs::write(&path, "old").unwrap();
        assert!(Mbox::open(&path).unwrap().cut_back(10, 5).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }
}
