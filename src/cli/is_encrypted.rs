//! `is-encrypted`: what can be typed, and the two forms of its report.

use clap::{Parser, ValueEnum};

use crate::json;
use crate::kind::{Part, Verdict};

const AFTER: &str = "\
Examples:
  is-encrypted <message && echo sealed by its sender
  is-encrypted --print <message

Exit status:
  0   all of it is end-to-end encrypted
  1   something in it can be read
  75  not known: the message could not be read, or a usage error";

/// Tests whether the message on standard input is end-to-end encrypted.
#[derive(Debug, Parser)]
#[command(name = "is-encrypted", version, after_help = AFTER)]
pub struct Arguments {
    /// Print the kind of message and the reason too
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "line")]
    pub print: Option<Form>,
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
        ("name", part.name.as_ref().map_or_else(|| "null".to_owned(), |name| json::string(name))),
        ("state", json::string(part.state.as_str().as_bytes())),
        ("reason", json::string(part.reason.name().as_bytes())),
    ])
}
