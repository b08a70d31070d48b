//! A file that is read a portion at a time, each at its place.

use std::io::{self, ErrorKind};
use std::ops::Range;

use rustix::fd::OwnedFd;
use rustix::io::Errno;

use crate::input::reserve;

/// What is read at once, at most. It stays in the processor's cache.
pub const PORTION: usize = 256 * 1024;

/// A span of a file, in portions; to the end of the file, where that comes first.
pub struct Portions<'a> {
    pub file: &'a OwnedFd,
    pub span: Range<u64>,
}

impl Iterator for Portions<'_> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        match portion(self.file, self.span.clone()) {
            Ok(bytes) if bytes.is_empty() => None,
            Ok(bytes) => {
                self.span.start += bytes.len() as u64;
                Some(Ok(bytes))
            }
            Err(error) => {
                self.span.end = self.span.start;
                Some(Err(error))
            }
        }
    }
}

/// What stands in `file` from the beginning of `span` on, as much as comes at once; nothing if the span is empty or
/// begins at the end of the file.
///
/// # Errors
/// Memory is short, or the system fails.
pub fn portion(file: &OwnedFd, span: Range<u64>) -> io::Result<Vec<u8>> {
    let length = usize::try_from(span.end - span.start).unwrap_or(PORTION).min(PORTION);
    let mut bytes = Vec::new();
    if length == 0 {
        return Ok(bytes);
    }
    reserve(&mut bytes, length).map_err(io::Error::other)?;
    loop {
        match rustix::io::pread(file, rustix::buffer::spare_capacity(&mut bytes), span.start) {
            Err(Errno::INTR) => {}
            read => {
                read?;
                bytes.truncate(length);
                return Ok(bytes);
            }
        }
    }
}

/// The file ends where it did not before.
pub fn shorter() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "became shorter in spite of its locks")
}
