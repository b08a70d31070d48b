//! Messages removed from an mbox: what stays is written to a new file, which then takes the old one's place.
//!
//! | step | if it fails | the machine stops after it: there is |
//! | --- | --- | --- |
//! | open, watch, lock, read | nothing was removed | the old mbox, a stale lock that the next program breaks |
//! | make the new file beside it, 0600 | nothing was removed | also an unfinished file, which the next run removes |
//! | copy what stays, owner, mode, times, sync | the new file is removed | the same |
//! | show, or move, what goes | the new file is removed | the same; what was moved comes twice |
//! | lock the new file, exchange the two names | the new file is removed | the old or the new mbox, whole |
//! | sync the directory | the old file stays beside | the same, and the other one beside it |
//! | unlock, wait for who has the old file open | | the new mbox; the next run removes the old file |
//! | append what they added to the old file | the next run does it | what was added may come twice |
//! | remove the old file, sync the directory | the next run does it | the new mbox |
//!
//! The last steps are for programs that open an mbox before they wait for its lock and do not look again when
//! they have it: procmail without a lock file, mutt that saves a message, Dovecot where it locks by fcntl first.
//! Whoever waits when the copy is done goes first, and all begins again, a few times. What they write to the
//! old file after that is taken over; it is kept under another name until they are done. That name says which
//! mbox it was and how long, so that a run after a crash knows a file that was left from one that was not
//! finished.

mod copy;
mod kept;
mod late;
mod likeness;
mod portions;
mod rewrite;
mod watch;

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::rules::{Candidate, Rules};
use super::{Outcome, Seen};
use crate::deadline::Deadline;
use crate::mailbox::NoMailbox;
use crate::mailbox::mbox::{self, Contents, Message};
use crate::store::lock::Lock;
use crate::store::mbox::Mbox;
use copy::Source;
use kept::Kept;
use rewrite::New;
use watch::Watch;

/// What was asked for.
pub struct Task<'a> {
    /// Which messages go.
    pub rules: &'a Rules,
    /// The second from which ages are counted.
    pub now: i64,
    /// What a header section says that the rules want to know; None where they want nothing of it.
    pub look: Option<&'a Look<'a>>,
    /// Hears how many more messages were judged. When others go first, all are judged again.
    pub judged: &'a dyn Fn(u64),
    /// Whether messages go, or are only told.
    pub is_dry: bool,
    /// When to give up, with nothing removed.
    pub deadline: Deadline,
}

/// Looks at a header section.
pub type Look<'a> = dyn Fn(&[u8]) -> Seen + 'a;

/// A message that is about to go.
pub struct Going<'a> {
    source: &'a Source<'a>,
    /// It, as a span of the file.
    pub message: &'a Message,
    /// When it came; by the Date field where that was asked for.
    pub time: i64,
}

impl Going<'_> {
    /// Its header section.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn header(&self) -> Result<Vec<u8>> {
        self.source.header(self.message)
    }

    /// It as it arrived, for a Maildir: without what an mbox adds.
    ///
    /// # Errors
    /// It cannot be read, or memory is short.
    pub fn restored(&self) -> Result<Vec<u8>> {
        self.source.restored(self.message)
    }
}

/// Removes from the mbox at `path` what the rules choose. Each of those is shown to `each` before the first is
/// removed; its failure leaves all where they are.
///
/// # Errors
/// It is no mbox ([`NoMailbox`]), or may not be written to; another program holds its lock; the time ran out;
/// the system fails. Nothing is removed then, unless the last sync failed or a program keeps the old file
/// locked for a minute, which the next run sets right.
pub fn purge(path: &Path, task: &Task, each: &mut dyn FnMut(Going) -> Result<()>) -> Result<Outcome> {
    let mut others = Others::Unseen;
    for left in (0..ATTEMPTS).rev() {
        if let Some(outcome) = attempt(path, task, others, each)? {
            return Ok(outcome);
        }
        // One that sleeps between two looks at the lock may find it taken again.
        others = if left > 1 { Others::First } else { Others::Later };
        sleep(TURN);
    }
    Ok(Outcome::default())
}

/// How often other programs are let go first.
const ATTEMPTS: usize = 6;

/// How long they have for that.
const TURN: Duration = Duration::from_millis(1200);

/// Programs that want the mbox too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    /// None came yet. One that comes goes first.
    Unseen,
    /// Some came, and more may; they go first.
    First,
    /// There was never an end of them. What they write to the old file is taken over.
    Later,
}

