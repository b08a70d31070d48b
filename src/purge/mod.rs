//! Mail that is not kept: which messages go, and how they go for good.

pub mod age;
mod ahead;
pub mod condition;
pub mod maildir;
pub mod mbox;
mod moving;
pub mod owner;
pub mod report;
pub mod rules;
mod shared;
mod successors;

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Error, Result};

use crate::deadline::Deadline;
use crate::exit::{self, NOINPUT, Sysexit, TEMPFAIL};
use crate::mailbox::{Mailbox, Maildir, NoMailbox, tree};
use crate::message::Header;
use crate::store::directory::Directory;
use crate::store::lock::Held;
use condition::Condition;
use moving::Stored;
use report::Report;
use rules::{Candidate, Rules};

/// How long the work on one mbox may take, most of it with its lock held.
const LONGEST: Duration = Duration::from_secs(3600);

/// Which of its times a message is judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// When it came: the file's mtime, which IMAP calls INTERNALDATE; an mbox's `From ` line.
    #[default]
    Arrival,
    /// Its Date field, which the sender wrote.
    Date,
    /// The second in front of its Maildir name.
    Name,
}

/// What was asked for.
pub struct Task<'a> {
    /// Which messages go.
    pub rules: &'a Rules,
    /// By which time.
    pub by: By,
    /// What a header section has to hold: all of these.
    pub conditions: &'a [Condition],
    /// The second from which ages are counted.
    pub now: i64,
    /// Whether messages are told only, and stay.
    pub is_dry: bool,
    /// Where messages go that do not stay; None: for good.
    pub move_to: Option<&'a Maildir>,
    /// Whether what deliveries left behind in `tmp` goes too.
    pub clean_tmp: bool,
    /// Whether each message's size is to be told.
    pub tells_sizes: bool,
    /// When to stop.
    pub end: Option<Instant>,
}

impl Task<'_> {
    /// Whether header sections have to be read.
    pub fn reads_headers(&self) -> bool {
        self.by == By::Date || !self.conditions.is_empty()
    }

    /// What a header section says.
    pub fn look(&self, header: Header) -> Seen {
        if !self.conditions.iter().all(|condition| condition.holds(header)) {
            return Seen::Unmatched;
        }
        match self.by {
            By::Date => Seen::MatchedAt(condition::date(header).filter(|second| *second <= self.now)),
            By::Arrival | By::Name => Seen::Matched,
        }
    }

    /// Whether more has to be known of each message than its name tells, apart from its size.
    fn asks_files(&self) -> bool {
        self.by == By::Arrival || self.reads_headers()
    }

    /// Whether the sizes matter.
    fn asks_sizes(&self) -> bool {
        self.rules.keep_size.is_some() || self.tells_sizes
    }

    /// Whether the time for this run is over.
    pub fn is_over(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }
}

/// What came of one mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// All messages that were there.
    pub messages: u64,
    /// Those that went, or would go.
    pub gone: u64,
    /// Octets that they took, as far as these were asked for.
    pub octets: u64,
    /// Those that stay because nobody knows their time: no Date field, one in the future, no second in the name.
    pub undated: u64,
    /// Those that stay because nobody can say where they begin and end: in an mbox, by a line that may be the
    /// first of another message.
    pub doubtful: u64,
    /// Files of broken deliveries that went.
    pub stale: u64,
    /// Whether time ran out before all were judged.
    pub is_cut_short: bool,
}

/// What was seen in a header section.
#[derive(Clone, Copy, Debug)]
pub enum Seen {
    /// It does not meet the conditions.
    Unmatched,
    /// It meets them.
    Matched,
    /// It meets them, and its time is this instead; None when nobody can know it.
    MatchedAt(Option<i64>),
}

impl Seen {
    /// What follows for the message.
    fn mark(self, candidate: &mut Candidate) {
        match self {
            Seen::Unmatched => candidate.matches = false,
            Seen::Matched => {}
            Seen::MatchedAt(time) => candidate.time = time,
        }
    }
}

/// A message that is about to go.
pub struct Going<'a> {
    /// Where it is.
    pub path: PathBuf,
    /// Its time, by which it was judged.
    pub time: i64,
    /// Octets, if known.
    pub size: Option<u64>,
    /// Reads its header section.
    pub header: &'a dyn Fn() -> Result<Option<Vec<u8>>>,
}

/// Who is told of each message.
pub trait Witness {
    /// Whether that is so. If not, messages go without a word, many at once.
    fn is_told_of_each(&self) -> bool {
        true
    }

    /// It is about to go.
    ///
    /// # Errors
    /// Nobody can be told; then it stays.
    fn sees(&mut self, going: &Going) -> Result<()>;

    /// What was seen since the last answer has gone.
    ///
    /// # Errors
    /// Nobody can be told.
    fn gone(&mut self) -> Result<()>;

    /// It stayed after all.
    fn stayed(&mut self);

    /// So many more messages were judged.
    fn judged(&mut self, more: u64);
}

