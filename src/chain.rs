//! The way to the next program: output to a memfd, which becomes its standard input, and exec.
//!
//! `/bin/sh` returns only the last program's status, so in a pipe a filter that fails looks like an empty
//! message and success. Here one process follows the other in the same place: the next program can never
//! see a cut-off message, and the host sees the status of whichever program failed.
//!
//! What a program changes about itself, the next one inherits; `Command` puts back the SIGPIPE that Rust
//! ignores from its start. Nothing is written to a disk on the way.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::fs::{FileType, MemfdFlags, OFlags, fcntl_getfl, fstat, memfd_create, sendfile, tell};
use rustix::io::Errno;
use rustix::pipe::{SpliceFlags, splice};
use rustix::process::{Resource, getrlimit};

use crate::deadline::Deadline;
use crate::input::Rest;

/// The programs of this crate: looked up beside the running one only. `deliver` is also the name of
/// programs of Cyrus and Dovecot, and an upgrade in progress must not hand mail to them by accident.
const OURS: [&str; 7] =
    ["is-encrypted", "encrypt-to-self", "deliver", "purge-old", "tls-audit", "encrypt-old", "unseal"];

/// What is copied by way of a buffer at once, in octets.
const PIECE: usize = 128 * 1024;

/// What a pipe or a socket that can be written to takes without waiting for its reader (pipe(7), PIPE_BUF).
const AT_ONCE: usize = 4096;

/// What the kernel copies at once: the most that a pipe holds, unless root made it larger.
const PIPE: usize = 1 << 20;

/// Hands `message` to `command`, or to standard output where there is none.
///
/// Returns only without a command, or to say why it could not.
///
/// # Errors
/// The command is not there or cannot be started, the host's file size limit is too small, memory is
/// short, the reader went away, the time ran out.
pub fn hand_on(message: &[u8], command: &[OsString], deadline: &Deadline) -> Result<()> {
    if command.is_empty() {
        return takes(message.len() as u64)
            .and_then(|()| write_out(message, deadline))
            .context("standard output");
    }
    let mut output = Output::begin()?;
    output.write_all(message)?;
    output.hand_on(command, deadline)
}

/// Hands on a message of pieces: some octets, and what follows them on standard input.
///
/// Returns only without a command, or to say why it could not. What a file holds goes from there to where it
/// belongs without a copy here.
///
/// # Errors
/// As for `hand_on`; the file cannot be read to its end, which is found out before the first octet is
/// written to standard output.
pub fn hand_on_pieces(pieces: &[&[u8]], rest: Rest, command: &[OsString], deadline: &Deadline) -> Result<()> {
    // What a pipe brings is nowhere before it is read, and no octet may leave before the last one came.
    if !command.is_empty() || rest == Rest::InPipe {
        let mut output = Output::begin()?;
        for piece in pieces {
            output.write_all(piece)?;
        }
        output.append(rest, deadline)?;
        return output.hand_on(command, deadline);
    }
    let behind = match rest {
        Rest::InFile { from, length } => from..from + length,
        Rest::Nothing | Rest::InPipe => 0..0,
    };
    can_be_read(behind.clone(), deadline).context("standard input")?;
    let length = pieces.iter().map(|piece| piece.len() as u64).sum::<u64>() + (behind.end - behind.start);
    takes(length)
        .and_then(|()| pieces.iter().try_for_each(|piece| write_out(piece, deadline)))
        .and_then(|()| copy(io::stdin(), behind, io::stdout(), deadline))
        .context("standard output")
}

/// A message in the making: a file in memory, never on a disk. Nobody sees it before it is whole.
#[derive(Debug)]
pub struct Output {
    file: File,
    /// The host's file size limit, and what it still allows. It holds for files in memory too, and what goes
    /// beyond it is written in part.
    limit: u64,
    room: u64,
}

impl Output {
    /// # Errors
    /// The kernel has no more files.
    pub fn begin() -> Result<Self> {
        let limit = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
        Ok(Output { file: memfd().context("memory for the output")?, limit, room: limit })
    }

    /// Appends what follows on standard input.
    ///
    /// # Errors
    /// The host's file size limit is too small, the file cannot be read, the time ran out.
    fn append(&mut self, rest: Rest, deadline: &Deadline) -> Result<()> {
        match rest {
            Rest::Nothing => Ok(()),
            Rest::InPipe => self.take_pages(deadline),
            Rest::InFile { from, length } => {
                let room = self.room.checked_sub(length);
                self.room = room.with_context(|| beyond(self.limit))?;
                copy(io::stdin(), from..from + length, &self.file, deadline)
            }
        }
        .context("memory for the output")
    }