/// None when others go first.
fn attempt(
    path: &Path,
    task: &Task,
    others: Others,
    each: &mut dyn FnMut(Going) -> Result<()>,
) -> Result<Option<Outcome>> {
    let named = || path.display().to_string();
    let old = Mbox::open(path)?;
    let watch = Watch::over(&old.file);
    let lock = Lock::take(&old.directory, &old.name, &old.file, &task.deadline)?;
    old.judged()?;
    if !task.is_dry {
        late::gather_from_earlier_runs(&old)?;
    }
    let before = old.judged()?;
    let source = Source::of(&old, u64::try_from(before.st_size)?, &lock, task.deadline);
    let contents = source.whole(|input| mbox::read(input)).with_context(named)?.ok_or_else(|| {
        NoMailbox(format!("{}: is no mailbox: no From line with a date stands at its beginning", named()))
    })?;
    let choice = Choice::of(&contents, task, &source)?;
    if choice.outcome.gone == 0 || task.is_dry {
        choice.show(&contents, &source, each)?;
        return Ok(Some(choice.outcome));
    }
    ensure!(
        lock.has_dotlock(),
        "{}: this user may make no file beside it, neither a lock nor a copy; run it with the directory's group",
        named()
    );
    let new = New::beside(&old, &before)?;
    source.copy(&Kept::of(&contents, &choice.goes), &new.file)?;
    likeness::give(&old, &before, &new.file)?;
    new.sync(&old)?;
    if others != Others::Later && watch.sees_somebody(&before) {
        return Ok(None);
    }
    // Moving them may take long, and cannot be done twice.
    choice.show(&contents, &source, each)?;
    new.take_the_place_of(&old, &before)?;
    let is_alone = others == Others::Unseen
        && !watch.sees_somebody(&before)
        && !lock.had_to_wait()
        && !late::is_recent(&before);
    drop(lock);
    late::settle(&old, &before, is_alone)
        .with_context(|| format!("{}: was rewritten; its old file is left to the next run", named()))?;
    Ok(Some(choice.outcome))
}

/// So many messages are judged before somebody hears of it.
const PART: usize = 1000;

/// Which messages go.
struct Choice {
    /// For each message whether it goes.
    goes: Vec<bool>,
    /// For each message what it was judged by.
    candidates: Vec<Candidate>,
    outcome: Outcome,
}

impl Choice {
    fn of(contents: &Contents, task: &Task, source: &Source) -> Result<Self> {
        let messages = &contents.messages;
        let mut candidates = Vec::with_capacity(messages.len());
        for part in messages.chunks(PART) {
            for message in part {
                candidates.push(candidate(message, task, source)?);
            }
            (task.judged)(part.len() as u64);
        }
        let mut goes = task.rules.chosen(&candidates, task.now);
        let mut outcome = Outcome {
            messages: messages.len() as u64,
            undated: candidates.iter().filter(|known| known.is_undated()).count() as u64,
            ..Outcome::default()
        };
        for (message, goes) in messages.iter().zip(&mut goes).filter(|(_, goes)| **goes) {
            if message.doubt.is_some() {
                outcome.doubtful += 1;
                *goes = false;
            } else {
                outcome.gone += 1;
                outcome.octets += message.end - message.start;
            }
        }
        Ok(Choice { goes, candidates, outcome })
    }

    fn show(
        &self,
        contents: &Contents,
        source: &Source,
        each: &mut dyn FnMut(Going) -> Result<()>,
    ) -> Result<()> {
        let all = contents.messages.iter().zip(&self.goes).zip(&self.candidates);
        for ((message, _), candidate) in all.filter(|((_, goes), _)| **goes) {
            each(Going { source, message, time: candidate.time.unwrap_or(message.time) })?;
        }
        Ok(())
    }
}

fn candidate(message: &Message, task: &Task, source: &Source) -> Result<Candidate> {
    // One that lies in the future, wherever it was written.
    let is_unknown = message.time > task.now.saturating_add(mbox::SPREAD);
    let mut candidate = Candidate {
        time: Some(message.time).filter(|_| !is_unknown),
        size: Some(message.end - message.start),
        flags: message.flags,
        matches: !message.is_internal,
    };
    if let Some(look) = task.look.filter(|_| candidate.matches && task.rules.concern(message.flags)) {
        look(&source.header(message)?).mark(&mut candidate);
    }
    Ok(candidate)
}

#[cfg(test)]
mod tests;
