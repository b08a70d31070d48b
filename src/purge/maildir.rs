//! Messages removed from one Maildir, all through the handles of its directories.
//!
//! Other programs move messages meanwhile: new to cur, flags added to a name. A message is unlinked by the
//! name under which it was judged, so one that has become flagged since then is never met; it has another
//! name, under which it is judged again. `new` is listed before `cur`, since messages move that way.
//!
//! | step | if it fails | the machine stops after it: there is |
//! | --- | --- | --- |
//! | list, look at each | nothing was removed | what was there |
//! | remove one, or move it | it stays, and so do those of later blocks | all others |
//! | sync the directories, if messages moved | | perhaps a message that had gone |

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Context, Result};
use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use super::rules::Candidate;
use super::successors::Successors;
use super::{By, Going, Outcome, Seen, Task, Witness, moving, shared};
use crate::mailbox::{Maildir, Part, each_entry, maildir};
use crate::message::Header;
use crate::store::directory::Directory;

/// What deliveries leave in `tmp` goes after so many seconds (maildir(5)).
const STALE: i64 = 36 * 3600;

/// How many messages are looked at, or removed, between two looks at the clock; and how many where each may take
/// long.
const BLOCK: usize = 4096;
const FEW: usize = 256;

/// How often a message that moved is looked for.
const ROUNDS: usize = 20;

/// Removes from `maildir` what the rules choose. `witness` sees each message before it goes.
///
/// # Errors
/// A directory cannot be read or written; `witness` fails. What was removed until then is gone.
pub fn purge(maildir: &Maildir, task: &Task, witness: &mut dyn Witness) -> Result<Outcome> {
    let listed = List::of(maildir, task, witness)?;
    let mut outcome = Outcome {
        messages: listed.seen,
        undated: listed.candidates.iter().filter(|known| known.is_undated()).count() as u64,
        is_cut_short: listed.is_cut_short,
        ..Outcome::default()
    };
    // Which are the newest nobody knows before all are known.
    if !(listed.is_cut_short && task.rules.rank()) {
        remove(maildir, task, &listed, witness, &mut outcome)?;
    }
    if task.clean_tmp && !task.is_dry && !outcome.is_cut_short {
        outcome.stale = clean(maildir.tmp(), task.now)?;
    }
    Ok(outcome)
}

/// The messages that the rules could be about. A million of them take some 120 MB.
#[derive(Default)]
struct List {
    candidates: Vec<Candidate>,
    files: Vec<File>,
    /// All names, one behind the other.
    names: Vec<u8>,
    seen: u64,
    is_cut_short: bool,
}

/// Where the name of a message stands, and where the message is.
#[derive(Clone, Copy)]
struct File {
    start: u32,
    length: u8,
    part: Part,
    inode: u64,
}

impl File {
    fn name(self, names: &[u8]) -> &[u8] {
        let start = self.start as usize;
        names.get(start..start + usize::from(self.length)).unwrap_or_default()
    }
}

impl List {
    fn of(maildir: &Maildir, task: &Task, witness: &mut dyn Witness) -> Result<Self> {
        let mut list = List::default();
        for part in Part::ALL {
            maildir.each_message(part, |message| {
                list.seen += 1;
                list.take(&message, task)
            })?;
        }
        list.look(maildir, task, witness)?;
        Ok(list)
    }

    /// Takes a message of which more has to be known, or which goes by its name alone.
    fn take(&mut self, message: &maildir::Message, task: &Task) -> Result<()> {
        let flags = message.flags();
        // Where messages are ranked, one that is spared has its place too.
        let may_go = task.rules.concern(flags) && (task.rules.rank() || !task.rules.spare(flags));
        if !may_go {
            return Ok(());
        }
        let time = match task.by {
            By::Name => message.name.second().filter(|second| *second <= task.now),
            By::Arrival | By::Date => None,
        };
        let is_young = time.is_some_and(|time| !task.rules.rank() && !task.rules.outlived(time, task.now));
        if is_young {
            return Ok(());
        }
        let name = message.file.as_bytes();
        self.files.push(File {
            start: u32::try_from(self.names.len()).context("names of 4 GiB")?,
            length: u8::try_from(name.len()).context("a name above 255 octets")?,
            part: message.part,
            inode: message.inode,
        });
        self.names.extend_from_slice(name);
        self.candidates.push(Candidate { time, size: message.name.size(), flags, matches: true });
        Ok(())
    }

