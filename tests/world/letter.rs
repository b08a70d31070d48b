//! Letters that tests send, as SMTP carries them, and what a sealed one holds.

use crate::world::gpg::Gpg;
use crate::world::manual;

pub const BOB: &str = "bob@elsewhere.example";

/// Words of the messages here that may rest nowhere.
pub const WORDS: [&str; 2] = ["elderberry", "juniper"];

/// A readable message like any other.
pub const LETTER: &[u8] = b"From: Bob <bob@elsewhere.example>\r\nTo: Alice\r\nSubject: elderberry wine\r\n\
    Message-ID: <1@elsewhere.example>\r\n\r\nThe juniper is in bloom.\r\n";

/// A letter that its sender encrypted to Alice with gpg.
pub fn encrypted_by(gpg: &Gpg) -> Vec<u8> {
    let armor = gpg.encrypt(LETTER, "alice@example.org");
    let message = [
        &b"From: bob@elsewhere.example\nSubject: ...\nMIME-Version: 1.0\n\
        Content-Type: multipart/encrypted; boundary=\"b1\"; protocol=\"application/pgp-encrypted\"\n\n\
        --b1\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n\
        --b1\nContent-Type: application/octet-stream\n\n"[..],
        &armor,
        b"\n--b1--\n",
    ];
    message.concat().split(|octet| *octet == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..])
}

/// The original of a sealed message, by gpg and by the rule of the manual page.
#[track_caller]
pub fn original(gpg: &Gpg, sealed: &[u8]) -> Vec<u8> {
    manual::original(&gpg.decrypt(manual::armor(sealed)))
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
