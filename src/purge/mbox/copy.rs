//! The bytes of an mbox: read from its beginning, in parts, and what stays of it copied.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::fd::OwnedFd;
use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::rewrite::nothing_in;
use crate::chain::within_file_size_limit;
use crate::deadline::Deadline;
use crate::input::reserve;
use crate::mailbox::mbox::{Contents, Message};
use crate::store::lock::Lock;
use crate::store::mbox::{Mbox, restored};

/// How often the dotlock is renewed.
const RENEWAL: Duration = Duration::from_secs(30);

/// What is copied by way of this process at once.
const CHUNK: usize = 1024 * 1024;

/// What the system copies at once, so that the time can be looked at in between.
const STEP: u64 = 64 * 1024 * 1024;

/// A shorter span is copied by way of this process, together with its neighbours: one call of the system for
/// each would take longer.
const SHORT: u64 = 256 * 1024;

/// An mbox to read from, which is locked.
pub struct Source<'a> {
    mbox: &'a Mbox,
    lock: &'a Lock<'a>,
    deadline: Deadline,
    renewed: Cell<Instant>,
}

impl<'a> Source<'a> {
    pub fn of(mbox: &'a Mbox, lock: &'a Lock<'a>, deadline: Deadline) -> Self {
        Source { mbox, lock, deadline, renewed: Cell::new(Instant::now()) }
    }

    /// Its path, for errors.
    pub fn path(&self) -> String {
        self.mbox.path.display().to_string()
    }

    /// All of it, from the beginning.
    pub fn whole(&self) -> impl Read {
        FromBeginning { source: self, at: 0 }
    }

    /// The header section of a message.
    pub fn header(&self, message: &Message) -> Result<Vec<u8>> {
        let start = message.start + u64::from(message.from_line);
        self.span(start..start + u64::from(message.header))
    }

    /// A message without what an mbox adds.
    pub fn restored(&self, message: &Message) -> Result<Vec<u8>> {
        restored(&self.span(message.start + u64::from(message.from_line)..message.end)?)
    }

    fn span(&self, span: Range<u64>) -> Result<Vec<u8>> {
        let length = usize::try_from(span.end - span.start)?;
        let mut bytes = Vec::new();
        reserve(&mut bytes, length)?;
        self.read_onto(span, &mut bytes).with_context(|| self.path())?;
        Ok(bytes)
    }

    fn read_onto(&self, span: Range<u64>, bytes: &mut Vec<u8>) -> io::Result<()> {
        let mut at = span.start;
        while at < span.end {
            let filled = bytes.len();
            let more = usize::try_from(span.end - at).unwrap_or(CHUNK).min(CHUNK);
            bytes.resize(filled + more, 0);
            let read = self.read_at(&mut bytes[filled..], at);
            bytes.truncate(filled + *read.as_ref().unwrap_or(&0));
            match read? {
                0 => {
                    return Err(io::Error::new(
                        ErrorKind::UnexpectedEof,
                        "became shorter in spite of its locks",
                    ));
                }
                read => at += read as u64,
            }
        }
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.go_on()?;
        loop {
            match rustix::io::pread(&self.mbox.file, &mut *buffer, at) {
                Err(Errno::INTR) => {}
                read => return Ok(read?),
            }
        }
    }

    /// Whether there is time left; and the dotlock stays fresh.
    pub fn go_on(&self) -> io::Result<()> {
        if self.deadline.left().is_zero() {
            return Err(io::Error::new(ErrorKind::TimedOut, "the time ran out"));
        }
        if self.renewed.get().elapsed() > RENEWAL {
            self.lock.renew();
            self.renewed.set(Instant::now());
        }
        Ok(())
    }

    /// Writes what is kept to `new`, which is empty.
    ///
    /// # Errors
    /// There is no room, no time, or the system fails.
    pub fn copy(&self, kept: &Kept, new: &OwnedFd) -> Result<()> {
        // A write beyond the limit would kill.
        within_file_size_limit(usize::try_from(kept.octets())?).with_context(|| nothing_in(self.mbox))?;
        make_room(new, kept.octets()).with_context(|| nothing_in(self.mbox))?;
        let mut copying = Copying { source: self, new, gathered: Vec::with_capacity(2 * CHUNK) };
        copying.all(kept).with_context(|| nothing_in(self.mbox))
    }
}

