//! The message on standard input, whole.

use anyhow::{Context, Result, ensure};
use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::fs::{FileType, fstat, tell};
use rustix::io::Errno;

use crate::deadline::Deadline;
use crate::message::{Arrival, Entity};

/// What a pipe hands over at once.
const CHUNK: usize = 64 * 1024;

/// What is read at once where most is let go: it stays in the processor's cache.
const PIECE: usize = 128 * 1024;

/// What a filter that failed before us leaves.
const EMPTY: &str = "standard input: empty input; nothing was stored";

/// Reads all of standard input, to its very end: a host counts unread input as delivered.
///
/// # Errors
/// Nothing came, which is what a filter that failed before us looks like; the time ran out; memory is
/// short (the buffers grow by asking: an allocation that fails unasked ends the program there, see `exit`);
/// the system reports a failure.
pub fn read(deadline: &Deadline) -> Result<Vec<u8>> {
    let mut message = begin(deadline)?;
    go_on(&mut message, deadline)?;
    Ok(message)
}

/// Reads what comes first, at most 64 KiB: of most mail that is enough to say what it is.
///
/// # Errors
/// As for `read`.
pub fn begin(deadline: &Deadline) -> Result<Vec<u8>> {
    let mut message = Vec::new();
    read_beginning(std::io::stdin(), &mut message, deadline).context("standard input")?;
    ensure!(!message.is_empty(), EMPTY);
    Ok(message)
}

/// Reads what follows a beginning, to the very end.
///
/// # Errors
/// As for `read`.
pub fn go_on(message: &mut Vec<u8>, deadline: &Deadline) -> Result<()> {
    read_rest(std::io::stdin(), message, deadline).context("standard input")?;
    ensure!(!Arrival::read(message).message.is_empty(), EMPTY);
    Ok(())
}

/// Reads what follows a beginning, to the very end. `look` is called with what came behind the first `at` octets and
/// was not let go, and says how much of it, from its beginning, is let go now, and whether to go on so.
///
/// # Errors
/// As for `read`.
pub fn go_through(
    message: &mut Vec<u8>,
    at: usize,
    deadline: &Deadline,
    look: impl FnMut(&[u8]) -> (usize, bool),
) -> Result<()> {
    read_through(std::io::stdin(), message, at, deadline, look).context("standard input")
}

/// Reads as far as it takes to have the header section whole: the beginning, or everything.
///
/// # Errors
/// As for `read`.
pub fn header_section(deadline: &Deadline) -> Result<Vec<u8>> {
    let mut message = begin(deadline)?;
    if !holds_header_section(Arrival::read(&message).message) {
        go_on(&mut message, deadline)?;
    }
    Ok(message)
}

/// Whether the header section ends in what was read so far: at an empty line, or before a whole line that is
/// no field.
fn holds_header_section(beginning: &[u8]) -> bool {
    let entity = Entity::split(beginning);
    !entity.separator.is_empty() || entity.body.contains(&b'\n')
}

/// What follows a beginning that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing: all is in memory.
    Nothing,
    /// So many octets of the file that standard input is, from here on.
    InFile { from: u64, length: u64 },
    /// What the pipe that standard input is has still to bring. Whoever does not want it has to pass over it.
    InPipe,
}

/// What follows a beginning, left where it is: in a file or in a pipe. Anything else is read.
///
/// # Errors
/// As for `read`.
pub fn rest(message: &mut Vec<u8>, deadline: &Deadline) -> Result<Rest> {
    if is_whole(message) {
        return Ok(Rest::Nothing);
    }
    let input = std::io::stdin();
    let state = fstat(&input).context("standard input")?;
    match FileType::from_raw_mode(state.st_mode) {
        FileType::RegularFile => {}
        FileType::Fifo => return Ok(Rest::InPipe),
        _ => {
            go_on(message, deadline)?;
            return Ok(Rest::Nothing);
        }
    }
    let from = tell(&input).context("standard input")?;
    let length = u64::try_from(state.st_size).unwrap_or(0).saturating_sub(from);
    Ok(if length == 0 { Rest::Nothing } else { Rest::InFile { from, length } })
}

/// Passes over what follows, to the very end. A file has no writer that would see it closed too early.
///
/// # Errors
/// The time ran out, or the system reports a failure.
pub fn discard(deadline: &Deadline) -> Result<()> {
    let input = std::io::stdin();
    if fstat(&input).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_file()) {
        return Ok(());
    }
    let mut rest = Vec::with_capacity(CHUNK);
    while read_once(&input, &mut rest, deadline).context("standard input")? > 0 {
        rest.clear();
    }
    Ok(())
}

fn read_beginning(input: impl AsFd, message: &mut Vec<u8>, deadline: &Deadline) -> Result<()> {
    reserve(message, CHUNK)?;
    while message.len() < message.capacity() && read_once(&input, message, deadline)? > 0 {}
    Ok(())
}

