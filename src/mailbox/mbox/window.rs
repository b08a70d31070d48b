//! A part of a file that moves on from one line that begins with `From ` to the next. Of what follows each it
//! shows what it has, and on demand enough to read a header section.

use std::io::{self, ErrorKind, Read};

use memchr::memmem::Finder;

use super::header;

/// The longest `From ` line.
pub const LINE: usize = 1024;

/// What can be seen of the file at each line, at most.
const AHEAD: usize = LINE + header::LONGEST;

/// What is read at once. Larger ones were no faster, and fall out of the processor's cache.
pub const CHUNK: usize = 512 * 1024;

/// What has to be seen of the line before: an empty line, and the end of the one before that.
const BEHIND: usize = 3;

/// The line end in front makes it the beginning of a line.
const MARK: &[u8] = b"\nFrom ";

/// The part of the file that is in memory.
pub struct Window<R> {
    input: R,
    finder: Finder<'static>,
    /// Of which the first `filled` octets are the file's.
    buffer: Box<[u8]>,
    filled: usize,
    /// Where it stands in `buffer`.
    at: usize,
    /// Where `buffer` begins in the file.
    start: u64,
    has_begun: bool,
    is_at_end: bool,
}

impl<R: Read> Window<R> {
    pub fn over(input: R) -> Self {
        let finder = Finder::new(MARK);
        let buffer = vec![0; CHUNK].into_boxed_slice();
        Window { input, finder, buffer, filled: 0, at: 0, start: 0, has_begun: false, is_at_end: false }
    }

    /// Moves on to the next line that begins with `From `; the first one is the first line that is not empty,
    /// whatever it begins with. False at the end of the file.
    pub fn next(&mut self) -> io::Result<bool> {
        if self.has_begun { self.find() } else { self.begin() }
    }

    /// Lets more be seen of what follows. False if there is no more, or enough is seen.
    pub fn widen(&mut self) -> io::Result<bool> {
        let is_wider = self.filled - self.at < AHEAD && !self.is_at_end;
        if is_wider {
            self.read_on()?;
        }
        Ok(is_wider)
    }

    fn begin(&mut self) -> io::Result<bool> {
        self.has_begun = true;
        self.read_on()?;
        self.at =
            self.buffer[..self.filled].iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
        Ok(self.at < self.filled)
    }

    fn find(&mut self) -> io::Result<bool> {
        loop {
            if let Some(distance) = self.finder.find(&self.buffer[self.at..self.filled]) {
                self.at += distance + 1;
                return Ok(true);
            }
            // A part of the mark may stand at the end already.
            self.at = self.at.max(self.filled.saturating_sub(MARK.len() - 1));
            if self.is_at_end {
                self.at = self.filled;
                return Ok(false);
            }
            self.read_on()?;
        }
    }

    /// Drops what lies behind and reads until the buffer is full or the file at its end.
    fn read_on(&mut self) -> io::Result<()> {
        let dropped = self.at.saturating_sub(BEHIND);
        self.buffer.copy_within(dropped..self.filled, 0);
        self.filled -= dropped;
        self.at -= dropped;
        self.start += dropped as u64;
        while self.filled < CHUNK && !self.is_at_end {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.is_at_end = true,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl<R> Window<R> {
    /// Where it stands in the file.
    pub fn offset(&self) -> u64 {
        self.start + self.at as u64
    }

    /// What follows, the line itself included, as far as it can be seen.
    pub fn ahead(&self) -> &[u8] {
        &self.buffer[self.at..self.filled.min(self.at + AHEAD)]
    }

    /// Whether the file goes on behind what can be seen.
    pub fn is_cut(&self) -> bool {
        self.filled - self.at > AHEAD || !self.is_at_end
    }

    /// Whether an empty line, or nothing, stands before.
    pub fn is_behind_an_empty_line(&self) -> bool {
        let behind = &self.buffer[..self.at];
        behind.ends_with(b"\n\n")
            || behind.ends_with(b"\n\r\n")
            || self.start == 0 && matches!(behind, b"" | b"\n" | b"\r\n")
    }
}