/// Removes old mail from the mailbox at `path`, with `recursive` from its folders too, and tells of it.
///
/// # Errors
/// It is no mailbox (66); the time was over before all was done (75); it cannot be read or written. A folder
/// that fails does not stop the others.
pub fn purge(path: &Path, recursive: bool, task: &Task, report: &mut Report) -> Result<()> {
    match Mailbox::at(path).map_err(no_input)? {
        Mailbox::Maildir(maildir) if recursive => folders(maildir.into_root(), task, report),
        Mailbox::Maildir(maildir) => folder(&maildir, task, report),
        Mailbox::Tree(root) if recursive => folders(root, task, report),
        Mailbox::Tree(root) => Err(no_input(
            NoMailbox(format!(
                "{}: is a directory of Maildirs; give --recursive or one of them",
                root.path().display()
            ))
            .into(),
        )),
        Mailbox::Mbox(path) => file(&path, task, report),
    }
}

/// The Maildir that messages move to.
///
/// # Errors
/// It is none (66).
pub fn target(path: &Path) -> Result<Maildir> {
    let root = Directory::open(path)?;
    let maildir = root.map(Maildir::inside).transpose()?.and_then(Result::ok);
    maildir.ok_or_else(|| {
        no_input(
            NoMailbox(format!("--move-to: {} is no Maildir; make one with maildirmake", path.display()))
                .into(),
        )
    })
}

fn folders(root: Directory, task: &Task, report: &mut Report) -> Result<()> {
    let path = root.path().to_owned();
    let mut failed = None;
    let came_to_the_end = tree::walk(root, &mut |found| {
        if task.is_over() {
            return false;
        }
        let done = found.and_then(|maildir| folder(maildir, task, report));
        match (done, &failed) {
            (Ok(()), _) => {}
            (Err(error), None) => failed = Some(error),
            (Err(error), Some(_)) => {
                exit::complain("purge-old", &error);
            }
        }
        true
    });
    match failed {
        Some(error) => Err(error),
        None if came_to_the_end => Ok(()),
        None => Err(out_of_time(&path)),
    }
}

fn folder(maildir: &Maildir, task: &Task, report: &mut Report) -> Result<()> {
    owner::allows(maildir)?;
    // What is to be moved there is there. Under another name it would be a new message to every IMAP client.
    if let Some(to) = task.move_to
        && to.is(maildir)?
    {
        return Ok(());
    }
    report.turn_to(maildir.path());
    let outcome = maildir::purge(maildir, task, report)?;
    report.total(maildir.path(), &outcome)?;
    finished(maildir.path(), &outcome)
}

/// An mbox. Its messages are named by where they stand in it.
fn file(path: &Path, task: &Task, report: &mut Report) -> Result<()> {
    report.turn_to(path);
    let report = RefCell::new(report);
    let look = |header: &[u8]| task.look(Header(header));
    let left = task.end.map_or(LONGEST, |end| end.saturating_duration_since(Instant::now()).min(LONGEST));
    let of_mbox = mbox::Task {
        rules: task.rules,
        now: task.now,
        look: task.reads_headers().then_some(&look),
        judged: &|more| report.borrow_mut().judged(more),
        is_dry: task.is_dry,
        deadline: Deadline::after(left),
    };
    let move_to = task.move_to.filter(|_| !task.is_dry);
    let mut stored = Stored::default();
    let done = mbox::purge(path, &of_mbox, &mut |going| {
        let message = going.message;
        let done = told(path, &going, &mut report.borrow_mut()).and_then(|()| match move_to {
            Some(to) => stored.add(&going.restored()?, message.time, message.flags, to),
            None => Ok(()),
        });
        // The mbox stays as it is then, and the next run would move them once more.
        if let (Err(_), Some(to)) = (&done, move_to) {
            stored.take_back(to);
        }
        done
    });
    let report = report.into_inner();
    let outcome = match done {
        Ok(outcome) => outcome,
        Err(error) => {
            report.stayed();
            return Err(not_yet(no_input(error)));
        }
    };
    report.gone()?;
    report.total(path, &outcome)
}

fn told(path: &Path, going: &mbox::Going, report: &mut Report) -> Result<()> {
    if !report.is_told_of_each() {
        return Ok(());
    }
    let message = going.message;
    let mut place = path.as_os_str().to_owned();
    place.push(format!("@{}", message.start));
    report.sees(&Going {
        path: place.into(),
        time: going.time,
        size: Some(message.end - message.start),
        header: &|| going.header().map(Some),
    })
}

fn finished(path: &Path, outcome: &Outcome) -> Result<()> {
    match outcome.is_cut_short {
        false => Ok(()),
        true => Err(out_of_time(path)),
    }
}

/// At `path` not all was done that was asked for.
pub fn out_of_time(path: &Path) -> Error {
    let why = format!("{}: the time was over before all was done; run it again", path.display());
    Sysexit(TEMPFAIL, why).into()
}

/// What the next run can do: a lock is held, or the time was over.
fn not_yet(error: Error) -> Error {
    let is_out_of_time = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    };
    match error.is::<Held>() || error.chain().any(is_out_of_time) {
        true => Sysexit(TEMPFAIL, exit::line_of(&error)).into(),
        false => error,
    }
}

/// What is no mailbox is a mistake in what was typed.
fn no_input(error: Error) -> Error {
    match error.downcast::<NoMailbox>() {
        Ok(NoMailbox(why)) => Sysexit(NOINPUT, why).into(),
        Err(error) => error,
    }
}
