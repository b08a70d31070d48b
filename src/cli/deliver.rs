//! The command line of `deliver`.

use std::ffi::OsString;

use clap::Parser;

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "deliver",
    version,
    about = "Stores the message on standard input, or says why it could not",
    after_help = "\
DEST  PATH/                           a Maildir, as is any with cur, new, tmp
      PATH                            an mbox
      lmtp:unix:PATH, lmtp:HOST:PORT  the LMTP server of a mail store
      smtp:unix:PATH, smtp:HOST:PORT  a mail host, which goes on with it

Examples, as lines of a .forward:
  \"|/usr/bin/encrypt-to-self deliver\"
  \"|/usr/bin/encrypt-to-self deliver lmtp:unix:/run/dovecot/lmtp\"

Status:
  0   stored, on stable storage
  69  the server refuses for good
  75  not stored; the host tries again"
)]
pub struct Arguments {
    /// Where to store it [~/Maildir/]
    #[arg(value_name = "DEST")]
    pub destination: Option<OsString>,
    /// Envelope sender, for a server and an mbox [$SENDER]
    #[arg(long, value_name = "ADDRESS")]
    pub sender: Option<OsString>,
    /// Envelope recipient, for a server [$RECIPIENT]
    #[arg(long, value_name = "ADDRESS")]
    pub recipient: Option<OsString>,
}