/// Whether the end came before the room for a beginning was full.
fn is_whole(beginning: &Vec<u8>) -> bool {
    beginning.len() < beginning.capacity()
}

fn read_rest(input: impl AsFd, message: &mut Vec<u8>, deadline: &Deadline) -> Result<()> {
    if is_whole(message) {
        return Ok(());
    }
    read_to_end(input, message, deadline)
}

fn read_through(
    input: impl AsFd,
    message: &mut Vec<u8>,
    at: usize,
    deadline: &Deadline,
    mut look: impl FnMut(&[u8]) -> (usize, bool),
) -> Result<()> {
    if is_whole(message) {
        return Ok(());
    }
    // `at` is a place in what was read before, and never more is let go than was looked at.
    let mut goes_on = true;
    while goes_on {
        reserve(message, PIECE)?;
        if read_once(&input, message, deadline)? == 0 {
            return Ok(());
        }
        let let_go;
        (let_go, goes_on) = look(&message[at..]);
        message.copy_within(at + let_go.., at);
        message.truncate(message.len() - let_go);
    }
    read_to_end(input, message, deadline)
}

fn read_to_end(input: impl AsFd, message: &mut Vec<u8>, deadline: &Deadline) -> Result<()> {
    // A regular file or a memfd of ours tells how much there is; one octet more shows its end.
    let length = fstat(&input).map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0));
    let more = length.saturating_sub(tell(&input).unwrap_or(0)).saturating_add(1);
    reserve(message, usize::try_from(more)?.max(CHUNK))?;
    while read_once(&input, message, deadline)? > 0 {
        if message.len() == message.capacity() {
            let more = message.len();
            reserve(message, more)?;
        }
    }
    Ok(())
}

/// Reads into the free capacity, of which there is some. Nothing read is the end.
fn read_once(input: impl AsFd, message: &mut Vec<u8>, deadline: &Deadline) -> Result<usize> {
    loop {
        deadline.wait(&input, PollFlags::IN)?;
        match rustix::io::read(&input, rustix::buffer::spare_capacity(message)) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            other => return Ok(other?),
        }
    }
}

/// What the work on a message takes besides the message: two chunks of 4 MiB that the OpenPGP library takes
/// without asking, and some more, in octets.
const WORKING_MEMORY: usize = 16 << 20;

/// Asks for the memory that all later steps take without asking. Of `copied` octets of the message three copies
/// may be made: of a part without its transfer encoding, without tags, and without blank lines.
///
/// # Errors
/// There is not so much memory.
pub fn ask_for_working_memory(copied: usize) -> Result<()> {
    ask_for_memory(copied.saturating_mul(3).saturating_add(WORKING_MEMORY))
}

/// Asks for memory that will be taken without asking. An allocation that fails unasked ends the program there (see
/// `exit`), without a line of ours, and leaves behind what it was at.
///
/// # Errors
/// There are not so many `octets` of it.
pub fn ask_for_memory(octets: usize) -> Result<()> {
    let mut room = Vec::new();
    reserve(&mut room, octets)?;
    // The compiler takes out a buffer that nobody uses, and the question with it.
    std::hint::black_box(&mut room);
    Ok(())
}

/// Room for `more` bytes, or an error instead of an abort.
///
/// # Errors
/// There is not so much memory.
pub fn reserve(buffer: &mut Vec<u8>, more: usize) -> Result<()> {
    ensure!(buffer.try_reserve_exact(more).is_ok(), "no memory for {more} more octets");
    Ok(())
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
        let mut read = Vec::new();
        read_beginning(&reader, &mut read, &Deadline::start()).unwrap();
        assert_eq!(read, expected[..CHUNK]);
        read_rest(&reader, &mut read, &Deadline::start()).unwrap();
        assert_eq!(read, expected);
        writing.join().unwrap();
    }

    #[test]
    fn what_is_let_go_is_not_kept() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let message: Vec<u8> = (0..5 * CHUNK + 1).map(|n| (n / 7) as u8).collect();
        let sent = message.clone();
        let writing = std::thread::spawn(move || writer.write_all(&sent).unwrap());
        let mut read = Vec::new();
        read_beginning(&reader, &mut read, &Deadline::start()).unwrap();
        let (at, mut let_go, mut longest) = (1000, 0, 0);
        read_through(&reader, &mut read, at, &Deadline::start(), |text| {
            longest = longest.max(text.len());
            assert_eq!(text, &message[at + let_go..][..text.len()]);
            let_go += text.len() / 10 * 10;
            (text.len() / 10 * 10, let_go < 3 * CHUNK)
        })
        .unwrap();
        assert_eq!(read, [&message[..at], &message[at + let_go..]].concat());
        assert!(longest <= CHUNK + PIECE, "{longest}");
        writing.join().unwrap();
    }

    #[test]
    fn a_writer_that_stalls_meets_the_deadline() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"From: a").unwrap();
        let deadline = Deadline::after(Duration::from_millis(20));
        assert!(read_beginning(&reader, &mut Vec::new(), &deadline).is_err());
    }
}
