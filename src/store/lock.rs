//! The two locks of an mbox: fcntl(2) and the dotlock `MBOX.lock` (Debian Policy, 11.6).
//!
//! Programs take them in different orders, so nobody may wait for the second while holding the first.
//! Both are tried; when one is held, both are let go and tried again a little later. Open file
//! description locks would need `unsafe`; the older ones hold for a process and are lost when it closes
//! any descriptor of the file, so this program opens the file once.
//!
//! A dotlock is stale, as dotlockfile(1) says, when the process that it names is gone, or when it names
//! none and is older than 5 minutes; and whatever it names after 30 minutes, as Exim has it, because
//! process ids come round.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, FlockOperation, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps, UTIME_NOW, fcntl_lock,
};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::directory::{Directory, is_same};
use super::random;
use crate::deadline::Deadline;

/// How long another program may hold a lock before the mail is deferred.
const WAIT: Duration = Duration::from_secs(60);

/// Seconds after which a dotlock that names no process is stale.
const NAMELESS: i64 = 5 * 60;

/// Seconds after which any dotlock is stale.
const FORGOTTEN: i64 = 30 * 60;

/// Another program keeps a lock for longer than anybody waits for it.
#[derive(Debug)]
pub struct Held(pub String);

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Held {}

/// Both locks; they end with this.
pub struct Lock<'a> {
    dotlock: Option<Dotlock<'a>>,
    _fcntl: Fcntl<'a>,
    had_to_wait: bool,
}

impl<'a> Lock<'a> {
    /// Locks `file`, which is `name` in `directory`.
    ///
    /// Where the directory gives no right to make a dotlock (/var/mail of some systems), the fcntl lock
    /// is all there is, unless a dotlock of somebody else is seen.
    ///
    /// # Errors
    /// Another program holds a lock for longer than a minute ([`Held`]); the system cannot lock.
    pub fn take(
        directory: &'a Directory,
        name: &OsStr,
        file: &'a OwnedFd,
        deadline: &Deadline,
    ) -> Result<Self> {
        let end = Deadline::after(WAIT.min(deadline.left()));
        let mut dotlock = name.to_owned();
        dotlock.push(".lock");
        let mut had_to_wait = false;
        loop {
            if let Some(lock) = Lock::attempt(directory, &dotlock, file)? {
                return Ok(Lock { had_to_wait, ..lock });
            }
            had_to_wait = true;
            if end.left().is_zero() {
                bail!(Held(format!(
                    "{}: another program holds the lock; if none does, remove {}",
                    directory.path().join(name).display(),
                    dotlock.display()
                )));
            }
            sleep(Duration::from_millis(20 + random()? % 180));
        }
    }

    /// Both locks at once, or none.
    fn attempt(directory: &'a Directory, dotlock: &OsStr, file: &'a OwnedFd) -> Result<Option<Self>> {
        let Some(fcntl) = Fcntl::attempt(file)? else {
            return Ok(None);
        };
        Ok(match Dotlock::attempt(directory, dotlock)? {
            Attempt::Made(dotlock) => {
                Some(Lock { dotlock: Some(dotlock), _fcntl: fcntl, had_to_wait: false })
            }
            Attempt::NotAllowed => Some(Lock { dotlock: None, _fcntl: fcntl, had_to_wait: false }),
            Attempt::Held => None,
        })
    }

    /// Whether the dotlock is among them: programs that lock by it alone are kept away.
    pub fn has_dotlock(&self) -> bool {
        self.dotlock.is_some()
    }

    /// Whether another program held one of them at first.
    pub fn had_to_wait(&self) -> bool {
        self.had_to_wait
    }

    /// Makes the dotlock new. Dovecot takes one for stale after 2 minutes without a change, whatever process
    /// it names; so whoever holds it for long does this every minute.
    pub fn renew(&self) {
        if let Some(dotlock) = &self.dotlock {
            // One that somebody has taken away is not ours to make again.
            let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
            let times = Timestamps { last_access: now, last_modification: now };
            let _ =
                rustix::fs::utimensat(dotlock.directory, &dotlock.name, &times, AtFlags::SYMLINK_NOFOLLOW);
        }
    }
}