struct FromBeginning<'a> {
    source: &'a Source<'a>,
    at: u64,
}

impl Read for FromBeginning<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// A full disk is found before anything is written. Some file systems cannot tell.
fn make_room(new: &OwnedFd, octets: u64) -> rustix::io::Result<()> {
    if octets == 0 {
        return Ok(());
    }
    match rustix::fs::fallocate(new, FallocateFlags::KEEP_SIZE, 0, octets) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        Err(Errno::INTR) => make_room(new, octets),
        made => made,
    }
}

/// What stays of an mbox, in order.
pub struct Kept(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Span(Range<u64>),
    /// Not of this place in the old file.
    Bytes(Vec<u8>),
}

impl Kept {
    /// All but the messages that go. When the first one goes, its X-IMAPbase goes on standing in the first
    /// one: only there servers look for it, and without it they give each message a new number.
    pub fn of(contents: &Contents, goes: &[bool]) -> Self {
        let mut kept = Kept(Vec::new());
        let mut base = contents.base.as_deref().filter(|_| goes.first() == Some(&true));
        kept.add(0..contents.messages.first().map_or(contents.length, |first| first.start));
        for (message, _) in contents.messages.iter().zip(goes).filter(|(_, goes)| !**goes) {
            let fields = message.start + u64::from(message.from_line);
            match base.take() {
                Some(base) => {
                    kept.add(message.start..fields);
                    kept.0.push(Piece::Bytes(base.to_vec()));
                    kept.add(fields..message.end);
                }
                None => kept.add(message.start..message.end),
            }
        }
        kept
    }

    /// Spans that touch become one.
    fn add(&mut self, span: Range<u64>) {
        match self.0.last_mut() {
            _ if span.is_empty() => {}
            Some(Piece::Span(last)) if last.end == span.start => last.end = span.end,
            _ => self.0.push(Piece::Span(span)),
        }
    }

    fn octets(&self) -> u64 {
        self.0.iter().map(Piece::octets).sum()
    }
}

impl Piece {
    fn octets(&self) -> u64 {
        match self {
            Piece::Span(span) => span.end - span.start,
            Piece::Bytes(bytes) => bytes.len() as u64,
        }
    }
}

struct Copying<'a> {
    source: &'a Source<'a>,
    new: &'a OwnedFd,
    /// What is not written yet.
    gathered: Vec<u8>,
}

impl Copying<'_> {
    fn all(&mut self, kept: &Kept) -> Result<()> {
        for piece in &kept.0 {
            match piece {
                Piece::Bytes(bytes) => self.gathered.extend_from_slice(bytes),
                Piece::Span(span) if piece.octets() < SHORT => {
                    self.source.read_onto(span.clone(), &mut self.gathered)?;
                }
                Piece::Span(span) => {
                    self.write()?;
                    self.long(span.clone())?;
                }
            }
            if self.gathered.len() >= CHUNK {
                self.write()?;
            }
        }
        self.write()?;
        let written = u64::try_from(rustix::fs::fstat(self.new)?.st_size)?;
        ensure!(written == kept.octets(), "the copy has {written} octets of {}", kept.octets());
        Ok(())
    }

    fn write(&mut self) -> rustix::io::Result<()> {
        crate::store::write_all(self.new, &self.gathered)?;
        self.gathered.clear();
        Ok(())
    }

    /// The system copies by itself, where it can: some file systems then share the blocks.
    fn long(&mut self, span: Range<u64>) -> Result<()> {
        let mut at = span.start;
        while at < span.end {
            self.source.go_on()?;
            let step = usize::try_from((span.end - at).min(STEP))?;
            let old = &self.source.mbox.file;
            match rustix::fs::copy_file_range(old, Some(&mut at), self.new, None, step) {
                Ok(0) | Err(Errno::INVAL | Errno::XDEV | Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM) => {
                    return self.by_hand(at..span.end);
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn by_hand(&mut self, span: Range<u64>) -> Result<()> {
        let mut at = span.start;
        while at < span.end {
            let end = span.end.min(at + CHUNK as u64);
            self.source.read_onto(at..end, &mut self.gathered)?;
            self.write()?;
            at = end;
        }
        Ok(())
    }
}
