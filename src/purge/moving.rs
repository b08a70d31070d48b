//! Messages moved to another Maildir: whole there, on stable storage, before they are gone here.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use anyhow::{Context, Result, bail, ensure};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::maildir::unlink;
use crate::mailbox::{Flags, Maildir, Name, Part};
use crate::store::directory::Directory;

/// How much is copied at once, in octets.
const PIECE: usize = 128 * 1024;

/// What came of a move to one name.
enum Moved {
    Done,
    /// It was not there any more.
    Gone,
    /// The name is another message's.
    Taken,
}

/// Moves the message `name` in `from`, which is the part `part` of its Maildir, into the same part of `to`.
/// Flags and times stay. False: it had gone.
///
/// # Errors
/// It cannot be moved; then it is where it was, and nothing of it is in `to`.
pub fn move_over(from: &Directory, name: &OsStr, part: Part, to: &Maildir) -> Result<bool> {
    for attempt in 0..3 {
        // What is left of a name may be none.
        let own = Some(kept(name)).filter(|own| attempt == 0 && Name::of(own.as_bytes()).is_some());
        let new = own.map_or_else(|| another(name), Ok)?;
        match move_as(from, name, part, to, &new)? {
            Moved::Done => return Ok(true),
            Moved::Gone => return Ok(false),
            Moved::Taken => {}
        }
    }
    bail!("{}: three names for {} were taken", to.part(part).path().display(), name.display())
}

fn move_as(from: &Directory, name: &OsStr, part: Part, to: &Maildir, new: &OsStr) -> Result<Moved> {
    let target = to.part(part);
    match rustix::fs::renameat_with(from, name, target, new, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Moved::Done),
        Err(Errno::NOENT) => Ok(Moved::Gone),
        Err(Errno::EXIST) => Ok(Moved::Taken),
        Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            copy_over(from, name, target, to.tmp(), new)
        }
        Err(errno) => Err(errno).with_context(|| target.path().join(new).display().to_string()),
    }
}

/// Messages that have no files of their own yet, stored one by one and then valid all together.
#[derive(Default)]
pub struct Stored(Vec<(Part, OsString)>);

impl Stored {
    /// Stores one more, on stable storage, with its time and its flags.
    ///
    /// # Errors
    /// It is not certain that it is stored.
    pub fn add(&mut self, message: &[u8], second: i64, flags: Flags, to: &Maildir) -> Result<()> {
        let info = if flags == Flags::NONE { String::new() } else { format!(":2,{}", flags.letters()) };
        let part = if flags == Flags::NONE { Part::New } else { Part::Cur };
        let target = to.part(part);
        let name = another(OsStr::new(&format!("{second}.{info}")))?;
        let is_stored = arrive(to.tmp(), target, &name, |file| {
            crate::store::write_all(file, message)?;
            Ok(lasting(file, time(second, 0), time(second, 0))?)
        })?;
        ensure!(is_stored, "{}: the name {} was taken", target.path().display(), name.display());
        self.0.push((part, name));
        target.sync()
    }

    /// Removes them again, since they all stay where they were. One that a reader has renamed meanwhile, or that
    /// cannot be removed, is there twice.
    pub fn take_back(&mut self, to: &Maildir) {
        for (part, name) in self.0.drain(..) {
            let _ = unlink(to.part(part), &name);
        }
    }
}

/// Makes sure that what was moved lasts.
///
/// # Errors
/// It may not.
pub fn settle(to: &Maildir) -> Result<()> {
    Part::ALL.iter().try_for_each(|part| to.part(*part).sync())
}

/// To another file system: there in its place, synced, and only then gone here.
fn copy_over(
    from: &Directory,
    name: &OsStr,
    target: &Directory,
    tmp: &Directory,
    new: &OsStr,
) -> Result<Moved> {
    let named = || from.path().join(name).display().to_string();
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let source = match rustix::fs::openat(from, name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(Moved::Gone),
        opened => opened.with_context(named)?,
    };
    if !arrive(tmp, target, new, |file| copy(&source, file))? {
        return Ok(Moved::Taken);
    }
    target.sync()?;
    let gone = unlink(from, name);
    let is_gone = match &gone {
        Ok(is_gone) => *is_gone,
        // It may be, all the same; then this is the last copy.
        Err(_) => rustix::fs::fstat(&source).with_context(named)?.st_nlink == 0,
    };
    if is_gone {
        return Ok(Moved::Done);
    }
    // It stays where it was, under a new name since its flags changed, or because it may not be removed: so it may
    // not be here as well.
    unlink(target, new)?;
    gone.map(|_| Moved::Gone)
}