/// The fcntl(2) lock on all of a file, however long it grows; it ends with this.
pub struct Fcntl<'a>(&'a OwnedFd);

impl<'a> Fcntl<'a> {
    /// Locks `file`, which is open for writing; None while another program holds a lock on it.
    ///
    /// # Errors
    /// The system cannot lock.
    pub fn attempt(file: &'a OwnedFd) -> Result<Option<Self>> {
        match fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Fcntl(file))),
            Err(Errno::AGAIN | Errno::ACCESS | Errno::INTR) => Ok(None),
            Err(errno) => Err(errno).context("fcntl lock"),
        }
    }
}

impl Drop for Fcntl<'_> {
    fn drop(&mut self) {
        // The end of the process takes it away in any case.
        let _ = fcntl_lock(self.0, FlockOperation::NonBlockingUnlock);
    }
}

/// What came of an attempt at the dotlock.
enum Attempt<'a> {
    Made(Dotlock<'a>),
    Held,
    NotAllowed,
}

/// A file in `directory` that is ours, and goes when this goes.
struct Dotlock<'a> {
    directory: &'a Directory,
    name: OsString,
    made: Stat,
}

impl<'a> Dotlock<'a> {
    /// Link a unique file to the name: that succeeds for one program only, on NFS too (open(2), O_EXCL),
    /// and the link count tells, whatever link(2) answered.
    fn attempt(directory: &'a Directory, name: &OsStr) -> Result<Attempt<'a>> {
        let Some(unique) = Dotlock::make_unique(directory)? else {
            return match directory.stat(name)? {
                None => Ok(Attempt::NotAllowed),
                Some(_) => Ok(Attempt::Held),
            };
        };
        let linked = rustix::fs::linkat(directory, &unique.name, directory, name, AtFlags::empty());
        match directory.stat(&unique.name)? {
            Some(stat) if stat.st_nlink == 2 => {
                Ok(Attempt::Made(Dotlock { directory, name: name.to_owned(), made: unique.made }))
            }
            _ if linked == Err(Errno::EXIST) => {
                break_if_stale(directory, name, &unique.made)?;
                Ok(Attempt::Held)
            }
            _ => Err(linked.err().unwrap_or(Errno::STALE))
                .with_context(|| directory.path().join(name).display().to_string()),
        }
    }

    /// A file with our process id under a name of its own. None where the directory is not ours to write.
    fn make_unique(directory: &'a Directory) -> Result<Option<Self>> {
        let name = unique_name()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let readable = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
        let named = || directory.path().join(&name).display().to_string();
        let file = match rustix::fs::openat(directory, &name, flags, readable) {
            Ok(file) => file,
            Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => return Ok(None),
            Err(errno) => return Err(errno).with_context(named),
        };
        let made = rustix::fs::fstat(&file).with_context(named)?;
        let mut unique = Dotlock { directory, name: name.clone(), made };
        super::write_all(&file, format!("{}\n", std::process::id()).as_bytes()).with_context(named)?;
        unique.made = rustix::fs::fstat(&file).with_context(named)?;
        Ok(Some(unique))
    }
}

impl Drop for Dotlock<'_> {
    fn drop(&mut self) {
        // Somebody may have taken ours for stale and made another.
        let is_ours = |there: Stat| is_same(&there, &self.made);
        if self.directory.stat(&self.name).ok().flatten().is_some_and(is_ours) {
            let _ = rustix::fs::unlinkat(self.directory, &self.name, AtFlags::empty());
        }
    }
}

fn unique_name() -> Result<OsString> {
    Ok(format!(".lock.{}.{:016x}", std::process::id(), random()?).into())
}

