//! What is in a directory, one entry after the other.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Context, Result};
use rustix::fs::{FileType, RawDir, SeekFrom};

use crate::store::directory::Directory;

/// What one call brings, in octets: some 800 names. The kernel holds the directory still for so long, so
/// nobody is renamed away within one call.
const PIECE: usize = 64 * 1024;

/// A name in a directory.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The file's name, of whatever octets.
    pub file: &'a OsStr,
    /// Its number in the file system. Files in the order of their numbers are looked at faster.
    pub inode: u64,
    /// What it is. A link is [`FileType::Symlink`].
    pub kind: FileType,
}

/// Shows `act` every entry but `.` and `..`, in no order. What is renamed meanwhile may be shown twice, under
/// both names, or not at all.
///
/// # Errors
/// The directory cannot be read, or `act` fails.
pub fn each_entry(directory: &Directory, mut act: impl FnMut(Entry) -> Result<()>) -> Result<()> {
    let named = || directory.path().display().to_string();
    rustix::fs::seek(directory, SeekFrom::Start(0)).with_context(named)?;
    let mut piece = Vec::with_capacity(PIECE);
    let mut entries = RawDir::new(directory, piece.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry.with_context(named)?;
        let file = OsStr::from_bytes(entry.file_name().to_bytes());
        if matches!(file.as_bytes(), b"." | b"..") {
            continue;
        }
        let kind = match entry.file_type() {
            // Some file systems do not say it here.
            FileType::Unknown => match directory.stat(file)? {
                Some(stat) => FileType::from_raw_mode(stat.st_mode),
                None => continue,
            },
            kind => kind,
        };
        act(Entry { file, inode: entry.ino(), kind })?;
    }
    Ok(())
}
