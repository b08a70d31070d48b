//! Opens only what root or the effective user put there, and what nobody else can put another in place of.
//!
//! Whoever can replace a certificate reads all later mail, so a path is walked with handles from `/` down
//! and every directory on it is judged. Only "no such file" is an answer; all else that is odd is an error.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2, readlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

/// The longest file of certificates: 1 MiB.
const LONGEST: u64 = 1 << 20;

/// As many symbolic links as the kernel itself follows on one path.
const MOST_LINKS: usize = 40;

/// A directory that was judged, with everything above it.
pub struct Directory {
    handle: OwnedFd,
    path: PathBuf,
}

/// The contents of the file at `path`; None when there is no such file.
///
/// # Errors
/// Somebody else could have put it there or could replace it; it is no regular file, a symbolic link, or
/// longer than 1 MiB; it cannot be read.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let absolute = std::path::absolute(path).with_context(|| path.display().to_string())?;
    let (Some(above), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        bail!("{}: is a directory; give a file", path.display());
    };
    match Directory::open(above)? {
        Some(directory) => directory.read(name),
        None => Ok(None),
    }
}

impl Directory {
    /// The directory at `path`; None when there is no such directory.
    ///
    /// Symbolic links on the way are followed one by one, and each one's own place is judged too.
    ///
    /// # Errors
    /// Somebody else could replace it or one above it; something on the way is no directory.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let absolute = std::path::absolute(path).with_context(|| path.display().to_string())?;
        let mut here = Directory::root()?;
        let mut way = components(&absolute);
        let mut links = 0;
        while let Some(name) = way.pop_front() {
            let Some(next) = here.step(&name)? else { return Ok(None) };
            match next {
                Step::Into(directory) => here = directory,
                Step::Link(target) => {
                    links += 1;
                    ensure!(links <= MOST_LINKS, "{}: too many symbolic links", path.display());
                    if target.is_absolute() {
                        here = Directory::root()?;
                    }
                    for name in components(&target).into_iter().rev() {
                        way.push_front(name);
                    }
                }
            }
        }
        Ok(Some(here))
    }

    /// The directory `name` in this one, if there is one. No symbolic link is followed.
    ///
    /// # Errors
    /// As of [`Directory::open`].
    pub fn subdirectory(&self, name: impl AsRef<OsStr>) -> Result<Option<Self>> {
        let path = self.path.join(name.as_ref());
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Some(handle) = self.beneath(name.as_ref(), flags)? else { return Ok(None) };
        let stat = fstat(&handle).with_context(|| path.display().to_string())?;
        judge_directory(&stat, &path)?;
        Ok(Some(Directory { handle, path }))
    }

    /// The contents of the file `name` in this directory, if there is one.
    ///
    /// # Errors
    /// As of [`read`].
    pub fn read(&self, name: impl AsRef<OsStr>) -> Result<Option<Vec<u8>>> {
        let name = name.as_ref();
        let path = self.path.join(name);
        // A FIFO without a writer would block the open for ever.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let Some(handle) = self.beneath(name, flags)? else { return Ok(None) };
        read_judged(handle, &path).with_context(|| path.display().to_string()).map(Some)
    }

    /// The names in this directory, sorted.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn names(&self) -> Result<Vec<OsString>> {
        let of_path = || self.path.display().to_string();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = openat(&self.handle, ".", flags, Mode::empty()).with_context(of_path)?;
        let mut names = Vec::new();
        for entry in Dir::new(handle).with_context(of_path)? {
            let entry = entry.with_context(of_path)?;
            names.push(OsStr::from_bytes(entry.file_name().to_bytes()).to_owned());
        }
        names.sort();
        Ok(names)
    }

    /// Where this directory is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn root() -> Result<Self> {
        let handle = openat(CWD, "/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        judge_directory(&fstat(&handle)?, Path::new("/"))?;
        Ok(Directory { handle, path: "/".into() })
    }

    fn step(&self, name: &OsStr) -> Result<Option<Step>> {
        let path = self.path.join(name);
        let of_path = || path.display().to_string();
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = match openat(&self.handle, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            other => other.with_context(of_path)?,
        };
        let stat = fstat(&handle).with_context(of_path)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            judge_owner(&stat).with_context(of_path)?;
            let target = readlinkat(&handle, "", Vec::new()).with_context(of_path)?;
            return Ok(Some(Step::Link(OsString::from_vec(target.into_bytes()).into())));
        }
        judge_directory(&stat, &path)?;
        Ok(Some(Step::Into(Directory { handle, path })))
    }

    /// Opens `name` in this directory: the kernel lets it lead nowhere else.
    fn beneath(&self, name: &OsStr, flags: OFlags) -> Result<Option<OwnedFd>> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let path = self.path.join(name);
        match openat2(self.handle.as_fd(), name, flags, Mode::empty(), resolve) {
            Ok(handle) => Ok(Some(handle)),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP) => Err(anyhow!("is a symbolic link; put the certificate itself there")),
            Err(Errno::NOTDIR) => Err(anyhow!("is no directory")),
            Err(errno) => Err(errno.into()),
        }
        .with_context(|| path.display().to_string())
    }
}