/// Takes a stale dotlock away: renamed first, then looked at again, since another program may have done
/// the same and made its own meanwhile. `just_made` tells the time of the file system, whose clock may
/// be another machine's.
fn break_if_stale(directory: &Directory, name: &OsStr, just_made: &Stat) -> Result<()> {
    let Some(judged) = directory.stat(name)? else {
        return Ok(());
    };
    if !is_stale(directory, name, just_made.st_mtime - judged.st_mtime) {
        return Ok(());
    }
    let aside = unique_name()?;
    if rustix::fs::renameat(directory, name, directory, &aside).is_err() {
        return Ok(());
    }
    let is_judged = |there: Stat| {
        // The number of a removed file is given to the next one.
        is_same(&there, &judged)
            && (there.st_mtime, there.st_mtime_nsec) == (judged.st_mtime, judged.st_mtime_nsec)
    };
    if directory.stat(&aside)?.is_some_and(is_judged) {
        let _ = rustix::fs::unlinkat(directory, &aside, AtFlags::empty());
    } else {
        let _ = rustix::fs::renameat_with(directory, &aside, directory, name, RenameFlags::NOREPLACE);
    }
    Ok(())
}

fn is_stale(directory: &Directory, name: &OsStr, age: i64) -> bool {
    match process_named_in(directory, name) {
        Some(process) => test_kill_process(process) == Err(Errno::SRCH) || age > FORGOTTEN,
        None => age > NAMELESS,
    }
}

/// The process id in a dotlock: digits and a line end. procmail writes 0, which names none; Dovecot adds
/// a host, whose processes may not be ours to ask for.
fn process_named_in(directory: &Directory, name: &OsStr) -> Option<Pid> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::empty()).ok()?;
    let mut content = [0; 32];
    let length = rustix::io::read(file.as_fd(), &mut content).ok()?;
    let text = std::str::from_utf8(content.get(..length)?).ok()?;
    let number: i32 = text.trim_end_matches(['\n', '\0', ' ']).parse().ok()?;
    // Pid takes a negative number for a mistake of ours, and panics.
    if number > 0 { Pid::from_raw(number) } else { None }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, FileTimes};
    use std::time::SystemTime;

    use super::*;

    /// Whether `mbox` could be locked within a moment, when `mbox.lock` says `content` and is so old.
    fn is_locked_in_spite_of(content: &str, minutes: u64) -> bool {
        let place = tempfile::tempdir().unwrap();
        let dotlock = place.path().join("mbox.lock");
        fs::write(&dotlock, content).unwrap();
        let then = SystemTime::now() - Duration::from_secs(60 * minutes);
        File::options()
            .write(true)
            .open(&dotlock)
            .unwrap()
            .set_times(FileTimes::new().set_modified(then))
            .unwrap();
        let directory = Directory::open(place.path()).unwrap().unwrap();
        let file = OwnedFd::from(File::create(place.path().join("mbox")).unwrap());
        let deadline = Deadline::after(Duration::from_millis(300));
        let taken = Lock::take(&directory, OsStr::new("mbox"), &file, &deadline);
        let is_taken = taken.is_ok();
        if let Ok(lock) = taken {
            assert_eq!(fs::read_to_string(&dotlock).unwrap(), format!("{}\n", std::process::id()));
            drop(lock);
            assert!(!dotlock.exists(), "the lock goes with its guard");
        } else {
            assert_eq!(fs::read_to_string(&dotlock).unwrap(), content, "another's lock stays");
        }
        let others = fs::read_dir(place.path()).unwrap().count();
        assert_eq!(others, if is_taken { 1 } else { 2 }, "no unique file is left");
        is_taken
    }

    #[test]
    fn a_stale_dotlock_is_broken_and_a_held_one_is_not() {
        let mut gone = std::process::Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        let gone = format!("{}\n", gone.id());
        let running = format!("{}\n", std::process::id());
        for (name, content, minutes, is_stale) in [
            ("a process that runs", running.as_str(), 10, false),
            ("a process that runs, but nobody keeps a lock so long", &running, 31, true),
            ("a process that is gone", &gone, 0, true),
            ("nobody, made just now", "", 0, false),
            ("nobody, 6 minutes old", "", 6, true),
            ("procmail's 0, made just now", "0", 0, false),
            ("procmail's 0, 6 minutes old", "0", 6, true),
            ("a process of another host", "1:elsewhere", 0, false),
            ("a number that is none", "-1\n", 0, false),
            ("a number beyond all", "99999999999999999999\n", 0, false),
        ] {
            assert_eq!(is_locked_in_spite_of(content, minutes), is_stale, "{name}");
        }
    }
}
