//! Who opens a file while this program works on it (inotify(7)).

use std::mem::MaybeUninit;

use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// An eye on one file. None where the system lends no more of them, or the file system cannot tell.
pub struct Watch(Option<OwnedFd>);

impl Watch {
    pub fn over(file: &OwnedFd) -> Self {
        Watch(begin(file).ok())
    }

    /// Whether nobody has opened the file since, for certain.
    pub fn saw_nobody(&self) -> bool {
        let Some(watch) = &self.0 else { return false };
        let mut events = [MaybeUninit::uninit(); 512];
        matches!(Reader::new(watch.as_fd(), &mut events).next(), Err(Errno::AGAIN))
    }
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
        let watch = Watch::over(&file);
        assert!(watch.saw_nobody());
        std::fs::rename(&path, place.path().join("other")).unwrap();
        assert!(watch.saw_nobody());
        File::open(place.path().join("other")).unwrap();
        assert!(!watch.saw_nobody());
        assert!(!Watch(None).saw_nobody());
    }
}