    /// Asks for what the names do not tell, in the order of the files' numbers: that is how they lie.
    fn look(&mut self, maildir: &Maildir, task: &Task, witness: &mut dyn Witness) -> Result<()> {
        let mut order: Vec<u32> = (0..self.files.len() as u32).collect();
        order.sort_unstable_by_key(|at| self.files[*at as usize].inode);
        if task.rules.rank() && !task.asks_files() {
            order = self.without_former_names(order, maildir)?;
        }
        self.files = order.iter().map(|at| self.files[*at as usize]).collect();
        self.candidates = order.iter().map(|at| self.candidates[*at as usize]).collect();
        if !task.asks_files()
            && self.candidates.iter().all(|known| known.size.is_some() || !task.asks_sizes())
        {
            return Ok(());
        }
        let names = &self.names;
        let mut done = 0;
        for (files, candidates) in self.files.chunks_mut(BLOCK).zip(self.candidates.chunks_mut(BLOCK)) {
            if task.is_over() {
                self.is_cut_short = true;
                break;
            }
            shared::each(files, candidates, |file, candidate| {
                look_at(*file, candidate, names, maildir, task)
            })?;
            done += files.len();
            witness.judged(files.len() as u64);
        }
        self.files.truncate(done);
        self.candidates.truncate(done);
        Ok(())
    }

    /// `order` without the names that messages had before. One that is renamed meanwhile may be listed under
    /// both, with the same number; counted twice, it would take the place of another.
    fn without_former_names(&self, order: Vec<u32>, maildir: &Maildir) -> Result<Vec<u32>> {
        let file = |at: u32| self.files[at as usize];
        let mut left = Vec::with_capacity(order.len());
        for names in order.chunk_by(|one, other| file(*one).inode == file(*other).inode) {
            for at in names {
                let name = OsStr::from_bytes(file(*at).name(&self.names));
                if names.len() == 1 || maildir.part(file(*at).part).stat(name)?.is_some() {
                    left.push(*at);
                }
            }
        }
        Ok(left)
    }
}

/// Asks for what is wanted of one message.
fn look_at(
    file: File,
    candidate: &mut Candidate,
    names: &[u8],
    maildir: &Maildir,
    task: &Task,
) -> Result<()> {
    let directory = maildir.part(file.part);
    let name = OsStr::from_bytes(file.name(names));
    let wants_size = task.asks_sizes() && candidate.size.is_none();
    if task.by == By::Arrival || wants_size {
        match directory.stat(name)? {
            Some(stat) => {
                candidate.size = u64::try_from(stat.st_size).ok();
                if task.by == By::Arrival {
                    candidate.time = Some(stat.st_mtime).filter(|second| *second <= task.now);
                }
            }
            // It has gone away.
            None => candidate.matches = false,
        }
    }
    if task.reads_headers() {
        let header = maildir::header(directory, name)?;
        // One that has gone away fits nothing.
        header.map_or(Seen::Unmatched, |header| task.look(Header(&header))).mark(candidate);
    }
    Ok(())
}

fn remove(
    maildir: &Maildir,
    task: &Task,
    list: &List,
    witness: &mut dyn Witness,
    outcome: &mut Outcome,
) -> Result<()> {
    let chosen = task.rules.chosen(&list.candidates, task.now);
    let going: Vec<u32> = (0_u32..).zip(chosen).filter(|(_, goes)| *goes).map(|(at, _)| at).collect();
    let mut moved = Successors::default();
    let is_told = task.is_dry || task.move_to.is_some() || witness.is_told_of_each();
    for block in going.chunks(if is_told { FEW } else { BLOCK }) {
        if task.is_over() {
            outcome.is_cut_short = true;
            break;
        }
        if is_told {
            remove_one_by_one(block, maildir, task, list, &mut moved, witness, outcome)?;
        } else {
            remove_together(block, maildir, list, &mut moved, outcome)?;
        }
    }
    for _ in 0..ROUNDS {
        if moved.is_empty() || outcome.is_cut_short {
            break;
        }
        moved = find_successors(maildir, task, &mut moved, witness, outcome)?;
    }
    // What was unlinked needs no sync: if it is back after a crash, the next run removes it again.
    if let Some(to) = task.move_to.filter(|_| outcome.gone > 0 && !task.is_dry) {
        moving::settle(to)?;
        for part in Part::ALL {
            maildir.part(part).sync()?;
        }
    }
    Ok(())
}

