//! Message in, message with its TLS verdict on top out; or a report about one message or whole mailboxes.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, bail};
use selfseal::cli::tls_audit::{Arguments, Form};
use selfseal::deadline::Deadline;
use selfseal::message::{Arrival, Entity};
use selfseal::summary::{self, Look};
use selfseal::trace::{self, State};
use selfseal::{audit, chain, clock, envelope, exit, input, refusal};

const PROGRAM: &str = "tls-audit";

fn main() -> ExitCode {
    exit::delivery(PROGRAM, |arguments: Arguments| match (arguments.mailboxes()?, arguments.print) {
        (Some(mailboxes), _) => summary(&arguments, &mailboxes),
        (None, Some(form)) => print(&arguments, form),
        (None, None) => filter(&arguments),
    })
}

fn filter(arguments: &Arguments) -> Result<u8> {
    let (ours, prefix) = (arguments.ours()?, arguments.prefix()?);
    let deadline = Deadline::start();
    let mut bytes = input::header_section(&deadline)?;
    let rest = input::rest(&mut bytes, &deadline)?;
    let arrival = Arrival::read(&bytes);
    let header = Entity::split(arrival.message).header;
    let (verdict, border) = trace::arrival(header, &ours);
    if let Some(level) = arguments.level()
        && !level.passes(verdict, border.as_ref(), arguments.strict)
    {
        // Whoever cannot or should not be told gets no refusal: the mail passes, with its verdict on it.
        let sender = envelope::sender_or_trace(arguments.sender.as_deref(), &arrival);
        if refusal::spares(sender.as_ref(), header).is_none() {
            // A host counts unread input as a failure of its own.
            input::discard(&deadline)?;
            bail!(exit::Refusal(level.refusal()));
        }
    }
    // What is written below takes memory without asking.
    input::ask_for_memory(2 * header.0.len() + (1 << 16))?;
    let is_clear = verdict == State::Plain || arguments.strict && verdict == State::Unknown;
    let field = audit::field(&audit::this_host(), verdict, border.as_ref());
    let annotated = audit::annotate(&arrival, &field, prefix.as_ref().filter(|_| is_clear));
    chain::hand_on_pieces(&[&annotated.head, annotated.rest], rest, &arguments.command, &deadline)?;
    Ok(0)
}

fn print(arguments: &Arguments, form: Form) -> Result<u8> {
    let ours = arguments.ours()?;
    let deadline = Deadline::start();
    let bytes = input::header_section(&deadline)?;
    input::discard(&deadline)?;
    let header = Entity::split(Arrival::read(&bytes).message).header;
    let judgement = trace::judge(header, &ours);
    let report = match form {
        Form::Text => audit::table(&judgement),
        Form::Json => audit::json(&judgement),
    };
    chain::hand_on(report.as_bytes(), &[], &deadline)?;
    Ok(0)
}

fn summary(arguments: &Arguments, mailboxes: &[OsString]) -> Result<u8> {
    let now = clock::now();
    let figures = summary::gather(PROGRAM, mailboxes, &arguments.ours()?, now);
    if let Some(path) = &arguments.html {
        summary::write_page(path, &figures, now)?;
    }
    let report = match (arguments.json, &arguments.html) {
        (true, _) => summary::json(&figures),
        (false, Some(_)) => String::new(),
        (false, None) => summary::text(&figures, Look::of_output()),
    };
    chain::hand_on(report.as_bytes(), &[], &Deadline::start())?;
    Ok(if figures.unread > 0 { exit::NOINPUT } else { 0 })
}