enum Step {
    Into(Directory),
    Link(PathBuf),
}

fn components(path: &Path) -> VecDeque<OsString> {
    path.iter().filter(|name| *name != "/").map(OsStr::to_owned).collect()
}

fn judge_directory(stat: &Stat, path: &Path) -> Result<()> {
    let judge = || {
        ensure!(FileType::from_raw_mode(stat.st_mode) == FileType::Directory, "is no directory");
        judge_owner(stat)?;
        // In a sticky directory others may add names, but not take away or replace what is ours.
        let is_sticky = Mode::from_raw_mode(stat.st_mode).contains(Mode::SVTX);
        ensure!(is_sticky || !writable_by_others(stat), "is writable by others; chmod go-w");
        Ok(())
    };
    judge().with_context(|| path.display().to_string())
}

fn read_judged(handle: OwnedFd, path: &Path) -> Result<Vec<u8>> {
    let stat = fstat(&handle)?;
    ensure!(FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile, "is no regular file");
    judge_owner(&stat)?;
    ensure!(!writable_by_others(&stat), "is writable by others; chmod go-w {}", path.display());
    let mut bytes = Vec::new();
    File::from(handle).take(LONGEST + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= LONGEST, "is longer than 1 MiB; keep only the certificates needed");
    Ok(bytes)
}

fn judge_owner(stat: &Stat) -> Result<()> {
    let is_ours = stat.st_uid == 0 || stat.st_uid == geteuid().as_raw();
    ensure!(is_ours, "belongs to user {}; it has to belong to root or to you", stat.st_uid);
    Ok(())
}

