//! A Maildir (maildir(5)), open for reading: its three directories and the messages in two of them.
//!
//! A message is known by its name at first: identity, flags, and often size and second of delivery. All
//! else costs a system call and is asked for only when somebody wants it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::is_no_directory;
use super::listing::each_entry;
use super::name::{Flags, Name};
use crate::message::Entity;
use crate::store::directory::{Directory, is_same};

/// Where a message lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Delivered; no reader has seen it yet.
    New,
    /// Seen by a reader at least in a list.
    Cur,
}

impl Part {
    /// In the order in which a message moves: who lists them so misses none that moves meanwhile.
    pub const ALL: [Part; 2] = [Part::New, Part::Cur];

    /// The name of the directory.
    pub fn name(self) -> &'static str {
        match self {
            Part::New => "new",
            Part::Cur => "cur",
        }
    }
}

/// An open Maildir.
#[derive(Debug)]
pub struct Maildir {
    root: Directory,
    cur: Directory,
    new: Directory,
    tmp: Directory,
}

impl Maildir {
    /// The Maildir that `root` is; `root` itself when it is none: cur, new and tmp are not all there, or one
    /// of them is a link.
    ///
    /// # Errors
    /// One of them may not be opened.
    pub fn inside(root: Directory) -> Result<Result<Self, Directory>> {
        let Some(cur) = part(&root, "cur")? else { return Ok(Err(root)) };
        let Some(new) = part(&root, "new")? else { return Ok(Err(root)) };
        let Some(tmp) = part(&root, "tmp")? else { return Ok(Err(root)) };
        Ok(Ok(Maildir { root, cur, new, tmp }))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// Whether both are one.
    ///
    /// # Errors
    /// The system cannot tell.
    pub fn is(&self, other: &Maildir) -> Result<bool> {
        let (this, that) = (self.root.stat(".")?, other.root.stat(".")?);
        Ok(this.zip(that).is_some_and(|(this, that)| is_same(&this, &that)))
    }

    /// The directory above the three.
    pub fn root(&self) -> &Directory {
        &self.root
    }

    /// The directory above the three, which are closed.
    pub fn into_root(self) -> Directory {
        self.root
    }

    /// `cur` or `new`.
    pub fn part(&self, part: Part) -> &Directory {
        match part {
            Part::New => &self.new,
            Part::Cur => &self.cur,
        }
    }

    /// Where messages are that are still being delivered.
    pub fn tmp(&self) -> &Directory {
        &self.tmp
    }

    /// Shows `act` the messages in one of its directories as they are read, in no order: regular files with
    /// the name of a message. What is renamed meanwhile may come twice or not at all.
    ///
    /// # Errors
    /// The directory cannot be read, or `act` fails.
    pub fn each_message(&self, part: Part, mut act: impl FnMut(Message) -> Result<()>) -> Result<()> {
        let directory = self.part(part);
        each_entry(directory, |entry| {
            match Name::of(entry.file.as_bytes()).filter(|_| entry.kind == FileType::RegularFile) {
                Some(name) => act(Message { directory, part, file: entry.file, name, inode: entry.inode }),
                None => Ok(()),
            }
        })
    }
}

fn part(root: &Directory, name: &str) -> Result<Option<Directory>> {
    match root.inside(name) {
        Err(error) if is_no_directory(&error) => Ok(None),
        opened => opened,
    }
}

/// A message in a Maildir.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    directory: &'a Directory,
    /// Where it lies.
    pub part: Part,
    /// The name of its file.
    pub file: &'a OsStr,
    /// That name, read.
    pub name: Name<'a>,
    /// The number of its file.
    pub inode: u64,
}

impl Message<'_> {
    /// Its flags by its name. What is in `new/` has not been read, whatever its name says.
    pub fn flags(&self) -> Flags {
        match self.part {
            Part::New => self.name.flags().without(Flags::SEEN),
            Part::Cur => self.name.flags(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(self.file)
    }

    /// Size, and arrival (`st_mtime`, which IMAP calls INTERNALDATE). None when it has gone away.
    ///
    /// # Errors
    /// The system cannot tell.
    pub fn stat(&self) -> Result<Option<Stat>> {
        self.directory.stat(self.file)
    }

    /// The bytes of its header section, without what follows. None when it has gone away.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn header(&self) -> Result<Option<Vec<u8>>> {
        header(self.directory, self.file)
    }
}

/// The header section of the message `file` in `directory`; None when there is no such regular file.
///
/// # Errors
/// It cannot be read.
pub fn header(directory: &Directory, file: &OsStr) -> Result<Option<Vec<u8>>> {
    let named = || directory.path().join(file).display().to_string();
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match rustix::fs::openat(directory, file, flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::LOOP) => Ok(None),
        opened => Ok(Some(read_header(&opened.with_context(named)?).with_context(named)?)),
    }
}

/// What is read at once: nearly all header sections are shorter.
const PIECE: usize = 16 * 1024;

/// The longest header section that is read, in octets; of a longer one this is the beginning.
const LONGEST: usize = 1 << 20;

fn read_header(file: &OwnedFd) -> rustix::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let before = bytes.len();
        bytes.reserve(PIECE);
        match rustix::io::read(file.as_fd(), rustix::buffer::spare_capacity(&mut bytes)) {
            Err(Errno::INTR) => continue,
            read => read?,
        };
        let entity = Entity::split(&bytes);
        let is_whole = bytes.len() == before || !entity.separator.is_empty() || !entity.body.is_empty();
        if is_whole || bytes.len() >= LONGEST {
            let end = entity.header.0.len();
            bytes.truncate(end);
            return Ok(bytes);
        }
    }
}
