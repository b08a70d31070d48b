//! The command line of `encrypt-to-self`.

use std::ffi::OsString;
use std::path::absolute;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use super::certificates::Certificates;
use crate::cert::Expired;
use crate::outer::{Outside, Policy};
use crate::place;
use crate::seal::{Compression, Manner};

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "encrypt-to-self",
    version,
    about = "Seals readable mail to its own recipient's certificate, subject included",
    after_help = "\
Mail that is encrypted already passes unchanged, byte for byte.
The certificate is ~/.config/selfseal/cert.asc or ~/.pgpkey by default.

Examples, as lines of a .forward:
  \"|/usr/bin/encrypt-to-self deliver\"
  \"|/usr/bin/encrypt-to-self --headers=keep deliver /home/alice/Mail/\"

Status:
  0   done
  1   --check only: something needs attention
  75  not done; the host keeps the mail and tries again
  77  --no-cert=refuse: the host returns the mail to its sender"
)]
pub struct Arguments {
    /// Outside: keep, baseline, shy
    #[arg(
        long,
        value_name = "POLICY",
        default_value = "baseline",
        hide_possible_values = true,
        help_heading = "Sealing"
    )]
    pub headers: Headers,

    /// One more field to stay outside; may be repeated
    #[arg(long, value_name = "NAME", help_heading = "Sealing")]
    pub keep_field: Vec<String>,

    /// Compress first; the size then tells of the content
    #[arg(long, help_heading = "Sealing")]
    pub compress: bool,

    /// Say what would be used, until when, what is wrong
    #[arg(long, conflicts_with = "command")]
    pub check: bool,

    /// Of --check --certs: JSON instead of a table
    #[arg(long, requires_all = ["check", "directory"], conflicts_with_all = ["recipient", "files"])]
    pub json: bool,

    /// The next program, with its arguments [standard output]
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub command: Vec<OsString>,

    // Near the end, since its heading holds for whatever follows.
    #[command(flatten)]
    pub certificates: Certificates,

    /// If none: defer, pass, refuse
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "defer",
        hide_possible_values = true,
        help_heading = "Certificates"
    )]
    pub no_cert: NoCert,
}

/// What becomes of readable mail without a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NoCert {
    Defer,
    Pass,
    Refuse,
}

/// Header confidentiality policies, as they are typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Headers {
    Keep,
    Baseline,
    Shy,
}

impl Arguments {
    /// The options that seal in the same way from any directory, for the line of a `.forward`.
    ///
    /// # Errors
    /// A path is empty or begins with `~` where there is no home directory; nobody knows in which directory
    /// this is.
    pub fn words(&self) -> Result<Vec<OsString>> {
        let from = &self.certificates;
        let mut words: Vec<OsString> = Vec::new();
        for file in &from.files {
            let mut word = OsString::from("--cert=");
            word.push(absolute(place::expand(file)?)?);
            words.push(word);
        }
        words.extend(self.keep_field.iter().map(|name| format!("--keep-field={name}").into()));
        for (word, is_set) in [
            ("--expired=seal", from.expired == Expired::Seal),
            ("--all-subkeys", from.all_subkeys),
            ("--no-cert=pass", self.no_cert == NoCert::Pass),
            ("--no-cert=refuse", self.no_cert == NoCert::Refuse),
            ("--headers=keep", self.headers == Headers::Keep),
            ("--headers=shy", self.headers == Headers::Shy),
            ("--compress", self.compress),
        ] {
            words.extend(is_set.then(|| word.into()));
        }
        Ok(words)
    }

    /// Whether these words, the program's name first, let mail pass for which there is no certificate.
    pub fn lets_readable_pass(words: &[OsString]) -> bool {
        Arguments::try_parse_from(words).is_ok_and(|typed| typed.no_cert == NoCert::Pass)
    }

    /// Whether these words, the program's name first, are no mistake and name another program.
    pub fn hands_on(words: &[&str]) -> bool {
        Arguments::try_parse_from(words).is_ok_and(|typed| !typed.command.is_empty())
    }

    /// How mail is sealed.
    pub fn manner(&self) -> Manner {
        let policy = match self.headers {
            Headers::Keep => Policy::Keep,
            Headers::Baseline => Policy::Baseline,
            Headers::Shy => Policy::Shy,
        };
        let compression = if self.compress { Compression::Zip } else { Compression::None };
        Manner { outside: Outside { policy, kept: self.keep_field.clone() }, compression }
    }
}