    /// Has the kernel copy what a pipe brings, to its end.
    fn take_pages(&mut self, deadline: &Deadline) -> Result<()> {
        let stdin = io::stdin();
        loop {
            deadline.wait(&stdin, PollFlags::IN)?;
            // At the host's limit nothing can be written: there an octet is read, if there is one.
            let most = usize::try_from(self.room).unwrap_or(PIPE).min(PIPE);
            if most == 0 {
                return self.read_pipe(deadline);
            }
            match splice(&stdin, None, &self.file, None, most, SpliceFlags::NONBLOCK) {
                Ok(0) => return Ok(()),
                Ok(taken) => self.room -= taken as u64,
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(Errno::INVAL | Errno::NOSYS) => return self.read_pipe(deadline),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn read_pipe(&mut self, deadline: &Deadline) -> Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            deadline.wait(io::stdin(), PollFlags::IN)?;
            match rustix::io::read(io::stdin(), &mut piece) {
                Ok(0) => return Ok(()),
                Ok(length) => self.write_all(&piece[..length])?,
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Hands the whole message to `command`, or to standard output where there is none.
    ///
    /// Returns only without a command, or to say why it could not.
    ///
    /// # Errors
    /// The command is not there or cannot be started, the reader went away, the time ran out.
    pub fn hand_on(mut self, command: &[OsString], deadline: &Deadline) -> Result<()> {
        self.file.rewind().context("memory for the output")?;
        match command.split_first() {
            Some((program, arguments)) => become_next(program, arguments, self.file, deadline),
            None => copy_out(&self.file, deadline).context("standard output"),
        }
    }
}

impl Write for Output {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let room = self.room.checked_sub(octets.len() as u64);
        self.room = room.ok_or_else(|| io::Error::other(beyond(self.limit)))?;
        self.file.write_all(octets)?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn become_next(program: &OsStr, arguments: &[OsString], message: File, deadline: &Deadline) -> Result<()> {
    let path = find(program)?;
    deadline.check()?;
    let error = Command::new(&path).args(arguments).stdin(Stdio::from(message)).exec();
    Err(error).with_context(|| format!("{}: not started", path.display()))
}

fn copy_out(message: &File, deadline: &Deadline) -> Result<()> {
    let length = message.metadata()?.len();
    takes(length)?;
    copy(message, 0..length, io::stdout(), deadline)
}

/// Reads octets of the file that standard input is, and keeps none. A part of a message would look
/// like a whole one to the next program, so a file that breaks off is found out before anything is written.
fn can_be_read(span: Range<u64>, deadline: &Deadline) -> Result<()> {
    let mut piece = vec![0; PIECE];
    let mut at = span.start;
    while at < span.end {
        deadline.check()?;
        match rustix::io::pread(io::stdin(), &mut piece, at) {
            Ok(0) => bail!("the file grew shorter while it was read"),
            Ok(read) => at += read as u64,
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Copies octets of `file` to `out`.
fn copy(file: impl AsFd, span: Range<u64>, out: impl AsFd, deadline: &Deadline) -> Result<()> {
    let mut at = span.start;
    while at < span.end {
        deadline.wait(&out, PollFlags::OUT)?;
        let most = usize::try_from(span.end - at)?.min(PIPE);
        match move_pages(&file, &mut at, &out, most) {
            Ok(0) => bail!("the file grew shorter while it was read"),
            Ok(_) | Err(Errno::INTR | Errno::AGAIN) => {}
            // A file opened for appending, and whatever else takes no pages.
            Err(Errno::INVAL | Errno::NOSYS) => return copy_piecewise(file, at..span.end, out, deadline),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Moves pages to a pipe, never waiting for a slow reader, or has the kernel copy them to a file.
fn move_pages(file: impl AsFd, at: &mut u64, out: impl AsFd, most: usize) -> rustix::io::Result<usize> {
    match splice(&file, Some(at), &out, None, most, SpliceFlags::NONBLOCK) {
        Err(Errno::INVAL) if !waits_for_a_reader(&out) => sendfile(&out, &file, Some(at), most),
        other => other,
    }
}

fn copy_piecewise(file: impl AsFd, span: Range<u64>, out: impl AsFd, deadline: &Deadline) -> Result<()> {
    let mut piece = vec![0; PIECE];
    let mut at = span.start;
    while at < span.end {
        let length = match rustix::io::pread(&file, &mut piece, at) {
            Err(Errno::INTR | Errno::AGAIN) => continue,
            other => other?,
        };
        ensure!(length > 0, "the file grew shorter while it was read");
        let length = length.min(usize::try_from(span.end - at)?);
        write_all(&out, &piece[..length], deadline)?;
        at += length as u64;
    }
    Ok(())
}

/// Writes to standard output, which may be a pipe whose reader is slow, or a file.
fn write_out(message: &[u8], deadline: &Deadline) -> Result<()> {
    write_all(io::stdout(), message, deadline)
}

fn write_all(out: impl AsFd, message: &[u8], deadline: &Deadline) -> Result<()> {
    let most = if waits_for_a_reader(&out) { AT_ONCE } else { usize::MAX };
    let mut rest = message;
    while !rest.is_empty() {
        deadline.wait(&out, PollFlags::OUT)?;
        match rustix::io::write(&out, &rest[..rest.len().min(most)]) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Whether a write may wait until somebody has read, for longer than the deadline.
fn waits_for_a_reader(out: impl AsFd) -> bool {
    fstat(&out).is_ok_and(|state| {
        matches!(FileType::from_raw_mode(state.st_mode), FileType::Fifo | FileType::Socket)
    })
}

/// Whether standard output will take `length` octets, asked before the first is written: somebody has to
/// read them, and of what goes beyond the host's limit a file would hold a part.
fn takes(length: u64) -> Result<()> {
    let stdout = io::stdout();
    ensure!(!leads_nowhere(&stdout), "closed; nobody would read the message");
    let state = fstat(&stdout)?;
    if !FileType::from_raw_mode(state.st_mode).is_file() {
        return Ok(());
    }
    let appends = fcntl_getfl(&stdout)?.contains(OFlags::APPEND);
    let at = if appends { u64::try_from(state.st_size)? } else { tell(&stdout)? };
    within_file_size_limit(usize::try_from(at.saturating_add(length))?)
}

/// Whether `fd` is /dev/null, open for reading and writing: what Rust's start-up puts where a standard
/// stream is closed, and daemons where there is none. A shell's `>/dev/null` is for writing only.
fn leads_nowhere(fd: impl AsFd) -> bool {
    let null = rustix::fs::makedev(1, 3);
    fstat(&fd).is_ok_and(|stat| stat.st_rdev == null)
        && fcntl_getfl(&fd).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR)
}

/// A file in memory that nothing can execute. A kernel before 6.3 does not know that seal.
fn memfd() -> Result<File> {
    let name = "selfseal";
    let descriptor = match memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => memfd_create(name, MemfdFlags::CLOEXEC),
        other => other,
    }?;
    Ok(descriptor.into())
}

/// Asks for the host's file size limit before anything is written, since it holds for files in memory too
/// and what goes beyond it is written in part.
///
/// # Errors
/// `length` octets are more than it allows.
pub fn within_file_size_limit(length: usize) -> Result<()> {
    let limit = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
    ensure!(length as u64 <= limit, "{length} octets are {}", beyond(limit));
    Ok(())
}

fn beyond(limit: u64) -> String {
    format!("more than the host's file size limit of {limit} (Postfix: mailbox_size_limit); raise it")
}

/// Where `program` is: as given when it has a slash, beside the running program when it is one of ours,
/// else the first executable file of that name in PATH.
///
/// # Errors
/// It is not there.
fn find(program: &OsStr) -> Result<PathBuf> {
    if program.as_encoded_bytes().contains(&b'/') {
        return Ok(program.into());
    }
    if OURS.iter().any(|name| *name == program) {
        let here = std::env::current_exe().context("/proc/self/exe")?;
        let path = here.with_file_name(program);
        ensure!(
            is_executable(&path),
            "{} is missing; install selfseal's programs side by side",
            path.display()
        );
        return Ok(path);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        // An empty or relative entry means whatever directory the host happens to stand in.
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(program))
        .find(|path| is_executable(path))
        .with_context(|| format!("{} is not in PATH; give its absolute path", program.display()))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_reader_that_stalls_meets_the_deadline() {
        let message = vec![b'x'; 1 << 20];
        let mut file = memfd().unwrap();
        file.write_all(&message).unwrap();
        let soon = || Deadline::after(Duration::from_millis(50));
        let (_reader, pipe) = io::pipe().unwrap();
        assert!(write_all(&pipe, &message, &soon()).is_err());
        assert!(copy(&file, 0..message.len() as u64, &pipe, &soon()).is_err());
        let (_reader, socket) = UnixStream::pair().unwrap();
        assert!(write_all(&socket, &message, &soon()).is_err());
        assert!(copy(&file, 0..message.len() as u64, &socket, &soon()).is_err());
    }

    #[test]
    fn a_reader_that_is_slow_gets_all_of_it() {
        let message: Vec<u8> = (0..1 << 20).map(|n: u32| n as u8).collect();
        let mut file = memfd().unwrap();
        file.write_all(&message).unwrap();
        let (mut reader, writer) = UnixStream::pair().unwrap();
        let reading = std::thread::spawn(move || {
            let mut read = Vec::new();
            io::Read::read_to_end(&mut reader, &mut read).map(|_| read).unwrap()
        });
        copy(&file, 0..message.len() as u64, &writer, &Deadline::start()).unwrap();
        write_all(&writer, &message, &Deadline::start()).unwrap();
        drop(writer);
        assert!(reading.join().unwrap() == message.repeat(2));
    }
}
