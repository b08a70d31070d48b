//! The reader's side: gpg with a secret key, and the way back to the original as selfseal(7) has it.
//!
//! The way back is written here once more, from the documentation, and shares no code with the programs.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use memchr::memmem;
use tempfile::{Builder, TempDir};

use crate::world::fixture;

/// A key ring of its own, with an agent that ends with it.
pub struct Ring {
    home: TempDir,
}

impl Ring {
    pub fn empty() -> Self {
        let private = Permissions::from_mode(0o700);
        Ring { home: Builder::new().permissions(private).tempdir().expect("a temporary directory") }
    }

    /// A ring with Alice's secret key.
    pub fn of_alice() -> Self {
        let ring = Ring::empty();
        ring.gpg(&["--import"], &fixture("keys/alice.key"));
        ring
    }

    /// gpg's standard output; a status other than 0 fails the test.
    #[track_caller]
    pub fn gpg(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut gpg = Command::new("gpg");
        self.run(gpg.args(["--batch", "--quiet", "--trust-model=always"]).args(arguments), input)
    }

    /// Runs a command of the documentation with this ring.
    #[track_caller]
    pub fn shell(&self, command: &str) {
        self.run(Command::new("bash").args(["-o", "pipefail", "-c", command]), b"");
    }

    #[track_caller]
    fn run(&self, command: &mut Command, input: &[u8]) -> Vec<u8> {
        let mut child = command
            .env("GNUPGHOME", self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("no gpg here: apt-get install gnupg");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_owned();
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let Output { status, stdout, stderr } = child.wait_with_output().expect("an end");
        writer.join().expect("the writer");
        assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
        stdout
    }

    /// The payload of a sealed message.
    #[track_caller]
    pub fn payload(&self, sealed: &[u8]) -> Vec<u8> {
        let (begin, end) = ("-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----");
        let from = memmem::find(sealed, begin.as_bytes()).expect("armor");
        let to = memmem::rfind(sealed, end.as_bytes()).expect("the end of the armor");
        self.gpg(&["--decrypt"], &sealed[from..to + end.len()])
    }

    /// The original of a sealed message, octet for octet.
    #[track_caller]
    pub fn original(&self, sealed: &[u8]) -> Vec<u8> {
        original(&self.payload(sealed))
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let mut gpgconf = Command::new("gpgconf");
        let _ = gpgconf.args(["--kill", "all"]).env("GNUPGHOME", self.home.path()).output();
    }
}

/// The way back: `Selfseal: form=FORM; lines=LINES; added=N` says which.
fn original(payload: &[u8]) -> Vec<u8> {
    let mark = payload.split(|octet| *octet == b'\r').next().unwrap_or_default();
    let mark = String::from_utf8_lossy(mark).into_owned();
    let value = |name: &str| {
        let field = mark.strip_prefix("Selfseal: ").expect("our field stands first");
        field.split("; ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).expect(name)
    };
    let found = match value("form") {
        "spliced" => without_our_lines(payload, value("added").parse().expect("a number")),
        _ => part(payload),
    };
    if value("lines") == "lf" { lf(&found) } else { found }
}

/// A spliced payload without its first line, the `added` lines behind it, and the one in Content-Type.
fn without_our_lines(payload: &[u8], added: usize) -> Vec<u8> {
    let ours = &b" ; protected-headers=\"v1\"; hp=\"cipher\"\r\n"[..];
    let mut lines: Vec<&[u8]> = payload.split_inclusive(|octet| *octet == b'\n').skip(1 + added).collect();
    let header = lines.iter().position(|line| *line == b"\r\n").unwrap_or(lines.len());
    if let Some(line) = lines[..header].iter().position(|line| *line == ours) {
        lines.remove(line);
    }
    lines.concat()
}

/// What lies between `--BOUNDARY` CRLF and CRLF `--BOUNDARY--`.
fn part(payload: &[u8]) -> Vec<u8> {
    let at = memmem::find(payload, b"boundary=\"").expect("a boundary") + 10;
    let boundary = payload[at..].split(|octet| *octet == b'"').next().expect("its end");
    let (open, close) = ([b"\r\n--", boundary, b"\r\n"].concat(), [b"\r\n--", boundary, b"--"].concat());
    let from = memmem::find(payload, &open).expect("the part") + open.len();
    let to = memmem::rfind(payload, &close).expect("its end");
    payload[from..to].to_owned()
}

/// CRLF becomes LF.
pub fn lf(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.split_inclusive(|octet| *octet == b'\n');
    let ends = |line: &'_ [u8]| match line.strip_suffix(b"\r\n") {
        Some(text) => [text, b"\n"].concat(),
        None => line.to_owned(),
    };
    lines.flat_map(ends).collect()
}
