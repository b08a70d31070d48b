//! The command line of `purge-old`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{ArgGroup, Parser, ValueEnum};

use crate::exit::{Sysexit, USAGE};
use crate::mailbox::Flags;
use crate::place::from_root;
use crate::purge::age::Age;
use crate::purge::condition::Condition;
use crate::purge::report::{Act, Detail};
use crate::purge::rules::{Fate, Rules};
use crate::purge::{self, report};

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "purge-old",
    version,
    about = "Removes old mail from Maildirs and mboxes",
    override_usage = "purge-old [OPTIONS] --older-than AGE MAILBOX...",
    group = ArgGroup::new("rule").required(true).multiple(true).args(["older_than", "keep", "keep_size"]),
    after_help = "\
What any rule would remove goes; flagged mail and drafts stay.
AGE is a number with h, d, w, mo or y. Try it with --dry-run first.

Examples:
  purge-old --dry-run --older-than 90d ~/Maildir
  purge-old --keep 1000 --match 'List-Id:*announce*' ~/Maildir/.Lists

Status:
  0   done
  64  a usage error: nothing was removed
  66  a path is no mailbox
  74  a file cannot be read or written
  75  not all was done: the time was over, or a mailbox is locked"
)]
pub struct Arguments {
    /// Remove what is older
    #[arg(long, value_name = "AGE", help_heading = "Rules")]
    pub older_than: Option<Age>,

    /// Remove all but the newest N
    #[arg(long, value_name = "N", help_heading = "Rules", value_parser = number)]
    pub keep: Option<u64>,

    /// Remove all but the newest of so much, as in 2G
    #[arg(long, value_name = "SIZE", help_heading = "Rules", value_parser = size)]
    pub keep_size: Option<u64>,

    /// Age counts from arrival, date, name
    #[arg(
        long,
        value_name = "TIME",
        default_value = "arrival",
        hide_possible_values = true,
        help_heading = "Rules"
    )]
    pub by: By,

    /// Unread mail: keep, remove
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "remove",
        hide_possible_values = true,
        help_heading = "Which mail"
    )]
    pub unread: Unread,

    /// Flagged mail too
    #[arg(long, help_heading = "Which mail")]
    pub include_flagged: bool,

    /// Drafts too
    #[arg(long, help_heading = "Which mail")]
    pub include_drafts: bool,

    /// Only mail with this flag: seen, trashed, draft ...
    #[arg(long, value_name = "FLAG", hide_possible_values = true, help_heading = "Which mail")]
    pub only: Vec<Only>,

    /// Only mail with such a field: List-Id:*announce*
    #[arg(long = "match", value_name = "FIELD:GLOB", value_parser = Condition::parse, help_heading = "Which mail")]
    pub conditions: Vec<Condition>,

    /// The folders in each MAILBOX too
    #[arg(long, help_heading = "Which mail")]
    pub recursive: bool,

    /// MAILBOX in the home directory of each user
    #[arg(long, help_heading = "Which mail")]
    pub users: bool,

    /// List what would go; remove nothing
    #[arg(long, help_heading = "How")]
    pub dry_run: bool,

    /// Move it to another Maildir instead
    #[arg(long, value_name = "MAILDIR", help_heading = "How")]
    pub move_to: Option<PathBuf>,

    /// Stale files in tmp go: yes, no
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "yes",
        hide_possible_values = true,
        help_heading = "How"
    )]
    pub clean_tmp: Answer,

    /// Tell of each message
    #[arg(long, help_heading = "How")]
    pub verbose: bool,

    /// Tell it in JSON, one object a line
    #[arg(long, help_heading = "How")]
    pub json: bool,

    /// Stop after so long: 90s, 30m, 2h
    #[arg(long, value_name = "TIME", value_parser = span, help_heading = "How")]
    pub max_time: Option<Duration>,

    /// Let all other programs go first
    #[arg(long, help_heading = "How")]
    pub nice: bool,

    /// A Maildir, a directory of Maildirs, or an mbox
    #[arg(value_name = "MAILBOX", required = true)]
    pub mailboxes: Vec<PathBuf>,
}

/// Times, as they are typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    Arrival,
    Date,
    Name,
}

/// What becomes of unread mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Unread {
    Keep,
    Remove,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Answer {
    Yes,
    No,
}

/// Flags, as they are typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Only {
    Seen,
    Unseen,
    Flagged,
    Replied,
    Passed,
    Trashed,
    Draft,
}

impl Arguments {
    /// Whether what was typed can be true of a message.
    ///
    /// # Errors
    /// It cannot (64). It is a slip then, and nobody would ever hear that nothing goes.
    pub fn consistent(&self) -> Result<()> {
        let slip = match self.asks_for(Only::Unseen) {
            true if self.asks_for(Only::Seen) => "--only seen and --only unseen: no message is both",
            true if self.unread == Unread::Keep => {
                "--only unseen and --unread keep: no message would ever go"
            }
            _ => return Ok(()),
        };
        Err(Sysexit(USAGE, slip.to_owned()).into())
    }

