//! The message on standard input, whole.

use anyhow::{Context, Result, bail, ensure};
use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::fs::fstat;
use rustix::io::Errno;

use crate::deadline::Deadline;
use crate::message::Arrival;

/// What a pipe hands over at once.
const CHUNK: usize = 64 * 1024;

/// Reads all of standard input, to its very end: a host counts unread input as delivered.
///
/// # Errors
/// Nothing came, which is what a filter that failed before us looks like; the time ran out; memory is
/// short (the buffers grow by asking, since a failed allocation would end in a signal, and a signal
/// bounces mail under Exim and Courier); the system reports a failure.
pub fn read(deadline: &Deadline) -> Result<Vec<u8>> {
    let message = read_all(std::io::stdin(), deadline).context("standard input")?;
    ensure!(!Arrival::read(&message).message.is_empty(), "empty input; nothing was stored");
    Ok(message)
}

fn read_all(input: impl AsFd, deadline: &Deadline) -> Result<Vec<u8>> {
    let mut message = Vec::new();
    // A regular file or a memfd of ours tells its length; one octet more shows its end.
    let told = fstat(&input).map_or(0, |stat| usize::try_from(stat.st_size).unwrap_or(0));
    reserve(&mut message, told.saturating_add(1).max(CHUNK))?;
    loop {
        if message.len() == message.capacity() {
            let more = message.len();
            reserve(&mut message, more)?;
        }
        deadline.wait(&input, PollFlags::IN)?;
        match rustix::io::read(&input, rustix::buffer::spare_capacity(&mut message)) {
            Ok(0) => return Ok(message),
            Ok(_) | Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => bail!(errno),
        }
    }
}

/// Room for `more` bytes, or an error instead of an abort.
///
/// # Errors
/// There is not so much memory.
pub fn reserve(buffer: &mut Vec<u8>, more: usize) -> Result<()> {
    buffer.try_reserve_exact(more).with_context(|| format!("no memory for {more} more octets"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_pipe_is_read_to_its_end() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let message = vec![b'x'; 3 * CHUNK + 1];
        let expected = message.clone();
        let writing = std::thread::spawn(move || writer.write_all(&message).unwrap());
        assert_eq!(read_all(&reader, &Deadline::start()).unwrap(), expected);
        writing.join().unwrap();
    }

    #[test]
    fn a_writer_that_stalls_meets_the_deadline() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"From: a").unwrap();
        assert!(read_all(&reader, &Deadline::after(Duration::from_millis(20))).is_err());
    }
}
