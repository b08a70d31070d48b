//! What a recipe's test has to know of a host: how to send, and what became of it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::world::readable::files;
use crate::world::smtp::{Session, Transfer};

/// A running host on this machine.
pub trait Host {
    /// Offers a message as a stranger does; an error is the refusal. By SMTP, unless a host fetches its mail.
    fn offer(&self, sender: &[u8], recipient: &[u8], message: &[u8], by: Transfer) -> Result<(), String> {
        let mut session = Session::open(25).expect("the host listens");
        session.offer(sender, recipient, message, by).map(drop)
    }

    /// Whether whoever sends chooses a name here. Mail that a program fetches comes under none.
    fn has_names(&self) -> bool {
        true
    }

    /// How many messages wait: in the queue, or on the server that a program fetches from.
    fn waiting(&self) -> usize;

    /// Waits until the host has tried everything that it took.
    fn settle(&self);

    /// Lets the host try everything again that waits, and waits until it did.
    fn retry(&self);

    /// Makes the host wait for a program for a moment only, or (false) as it did before.
    fn hurry(&self, _on: bool) {}

    /// Takes out of the queue what waits there: for names that nobody will ever have.
    fn forget(&self);

    /// What Bob was told since the last question: his mail, which is not sealed.
    fn told(&self) -> Vec<Vec<u8>> {
        let mut told = Vec::new();
        for (path, bytes) in files(Path::new("/home/bob/Maildir")) {
            fs::remove_file(path).expect("removed");
            told.push(bytes);
        }
        let spool = fs::read("/var/mail/bob").unwrap_or_default();
        let _ = fs::remove_file("/var/mail/bob");
        let mut begins: Vec<_> = memchr::memmem::find_iter(&spool, b"\n\nFrom ").map(|at| at + 2).collect();
        begins.insert(0, 0);
        begins.push(spool.len());
        told.extend(
            begins.windows(2).map(|ends| spool[ends[0]..ends[1]].to_vec()).filter(|mail| !mail.is_empty()),
        );
        told
    }
}

/// Sends a message from a program of this machine, by sendmail(1), and waits for what becomes of it.
#[track_caller]
pub fn submit(host: &dyn Host, recipients: &[&str], message: &[u8]) {
    let mut sendmail = Command::new("/usr/sbin/sendmail");
    sendmail.args(["-i", "-f", "bob@host.example"]).args(recipients).stdin(Stdio::piped());
    let mut sendmail = sendmail.spawn().expect("sendmail");
    sendmail.stdin.take().expect("a pipe").write_all(message).expect("all of it");
    assert!(sendmail.wait().expect("an end").success());
    host.settle();
}
