//! What `deliver DEST` names: a Maildir, an mbox, or a server.

use std::ffi::OsStr;
use std::fmt;
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
    /// A mail store, or another mail host.
    Server(Server),
}

/// What listens where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub protocol: Protocol,
    pub socket: Socket,
}

/// What it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A mail store's (RFC 2033).
    Lmtp,
    /// A mail host's (RFC 5321).
    Smtp,
}

/// Where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Socket {
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
        for protocol in [Protocol::Lmtp, Protocol::Smtp] {
            if let Some(socket) = word.as_bytes().strip_prefix(format!("{protocol}:").as_bytes()) {
                let server = Server::named(protocol, OsStr::from_bytes(socket));
                return server.map(Dest::Server).with_context(|| escape::foreign(word.as_bytes()));
            }
        }
        of_path(place::expand(Path::new(word))?)
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
    fn named(protocol: Protocol, word: &OsStr) -> Result<Self> {
        let socket = Socket::named(word)?;
        let is_of_smtp = matches!(socket, Socket::Tcp(_, 25));
        ensure!(
            protocol == Protocol::Smtp || !is_of_smtp,
            "port 25 is never LMTP's (RFC 2033, 5); for SMTP write smtp:"
        );
        Ok(Server { protocol, socket })
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Protocol::Lmtp => "lmtp",
            Protocol::Smtp => "smtp",
        })
    }
}

impl Socket {
    fn named(word: &OsStr) -> Result<Self> {
        const FORMS: &str = "give unix:PATH or HOST:PORT behind the first colon";
        if let Some(path) = word.as_bytes().strip_prefix(b"unix:") {
            ensure!(!path.is_empty(), FORMS);
            return Ok(Socket::Unix(place::expand(Path::new(OsStr::from_bytes(path)))?));
        }
        let (host, port) = word.to_str().and_then(|word| word.rsplit_once(':')).context(FORMS)?;
        let host = unbracketed(host).context("put an IPv6 address into []")?;
        match port.parse() {
            Ok(port) if port != 0 && !host.is_empty() => Ok(Socket::Tcp(host.to_owned(), port)),
            _ => bail!(FORMS),
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
        let server = |protocol, socket| Dest::Server(Server { protocol, socket });
        let tcp = |host: &str, port| Socket::Tcp(host.to_owned(), port);
        for (word, dest) in [
            ("/nowhere/Mail/", Dest::Maildir("/nowhere/Mail/".into())),
            ("/nowhere/mbox", Dest::Mbox("/nowhere/mbox".into())),
            ("lmtp:unix:/run/lmtp", server(Protocol::Lmtp, Socket::Unix("/run/lmtp".into()))),
            ("lmtp:localhost:24", server(Protocol::Lmtp, tcp("localhost", 24))),
            ("lmtp:127.0.0.1:2424", server(Protocol::Lmtp, tcp("127.0.0.1", 2424))),
            ("lmtp:[::1]:24", server(Protocol::Lmtp, tcp("::1", 24))),
            ("smtp:unix:/run/smtp", server(Protocol::Smtp, Socket::Unix("/run/smtp".into()))),
            ("smtp:[::1]:10026", server(Protocol::Smtp, tcp("::1", 10026))),
            ("smtp:localhost:25", server(Protocol::Smtp, tcp("localhost", 25))),
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
            "lmtp:localhost:25",
            "lmtp:[::1]:25",
            "smtp:",
            "smtp:unix:",
            "smtp:host",
            "/tmp",
        ] {
            assert!(named(word).is_err(), "{word:?}");
        }
        assert!(named("/tmp").unwrap_err().to_string().ends_with("for one write /tmp/"));
    }
}
