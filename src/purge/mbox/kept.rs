//! What stays of an mbox, and how it is read for the copy.

use std::io;
use std::ops::Range;

use rustix::fd::OwnedFd;

use super::portions::{PORTION, portion, shorter};
use crate::mailbox::mbox::Contents;

/// A shorter span is read together with its neighbours: one call of the system for each would take longer.
const SHORT: u64 = 256 * 1024;

/// So much of what goes is read along with its neighbours: another call of the system would take longer.
const GAP: u64 = 4096;

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

    /// How to copy it from `file`.
    pub fn steps<'a>(&'a self, file: &'a OwnedFd) -> Steps<'a> {
        Steps { file, pieces: &self.0, block: Block::default() }
    }

    /// How many octets that are.
    pub fn octets(&self) -> u64 {
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

/// What is done for the copy, one after the other.
pub enum Step {
    /// These octets come next.
    Write(Vec<u8>),
    /// This long span of the old file.
    Copy(Range<u64>),
}

/// Reads what is kept, and gathers what is short.
pub struct Steps<'a> {
    file: &'a OwnedFd,
    /// What is not gathered yet.
    pieces: &'a [Piece],
    /// What was read last, and may hold what is kept next.
    block: Block,
}

impl Iterator for Steps<'_> {
    type Item = io::Result<Step>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut gathered = Vec::with_capacity(PORTION + SHORT as usize);
        while gathered.len() < PORTION
            && let [piece, others @ ..] = self.pieces
        {
            match piece {
                Piece::Bytes(bytes) => gathered.extend_from_slice(bytes),
                Piece::Span(span) if piece.octets() < SHORT => {
                    if let Err(error) = self.gather(span.clone(), others, &mut gathered) {
                        self.pieces = &[];
                        return Some(Err(error));
                    }
                }
                Piece::Span(span) if gathered.is_empty() => {
                    self.pieces = others;
                    return Some(Ok(Step::Copy(span.clone())));
                }
                Piece::Span(_) => break,
            }
            self.pieces = others;
        }
        (!gathered.is_empty()).then_some(Ok(Step::Write(gathered)))
    }
}

impl Steps<'_> {
    /// Adds a span; what is read for it may reach into `others`, which follow.
    fn gather(&mut self, span: Range<u64>, others: &[Piece], gathered: &mut Vec<u8>) -> io::Result<()> {
        let mut at = span.start;
        while at < span.end {
            let here = self.block.from(at);
            if here.is_empty() {
                self.block.read(self.file, at..with_neighbours(span.end, others))?;
                continue;
            }
            let length = usize::try_from(span.end - at).unwrap_or(PORTION).min(here.len());
            gathered.extend_from_slice(&here[..length]);
            at += length as u64;
        }
        Ok(())
    }
}

/// A part of the old file that is in memory.
#[derive(Default)]
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
    fn read(&mut self, file: &OwnedFd, span: Range<u64>) -> io::Result<()> {
        *self = Block { start: span.start, bytes: portion(file, span)? };
        if self.bytes.is_empty() { Err(shorter()) } else { Ok(()) }
    }
}

/// Where the last of `others` ends that follows close on what ends at `end`, as far as it is worth while to
/// read them at once.
fn with_neighbours(end: u64, others: &[Piece]) -> u64 {
    let (mut last, limit) = (end, end + PORTION as u64);
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
