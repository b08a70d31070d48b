//! Folders: the Maildirs below a directory.
//!
//! Maildir++ keeps them beside cur, new and tmp, each under a name that begins with a dot, none inside
//! another. Other programs nest them under plain names, with directories between that are no Maildirs.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use anyhow::{Result, bail};
use rustix::fs::FileType;

use super::is_no_directory;
use super::listing::each_entry;
use super::maildir::Maildir;
use crate::escape;
use crate::place;
use crate::store::directory::{Directory, is_same};

/// How deep folders are looked for. Each level holds a directory open.
const DEEPEST: usize = 32;

/// What `walk` shows its folders to; false ends the walk.
pub type Visit<'a> = dyn FnMut(Result<&Maildir>) -> bool + 'a;

/// Shows `visit` the Maildir that `root` is, if it is one, and every folder below it, by name. One that
/// cannot be opened or read comes as an error, and the others follow. Says whether it came to the end.
pub fn walk(root: Directory, visit: &mut Visit) -> bool {
    descend(root, DEEPEST, visit)
}

fn descend(directory: Directory, depth: usize, visit: &mut Visit) -> bool {
    let (root, is_maildir) = match Maildir::inside(directory) {
        Err(error) => return visit(Err(error)),
        Ok(Err(root)) => (root, false),
        Ok(Ok(maildir)) if !visit(Ok(&maildir)) => return false,
        Ok(Ok(maildir)) => (maildir.into_root(), true),
    };
    let names = match Contents::of(&root, depth) {
        Ok(contents) => contents.directories,
        Err(error) => return visit(Err(error)),
    };
    names.iter().all(|name| match name.as_bytes() {
        b"cur" | b"new" | b"tmp" => true,
        [b'.', ..] if is_maildir => below(&root, name, visit, flat),
        [b'.', ..] => true,
        _ => below(&root, name, visit, |folder, visit| descend(folder, depth - 1, visit)),
    })
}

/// Goes on with the directory `name`, if it is still there.
fn below(
    root: &Directory,
    name: &OsStr,
    visit: &mut Visit,
    go_on: impl FnOnce(Directory, &mut Visit) -> bool,
) -> bool {
    match inside(root, name) {
        Ok(Some(folder)) => go_on(folder, visit),
        Ok(None) => true,
        Err(error) => visit(Err(error)),
    }
}

/// Under a name with a dot may stand anything; it is a folder when it is a Maildir, and has none below it.
fn flat(folder: Directory, visit: &mut Visit) -> bool {
    match Maildir::inside(folder) {
        Ok(Ok(maildir)) => visit(Ok(&maildir)),
        Ok(Err(_)) => true,
        Err(error) => visit(Err(error)),
    }
}

/// Why a directory that is no Maildir is no tree of Maildirs either; None when it is one.
///
/// A tree holds Maildirs, and directories of Maildirs, and no other directory but those whose name begins
/// with a dot; and it is no home directory. A path typed one level too high must not be taken for one.
///
/// # Errors
/// A directory cannot be read.
pub fn doubt(root: &Directory) -> Result<Option<String>> {
    let mut maildirs = 0;
    Ok(match stranger(root, DEEPEST, &mut maildirs)? {
        _ if is_home(root)? => Some("it is a home directory; name the mailbox in it".to_owned()),
        Some(stranger) => Some(format!("{} is no Maildir", escape::foreign(stranger.as_bytes()))),
        None if maildirs == 0 => Some("it has no cur, new and tmp".to_owned()),
        None => None,
    })
}

fn is_home(root: &Directory) -> Result<bool> {
    let home = place::home().ok().map(|home| Directory::open(&home)).transpose().ok().flatten().flatten();
    Ok(match (home.map(|home| home.stat(".")).transpose()?, root.stat(".")?) {
        (Some(Some(home)), Some(root)) => is_same(&home, &root),
        _ => false,
    })
}

/// The first directory in `root` that belongs to no tree of Maildirs, or `root` itself.
fn stranger(root: &Directory, depth: usize, maildirs: &mut usize) -> Result<Option<OsString>> {
    let contents = Contents::of(root, depth)?;
    if contents.directories.is_empty() && contents.has_files {
        return Ok(Some(root.path().as_os_str().to_owned()));
    }
    for name in contents.directories.iter().filter(|name| !name.as_bytes().starts_with(b".")) {
        let Some(folder) = inside(root, name)? else { continue };
        match Maildir::inside(folder)? {
            Ok(_) => *maildirs += 1,
            Err(folder) => {
                if let found @ Some(_) = stranger(&folder, depth - 1, maildirs)? {
                    return Ok(found);
                }
            }
        }
    }
    Ok(None)
}

/// What is in a directory.
#[derive(Default)]
struct Contents {
    /// Its directories, by name.
    directories: Vec<OsString>,
    /// Whether anything else is there.
    has_files: bool,
}

impl Contents {
    fn of(directory: &Directory, depth: usize) -> Result<Self> {
        if depth == 0 {
            bail!("{}: folders are nested too deep", directory.path().display());
        }
        let mut contents = Contents::default();
        each_entry(directory, |entry| {
            match entry.kind {
                FileType::Directory => contents.directories.push(entry.file.to_owned()),
                _ => contents.has_files = true,
            }
            Ok(())
        })?;
        contents.directories.sort_unstable();
        Ok(contents)
    }
}

/// The directory `name` in `root`; None when it has gone, or has become something else.
fn inside(root: &Directory, name: &OsStr) -> Result<Option<Directory>> {
    match root.inside(name) {
        Err(error) if is_no_directory(&error) => Ok(None),
        opened => opened,
    }
}
