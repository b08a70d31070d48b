//! The command line of `encrypt-to-self`.

use std::ffi::OsString;

use clap::{Parser, ValueEnum};

use super::certificates::Certificates;
use crate::outer::{Outside, Policy};
use crate::seal::{Compression, Manner};

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "encrypt-to-self",
    version,
    about = "Encrypts mail that arrives readable to its own recipient's certificate, header fields included",
    after_help = "\
Mail that is encrypted already passes unchanged, byte for byte. Without --cert and --certs the
certificate is ~/.config/selfseal/cert.asc or ~/.pgpkey.

Examples, as lines of a .forward:
  \"|/usr/bin/encrypt-to-self deliver\"
  \"|/usr/bin/encrypt-to-self --cert=/home/alice/alice.asc deliver ~/Mail/\"

Status:
  0   done
  1   --check only: something needs attention
  75  not done; the host keeps the mail and tries again
  77  --no-cert=refuse: the host returns the mail to its sender"
)]
pub struct Arguments {
    #[command(flatten)]
    pub certificates: Certificates,

    /// When there is no certificate: defer, pass the mail on readable, or refuse it
    #[arg(long, value_name = "WHAT", default_value = "defer", help_heading = "Certificates")]
    pub no_cert: NoCert,

    /// What stands outside: keep (all), baseline (no Subject), shy (no names either)
    #[arg(long, value_name = "POLICY", default_value = "baseline", help_heading = "Sealing")]
    pub headers: Headers,

    /// Let one more field stand outside; repeatable
    #[arg(long, value_name = "NAME", help_heading = "Sealing")]
    pub keep_field: Vec<String>,

    /// Compress before encrypting; the size then tells about the content
    #[arg(long, help_heading = "Sealing")]
    pub compress: bool,

    /// Say which certificate and subkeys would be used, until when, and what is wrong
    #[arg(long, conflicts_with = "command")]
    pub check: bool,

    /// The next program, with its arguments [default: write to standard output]
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub command: Vec<OsString>,
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