/// Makes a file `name` in `tmp`, has it filled, and moves it to `target`. False: the name is taken in one of
/// them, and nothing is left.
fn arrive(
    tmp: &Directory,
    target: &Directory,
    name: &OsStr,
    fill: impl FnOnce(&OwnedFd) -> Result<()>,
) -> Result<bool> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(tmp, name, flags, Mode::RUSR | Mode::WUSR) {
        Err(Errno::EXIST) => return Ok(false),
        made => made.with_context(|| tmp.path().join(name).display().to_string())?,
    };
    let arrived = fill(&file).and_then(|()| Ok(put_in_place(tmp, target, name)?));
    if arrived.is_err() {
        unlink(tmp, name)?;
    }
    match arrived {
        Err(error) if error.downcast_ref() == Some(&Errno::EXIST) => Ok(false),
        arrived => arrived.map(|()| true).with_context(|| target.path().join(name).display().to_string()),
    }
}

/// From tmp to where readers look, never over another message.
fn put_in_place(tmp: &Directory, target: &Directory, name: &OsStr) -> rustix::io::Result<()> {
    match tmp.place(name, target)? {
        true => rustix::fs::unlinkat(tmp, name, AtFlags::empty()),
        false => Ok(()),
    }
}

/// All that `source` has, its times too.
fn copy(source: &OwnedFd, file: &OwnedFd) -> Result<()> {
    let stat = rustix::fs::fstat(source)?;
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        piece.clear();
        match rustix::io::read(source, rustix::buffer::spare_capacity(&mut piece)) {
            Ok(0) => break,
            Ok(_) => crate::store::write_all(file, &piece)?,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    let accessed = time(stat.st_atime, stat.st_atime_nsec as i64);
    Ok(lasting(file, accessed, time(stat.st_mtime, stat.st_mtime_nsec as i64))?)
}

fn time(second: i64, nanosecond: i64) -> Timespec {
    Timespec { tv_sec: second, tv_nsec: nanosecond }
}

/// The times of a file, and all of it on stable storage.
fn lasting(file: &OwnedFd, accessed: Timespec, modified: Timespec) -> rustix::io::Result<()> {
    let times = Timestamps { last_access: accessed, last_modification: modified };
    rustix::fs::futimens(file, &times).and_then(|()| rustix::fs::fsync(file))
}

/// The same name without the numbers that another mailbox's programs gave it: a second file with mbsync's
/// `,U=` would be a second message with one UID.
fn kept(name: &OsStr) -> OsString {
    let bytes = name.as_bytes();
    let base = Name::of(bytes).map_or(bytes.len(), |known| known.base.len());
    let (base, info) = bytes.split_at(base);
    let pieces: Vec<&[u8]> = base
        .split(|octet| *octet == b',')
        .filter(|piece| !piece.starts_with(b"U=") && !piece.starts_with(b"FMD5="))
        .collect();
    OsString::from_vec([&pieces.join(&b','), info].concat())
}

/// A name that nothing else has: the same second in front, 64 random bits behind it.
fn another(name: &OsStr) -> Result<OsString> {
    let read = Name::of(name.as_bytes());
    let second = read.and_then(|read| read.second()).unwrap_or(0);
    let flagged = read.filter(|read| read.letters.is_some());
    let info = flagged.map_or(&b""[..], |read| &name.as_bytes()[read.base.len()..]);
    let base = format!("{second}.R{:016x}.moved", crate::store::random()?);
    Ok(OsString::from_vec([base.as_bytes(), info].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_mailboxes_do_not_move() {
        for (name, new) in [
            ("1.a.host,S=12,W=13:2,FS", "1.a.host,S=12,W=13:2,FS"),
            ("1.a.host,U=7:2,S", "1.a.host:2,S"),
            ("1_0.9.host,U=1,FMD5=ab:2,ST", "1_0.9.host:2,ST"),
            ("1.a.host", "1.a.host"),
        ] {
            assert_eq!(kept(OsStr::new(name)), new, "{name}");
        }
        let other = another(OsStr::new("17.a.host,S=12:2,FS")).unwrap().into_string().unwrap();
        assert!(other.starts_with("17.R") && other.ends_with(".moved:2,FS"), "{other}");
    }
}
