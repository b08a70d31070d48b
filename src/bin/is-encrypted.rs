//! Tests whether a message is end-to-end encrypted; the exit status is the answer.

use std::process::ExitCode;

use selfseal::cli::is_encrypted::{Arguments, report};
use selfseal::deadline::Deadline;
use selfseal::message::Arrival;
use selfseal::{chain, exit, input, kind};

fn main() -> ExitCode {
    exit::delivery("is-encrypted", |arguments: Arguments| {
        let deadline = Deadline::start();
        let bytes = input::read(&deadline)?;
        let verdict = kind::of(Arrival::read(&bytes).message);
        if let Some(form) = arguments.print {
            chain::hand_on(&[report(&verdict, form).as_bytes()], &[], &deadline)?;
        }
        Ok(u8::from(!verdict.kind.is_encrypted()))
    })
}
