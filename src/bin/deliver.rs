//! Stores one message; what that means is in `store`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::{Context, ensure};
use selfseal::cli::deliver::Arguments;
use selfseal::deadline::Deadline;
use selfseal::message::{Arrival, Entity};
use selfseal::store::{self, dest::Dest, maildir, mbox, smtp};
use selfseal::{envelope, exit, input};

fn main() -> ExitCode {
    exit::delivery("deliver", |arguments: Arguments| {
        let deadline = Deadline::start();
        let input = input::read(&deadline)?;
        let arrival = Arrival::read(&input);
        ensure!(!arrival.message.is_empty(), "empty input but for a From line; nothing was stored");
        store::refuse_root()?;
        match Dest::named(arguments.destination.as_deref())? {
            Dest::Maildir(path) => maildir::store(&path, arrival.message, &deadline)?,
            Dest::Mbox(path) => {
                let sender = envelope::sender(arguments.sender.as_deref());
                mbox::store(&path, arrival, sender.as_ref(), &deadline)?;
            }
            Dest::Server(server) => {
                let sender = envelope::sender(arguments.sender.as_deref());
                let header = Entity::split(arrival.message).header;
                let recipient = envelope::recipient(arguments.recipient.as_deref(), header)?
                    .context("no recipient: give --recipient=ADDRESS")?;
                let letter =
                    smtp::Letter { sender: sender.as_ref(), recipient: &recipient, message: arrival.message };
                smtp::deliver(&server, letter, &deadline)?;
            }
        }
        Ok(0)
    })
}
