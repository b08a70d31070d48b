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

/// What is read, or written, at once. It stays in the processor's cache.
const CHUNK: usize = 256 * 1024;

/// What the system copies at once, so that the time can be looked at in between.
const STEP: u64 = 64 * 1024 * 1024;

/// A shorter span is copied by way of this process, together with its neighbours: one call of the system for
/// each would take longer.
const SHORT: u64 = 256 * 1024;

/// So much of what goes is read along with its neighbours: another call of the system would take longer.
const GAP: u64 = 4096;

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
        bytes.resize(length, 0);
        let mut filled = 0;
        while filled < length {
            let read = self.read_part(&mut bytes[filled..], span.start + filled as u64);
            filled += read.with_context(|| self.path())?;
        }
        Ok(bytes)
    }

    /// Reads what stands at `at` into `buffer`, as much as comes at once and at least an octet.
    fn read_part(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        match self.read_at(buffer, at)? {
            0 => Err(io::Error::new(ErrorKind::UnexpectedEof, "became shorter in spite of its locks")),
            read => Ok(read),
        }
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
        let block = Block { start: 0, bytes: Vec::new() };
        let mut copying = Copying { source: self, new, block, gathered: Vec::with_capacity(2 * CHUNK) };
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

/// A part of the old file that is in memory.
struct Block {
    start: u64,
    bytes: Vec<u8>,
}

impl Block {
    /// What it has from `at` on.
    fn from(&self, at: u64) -> &[u8] {
        let skipped = at.checked_sub(self.start).and_then(|skipped| usize::try_from(skipped).ok());
        skipped.and_then(|skipped| self.bytes.get(skipped..)).unwrap_or_default()
    }

    /// Lets it begin at `span.start` and have as much of the span as comes at once.
    fn read(&mut self, source: &Source, span: Range<u64>) -> io::Result<()> {
        self.start = span.start;
        self.bytes.resize(usize::try_from(span.end - span.start).unwrap_or(CHUNK).min(CHUNK), 0);
        let read = source.read_part(&mut self.bytes, span.start);
        self.bytes.truncate(*read.as_ref().unwrap_or(&0));
        read.map(drop)
    }
}

/// Where the last of `others` ends that follows close on what ends at `end`, as far as it is worth while to
/// read them at once.
fn with_neighbours(end: u64, others: &[Piece]) -> u64 {
    let (mut last, limit) = (end, end + CHUNK as u64);
    for piece in others {
        match piece {
            Piece::Span(next) if next.start - last <= GAP && last < limit && piece.octets() < SHORT => {
                last = next.end;
            }
            _ => break,
        }
    }
    last
}

struct Copying<'a> {
    source: &'a Source<'a>,
    new: &'a OwnedFd,
    /// What was read last, and may hold what is kept next.
    block: Block,
    /// What is not written yet.
    gathered: Vec<u8>,
}

impl Copying<'_> {
    fn all(&mut self, kept: &Kept) -> Result<()> {
        let mut pieces = &kept.0[..];
        while let [piece, others @ ..] = pieces {
            match piece {
                Piece::Bytes(bytes) => self.gathered.extend_from_slice(bytes),
                Piece::Span(span) if piece.octets() < SHORT => self.by_hand(span.clone(), others)?,
                Piece::Span(span) => self.by_the_system(span.clone())?,
            }
            pieces = others;
        }
        self.write()?;
        let written = u64::try_from(rustix::fs::fstat(self.new)?.st_size)?;
        ensure!(written == kept.octets(), "the copy has {written} octets of {}", kept.octets());
        Ok(())
    }

    /// Copies a span; what is read for it may reach into `others`, which follow.
    fn by_hand(&mut self, span: Range<u64>, others: &[Piece]) -> Result<()> {
        let mut at = span.start;
        while at < span.end {
            let here = self.block.from(at);
            if here.is_empty() {
                self.block.read(self.source, at..with_neighbours(span.end, others))?;
                continue;
            }
            let length = usize::try_from(span.end - at).unwrap_or(CHUNK).min(here.len());
            self.gathered.extend_from_slice(&here[..length]);
            at += length as u64;
            if self.gathered.len() >= CHUNK {
                self.write()?;
            }
        }
        Ok(())
    }

    /// The system copies by itself, where it can: some file systems then share the blocks.
    fn by_the_system(&mut self, span: Range<u64>) -> Result<()> {
        self.write()?;
        let mut at = span.start;
        while at < span.end {
            self.source.go_on()?;
            let step = usize::try_from((span.end - at).min(STEP))?;
            let old = &self.source.mbox.file;
            match rustix::fs::copy_file_range(old, Some(&mut at), self.new, None, step) {
                Ok(0) | Err(Errno::INVAL | Errno::XDEV | Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM) => {
                    return self.by_hand(at..span.end, &[]);
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn write(&mut self) -> rustix::io::Result<()> {
        crate::store::write_all(self.new, &self.gathered)?;
        self.gathered.clear();
        Ok(())
    }
}
