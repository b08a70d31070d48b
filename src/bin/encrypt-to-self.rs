//! Message in, sealed message out; what is encrypted already passes unchanged.
#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Result, bail};
use selfseal::cert::{Readers, check, table};
use selfseal::chain::Output;
use selfseal::cli::encrypt_to_self::{Arguments, NoCert};
use selfseal::deadline::Deadline;
use selfseal::exit::Refusal;
use selfseal::message::{Arrival, Entity, Header};
use selfseal::{cert, chain, envelope, exit, forward, input, kind, refusal, seal};

/// What `--check` seals, in memory only: a certificate that parses may still not seal.
const TRIAL: &[u8] = b"Subject: trial\n\ntrial\n";

/// `--no-cert=refuse`, to the sender.
const REFUSAL: &str = "5.7.1 this mailbox stores encrypted mail only and has no certificate to encrypt with; \
    please ask its owner to install one";

fn main() -> ExitCode {
    exit::delivery("encrypt-to-self", |arguments: Arguments| {
        if arguments.check { check(&arguments) } else { filter(&arguments).map(|()| 0) }
    })
}

fn filter(arguments: &Arguments) -> Result<()> {
    let deadline = Deadline::start();
    let arrived = input::read(&deadline)?;
    let message = Arrival::read(&arrived).message;
    let header = Entity::split(message).header;
    let is_readable = kind::is_told_by_beginning(message);
    input::ask_for_working_memory(if is_readable { header.0.len() } else { message.len() })?;
    if !is_readable && kind::of(message).kind.is_encrypted() {
        return chain::hand_on(&arrived, &arguments.command, &deadline);
    }
    let from = &arguments.certificates;
    let sources = from.sources();
    let recipient = from.recipient(header)?;
    let readers = cert::find(&sources, recipient.as_ref(), from.expired, from.subkeys(), SystemTime::now())?;
    match (readers, arguments.no_cert) {
        (Some(readers), _) => {
            let mut sealed = Output::begin()?;
            seal::seal(&arrived, &arguments.manner(), &readers, &mut sealed)?;
            sealed.hand_on(&arguments.command, &deadline)
        }
        (None, NoCert::Pass) => chain::hand_on(&arrived, &arguments.command, &deadline),
        (None, NoCert::Refuse) if can_be_told(&arrived) => bail!(Refusal(REFUSAL.to_owned())),
        (None, NoCert::Refuse | NoCert::Defer) => {
            bail!("no certificate: looked in {}; put one there or give --cert", sources.places())
        }
    }
}

/// Whether a refusal reaches somebody whom it does not harm. A bounce that is refused is gone for good.
fn can_be_told(arrived: &[u8]) -> bool {
    let arrival = Arrival::read(arrived);
    let sender = envelope::sender_or_trace(None, &arrival);
    refusal::spares(sender.as_ref(), Entity::split(arrival.message).header).is_none()
}

/// For a person before the first mail and for cron after it: status 1 when something needs attention.
fn check(arguments: &Arguments) -> Result<u8> {
    let from = &arguments.certificates;
    let manner = arguments.manner();
    let trial = |readers: &Readers| seal::seal(TRIAL, &manner, readers, io::sink());
    let now = SystemTime::now();
    let (text, is_good) = match from.everybody() {
        Some(directory) => {
            let users = cert::users(&from.sources(), from.expired, from.subkeys(), now, trial);
            let is_good = users.as_ref().is_ok_and(|users| table::count_wrong(users) == 0);
            let text = if arguments.json { table::json(directory, &users) } else { table::text(&users) };
            (text, is_good)
        }
        None => {
            let (sources, recipient) = (from.sources(), from.recipient(Header(b""))?);
            let mut report =
                check::report(&sources, recipient.as_ref(), from.expired, from.subkeys(), now, trial);
            // Where there is a directory, the host's own files call the programs.
            if from.directory.is_none() {
                forward::tell(&mut report, &arguments.words()?, Arguments::hands_on);
            }
            (report.text, report.is_good)
        }
    };
    chain::hand_on(text.as_bytes(), &[], &Deadline::start())?;
    Ok(u8::from(!is_good))
}
