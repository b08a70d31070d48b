//! The bytes of an mbox: read from its beginning, and what stays of it copied.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::fd::OwnedFd;
use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::kept::{Kept, Step};
use super::portions::{Portions, shorter};
use super::rewrite::nothing_in;
use crate::chain::within_file_size_limit;
use crate::deadline::Deadline;
use crate::input::reserve;
use crate::mailbox::mbox::Message;
use crate::purge::ahead::ahead;
use crate::store::lock::Lock;
use crate::store::mbox::{Mbox, restored};

/// How often the dotlock is renewed.
const RENEWAL: Duration = Duration::from_secs(30);

/// What the system copies at once, so that the time can be looked at in between.
const STEP: u64 = 64 * 1024 * 1024;

/// A thread of its own reads so many octets sooner than it is made.
const MUCH: u64 = 16 * 1024 * 1024;

/// An mbox to read from, which is locked.
pub struct Source<'a> {
    mbox: &'a Mbox,
    octets: u64,
    lock: &'a Lock<'a>,
    deadline: Deadline,
    renewed: Cell<Instant>,
}

impl<'a> Source<'a> {
    /// `mbox`, which has so many octets.
    pub fn of(mbox: &'a Mbox, octets: u64, lock: &'a Lock<'a>, deadline: Deadline) -> Self {
        Source { mbox, octets, lock, deadline, renewed: Cell::new(Instant::now()) }
    }

    /// Its path, for errors.
    pub fn path(&self) -> String {
        self.mbox.path.display().to_string()
    }

    /// Lets `read` read all of it, from the beginning.
    pub fn whole<R>(&self, read: impl FnOnce(&mut dyn Read) -> R) -> R {
        let portions = Portions { file: &self.mbox.file, span: 0..u64::MAX };
        ahead(self.octets > MUCH, portions, |portions| {
            read(&mut FromBeginning { source: self, portions, portion: Vec::new(), at: 0 })
        })
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
        for portion in (Portions { file: &self.mbox.file, span }) {
            self.go_on()?;
            bytes.extend_from_slice(&portion.with_context(|| self.path())?);
        }
        if bytes.len() < length { Err(shorter()).with_context(|| self.path()) } else { Ok(bytes) }
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
        let done = ahead(self.octets > MUCH, kept.steps(&self.mbox.file), |steps| {
            for step in steps {
                self.take(step?, new)?;
            }
            let written = u64::try_from(rustix::fs::fstat(new)?.st_size)?;
            ensure!(written == kept.octets(), "the copy has {written} octets of {}", kept.octets());
            Ok(())
        });
        done.with_context(|| nothing_in(self.mbox))
    }

    fn take(&self, step: Step, new: &OwnedFd) -> Result<()> {
        self.go_on()?;
        match step {
            Step::Write(bytes) => Ok(crate::store::write_all(new, &bytes)?),
            Step::Copy(span) => self.by_the_system(span, new),
        }
    }

    /// The system copies by itself, where it can: some file systems then share the blocks.
    fn by_the_system(&self, span: Range<u64>, new: &OwnedFd) -> Result<()> {
        let file = &self.mbox.file;
        let mut at = span.start;
        while at < span.end {
            self.go_on()?;
            let step = usize::try_from((span.end - at).min(STEP))?;
            match rustix::fs::copy_file_range(file, Some(&mut at), new, None, step) {
                Ok(0) | Err(Errno::INVAL | Errno::XDEV | Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM) => {
                    return Portions { file, span: at..span.end }
                        .try_for_each(|portion| self.take(Step::Write(portion?), new));
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}

/// Reads whole a file of which a thread may have read the next portions.
struct FromBeginning<'a> {
    source: &'a Source<'a>,
    portions: &'a mut dyn Iterator<Item = io::Result<Vec<u8>>>,
    portion: Vec<u8>,
    at: usize,
}

impl Read for FromBeginning<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.go_on()?;
        if self.at == self.portion.len() {
            self.portion = self.portions.next().transpose()?.unwrap_or_default();
            self.at = 0;
        }
        let read = (&self.portion[self.at..]).read(buffer)?;
        self.at += read;
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
