//! `is-encrypted`: what can be typed, and the two forms of its report.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};

use super::encrypt_to_self;
use crate::json;
use crate::kind::{Part, Verdict};
use crate::refusal;

const AFTER: &str = "\
Examples:
  is-encrypted --print <message
  \"|/usr/bin/is-encrypted --require encrypt-to-self deliver\"

Exit status:
  0   all of it is end-to-end encrypted; with --require, COMMAND's own status
  1   something in it can be read
  75  not known: the message could not be read, or a usage error
  77  refused (--require): the sender is told to encrypt";

/// Tests whether the message on standard input is end-to-end encrypted.
#[derive(Debug, Parser)]
#[command(name = "is-encrypted", version, after_help = AFTER)]
pub struct Arguments {
    /// Print the kind and the reason too; FORM: line, json
    #[arg(
        long,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "line",
        hide_possible_values = true
    )]
    pub print: Option<Form>,
    /// Refuse readable mail; the rest goes on to COMMAND
    #[arg(long, requires = "command", conflicts_with = "print")]
    pub require: bool,
    /// Send this certificate along with a refusal
    #[arg(long, value_name = "FILE", requires = "require")]
    pub offer: Option<PathBuf>,
    /// Say in a refusal where the certificate is
    #[arg(long, value_name = "URL", requires = "require")]
    pub offer_at: Option<String>,
    /// Envelope sender [$SENDER, Return-Path]
    #[arg(long, value_name = "ADDRESS", requires = "require")]
    pub sender: Option<OsString>,
    /// encrypt-to-self with its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, requires = "require")]
    pub command: Vec<OsString>,
}

impl Arguments {
    /// # Errors
    /// What was typed would store mail in the clear, or says to a sender what would not arrive.
    pub fn check(&self) -> Result<()> {
        if self.require {
            refusal::check_command(&self.command)?;
            ensure!(
                !encrypt_to_self::Arguments::lets_readable_pass(&self.command),
                "--require: encrypt-to-self may not have --no-cert=pass, which stores readable what is not refused"
            );
        }
        // clap forgets what COMMAND requires where --print excludes that.
        ensure!(self.require || self.command.is_empty(), "COMMAND goes with --require only");
        self.offer_at.as_deref().map_or(Ok(()), refusal::check_url)
    }
}

/// How a verdict is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// KIND: why
    Line,
    /// One JSON object
    Json,
}

/// A verdict in this form, with its line end.
pub fn report(verdict: &Verdict, form: Form) -> String {
    let text = match form {
        Form::Line => verdict.to_string(),
        Form::Json => as_json(verdict),
    };
    text + "\n"
}

fn as_json(verdict: &Verdict) -> String {
    let recipients =
        verdict.recipients.iter().map(|recipient| json::string(recipient.to_string().as_bytes()));
    json::object(&[
        ("kind", json::string(verdict.kind.as_str().as_bytes())),
        ("encrypted", verdict.kind.is_encrypted().to_string()),
        ("reason", json::string(verdict.reason.name().as_bytes())),
        ("why", json::string(verdict.why().as_bytes())),
        ("parts", json::array(verdict.parts.iter().map(part_as_json))),
        ("recipients", json::array(recipients)),
    ])
}

fn part_as_json(part: &Part) -> String {
    json::object(&[
        ("type", json::string(part.media.as_bytes())),
        ("name", json::or_null(part.name.as_ref().map(|name| json::string(name)))),
        ("state", json::string(part.state.as_str().as_bytes())),
        ("reason", json::string(part.reason.name().as_bytes())),
    ])
}
