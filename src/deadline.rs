//! The time that one message may take, below the limit of any host.
//!
//! Postfix kills a command after 1,000 seconds and *bounces* the mail; OpenSMTPD's alarm rings after
//! 300. So a program gives up by itself, with a status that keeps the mail, before its host does.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::io::Errno;

/// What one program may spend on one message.
const LIMIT: Duration = Duration::from_secs(240);

/// The moment at which a program gives up.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The end of the time for the message that is being read now.
    pub fn start() -> Self {
        Deadline::after(LIMIT)
    }

    /// The moment that lies `limit` ahead.
    pub fn after(limit: Duration) -> Self {
        Deadline(Instant::now() + limit)
    }

    /// What is left; zero when it has passed.
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// # Errors
    /// The time has run out.
    pub fn check(&self) -> Result<()> {
        ensure!(!self.left().is_zero(), "took longer than {} seconds; the mail is kept", LIMIT.as_secs());
        Ok(())
    }

    /// Waits until `fd` can be read or written without blocking, or is at its end.
    ///
    /// # Errors
    /// The time has run out, or the system cannot wait.
    pub fn wait(&self, fd: impl AsFd, events: PollFlags) -> Result<()> {
        let mut fds = [PollFd::new(&fd, events)];
        loop {
            self.check()?;
            let left = Timespec::try_from(self.left())?;
            match poll(&mut fds, Some(&left)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passed_deadline_defers() {
        assert!(Deadline::start().check().is_ok());
        assert!(Deadline::after(Duration::ZERO).check().is_err());
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        assert!(Deadline::after(Duration::from_millis(1)).wait(&reader, PollFlags::IN).is_err());
    }
}