/// Removes messages that nobody has to be told of, by several threads: the kernel frees the space of one while
/// it looks for another.
fn remove_together(
    block: &[u32],
    maildir: &Maildir,
    list: &List,
    moved: &mut Successors,
    outcome: &mut Outcome,
) -> Result<()> {
    let mut going: Vec<(File, Candidate)> =
        block.iter().map(|at| (list.files[*at as usize], list.candidates[*at as usize])).collect();
    let mut fates = vec![None; going.len()];
    let done = shared::each(&mut going, &mut fates, |(file, _), is_gone| {
        let name = OsStr::from_bytes(file.name(&list.names));
        *is_gone = Some(unlink(maildir.part(file.part), name)?);
        Ok(())
    });
    for ((file, candidate), is_gone) in going.iter().zip(fates) {
        match is_gone {
            Some(true) => {
                outcome.gone += 1;
                outcome.octets += candidate.size.unwrap_or(0);
            }
            Some(false) => moved.expect(file.name(&list.names), file.inode, *candidate),
            None => {}
        }
    }
    done
}

fn remove_one_by_one(
    block: &[u32],
    maildir: &Maildir,
    task: &Task,
    list: &List,
    moved: &mut Successors,
    witness: &mut dyn Witness,
    outcome: &mut Outcome,
) -> Result<()> {
    for at in block {
        let (file, candidate) = (&list.files[*at as usize], &list.candidates[*at as usize]);
        let name = file.name(&list.names);
        let message = Known { part: file.part, name, candidate };
        if !take_away(maildir, task, &message, witness, outcome)? {
            moved.expect(name, file.inode, *candidate);
        }
    }
    Ok(())
}

/// A message of which all is known that was asked.
struct Known<'a> {
    part: Part,
    name: &'a [u8],
    candidate: &'a Candidate,
}

/// Takes one message away, or tells that it would. False: it is not there under this name any more.
fn take_away(
    maildir: &Maildir,
    task: &Task,
    message: &Known,
    witness: &mut dyn Witness,
    outcome: &mut Outcome,
) -> Result<bool> {
    let directory = maildir.part(message.part);
    let name = OsStr::from_bytes(message.name);
    witness.sees(&Going {
        path: directory.path().join(name),
        time: message.candidate.time.unwrap_or_default(),
        size: message.candidate.size,
        // Nobody needs to read a message to remove it.
        header: &|| Ok(maildir::header(directory, name).ok().flatten()),
    })?;
    let is_gone = match task.move_to {
        _ if task.is_dry => true,
        Some(to) => moving::move_over(directory, name, message.part, to)?,
        None => unlink(directory, name)?,
    };
    if !is_gone {
        witness.stayed();
        return Ok(false);
    }
    witness.gone()?;
    outcome.gone += 1;
    outcome.octets += message.candidate.size.unwrap_or(0);
    Ok(true)
}

/// False: it had gone.
pub(super) fn unlink(directory: &Directory, name: &OsStr) -> Result<bool> {
    match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno).with_context(|| directory.path().join(name).display().to_string()),
    }
}

/// Judges again what has another name now, by the flags in that name. Returns what has moved once more.
fn find_successors(
    maildir: &Maildir,
    task: &Task,
    moved: &mut Successors,
    witness: &mut dyn Witness,
    outcome: &mut Outcome,
) -> Result<Successors> {
    let mut found: Vec<(Part, Vec<u8>, u64, Candidate)> = Vec::new();
    for part in Part::ALL {
        maildir.each_message(part, |message| {
            if let Some(candidate) = moved.find(message.name.base, message.inode) {
                let flags = message.flags();
                if task.rules.concern(flags) && !task.rules.spare(flags) {
                    let candidate = Candidate { flags, ..candidate };
                    found.push((part, message.file.as_bytes().to_vec(), message.inode, candidate));
                }
            }
            Ok(())
        })?;
    }
    let mut again = Successors::default();
    for (part, name, inode, candidate) in &found {
        let message = Known { part: *part, name, candidate };
        if !take_away(maildir, task, &message, witness, outcome)? {
            again.expect(name, *inode, *candidate);
        }
    }
    Ok(again)
}

/// Removes from `tmp` the regular files that nobody has touched for 36 hours, and counts them.
fn clean(tmp: &Directory, now: i64) -> Result<u64> {
    let mut stale = Vec::new();
    each_entry(tmp, |entry| {
        if entry.kind == FileType::RegularFile
            && let Some(stat) = tmp.stat(entry.file)?
        {
            // Many file systems keep no time of access, so the newest of all times counts.
            let touched = stat.st_atime.max(stat.st_mtime).max(stat.st_ctime);
            if touched < now - STALE {
                stale.push(entry.file.to_owned());
            }
        }
        Ok(())
    })?;
    let mut count = 0;
    for name in &stale {
        count += u64::from(unlink(tmp, name)?);
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
