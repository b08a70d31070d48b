//! A page written to its place whole, or not at all: a web server may be reading the old one.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Writes `page` to `path` through a file beside it, which takes its name when it is on stable storage. A new
/// page may be read by whom the umask lets; the place of an old one has to be a regular file, not a link.
///
/// # Errors
/// The place is something else, or the system cannot write there; the old page is as it was.
pub fn write(path: &Path, page: &str) -> Result<()> {
    let name = path.file_name().with_context(|| format!("{}: names no file", path.display()))?;
    let old = std::fs::symlink_metadata(path).ok();
    ensure!(
        old.as_ref().is_none_or(std::fs::Metadata::is_file),
        "{}: is no regular file; name one",
        path.display()
    );
    let mut beside = OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = fill(&beside, page).and_then(|()| replace(&beside, path));
    if written.is_err() {
        // That it may not be there to remove is what happened most likely.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn fill(beside: &Path, page: &str) -> Result<()> {
    let context = || beside.display().to_string();
    let mut file: File =
        OpenOptions::new().write(true).create_new(true).mode(0o666).open(beside).with_context(context)?;
    file.write_all(page.as_bytes()).and_then(|()| file.sync_all()).with_context(context)
}

fn replace(beside: &Path, path: &Path) -> Result<()> {
    std::fs::rename(beside, path).with_context(|| path.display().to_string())?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    // The page stands there whole. That its name may not survive a power cut is no reason to say it failed.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn a_page_replaces_the_old_one_and_leaves_nothing_beside_it() {
        let place = tempdir().unwrap();
        let path = place.path().join("tls.html");
        write(&path, "old").unwrap();
        write(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_file_stays_what_it_is() {
        let place = tempdir().unwrap();
        let [link, directory, target] = ["link", "directory", "target"].map(|name| place.path().join(name));
        fs::create_dir(&directory).unwrap();
        fs::write(&target, "precious").unwrap();
        symlink(&target, &link).unwrap();
        for path in [&link, &directory, Path::new("/dev/null"), Path::new("/")] {
            assert!(write(path, "page").is_err(), "{}", path.display());
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_missing_directory_is_named() {
        let place = tempdir().unwrap();
        let error = write(&place.path().join("no/such.html"), "page").unwrap_err();
        assert!(format!("{error:#}").contains("/no/.such.html."), "{error:#}");
    }
}