/// By the group too: its members are others. An ACL shows in the group's bits.
fn writable_by_others(stat: &Stat) -> bool {
    Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use tempfile::TempDir;

    /// A directory of the test's own with `home/cert.asc` in it.
    fn place() -> (TempDir, PathBuf) {
        let place = TempDir::new().unwrap();
        let file = place.path().join("home/cert.asc");
        fs::create_dir(place.path().join("home")).unwrap();
        set_mode(&place.path().join("home"), 0o755);
        fs::write(&file, "certificate").unwrap();
        set_mode(&file, 0o644);
        (place, file)
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    fn said(path: &Path) -> String {
        format!("{:#}", read(path).unwrap_err())
    }

    #[test]
    fn a_file_of_ours_below_a_sticky_directory_is_read() {
        let (_place, file) = place();
        assert_eq!(read(&file).unwrap().unwrap(), b"certificate");
    }

    #[test]
    fn only_no_such_file_goes_on_to_the_next_place() {
        let (place, file) = place();
        assert_eq!(read(&file.with_file_name("missing")).unwrap(), None);
        assert_eq!(read(&place.path().join("missing/cert.asc")).unwrap(), None);
        assert!(said(&file.join("cert.asc")).ends_with("is no directory"));
        assert!(said(&file.with_file_name("x".repeat(300))).ends_with("File name too long (os error 36)"));
        assert!(said(Path::new("/")).ends_with("give a file"));
    }

    #[test]
    fn a_world_writable_file_is_not_trusted() {
        let (_place, file) = place();
        for mode in [0o646, 0o664] {
            set_mode(&file, mode);
            assert!(said(&file).contains("is writable by others; chmod go-w"), "{mode:o}");
        }
    }

    #[test]
    fn a_world_writable_directory_above_is_not_trusted() {
        let (place, file) = place();
        for (mode, is_trusted) in [(0o757, false), (0o775, false), (0o1777, true)] {
            set_mode(&place.path().join("home"), mode);
            assert_eq!(read(&file).is_ok(), is_trusted, "{mode:o}");
        }
        set_mode(&place.path().join("home"), 0o755);
        set_mode(place.path(), 0o777);
        assert!(said(&file).ends_with("is writable by others; chmod go-w"), "the grandparent");
    }

    #[test]
    fn what_belongs_to_another_user_is_not_trusted() {
        let (place, _file) = place();
        let mut stat = fstat(File::open(place.path()).unwrap()).unwrap();
        assert!(judge_directory(&stat, place.path()).is_ok());
        stat.st_uid = 0;
        assert!(judge_directory(&stat, place.path()).is_ok());
        stat.st_uid = geteuid().as_raw() + 1;
        assert!(judge_directory(&stat, place.path()).is_err());
        stat.st_mode |= 0o1000;
        assert!(judge_directory(&stat, place.path()).is_err(), "a sticky bit that its owner can take away");
    }

    #[test]
    fn a_symbolic_link_in_place_of_the_file_is_refused() {
        let (place, file) = place();
        let link = place.path().join("link.asc");
        symlink(&file, &link).unwrap();
        assert!(said(&link).ends_with("is a symbolic link; put the certificate itself there"));
    }

    #[test]
    fn a_symbolic_link_to_a_directory_is_followed_and_its_end_is_judged() {
        let (place, _file) = place();
        symlink("home", place.path().join("to_home")).unwrap();
        symlink(place.path().join("to_home"), place.path().join("absolute")).unwrap();
        assert!(read(&place.path().join("absolute/cert.asc")).unwrap().is_some());
        set_mode(&place.path().join("home"), 0o777);
        assert!(said(&place.path().join("absolute/cert.asc")).contains("is writable by others"));
        symlink("loop", place.path().join("loop")).unwrap();
        assert!(said(&place.path().join("loop/cert.asc")).ends_with("too many symbolic links"));
    }

    #[test]
    fn a_fifo_does_not_block() {
        let (place, _file) = place();
        let fifo = place.path().join("fifo");
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert!(said(&fifo).ends_with("is no regular file"));
        assert!(said(&place.path().join("home")).ends_with("is no regular file"));
    }

    #[test]
    fn a_file_of_one_octet_more_than_1_mib_is_refused() {
        let (_place, file) = place();
        fs::write(&file, vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(read(&file).unwrap().unwrap().len(), 1 << 20);
        fs::write(&file, vec![b'x'; (1 << 20) + 1]).unwrap();
        assert!(said(&file).contains("is longer than 1 MiB"));
    }

    #[test]
    fn a_name_cannot_leave_its_directory() {
        let (place, _file) = place();
        fs::write(place.path().join("secret"), "x").unwrap();
        let directory = Directory::open(&place.path().join("home")).unwrap().unwrap();
        for name in ["../secret", "/etc/passwd", ".."] {
            assert!(directory.read(name).is_err(), "{name}");
        }
        assert!(directory.read("nul\0.asc").is_err(), "NUL");
        symlink("/etc", place.path().join("home/etc")).unwrap();
        assert!(directory.subdirectory("etc").is_err());
        assert!(directory.subdirectory("..").is_err());
    }
}
