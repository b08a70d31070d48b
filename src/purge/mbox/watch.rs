//! Who comes to a file while this program works on it: by opening it (inotify(7)), or by waiting for a lock on
//! it (/proc/locks), which a program may do that has had it open for long.

use std::fs;
use std::mem::MaybeUninit;

use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::Stat;
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// An eye on one file. None where the system lends no more of them, or the file system cannot tell.
pub struct Watch(Option<OwnedFd>);

impl Watch {
    pub fn over(file: &OwnedFd) -> Self {
        Watch(begin(file).ok())
    }

    /// Whether somebody has opened the file since, or waits for its lock, or nobody can tell. `state` is that
    /// of the file.
    pub fn sees_somebody(&self, state: &Stat) -> bool {
        !self.saw_nobody_open() || waits(&fs::read_to_string("/proc/locks").unwrap_or_default(), state.st_ino)
    }

    fn saw_nobody_open(&self) -> bool {
        let Some(watch) = &self.0 else { return false };
        let mut events = [MaybeUninit::uninit(); 512];
        matches!(Reader::new(watch.as_fd(), &mut events).next(), Err(Errno::AGAIN))
    }
}

/// Whether a process waits for a lock on the file with this number, by `locks` (proc_locks(5)):
/// `1: -> POSIX  ADVISORY  WRITE 4242 fe:00:1234 0 EOF`. The number alone counts: not every file system shows
/// its device there as stat(2) does.
fn waits(locks: &str, inode: u64) -> bool {
    let is_of_file =
        |place: &str| place.rsplit(':').next().and_then(|number| number.parse().ok()) == Some(inode);
    locks.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next() == Some("->") && words.nth(4).is_some_and(is_of_file)
    })
}

fn begin(file: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    // The file itself, whatever its path names meanwhile.
    inotify::add_watch(&watch, format!("/proc/self/fd/{}", file.as_raw_fd()), WatchFlags::OPEN)?;
    Ok(watch)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn an_opening_is_seen_and_a_change_of_name_hides_none() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("mbox");
        let file = OwnedFd::from(File::create(&path).unwrap());
        let state = rustix::fs::fstat(&file).unwrap();
        let watch = Watch::over(&file);
        assert!(!watch.sees_somebody(&state));
        std::fs::rename(&path, place.path().join("other")).unwrap();
        assert!(!watch.sees_somebody(&state));
        File::open(place.path().join("other")).unwrap();
        assert!(watch.sees_somebody(&state));
        assert!(Watch(None).sees_somebody(&state));
    }

    #[test]
    fn who_waits_for_a_lock_is_seen() {
        let locks = "1: POSIX  ADVISORY  WRITE 100 fe:00:11 0 EOF\n\
                     1: -> POSIX  ADVISORY  WRITE 101 fe:00:12 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 102 00:1b:13 0 EOF\n";
        assert_eq!([10, 11, 12, 13, 0].map(|inode| waits(locks, inode)), [false, false, true, false, false]);
        assert!(!waits("", 1) && !waits("1: ->\n->\n", 1));
    }
}
