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
        if self.span.is_empty() {
            return None;
        }
        let portion = portion(self.file, self.span.clone());
        match &portion {
            Ok(bytes) if !bytes.is_empty() => self.span.start += bytes.len() as u64,
            _ => self.span.end = self.span.start,
        }
        portion.map(|bytes| Some(bytes).filter(|bytes| !bytes.is_empty())).transpose()
    }
}

/// What stands in `file` from the beginning of `span` on, as much as comes at once; nothing at the end of the file.
fn portion(file: &OwnedFd, span: Range<u64>) -> io::Result<Vec<u8>> {
    let length = usize::try_from(span.end - span.start).unwrap_or(PORTION).min(PORTION);
    let mut bytes = Vec::new();
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

fn read_at(file: &OwnedFd, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    loop {
        match rustix::io::pread(file, &mut *buffer, at) {
            Err(Errno::INTR) => {}
            read => return Ok(read?),
        }
    }
}

/// Reads what stands at `at` into `buffer`, as much as comes at once and at least an octet.
///
/// # Errors
/// The file ends there, or the system fails.
pub fn read_part(file: &OwnedFd, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    match read_at(file, buffer, at)? {
        0 => Err(io::Error::new(ErrorKind::UnexpectedEof, "became shorter in spite of its locks")),
        read => Ok(read),
    }
}
