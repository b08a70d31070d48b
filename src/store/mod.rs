//! Where a message comes to rest: a Maildir, an mbox, or another mail server.
//!
//! Success means stable storage, or another program's word for it. Each store has a table of what its
//! steps leave behind when they fail or when the machine stops there; a test fails every system call in
//! turn. So a message may come twice after a crash, and is never missing (RFC 1047). No store knows what
//! the message says.

pub mod directory;
pub mod dest;
pub mod maildir;
pub mod lock;
mod from_line;
pub mod mbox;
pub mod smtp;

use anyhow::{Context, Result, ensure};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// As root nothing is delivered: with its rights a place that a user chose could be anybody's file, and
/// what is stored there would not be that user's.
///
/// # Errors
/// The program runs as root.
pub fn refuse_root() -> Result<()> {
    ensure!(!rustix::process::geteuid().is_root(), "runs as root; let the host run it as the recipient");
    Ok(())
}

/// 64 random bits, for names and for waiting times.
///
/// # Errors
/// The kernel has none.
pub fn random() -> Result<u64> {
    let mut octets = [0; 8];
    let filled = getrandom(&mut octets, GetRandomFlags::empty()).context("random octets")?;
    ensure!(filled == octets.len(), "random octets: too few");
    Ok(u64::from_ne_bytes(octets))
}

/// Writes all of `bytes`: an interruption goes on, a short write is no success.
///
/// # Errors
/// The system reports one; a part may be written.
pub fn write_all(file: impl AsFd, bytes: &[u8]) -> rustix::io::Result<()> {
    write_counted(file, bytes).1
}

/// As [`write_all`], and how many octets were written, whatever came of it.
pub fn write_counted(file: impl AsFd, bytes: &[u8]) -> (usize, rustix::io::Result<()>) {
    let mut rest = bytes;
    let mut done = Ok(());
    while !rest.is_empty() && done.is_ok() {
        match rustix::io::write(&file, rest) {
            Ok(0) => done = Err(Errno::IO),
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            Err(errno) => done = Err(errno),
        }
    }
    (bytes.len() - rest.len(), done)
}
