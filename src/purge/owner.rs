//! Mailboxes of other users, from root: each by a process with its owner's rights alone.
//!
//! Whoever owns a mailbox may do in it what he likes, while root walks through it too. So root does nothing
//! there: another process of this program does, as the owner, and can do no more than the owner could.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::io::Errno;

use crate::mailbox::Maildir;
use crate::place::from_root;

/// The users whose mail it is: system accounts have lower numbers, nobody has the highest (Debian Policy, 9.2.2).
const PEOPLE: std::ops::Range<u32> = 1000..60_000;

/// Whose rights are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    /// Whose rights are needed at `mailbox`, where that is not the one who runs this. A missing one belongs to
    /// nobody.
    ///
    /// They are those of the first on the way who is not root: he decides what the rest of the path names, now
    /// and a moment later. The links on the way are followed, but only root's.
    ///
    /// # Errors
    /// It may not be looked at.
    pub fn of(mailbox: &Path) -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let named = || mailbox.display().to_string();
        let first = first_of_another(&from_root(mailbox).with_context(named)?).with_context(named)?;
        Ok(first.map(|(place, stat)| {
            let of_mailbox = mailbox.symlink_metadata().ok().filter(|there| there.uid() == stat.uid());
            let gid = of_mailbox.map_or_else(|| group(&place, &stat), |there| group(mailbox, &there));
            Owner { uid: stat.uid(), gid }
        }))
    }

    /// Runs this program again, as the owner, with these words, and answers with its status.
    ///
    /// # Errors
    /// It cannot be started, or a signal ended it.
    pub fn run(self, words: &[OsString]) -> Result<u8> {
        let program = std::env::current_exe().context("/proc/self/exe")?;
        let mut command = Command::new(&program);
        // This gives up root's other groups as well. In the root directory, since this one may be closed to him.
        command.args(words).uid(self.uid).gid(self.gid).current_dir("/").env_remove("HOME");
        let status = command.status().with_context(|| {
            format!(
                "{}: not started as user number {}; install it where all users may run it",
                program.display(),
                self.uid
            )
        })?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        code.with_context(|| format!("{}: a signal ended it", program.display()))
    }
}

/// There is nothing.
const MISSING: [ErrorKind; 2] = [ErrorKind::NotFound, ErrorKind::NotADirectory];

/// How many links lead on, at most: as many as the kernel follows.
const LINKS: usize = 40;

/// The first file, directory or link on the way along `path`, which is absolute, that is not root's. None where all
/// is root's, or where the way ends.
fn first_of_another(path: &Path) -> io::Result<Option<(PathBuf, Metadata)>> {
    let mut here = PathBuf::from("/");
    let mut ahead: Vec<OsString> = words(path).collect();
    let mut links = 0;
    while let Some(word) = ahead.pop() {
        // No link is a part of `here`, so it leads back where it came from.
        if word == ".." {
            here.pop();
            continue;
        }
        let next = here.join(word);
        let stat = match next.symlink_metadata() {
            Err(error) if MISSING.contains(&error.kind()) => return Ok(None),
            stat => stat?,
        };
        if stat.uid() != 0 {
            return Ok(Some((next, stat)));
        }
        if !stat.is_symlink() {
            here = next;
            continue;
        }
        links += 1;
        if links > LINKS {
            return Err(Errno::LOOP.into());
        }
        let target = next.read_link()?;
        if target.is_absolute() {
            here = PathBuf::from("/");
        }
        ahead.extend(words(&target));
    }
    Ok(None)
}

/// The names in a path, the last one first.
fn words(path: &Path) -> impl Iterator<Item = OsString> {
    let is_name = |word: &Component| matches!(word, Component::Normal(_) | Component::ParentDir);
    path.components().rev().filter(is_name).map(|word| word.as_os_str().to_owned())
}

/// Root works in no Maildir of another user, however he came to it: in a tree of many users' Maildirs, or because
/// one was put there meanwhile.
///
/// # Errors
/// It belongs to another user.
pub fn allows(maildir: &Maildir) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = maildir.root().stat(".")?.map_or(0, |stat| stat.st_uid);
    ensure!(
        owner == 0,
        "{}: belongs to user number {owner}; name it by itself, so that it is purged with that user's rights",
        maildir.path().display()
    );
    Ok(())
}

/// An mbox lies where a group may make files, as in /var/mail: its lock and its copy need that group.
fn group(mailbox: &Path, stat: &std::fs::Metadata) -> u32 {
    let above = mailbox.parent().filter(|_| stat.is_file()).and_then(|above| above.metadata().ok());
    match above {
        Some(above) if above.mode() & 0o020 != 0 => above.gid(),
        _ => stat.gid(),
    }
}

/// The mailboxes called `name` in the home directories of all people, those that are there.
///
/// # Errors
/// The password database cannot be read.
pub fn of_all_users(name: &Path) -> Result<Vec<PathBuf>> {
    let getent = Command::new("getent").arg("passwd").output();
    let text = match getent {
        Ok(output) if output.status.success() => output.stdout,
        // Where there is no getent(1), there is nothing but the file.
        _ => std::fs::read("/etc/passwd").context("/etc/passwd")?,
    };
    Ok(homes(&String::from_utf8_lossy(&text))
        .into_iter()
        .map(|home| home.join(name))
        // One that may not be looked at is told of later.
        .filter(|mailbox| !is_missing(mailbox))
        .collect())
}

fn is_missing(mailbox: &Path) -> bool {
    mailbox.symlink_metadata().is_err_and(|error| MISSING.contains(&error.kind()))
}

/// The home directories of people, each once (passwd(5)).
fn homes(passwd: &str) -> Vec<PathBuf> {
    let home = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let [_, _, uid, _, _, home, ..] = fields[..] else { return None };
        let is_person = uid.parse().is_ok_and(|uid: u32| PEOPLE.contains(&uid));
        (is_person && home.starts_with('/') && home.len() > 1).then(|| PathBuf::from(home))
    };
    let mut homes: Vec<PathBuf> = passwd.lines().filter_map(home).collect();
    homes.sort_unstable();
    homes.dedup();
    homes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_have_homes() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nmail:x:8:8::/var/mail:/bin/false\n\
            alice:x:1000:1000:Alice,,,:/home/alice:/bin/sh\nbob:x:1001:1001::/home/bob:\n\
            twin:x:1002:1001::/home/bob:\nnobody:x:65534:65534::/nonexistent:/bin/false\n\
            rootless:x:1003:1003::/:/bin/sh\nbroken:x:1004\nodd:x:-5:1::/home/odd:\n";
        assert_eq!(homes(passwd), [Path::new("/home/alice"), Path::new("/home/bob")]);
    }
}
