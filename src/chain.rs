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
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::fs::{MemfdFlags, OFlags, fcntl_getfl, fstat, memfd_create};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use crate::deadline::Deadline;

/// The programs of this crate: looked up beside the running one only. `deliver` is also the name of
/// programs of Cyrus and Dovecot, and an upgrade in progress must not hand mail to them by accident.
const OURS: [&str; 7] =
    ["is-encrypted", "encrypt-to-self", "deliver", "purge-old", "tls-audit", "encrypt-old", "unseal"];

/// Hands `output`, the pieces of one message, to `command`, or to standard output where there is none.
///
/// Returns only without a command, or to say why it could not.
///
/// # Errors
/// The command is not there or cannot be started, the host's file size limit is too small, memory is
/// short, the reader went away, the time ran out.
pub fn hand_on(output: &[&[u8]], command: &[OsString], deadline: &Deadline) -> Result<()> {
    let Some((program, arguments)) = command.split_first() else {
        return write_out(output, deadline).context("standard output");
    };
    let path = find(program)?;
    let message = in_memory(output)?;
    deadline.check()?;
    let error = Command::new(&path).args(arguments).stdin(Stdio::from(message)).exec();
    Err(error).with_context(|| format!("{}: not started", path.display()))
}

/// Writes to standard output, which may be a pipe whose reader is slow.
fn write_out(output: &[&[u8]], deadline: &Deadline) -> Result<()> {
    let stdout = io::stdout();
    ensure!(!leads_nowhere(&stdout), "closed; nobody would read the message");
    for piece in output {
        let mut rest = *piece;
        while !rest.is_empty() {
            deadline.wait(&stdout, PollFlags::OUT)?;
            match rustix::io::write(&stdout, rest) {
                Ok(written) => rest = &rest[written..],
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
    Ok(())
}

/// Whether `fd` is /dev/null, open for reading and writing: what Rust's start-up puts where a standard
/// stream is closed, and daemons where there is none. A shell's `>/dev/null` is for writing only.
fn leads_nowhere(fd: impl AsFd) -> bool {
    let null = rustix::fs::makedev(1, 3);
    fstat(&fd).is_ok_and(|stat| stat.st_rdev == null)
        && fcntl_getfl(&fd).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR)
}

fn in_memory(output: &[&[u8]]) -> Result<File> {
    let length: usize = output.iter().map(|piece| piece.len()).sum();
    within_file_size_limit(length)?;
    let mut file = memfd().context("memory for the output")?;
    for piece in output {
        file.write_all(piece).context("memory for the output")?;
    }
    file.rewind().context("memory for the output")?;
    Ok(file)
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
/// and a write beyond it may end in a signal.
///
/// # Errors
/// `length` octets are more than it allows.
pub fn within_file_size_limit(length: usize) -> Result<()> {
    let limit = getrlimit(Resource::Fsize).current;
    ensure!(
        limit.is_none_or(|limit| length as u64 <= limit),
        "{length} octets are more than the host's file size limit of {} (Postfix: mailbox_size_limit); raise it",
        limit.unwrap_or(u64::MAX)
    );
    Ok(())
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
