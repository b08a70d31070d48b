//! What `deliver DEST` names: a Maildir, an mbox, or an LMTP server.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::escape;
use crate::place;

/// A destination for mail.
#[derive(Debug, PartialEq, Eq)]
pub enum Dest {
    /// The directory above cur, new and tmp.
    Maildir(PathBuf),
    /// A file.
    Mbox(PathBuf),
    /// The LMTP server of a mail store.
    Lmtp(Server),
}

/// Where an LMTP server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// A socket in the file system.
    Unix(PathBuf),
    /// A host, or the IPv4 or IPv6 address of one, and a port.
    Tcp(String, u16),
}

impl Dest {
    /// What `word` names; without it `~/Maildir/`.
    ///
    /// `path/`, or a directory with cur, new and tmp, is a Maildir, any other path an mbox.
    ///
    /// # Errors
    /// A malformed server, a directory that is no Maildir, `~` without a home directory.
    pub fn named(word: Option<&OsStr>) -> Result<Self> {
        let word = word.unwrap_or(OsStr::new("~/Maildir/"));
        ensure!(!word.is_empty(), "DEST: is empty; give a path, or leave it out for ~/Maildir/");
        match word.as_bytes().strip_prefix(b"lmtp:") {
            Some(server) => Ok(Dest::Lmtp(Server::named(OsStr::from_bytes(server))?)),
            None => of_path(place::expand(Path::new(word))?),
        }
    }
}

fn of_path(path: PathBuf) -> Result<Dest> {
    if path.as_os_str().as_bytes().ends_with(b"/") || is_maildir(&path) {
        return Ok(Dest::Maildir(path));
    }
    ensure!(!path.is_dir(), "{}: is a directory and no Maildir; for one write {0}/", path.display());
    Ok(Dest::Mbox(path))
}

fn is_maildir(path: &Path) -> bool {
    ["cur", "new", "tmp"].iter().all(|name| path.join(name).is_dir())
}

impl Server {
    fn named(word: &OsStr) -> Result<Self> {
        if let Some(path) = word.as_bytes().strip_prefix(b"unix:") {
            ensure!(!path.is_empty(), "lmtp:unix: is without the path of a socket");
            return Ok(Server::Unix(place::expand(Path::new(OsStr::from_bytes(path)))?));
        }
        let shown = || format!("lmtp:{}", escape::foreign(word.as_bytes()));
        let (host, port) = word
            .to_str()
            .and_then(|word| word.rsplit_once(':'))
            .with_context(|| format!("{}: give lmtp:unix:PATH or lmtp:HOST:PORT", shown()))?;
        let host = unbracketed(host).with_context(|| format!("{}: put an IPv6 address into []", shown()))?;
        match port.parse() {
            Ok(port) if port != 0 && !host.is_empty() => Ok(Server::Tcp(host.to_owned(), port)),
            _ => bail!("{}: give lmtp:unix:PATH or lmtp:HOST:PORT", shown()),
        }
    }
}

/// A host as the resolver takes it; None for an IPv6 address whose last group may be the port.
fn unbracketed(host: &str) -> Option<&str> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']'),
        None => (!host.contains(':')).then_some(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(word: &str) -> Result<Dest> {
        Dest::named(Some(OsStr::new(word)))
    }

    #[test]
    fn a_destination_is_known_by_its_form() {
        let tcp = |host: &str, port| Dest::Lmtp(Server::Tcp(host.to_owned(), port));
        for (word, dest) in [
            ("/nowhere/Mail/", Dest::Maildir("/nowhere/Mail/".into())),
            ("/nowhere/mbox", Dest::Mbox("/nowhere/mbox".into())),
            ("lmtp:unix:/run/lmtp", Dest::Lmtp(Server::Unix("/run/lmtp".into()))),
            ("lmtp:localhost:24", tcp("localhost", 24)),
            ("lmtp:127.0.0.1:2424", tcp("127.0.0.1", 2424)),
            ("lmtp:[::1]:24", tcp("::1", 24)),
        ] {
            assert_eq!(named(word).unwrap(), dest, "{word}");
        }
    }

    #[test]
    fn a_malformed_destination_is_a_mistake_that_defers() {
        for word in [
            "",
            "lmtp:",
            "lmtp:unix:",
            "lmtp:host",
            "lmtp:host:",
            "lmtp::24",
            "lmtp:host:0",
            "lmtp:host:65536",
            "lmtp:::1:24",
            "lmtp:[::1:24",
            "lmtp:[]:24",
            "/tmp",
        ] {
            assert!(named(word).is_err(), "{word:?}");
        }
        assert!(named("/tmp").unwrap_err().to_string().ends_with("for one write /tmp/"));
    }
}