    /// Which messages go.
    pub fn rules(&self) -> Rules {
        let fate = |is_judged| if is_judged { Fate::Judged } else { Fate::Spared };
        let with = |flags: Flags, only: &Only| match only {
            Only::Seen => flags.with(Flags::SEEN),
            Only::Unseen => flags,
            Only::Flagged => flags.with(Flags::FLAGGED),
            Only::Replied => flags.with(Flags::REPLIED),
            Only::Passed => flags.with(Flags::PASSED),
            Only::Trashed => flags.with(Flags::TRASHED),
            Only::Draft => flags.with(Flags::DRAFT),
        };
        Rules {
            older_than: self.older_than,
            keep: self.keep,
            keep_size: self.keep_size,
            unread: fate(self.unread == Unread::Remove),
            flagged: fate(self.include_flagged || self.asks_for(Only::Flagged)),
            drafts: fate(self.include_drafts || self.asks_for(Only::Draft)),
            only: self.only.iter().fold(Flags::NONE, with),
            only_without: if self.asks_for(Only::Unseen) { Flags::SEEN } else { Flags::NONE },
        }
    }

    fn asks_for(&self, only: Only) -> bool {
        self.only.contains(&only)
    }

    /// By which time.
    pub fn by(&self) -> purge::By {
        match self.by {
            By::Arrival => purge::By::Arrival,
            By::Date => purge::By::Date,
            By::Name => purge::By::Name,
        }
    }

    /// When to stop.
    pub fn end(&self) -> Option<Instant> {
        self.max_time.map(|span| Instant::now() + span)
    }

    /// What is told.
    pub fn detail(&self) -> Detail {
        if self.dry_run || self.verbose { report::Detail::Messages } else { report::Detail::Total }
    }

    /// What is done.
    pub fn act(&self) -> Act {
        match (self.dry_run, self.move_to.is_some()) {
            (false, false) => Act::Removed,
            (false, true) => Act::Moved,
            (true, false) => Act::WouldRemove,
            (true, true) => Act::WouldMove,
        }
    }

    /// The words that ask for the same in one mailbox, from any directory, in the time that is left.
    ///
    /// # Errors
    /// A path is empty, or nobody knows in which directory this is.
    pub fn words_for(&self, mailbox: &Path, end: Option<Instant>) -> io::Result<Vec<OsString>> {
        let mut words: Vec<OsString> = Vec::new();
        let mut say = |name: &str, value: &str| words.push(format!("--{name}={value}").into());
        if let Some(age) = self.older_than {
            say("older-than", &age.to_string());
        }
        if let Some(number) = self.keep {
            say("keep", &number.to_string());
        }
        if let Some(octets) = self.keep_size {
            say("keep-size", &octets.to_string());
        }
        say("by", typed(&self.by).as_str());
        say("unread", typed(&self.unread).as_str());
        say("clean-tmp", typed(&self.clean_tmp).as_str());
        self.only.iter().for_each(|only| say("only", typed(only).as_str()));
        self.conditions.iter().for_each(|condition| say("match", &condition.to_string()));
        if let Some(end) = end {
            let left = end.saturating_duration_since(Instant::now()).as_secs().max(1);
            say("max-time", &format!("{left}s"));
        }
        for (name, is_set) in [
            ("--include-flagged", self.include_flagged),
            ("--include-drafts", self.include_drafts),
            ("--recursive", self.recursive),
            ("--dry-run", self.dry_run),
            ("--verbose", self.verbose),
            ("--json", self.json),
        ] {
            words.extend(is_set.then(|| name.into()));
        }
        if let Some(maildir) = &self.move_to {
            words.extend(["--move-to".into(), from_root(maildir)?.into()]);
        }
        words.extend(["--".into(), from_root(mailbox)?.into()]);
        Ok(words)
    }
}

fn typed(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// At least one stays: none would be `rm`.
fn number(typed: &str) -> Result<u64, String> {
    match typed.parse() {
        Ok(0) | Err(_) => Err("give a number above 0".to_owned()),
        Ok(number) => Ok(number),
    }
}

/// Octets, or thousands of them with k, M, G or T.
fn size(typed: &str) -> Result<u64, String> {
    let digits = typed.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = typed.split_at(digits);
    let unit: Option<u64> = match unit {
        "" => Some(1),
        "k" => Some(1_000),
        "M" => Some(1_000_000),
        "G" => Some(1_000_000_000),
        "T" => Some(1_000_000_000_000),
        _ => None,
    };
    let octets =
        number.parse().ok().zip(unit).and_then(|(number, unit): (u64, u64)| number.checked_mul(unit));
    octets
        .filter(|octets| *octets > 0)
        .ok_or_else(|| "give octets, or a number with k, M, G or T, as in 2G".to_owned())
}

fn span(typed: &str) -> Result<Duration, String> {
    let digits = typed.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = typed.split_at(digits);
    let unit = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        _ => None,
    };
    let seconds = number.parse::<u32>().ok().filter(|number| *number > 0).zip(unit);
    seconds
        .map(|(number, unit): (u32, u64)| Duration::from_secs(u64::from(number) * unit))
        .ok_or_else(|| "give a number above 0 with s, m or h, as in 2h".to_owned())
}
