//! The command line of `tls-audit`.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, anyhow, ensure};
use clap::{Parser, ValueEnum};

use crate::audit::{self, Prefix};
use crate::escape;
use crate::trace::Ours;

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "tls-audit",
    version,
    about = "Says from the trace fields whether a message came in under TLS",
    after_help = "\
Puts one TLS-Audit field on top of the message; changes nothing else.

Examples:
  tls-audit --print <message
  tls-audit --summary ~/Maildir
  \"|/usr/bin/tls-audit encrypt-to-self deliver\"
  \"|/usr/bin/tls-audit --require tls encrypt-to-self deliver\"

Status:
  0   done
  66  --summary: something was not read, and is named
  73  --summary: the page cannot be written
  75  not done; the host keeps the mail and tries again
  77  --require: the host returns the mail to its sender"
)]
pub struct Arguments {
    /// Put the field on top; the default
    #[arg(long)]
    pub annotate: bool,

    /// Print the hops, no message; FORM: text, json
    #[arg(
        long,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text",
        hide_possible_values = true,
        conflicts_with_all = ["command", "annotate", "require", "warn", "strict", "sender"]
    )]
    pub print: Option<Form>,

    /// Refuse below LEVEL: tls, tls1.2, tls1.3, verified
    #[arg(long, value_name = "LEVEL", hide_possible_values = true)]
    pub require: Option<Level>,

    /// Count unknown as plain
    #[arg(long)]
    pub strict: bool,

    /// Put a prefix before the subject of plain mail
    #[arg(long)]
    pub warn: bool,

    /// That prefix ["[no TLS] "]
    #[arg(long, value_name = "TEXT", requires = "warn")]
    pub prefix: Option<String>,

    /// A host of ours: NAME, ADDRESS[/BITS], private
    #[arg(long, value_name = "HOST")]
    pub ours: Vec<OsString>,

    /// Envelope sender [$SENDER, Return-Path]
    #[arg(long, value_name = "ADDRESS", requires = "require")]
    pub sender: Option<OsString>,

    /// Count the mail of mailboxes by how it came in
    #[arg(
        long,
        value_name = "PATH",
        num_args = 0..,
        conflicts_with_all = ["annotate", "print", "require", "strict", "warn", "sender"]
    )]
    pub summary: Option<Vec<OsString>>,

    /// The summary as JSON
    #[arg(long, requires = "summary")]
    pub json: bool,

    /// The summary as a page, into FILE
    #[arg(long, value_name = "FILE", requires = "summary")]
    pub html: Option<PathBuf>,

    /// The next program, with its arguments [standard output]
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub command: Vec<OsString>,
}

/// How hops are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    Text,
    Json,
}

/// Levels, as they are typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    Tls,
    #[value(name = "tls1.2")]
    Tls1_2,
    #[value(name = "tls1.3")]
    Tls1_3,
    Verified,
}

impl Arguments {
    /// The mailboxes to count, if that is asked for. Options may stand before and behind them.
    ///
    /// # Errors
    /// None is named.
    pub fn mailboxes(&self) -> Result<Option<Vec<OsString>>> {
        let Some(named) = &self.summary else { return Ok(None) };
        let all = [named.as_slice(), &self.command].concat();
        ensure!(!all.is_empty(), "--summary: name a mailbox");
        Ok(Some(all))
    }

    /// The recipient's own hosts.
    ///
    /// # Errors
    /// A word is neither a host's name nor an address nor a network.
    pub fn ours(&self) -> Result<Ours> {
        let mut ours = Ours::default();
        for typed in &self.ours {
            let added = typed.to_str().is_some_and(|typed| ours.add(typed).is_ok());
            if !added {
                let typed = escape::foreign(typed.as_encoded_bytes());
                return Err(anyhow!(
                    "--ours: \"{typed}\" is no host; give a name, an address, an address with /BITS, or private"
                ));
            }
        }
        Ok(ours)
    }

    /// What plain mail's subjects begin with, if anything.
    ///
    /// # Errors
    /// It cannot stand in a field.
    pub fn prefix(&self) -> Result<Option<Prefix>> {
        match (&self.prefix, self.warn) {
            (_, false) => Ok(None),
            (None, true) => Ok(Some(Prefix::default())),
            (Some(typed), true) => Prefix::parse(typed).map(Some),
        }
    }

    /// What is asked of the border hop, if anything.
    pub fn level(&self) -> Option<audit::Level> {
        self.require.map(|level| match level {
            Level::Tls => audit::Level::Tls,
            Level::Tls1_2 => audit::Level::Tls1_2,
            Level::Tls1_3 => audit::Level::Tls1_3,
            Level::Verified => audit::Level::Verified,
        })
    }
}
