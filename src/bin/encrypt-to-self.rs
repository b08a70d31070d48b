//! Message in, sealed message out; what is encrypted already passes unchanged.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Result, bail};
use selfseal::cli::encrypt_to_self::{Arguments, NoCert};
use selfseal::deadline::Deadline;
use selfseal::exit::Refusal;
use selfseal::message::{Arrival, Entity};
use selfseal::{cert, chain, envelope, exit, input, kind, seal};

/// `--no-cert=refuse`, to the sender.
const REFUSAL: &str = "5.7.1 this mailbox stores encrypted mail only and has no certificate to encrypt with; \
    please ask its owner to install one";

fn main() -> ExitCode {
    exit::delivery("encrypt-to-self", |arguments: Arguments| filter(&arguments).map(|()| 0))
}

fn filter(arguments: &Arguments) -> Result<()> {
    let deadline = Deadline::start();
    let arrived = input::read(&deadline)?;
    let message = Arrival::read(&arrived).message;
    if kind::of(message).kind.is_encrypted() {
        return chain::hand_on(&[&arrived], &arguments.command, &deadline);
    }
    let from = &arguments.certificates;
    let sources = from.sources();
    let recipient = match &sources.directory {
        Some(_) => envelope::recipient(from.recipient.as_deref(), Entity::split(message).header)?,
        None => None,
    };
    let readers = cert::find(&sources, recipient.as_ref(), from.expired, from.subkeys(), SystemTime::now())?;
    let output = match (readers, arguments.no_cert) {
        (Some(readers), _) => seal::seal(arrived, &arguments.manner(), &readers)?,
        (None, NoCert::Pass) => arrived,
        (None, NoCert::Refuse) => bail!(Refusal(REFUSAL.to_owned())),
        (None, NoCert::Defer) => {
            bail!("no certificate: looked in {}; put one there or give --cert", sources.places())
        }
    };
    chain::hand_on(&[&output], &arguments.command, &deadline)
}
