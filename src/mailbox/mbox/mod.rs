//! An mbox, read: where each message begins and ends, when it came, what its reader did with it.
//!
//! A message begins with a `From ` line that has a date, at the beginning of the file or behind an empty
//! line, with a field or an empty line behind it (RFC 4155, appendix A). Readers differ in what else they
//! take for one, and writers in what they quote (mboxo, mboxrd) or count (mboxcl, mboxcl2). Two mistakes are
//! possible: to divide a message, and to take two for one. Either would remove mail that should stay. So
//! where two readings are possible, [`Doubt`] says so, and whoever removes mail leaves all of it alone.

mod claims;
mod date;
mod header;
mod window;

use std::io::{self, Read};

use claims::Claims;
pub use date::SPREAD;
use header::Header;
use window::Window;

use crate::mailbox::Flags;
use crate::message::line_len;

/// What is in an mbox.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The messages, in order. Where one ends the next begins.
    pub messages: Vec<Message>,
    /// The X-IMAPbase field of the first message, whole: without it a server would count its messages anew.
    pub base: Option<Vec<u8>>,
    /// Octets of the file.
    pub length: u64,
}

/// One message, as a span of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where its `From ` line begins.
    pub start: u64,
    /// Octets of that line.
    pub from_line: u32,
    /// Octets of the header section behind it.
    pub header: u32,
    /// Where the next one begins, or the file ends.
    pub end: u64,
    /// When it came: the latest second since 1970 that the `From ` line can mean.
    pub time: i64,
    /// Read, flagged and so on.
    pub flags: Flags,
    /// It is no message but what a server keeps of the mailbox.
    pub is_internal: bool,
    /// Why its bounds are not certain.
    pub doubt: Option<Doubt>,
}

/// Why nobody can say where a message begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// In it stands a line that some readers take for the beginning of another message.
    FromLine,
    /// A Content-Length says that it is a part of another one, or that another one is a part of it.
    ContentLength,
    /// Its header section is too long to be read.
    LongHeader,
}

/// Reads an mbox to its end, a part at a time. None if it is none: it is not empty and does not begin with a
/// message.
///
/// # Errors
/// Those of `input`.
pub fn read(input: impl Read) -> io::Result<Option<Contents>> {
    let mut reading =
        Reading { window: Window::over(input), contents: Contents::default(), claims: Claims::default() };
    while reading.window.next()? {
        if !reading.judge()? {
            return Ok(None);
        }
    }
    Ok(reading.finished())
}

/// Shows `act` each header section of an mbox, one after the other, and holds none. False if it is none. What
/// a server keeps of the mailbox is no message. Of a header section too long to be read it is the beginning.
///
/// # Errors
/// Those of `input`.
pub fn each_header(input: impl Read, mut act: impl FnMut(&[u8])) -> io::Result<bool> {
    let mut reading =
        Reading { window: Window::over(input), contents: Contents::default(), claims: Claims::default() };
    let mut is_mbox = true;
    let mut has_begun = false;
    while is_mbox && reading.window.next()? {
        is_mbox = match reading.line()? {
            Line::Separator(beginning) => {
                if !beginning.header.is_internal {
                    act(beginning.section(reading.window.ahead()));
                }
                true
            }
            Line::Doubtful | Line::Text => has_begun,
        };
        has_begun = true;
    }
    Ok(is_mbox)
}

struct Reading<R> {
    window: Window<R>,
    contents: Contents,
    claims: Claims,
}

/// What a line is that begins with `From `.
enum Line {
    Separator(Beginning),
    Doubtful,
    Text,
}

impl Line {
    /// What the line is with which `bytes` begin, and whether it is that whatever follows them.
    fn at(bytes: &[u8], is_apart: bool) -> (Self, bool) {
        let from_line = line_len(bytes);
        let (line, rest) = bytes.split_at(from_line);
        let date = date::latest(line).filter(|_| from_line <= window::LINE);
        // Nothing else is read for a line that is not apart: a sender can write thousands, one behind the other.
        if !is_apart {
            let line_is = if date.is_some() { Line::Doubtful } else { Line::Text };
            return (line_is, line.ends_with(b"\n"));
        }
        let header = Header::of(rest);
        let is_certain = !header.is_open;
        let is_followed = rest.is_empty() || header.begins_well;
        let line = match date {
            Some(time) if is_followed => Line::Separator(Beginning { from_line, time, header }),
            None if !is_followed => Line::Text,
            _ => Line::Doubtful,
        };
        (line, is_certain)
    }
}

/// How a message begins.
struct Beginning {
    /// Octets of its `From ` line.
    from_line: usize,
    time: i64,
    header: Header,
}

impl Beginning {
    /// Its header section, of what begins with it.
    fn section<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.from_line..self.from_line + self.header.length]
    }
}

impl<R: Read> Reading<R> {
    /// Takes the line at which the window stands for what it is. False if no message can be there.
    fn judge(&mut self) -> io::Result<bool> {
        let line = self.line()?;
        match (line, self.contents.messages.last_mut()) {
            (Line::Separator(beginning), _) => self.begin(beginning),
            (_, None) => return Ok(false),
            (Line::Doubtful, Some(message)) => message.doubt = Some(Doubt::FromLine),
            (Line::Text, Some(_)) => {}
        }
        Ok(true)
    }

    /// What the line is at which the window stands. A part of what follows tells it as a rule.
    fn line(&mut self) -> io::Result<Line> {
        loop {
            let is_apart = self.window.is_behind_an_empty_line();
            let (line, is_certain) = Line::at(self.window.ahead(), is_apart);
            if is_certain || !self.window.widen()? {
                return Ok(line);
            }
        }
    }

    fn begin(&mut self, Beginning { from_line, time, header }: Beginning) {
        let start = self.window.offset();
        self.end_last(start);
        let text = start + (from_line + header.length + header.separator) as u64;
        let number = self.contents.messages.len();
        for length in header.lengths {
            self.claims.add(number, text.saturating_add(length));
        }
        if number == 0 {
            self.contents.base = header.base;
        }
        let is_cut = self.window.is_cut() && header.is_open;
        self.contents.messages.push(Message {
            start,
            // Both are parts of the window.
            from_line: from_line as u32,
            header: header.length as u32,
            end: start,
            time,
            flags: header.flags,
            is_internal: header.is_internal,
            doubt: is_cut.then_some(Doubt::LongHeader),
        });
    }

    /// The last message ends at `end`.
    fn end_last(&mut self, end: u64) {
        let Some(last) = self.contents.messages.len().checked_sub(1) else { return };
        self.contents.messages[last].end = end;
        if let Some(numbers) = self.claims.contradicted(end, last) {
            for message in &mut self.contents.messages[numbers] {
                message.doubt = Some(Doubt::ContentLength);
            }
        }
    }

    fn finished(mut self) -> Option<Contents> {
        self.contents.length = self.window.offset();
        self.end_last(self.contents.length);
        (self.contents.length == 0 || !self.contents.messages.is_empty()).then_some(self.contents)
    }
}

#[cfg(test)]
mod tests;
