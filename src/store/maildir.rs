//! A Maildir (maildir(5)): each message a file, whole before any reader can see it.
//!
//! | step | if it fails: 75 and | the machine stops after it: there is |
//! | --- | --- | --- |
//! | open | nothing | nothing, or an empty Maildir |
//! | create in `tmp` | nothing | an empty file in `tmp` |
//! | write | the file is removed | a part in `tmp`, which no reader opens and cleaners remove |
//! | sync the file | the file is removed | the whole in `tmp` |
//! | move into `new` | the file is removed | the whole in `new`; after a power loss perhaps not |
//! | sync `new` | the message stays, and comes again | a delivered message |
//!
//! The file stays in `tmp` only when its removal fails too.

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::directory::{Directory, is_same};
use crate::chain::within_file_size_limit;
use crate::deadline::Deadline;

/// Stores `message` as a new file of the Maildir at `path`, on stable storage. A Maildir whose last
/// component is missing is made.
///
/// # Errors
/// It is not certain that the message is stored. Nothing of it is left in `new` unless the last sync
/// failed.
pub fn store(path: &Path, message: &[u8], deadline: &Deadline) -> Result<()> {
    within_file_size_limit(message.len()).with_context(|| path.display().to_string())?;
    let maildir = Maildir::open(path)?;
    let arriving = Arriving::create(&maildir, message.len())?;
    arriving.fill(message)?;
    deadline.check()?;
    arriving.move_in()?;
    maildir.new.sync().context("the message may come twice")
}

/// A mailbox, open for new messages.
struct Maildir {
    tmp: Directory,
    new: Directory,
}

impl Maildir {
    fn open(path: &Path) -> Result<Self> {
        if let Some(root) = Directory::open(path)?
            && root.stat("cur")?.is_some()
            && let Some(maildir) = Maildir::inside(&root)?
        {
            return Ok(maildir);
        }
        Maildir::make(path)
    }

    /// Makes what is missing. `cur` comes last: where it is, all before it rests on stable storage, so a
    /// crash in between is mended by the next delivery and two at once do not disturb each other.
    fn make(path: &Path) -> Result<Self> {
        let name = path.file_name().with_context(|| format!("{}: is no Maildir", path.display()))?;
        let above = path.parent().filter(|above| *above != Path::new("")).unwrap_or(Path::new("."));
        let parent =
            Directory::open(above)?.with_context(|| format!("{}: is missing; make it", above.display()))?;
        parent.make(name)?;
        let root = Directory::open(path)?.with_context(|| format!("{}: is missing", path.display()))?;
        parent.sync()?;
        for name in ["tmp", "new"] {
            root.make(name)?;
        }
        root.sync()?;
        root.make("cur")?;
        root.sync()?;
        Maildir::inside(&root)?.with_context(|| format!("{}: somebody removes it", path.display()))
    }

    fn inside(root: &Directory) -> Result<Option<Self>> {
        let both = root.inside("tmp")?.zip(root.inside("new")?);
        Ok(both.map(|(tmp, new)| Maildir { tmp, new }))
    }
}

/// A message in `tmp`, which goes away again unless it is moved into `new`.
struct Arriving<'a> {
    maildir: &'a Maildir,
    name: UniqueName,
    file: OwnedFd,
    has_left_tmp: bool,
}

impl<'a> Arriving<'a> {
    fn create(maildir: &'a Maildir, size: usize) -> Result<Self> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        // A name with 64 random bits is taken for one reason: NFS lost the reply and sent the call again.
        for _ in 0..3 {
            let name = UniqueName::new(size)?;
            match rustix::fs::openat(&maildir.tmp, &name.0, flags, mode) {
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno).with_context(|| nothing_in(&maildir.tmp)),
                Ok(file) => {
                    let arriving = Arriving { maildir, name, file, has_left_tmp: false };
                    // An umask may take more than others' rights.
                    rustix::fs::fchmod(&arriving.file, mode).with_context(|| nothing_in(&maildir.tmp))?;
                    return Ok(arriving);
                }
            }
        }
        bail!("{}: three unique names were taken; nothing was stored", maildir.tmp.path().display())
    }

    /// All bytes, on stable storage. There is no second sync: after a failure the kernel may have dropped
    /// the pages and would call them clean (fsync(2)). What close(2) could report, fsync has reported.
    fn fill(&self, message: &[u8]) -> Result<()> {
        super::write_all(&self.file, message)
            .and_then(|()| rustix::fs::fsync(&self.file))
            .with_context(|| nothing_in(&self.maildir.tmp))
    }

    /// Into `new`, never over another message. What a link leaves in `tmp` the guard unlinks.
    fn move_in(mut self) -> Result<()> {
        let Maildir { tmp, new } = self.maildir;
        let moved = tmp.place(&self.name.0, new);
        self.has_left_tmp = moved == Ok(false);
        match moved {
            Ok(_) => Ok(()),
            // NFS may lose the reply to a call that was done.
            Err(_) if self.is_in_new() => Ok(()),
            Err(errno) => Err(errno).with_context(|| nothing_in(new)),
        }
    }

    fn is_in_new(&self) -> bool {
        let there = self.maildir.new.stat(&self.name.0).ok().flatten();
        let ours = rustix::fs::fstat(&self.file).ok();
        there.zip(ours).is_some_and(|(there, ours)| is_same(&there, &ours))
    }
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        if !self.has_left_tmp {
            // Nothing is left to try: a file in tmp is no message, and cleaners remove it after 36 hours.
            let _ = rustix::fs::unlinkat(&self.maildir.tmp, &self.name.0, AtFlags::empty());
        }
    }
}

