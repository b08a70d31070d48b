//! The mail of mailboxes, read as far as its header sections go: by two threads, none of it held.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Error, Result, bail};
use rustix::fs::{FileType, OFlags};

use super::facts;
use super::figures::Figures;
use crate::exit;
use crate::mailbox::maildir::header;
use crate::mailbox::{Mailbox, Maildir, Part, each_entry, mbox, tree};
use crate::message::{Arrival, Entity};
use crate::progress::Progress;
use crate::store::directory::Directory;
use crate::trace::Ours;

/// How many names go from the thread that lists to one that reads, at once.
const BATCH: usize = 256;

/// How many batches may wait.
const WAITING: usize = 4;

/// The longest header section that is read of a file, in octets; of a longer one the beginning counts. Trace
/// fields are on top.
const LONGEST: u64 = 1 << 20;

/// Reads mailboxes at the moment `now`, in seconds since 1970. What cannot be read is counted, and named on
/// standard error by `program`; the rest goes on.
pub fn gather(program: &'static str, paths: &[OsString], ours: &Ours, now: i64) -> Figures {
    let progress = Mutex::new(Progress::on_terminal(b"", None));
    let mut reader = Reader { program, ours, now, progress: &progress, figures: Figures::default() };
    for path in paths {
        let path = Path::new(path);
        if let Err(error) = reader.read(path) {
            reader.miss(&error);
        }
    }
    reader.figures
}

/// One thread's work. All of them share the line on the terminal.
struct Reader<'a> {
    program: &'static str,
    ours: &'a Ours,
    now: i64,
    progress: &'a Mutex<Progress>,
    figures: Figures,
}

impl Reader<'_> {
    /// Reads what `path` is, through links too: whoever runs this chose it.
    fn read(&mut self, path: &Path) -> Result<()> {
        let named = || path.display().to_string();
        if std::fs::metadata(path).with_context(named)?.is_dir() {
            return self.directory(path);
        }
        // A pipe or a device is opened without waiting for its other side, and refused.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).with_context(named)?;
        let stat = file.metadata().with_context(named)?;
        if !stat.is_file() {
            bail!("{}: is no regular file", named());
        }
        self.turn_to(path, Some(stat.len()));
        self.file(file).with_context(named)
    }

    /// A Maildir with its folders, or a directory of Maildirs.
    fn directory(&mut self, path: &Path) -> Result<()> {
        let root = match Mailbox::at(path)? {
            Mailbox::Maildir(maildir) => maildir.into_root(),
            Mailbox::Tree(root) => root,
            Mailbox::Mbox(_) => bail!("{}: changed while it was looked at", path.display()),
        };
        tree::walk(root, &mut |folder| {
            match folder {
                Ok(maildir) => self.maildir(maildir),
                Err(error) => self.miss(&error),
            }
            true
        });
        Ok(())
    }

    fn maildir(&mut self, maildir: &Maildir) {
        self.figures.mailboxes += 1;
        self.turn_to(maildir.path(), count(maildir));
        for part in Part::ALL {
            if let Err(error) = self.messages(maildir.part(part)) {
                self.miss(&error);
            }
        }
    }

    /// This thread lists the directory, another one reads. When that is behind, both read.
    fn messages(&mut self, directory: &Directory) -> Result<()> {
        let (send, receive) = sync_channel(WAITING);
        let helper = Reader { figures: Figures::default(), ..*self };
        thread::scope(|scope| {
            // Without another thread nobody receives, and this one reads all.
            let helper =
                thread::Builder::new().spawn_scoped(scope, move || helper.batches(directory, &receive));
            let mut batch = Vec::with_capacity(BATCH);
            let listed = each_entry(directory, |entry| {
                match entry.kind {
                    _ if entry.file.as_bytes().starts_with(b".") => {}
                    FileType::RegularFile => batch.push(entry.file.to_owned()),
                    _ => self.miss(&Error::msg(format!(
                        "{}: is no regular file",
                        directory.path().join(entry.file).display()
                    ))),
                }
                if batch.len() == BATCH {
                    let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                    if let Err(TrySendError::Full(full) | TrySendError::Disconnected(full)) =
                        send.try_send(full)
                    {
                        self.batch(directory, &full);
                    }
                }
                Ok(())
            });
            self.batch(directory, &batch);
            drop(send);
            if let Ok(helper) = helper {
                // A panic has ended the process.
                self.figures.add(helper.join().unwrap_or_default());
            }
            listed
        })
    }

    fn batches(mut self, directory: &Directory, receive: &Receiver<Vec<OsString>>) -> Figures {
        for batch in receive {
            self.batch(directory, &batch);
        }
        self.figures
    }

    fn batch(&mut self, directory: &Directory, batch: &[OsString]) {
        for file in batch {
            match header(directory, file) {
                Ok(Some(header)) => self.count(&header),
                Ok(None) => self.figures.gone += 1,
                Err(error) => self.miss(&error),
            }
        }
        self.advance(batch.len() as u64);
    }

    /// An mbox, or a file with one message.
    fn file(&mut self, mut file: File) -> Result<()> {
        let input = Shown { file: &file, progress: self.progress };
        if mbox::each_header(input, |header| self.count(header))? {
            self.figures.mailboxes += 1;
            return Ok(());
        }
        file.rewind()?;
        let mut bytes = Vec::new();
        file.take(LONGEST).read_to_end(&mut bytes)?;
        let message = Arrival::read(&bytes).message;
        if Entity::split(message).header.0.is_empty() {
            bail!("is no mailbox and no message");
        }
        self.count(message);
        Ok(())
    }

    /// Counts what begins with a header section.
    fn count(&mut self, bytes: &[u8]) {
        let header = Entity::split(bytes).header;
        self.figures.count(&facts::of(header, self.ours, self.now));
    }

    fn miss(&mut self, error: &Error) {
        let line = exit::line_of(error);
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.clear();
        exit::say(&format!("{}: {line}", self.program));
        drop(progress);
        self.figures.miss(line);
    }

    fn turn_to(&self, path: &Path, total: Option<u64>) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.turn_to(path.as_os_str().as_bytes(), total);
    }

    fn advance(&self, more: u64) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).advance(more);
    }
}

/// How many files a Maildir has. Only a terminal wants to know.
fn count(maildir: &Maildir) -> Option<u64> {
    if !io::stderr().is_terminal() {
        return None;
    }
    let mut files = 0;
    for part in Part::ALL {
        let counted = each_entry(maildir.part(part), |_| {
            files += 1;
            Ok(())
        });
        counted.ok()?;
    }
    Some(files)
}

/// A file whose octets are counted on the terminal as they are read.
struct Shown<'a> {
    file: &'a File,
    progress: &'a Mutex<Progress>,
}

impl Read for Shown<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).advance(read as u64);
        Ok(read)
    }
}
