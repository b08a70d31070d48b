//! What programs add to the old file of an mbox after the new one has taken its place.
//!
//! They opened it before, waited for its lock and do not look again. The old file is kept under its second
//! name until they are done, and what stands in it behind its old end is appended to the mbox.

use std::os::unix::ffi::OsStrExt;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::portions::Portions;
use super::rewrite::SecondName;
use crate::clock;
use crate::deadline::Deadline;
use crate::input::reserve;
use crate::mailbox::each_entry;
use crate::store::lock::{Fcntl, Held, Lock};
use crate::store::mbox::{GAP, Mbox};

/// How long a program that has the old file open may sleep before it tries its lock again: mutt sleeps one
/// second, Exim three.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long one may hold that lock.
const LIMIT: Duration = Duration::from_secs(60);

/// Seconds after a change or a look in which somebody may still wait for a lock that was held for it.
const RECENT: i64 = 10;

/// Whether the mbox was in use so lately that somebody may have waited meanwhile.
pub fn is_recent(before: &Stat) -> bool {
    let used = before.st_mtime.max(before.st_atime);
    clock::now() < used.saturating_add(RECENT)
}

/// Lets those finish who have the old file of an mbox open, and removes it. With nobody there it does not
/// wait.
///
/// # Errors
/// Somebody keeps it locked, or the system fails. The next run goes on here.
pub fn settle(old: &Mbox, before: &Stat, is_alone: bool) -> Result<()> {
    if !is_alone {
        sleep(PATIENCE);
    }
    let deadline = Deadline::after(LIMIT);
    let second = SecondName::of(old, before);
    loop {
        if is_settled(old, &second, &deadline)? {
            return Ok(());
        }
        if deadline.left().is_zero() {
            bail!(Held("another program keeps that locked".to_owned()));
        }
        sleep(Duration::from_millis(100));
    }
}

/// False while somebody has the lock of the old file. The locks of the mbox come first: a program that has
/// them may wait for that of the old file.
fn is_settled(old: &Mbox, second: &SecondName, deadline: &Deadline) -> Result<bool> {
    if let Some(_lock) = Fcntl::attempt(&old.file)?
        && octets(&old.file)? <= second.octets
    {
        remove(old, second)?;
        return Ok(true);
    }
    let current = Mbox::open(&old.path)?;
    let _locks = Lock::take(&current.directory, &current.name, &current.file, deadline)?;
    let Some(_lock) = Fcntl::attempt(&old.file)? else { return Ok(false) };
    gather(&current, &old.file, second)?;
    remove(&current, second)?;
    Ok(true)
}

/// Takes care of what runs that were cut off left beside `mbox`, which is locked.
///
/// # Errors
/// Something lies there that cannot be told, or the system fails.
pub fn gather_from_earlier_runs(mbox: &Mbox) -> Result<()> {
    let mut found = Vec::new();
    each_entry(&mbox.directory, |entry| {
        found.extend(SecondName::read(mbox, entry.file).filter(|_| entry.kind == FileType::RegularFile));
        Ok(())
    })?;
    found.sort_by(|one, other| one.file.as_bytes().cmp(other.file.as_bytes()));
    found.iter().try_for_each(|second| finish(mbox, second))
}

fn finish(mbox: &Mbox, second: &SecondName) -> Result<()> {
    let named = || mbox.directory.path().join(&second.file).display().to_string();
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(&mbox.directory, &second.file, flags, Mode::empty()) {
        // In a directory that others can write to, a file of theirs.
        Err(Errno::ACCESS | Errno::NOENT | Errno::LOOP) => return Ok(()),
        opened => opened.with_context(named)?,
    };
    let stat = rustix::fs::fstat(&file).with_context(named)?;
    let current = rustix::fs::fstat(&mbox.file).with_context(named)?;
    if stat.st_uid != current.st_uid || !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Ok(());
    }
    if stat.st_ino == second.inode {
        // Somebody who writes to it now is looked after by the next run.
        let Some(_lock) = Fcntl::attempt(&file)? else { return Ok(()) };
        gather(mbox, &file, second)?;
        return remove(mbox, second);
    }
    if current.st_ino == second.inode {
        // It never took the place of the mbox.
        return remove(mbox, second);
    }
    bail!("{}: is left from an earlier run, and of another file; look at it and remove it", named())
}

/// Appends to `mbox`, which is locked, what stands in `old` behind its old end. To be done again after a
/// crash: so it may come twice.
fn gather(mbox: &Mbox, old: &OwnedFd, second: &SecondName) -> Result<()> {
    let named = || mbox.path.display().to_string();
    let length = octets(old).with_context(named)?.saturating_sub(second.octets);
    let mut entry = Vec::new();
    let whole = GAP.len() + usize::try_from(length)?;
    reserve(&mut entry, whole + 1)?;
    entry.extend_from_slice(GAP);
    for portion in (Portions { file: old, span: second.octets..second.octets + length }) {
        entry.extend_from_slice(&portion.with_context(named)?);
    }
    ensure!(entry.len() == whole, "{}: what was added to the old file is gone", named());
    // Who appended may have set an empty line before: the mbox has its own.
    let blank = entry[GAP.len()..].iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
    entry.drain(GAP.len()..GAP.len() + blank);
    if entry.len() == GAP.len() {
        return Ok(());
    }
    if !entry.ends_with(b"\n") {
        entry.push(b'\n');
    }
    mbox.append(&entry, mbox.judged()?)
}

fn remove(mbox: &Mbox, second: &SecondName) -> Result<()> {
    match rustix::fs::unlinkat(&mbox.directory, &second.file, AtFlags::empty()) {
        // Where names cannot be exchanged the old file has none.
        Ok(()) | Err(Errno::NOENT) => mbox.directory.sync(),
        Err(errno) => {
            Err(errno).with_context(|| mbox.directory.path().join(&second.file).display().to_string())
        }
    }
}

fn octets(file: &OwnedFd) -> rustix::io::Result<u64> {
    Ok(u64::try_from(rustix::fs::fstat(file)?.st_size).unwrap_or(0))
}
