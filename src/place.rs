//! Places that belong to the user: the home directory, `~`, the configuration directory.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context, Result, bail};

/// The home directory: `$HOME`, or what the password database says.
///
/// # Errors
/// Neither tells an absolute path. A relative one would be taken from the MTA's queue directory.
pub fn home() -> Result<PathBuf> {
    std::env::home_dir()
        .filter(|home| home.is_absolute())
        .context("no home directory: HOME is not set and the password database has none")
}

/// `path` with a leading `~` or `~/` replaced: a `.forward` line has no shell that would do it.
///
/// # Errors
/// `~` stands there and there is no home directory; or another user's is meant, as a shell would have it.
pub fn expand(path: &Path) -> Result<PathBuf> {
    match path.strip_prefix("~") {
        // strip_prefix forgets a last slash, and that slash says "Maildir".
        Ok(rest) => Ok(joined_verbatim(home()?, path, rest)),
        // Else mail would go to a directory of that name, wherever the host has started this.
        Err(_) if path.as_os_str().as_encoded_bytes().starts_with(b"~") => {
            bail!("{}: only ~/ is known; write the whole path", path.display())
        }
        Err(_) => Ok(path.to_owned()),
    }
}

fn joined_verbatim(home: PathBuf, path: &Path, rest: &Path) -> PathBuf {
    let mut whole = OsString::from(home.join(rest));
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") && !whole.as_encoded_bytes().ends_with(b"/") {
        whole.push("/");
    }
    whole.into()
}

/// `path` as the root directory sees it. The path of the current directory goes through no link, so what goes up
/// from there goes up that path.
///
/// # Errors
/// It is empty, or nobody knows in which directory this is.
pub fn from_root(path: &Path) -> io::Result<PathBuf> {
    let mut whole = absolute(path)?;
    if path.is_relative() && path.starts_with("..") {
        whole = std::env::current_dir()?;
        let mut words = path.components();
        while words.as_path().starts_with("..") {
            whole.pop();
            words.next();
        }
        whole.push(words.as_path());
    }
    Ok(whole)
}

/// `$XDG_CONFIG_HOME`, or `~/.config`. A relative one is ignored, as the specification demands.
///
/// # Errors
/// There is no home directory.
pub fn config() -> Result<PathBuf> {
    match std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
        Some(path) => Ok(path),
        None => Ok(home()?.join(".config")),
    }
}
