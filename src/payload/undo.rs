//! The way back: from a payload to the original, in one pass.
//!
//! A payload runs through this while it is encrypted, and must give the original again. What a
//! payload says is a claim, since anyone can encrypt to a public certificate: reading one proves nothing
//! about who wrote it.

use std::io::{self, Write};

use super::lines::LineEnds;
use super::{MARK_LINE, OUR_FIELD};
use crate::message::line_len;

/// A writer that takes a payload and writes the original that it claims to hold.
#[derive(Debug)]
pub struct Undo<W> {
    out: W,
    stage: Stage,
    ends: LineEnds,
    is_divided: bool,
    /// What cannot be judged yet: the beginning of a line, or what may be the end of the part.
    held: Vec<u8>,
    /// What stands behind a wrapped original.
    close: Vec<u8>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// `Selfseal: form=FORM; lines=LINES; added=N`.
    Statement,
    /// So many lines of ours, then the original.
    Added(usize),
    /// The original's header section, with one line put in.
    Header { marked: bool },
    /// The original's body.
    Body,
    /// Our header section around a wrapped original.
    Frame,
    /// The first delimiter.
    Open,
    /// The header section of a divided original, up to an empty line of ours.
    PartHeader,
    /// The original, up to the last delimiter.
    Part,
}

impl<W: Write> Undo<W> {
    /// Begins with the first octet of a payload.
    pub fn into(out: W) -> Self {
        let (held, close) = (Vec::new(), Vec::new());
        Undo { out, stage: Stage::Statement, ends: LineEnds::AsIs, is_divided: false, held, close }
    }

    /// Ends with the last octet, and gives back where the original went.
    ///
    /// # Errors
    /// The payload is none of ours, or is cut off; the writer's own.
    pub fn finish(mut self) -> io::Result<W> {
        let close = match self.stage {
            Stage::Body => &[][..],
            Stage::Part => &self.close,
            _ => return Err(no_payload()),
        };
        let last = self.held.strip_suffix(close).ok_or_else(no_payload)?;
        self.ends.restore(last, &mut self.out)?;
        Ok(self.out)
    }

    /// Takes whole lines out of `octets` until the original is reached, and returns what follows.
    fn lines<'a>(&mut self, mut octets: &'a [u8]) -> io::Result<&'a [u8]> {
        while !octets.is_empty() && !matches!(self.stage, Stage::Body | Stage::Part) {
            let (line, rest) = octets.split_at(line_len(octets));
            self.held.extend_from_slice(line);
            if line.ends_with(b"\n") {
                let line = std::mem::take(&mut self.held);
                self.stage = self.after(&line)?;
            }
            octets = rest;
        }
        Ok(octets)
    }

    fn after(&mut self, line: &[u8]) -> io::Result<Stage> {
        match self.stage {
            Stage::Statement => self.statement(line).ok_or_else(no_payload),
            Stage::Added(1) => Ok(Stage::Header { marked: false }),
            Stage::Added(left) => Ok(Stage::Added(left - 1)),
            Stage::Header { marked: false } if line == MARK_LINE.as_bytes() => {
                Ok(Stage::Header { marked: true })
            }
            Stage::Header { .. } => {
                self.ends.restore(line, &mut self.out)?;
                Ok(if line == b"\r\n" { Stage::Body } else { self.stage })
            }
            Stage::Frame if line == b"\r\n" && !self.close.is_empty() => Ok(Stage::Open),
            Stage::Frame => {
                self.frame(line);
                Ok(Stage::Frame)
            }
            // `--BOUNDARY` CRLF, where what closes is CRLF `--BOUNDARY--` CRLF.
            Stage::Open if self.close.get(2..self.close.len() - 4) == line.strip_suffix(b"\r\n") => {
                Ok(if self.is_divided { Stage::PartHeader } else { Stage::Part })
            }
            Stage::PartHeader if line == b"\r\n" => Ok(Stage::Part),
            Stage::PartHeader => {
                self.ends.restore(line, &mut self.out)?;
                Ok(Stage::PartHeader)
            }
            Stage::Open | Stage::Body | Stage::Part => Err(no_payload()),
        }
    }

    fn statement(&mut self, line: &[u8]) -> Option<Stage> {
        let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
        let words = line.strip_prefix(OUR_FIELD)?.strip_prefix(": form=")?;
        let (form, words) = words.split_once("; lines=")?;
        let (ends, added) = words.split_once("; added=")?;
        self.ends = LineEnds::from_word(ends)?;
        self.is_divided = form == "divided";
        match (form, added.parse().ok()?) {
            ("spliced", 0) => Some(Stage::Header { marked: false }),
            ("spliced", added) => Some(Stage::Added(added)),
            ("wrapped" | "divided", _) => Some(Stage::Frame),
            _ => None,
        }
    }

    fn frame(&mut self, line: &[u8]) {
        if let Some(boundary) = line.strip_prefix(b"Content-Type: multipart/mixed; boundary=\"")
            && let Some(boundary) = boundary.strip_suffix(b"\"\r\n")
        {
            self.close = [b"\r\n--", boundary, b"--\r\n"].concat();
        }
    }

    /// Writes all of the original but what may still turn out to be the closing delimiter, and a last CR,
    /// which may belong to a line end that has not come yet.
    fn original(&mut self, octets: &[u8]) -> io::Result<()> {
        // What was held goes with the rest of its line; only where that is all there is, it is held on.
        let (joined, rest) = octets.split_at(line_len(octets));
        self.held.extend_from_slice(joined);
        if rest.len() <= self.close.len() {
            self.held.extend_from_slice(rest);
            let held = std::mem::take(&mut self.held);
            return self.all_but_the_end(&held);
        }
        self.ends.restore(&self.held, &mut self.out)?;
        self.held.clear();
        self.all_but_the_end(rest)
    }

    fn all_but_the_end(&mut self, octets: &[u8]) -> io::Result<()> {
        let mut end = octets.len().saturating_sub(self.close.len());
        if octets[..end].ends_with(b"\r") {
            end -= 1;
        }
        self.ends.restore(&octets[..end], &mut self.out)?;
        self.held.extend_from_slice(&octets[end..]);
        Ok(())
    }
}

impl<W: Write> Write for Undo<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let original = self.lines(octets)?;
        if !original.is_empty() {
            self.original(original)?;
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn no_payload() -> io::Error {
    io::ErrorKind::InvalidData.into()
}
