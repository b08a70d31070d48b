//! A large armored message, most of which is let go while it is read.
//!
//! The middle of it is lines of base64 that are all alike. Each is looked at when it comes, and of the octets in
//! them a verdict needs only where packets' lengths lead.

use crate::message::{line_end, line_len};
use crate::mime::is_base64;

use super::Octets;
use super::armor::{self, Label, Opening};
use super::packet::{Chunk, Header, Packet};

/// Lines that were let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Where they were in the message that is left: between two lines.
    pub(super) at: usize,
    /// How many octets they held.
    pub(super) octets: usize,
    /// The piece of a packet's body to which the last of those octets belongs.
    pub(super) chunk: Chunk,
}

impl Passage {
    /// The same, as seen in a text that begins at `start` of this one, if it is behind that.
    pub fn behind(self, start: usize) -> Option<Self> {
        self.at.checked_sub(start).map(|at| Passage { at, ..self })
    }

    /// The same, as seen in the `len` octets from `start` on, if it is in there.
    pub fn within(self, start: usize, len: usize) -> Option<Self> {
        self.behind(start).filter(|passage| passage.at <= len)
    }
}

/// Lines of an armored message that is being read.
#[derive(Debug)]
pub struct Passing {
    passage: Passage,
    line: Line,
    /// How many octets were in all lines so far.
    seen: usize,
}

/// What all the lines are like.
#[derive(Debug)]
struct Line {
    letters: usize,
    /// LF or CRLF.
    end: &'static [u8],
}

impl Passing {
    /// Begins in the middle of a message of which this much was read: if from `start` on it is armor with lines
    /// all alike, and its container of encrypted data has begun.
    pub fn begin(message: &[u8], start: usize) -> Option<Self> {
        let opening = Opening::read(&message[start..]).ok();
        let body = opening.filter(|opening| opening.label == Label::Message)?.body;
        let line = Line::first(body)?;
        let count = line.count(body);
        let chunk = container(&line.octets(body, count))?;
        let passage = Passage { at: message.len() - body.len(), octets: 0, chunk };
        let mut passing = Passing { passage, line, seen: 0 };
        let (lines, goes_on) = passing.follow(body, count);
        passing.passage.at += lines * passing.line.stride();
        goes_on.then_some(passing)
    }

    /// Where the lines begin that are still to be seen, in the message that is left.
    pub fn at(&self) -> usize {
        self.passage.at
    }

    /// What was let go.
    pub fn passage(self) -> Passage {
        self.passage
    }

    /// How many octets of `text`, from its beginning, can be let go, and whether there may be more of them.
    pub fn pass(&mut self, text: &[u8]) -> (usize, bool) {
        let (lines, goes_on) = self.follow(text, self.line.count(text));
        self.passage.octets += lines * self.line.octets_in_one();
        (lines * self.line.stride(), goes_on)
    }

    /// Follows the container through the `count` lines that `text` begins with, up to the one in which it ends or
    /// the next length cannot be read. The answer is how many there are before that, and whether there may be more.
    fn follow(&mut self, text: &[u8], count: usize) -> (usize, bool) {
        let octets = self.line.octets(text, count);
        let chunk = &mut self.passage.chunk;
        while !chunk.is_last
            && chunk.end - self.seen < octets.len()
            && let Ok((_, next)) = Chunk::read(&octets, chunk.end - self.seen)
        {
            *chunk = Chunk { end: self.seen.saturating_add(next.end), ..next };
        }
        let lines = count.min((chunk.end - self.seen) / self.line.octets_in_one());
        self.seen += lines * self.line.octets_in_one();
        let is_all = text.len() - count * self.line.stride() < self.line.stride();
        (lines, is_all && (lines == count || !chunk.is_last))
    }
}

impl Line {
    /// The first line of `body`, if whole octets are in it.
    fn first(body: &[u8]) -> Option<Self> {
        let line = &body[..line_len(body)];
        let letters = &line[..line.len() - line_end(line).len()];
        let end = match line_end(line) {
            b"\n" => b"\n".as_slice(),
            b"\r\n" => b"\r\n",
            _ => return None,
        };
        let is_one = letters.len().is_multiple_of(4) && armor::LINE.contains(&letters.len());
        (is_one && is_base64(letters)).then_some(Line { letters: letters.len(), end })
    }

    fn stride(&self) -> usize {
        self.letters + self.end.len()
    }

    fn octets_in_one(&self) -> usize {
        self.letters / 4 * 3
    }

    /// How many lines like this one `text` begins with.
    fn count(&self, text: &[u8]) -> usize {
        armor::count_lines(text, self.letters, self.end)
    }

    fn octets<'a>(&self, text: &'a [u8], count: usize) -> Octets<'a> {
        Octets::base64(&text[..count * self.stride()], count * self.letters, self.letters, self.stride())
    }
}

/// The first piece of the container behind the session keys.
fn container(octets: &Octets) -> Option<Chunk> {
    let mut at = 0;
    loop {
        let header = Header::read(octets, at).ok()?;
        match header.tag {
            1 | 3 | 10 | 21 => at = Packet::read(octets, at).ok().filter(|packet| !packet.is_cut_off)?.end,
            9 | 18 | 20 => return header.chunk(),
            _ => return None,
        }
    }
}