fn nothing_in(directory: &Directory) -> String {
    format!("{}: nothing was stored", directory.path().display())
}

/// A file name that no other delivery has: seconds, microseconds, process, 64 random bits, host, size.
/// Readers sort by the first number. Dovecot takes `S` for the size and counts its quota by it.
struct UniqueName(String);

impl UniqueName {
    fn new(size: usize) -> Result<Self> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(UniqueName(format!(
            "{}.M{}P{}R{:016x}.{},S={size}",
            now.as_secs(),
            now.subsec_micros(),
            std::process::id(),
            super::random()?,
            name_of(rustix::system::uname().nodename().to_bytes()),
        )))
    }
}

/// A host's name within a file name: no `/`, and no `:`, behind which the flags stand (maildir(5)).
fn name_of(host: &[u8]) -> String {
    String::from_utf8_lossy(host).replace('/', "\\057").replace(':', "\\072")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_name_cannot_leave_the_directory_or_forge_flags() {
        for (host, name) in [
            (&b"mx.example.org"[..], "mx.example.org"),
            (b"../../new/x", "..\\057..\\057new\\057x"),
            (b"mx:2,S", "mx\\0722,S"),
        ] {
            assert_eq!(name_of(host), name);
        }
    }

    fn empty_maildir() -> (tempfile::TempDir, Maildir) {
        let place = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(&place.path().join("box")).unwrap();
        (place, maildir)
    }

    #[test]
    fn a_message_of_the_same_name_is_never_replaced() {
        let (place, maildir) = empty_maildir();
        let arriving = Arriving::create(&maildir, 2).unwrap();
        arriving.fill(b"me").unwrap();
        let name = arriving.name.0.clone();
        let other = place.path().join("box/new").join(&name);
        std::fs::write(&other, "other").unwrap();
        let said = format!("{:#}", arriving.move_in().unwrap_err());
        assert!(said.ends_with("new: nothing was stored: File exists (os error 17)"), "{said}");
        assert_eq!(std::fs::read_to_string(other).unwrap(), "other");
        assert!(!place.path().join("box/tmp").join(name).exists());
    }

    #[test]
    fn a_move_that_was_done_although_its_reply_was_lost_is_success() {
        for link in [true, false] {
            let (place, maildir) = empty_maildir();
            let arriving = Arriving::create(&maildir, 2).unwrap();
            arriving.fill(b"me").unwrap();
            let name = arriving.name.0.clone();
            let (tmp, new) =
                (place.path().join("box/tmp").join(&name), place.path().join("box/new").join(&name));
            // What the server did before the client asked again.
            if link { std::fs::hard_link(&tmp, &new) } else { std::fs::rename(&tmp, &new) }.unwrap();
            arriving.move_in().unwrap();
            assert_eq!(std::fs::read(new).unwrap(), b"me");
            assert!(!tmp.exists());
        }
    }

    #[test]
    fn a_delivery_whose_time_has_run_out_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let deadline = Deadline::after(std::time::Duration::ZERO);
        assert!(store(&place.path().join("box"), b"me", &deadline).is_err());
        for part in ["new", "tmp", "cur"] {
            assert_eq!(std::fs::read_dir(place.path().join("box").join(part)).unwrap().count(), 0);
        }
    }

    #[test]
    fn two_names_in_the_same_microsecond_differ() {
        let names: std::collections::HashSet<String> =
            (0..1000).map(|_| UniqueName::new(1).unwrap().0).collect();
        assert_eq!(names.len(), 1000);
    }
}
