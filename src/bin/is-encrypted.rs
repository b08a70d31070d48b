//! Tests whether a message is end-to-end encrypted; the exit status is the answer, or the next program's.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Result, bail};
use selfseal::cli::is_encrypted::{Arguments, report};
use selfseal::deadline::Deadline;
use selfseal::kind::{Passing, Verdict};
use selfseal::message::{Arrival, Entity};
use selfseal::{cert, chain, envelope, exit, input, kind, refusal};

fn main() -> ExitCode {
    exit::delivery("is-encrypted", |arguments: Arguments| {
        arguments.check()?;
        let deadline = Deadline::start();
        let bytes = input::begin(&deadline)?;
        let status_alone = arguments.print.is_none() && !arguments.require;
        if status_alone && kind::begins_readable(Arrival::read(&bytes).message) {
            input::discard(&deadline)?;
            return Ok(1);
        }
        if arguments.require {
            return require(&arguments, bytes, &deadline);
        }
        let verdict = judge(bytes, &deadline)?;
        if let Some(form) = arguments.print {
            chain::hand_on(report(&verdict, form).as_bytes(), &[], &deadline)?;
        }
        Ok(u8::from(!verdict.kind.is_encrypted()))
    })
}

/// Judges a message that nobody wants afterwards.
fn judge(mut bytes: Vec<u8>, deadline: &Deadline) -> Result<Verdict> {
    let mut passing = Passing::begin(&bytes);
    match &mut passing {
        Some(passing) => {
            input::go_through(&mut bytes, passing.at(), deadline, |text| passing.pass(text))?;
        }
        None => input::go_on(&mut bytes, deadline)?,
    }
    input::ask_for_working_memory(bytes.len())?;
    Ok(match passing {
        Some(passing) => passing.verdict(&bytes),
        None => kind::of(Arrival::read(&bytes).message),
    })
}

/// Hands on what is encrypted, and what nobody may be told that it is not.
fn require(arguments: &Arguments, mut bytes: Vec<u8>, deadline: &Deadline) -> Result<u8> {
    input::go_on(&mut bytes, deadline)?;
    input::ask_for_working_memory(bytes.len())?;
    let arrival = Arrival::read(&bytes);
    if !kind::of(arrival.message).kind.is_encrypted() {
        refuse(arguments, &arrival)?;
    }
    chain::hand_on(&bytes, &arguments.command, deadline)?;
    Ok(0)
}

/// # Errors
/// The refusal itself, unless the sender is to be spared; what is to be offered cannot be.
fn refuse(arguments: &Arguments, arrival: &Arrival) -> Result<()> {
    let sender = envelope::sender_or_trace(arguments.sender.as_deref(), arrival);
    if refusal::spares(sender.as_ref(), Entity::split(arrival.message).header).is_some() {
        return Ok(());
    }
    let offer =
        arguments.offer.as_deref().map(|path| cert::read_minimal(path, SystemTime::now())).transpose()?;
    bail!(exit::Refusal(refusal::text(offer.as_ref(), arguments.offer_at.as_deref())))
}
