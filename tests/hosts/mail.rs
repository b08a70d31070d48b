//! Messages as SMTP carries them, and what has to rest of them.

use crate::account::Account;
use crate::mta::Mta;
use crate::smtp::Transfer;
use crate::world::gpg::Gpg;
use crate::world::manual;

pub const BOB: &str = "bob@elsewhere.example";

/// Words of the messages here that may rest nowhere.
pub const WORDS: [&str; 2] = ["elderberry", "juniper"];

/// A readable message like any other.
pub const LETTER: &[u8] = b"From: Bob <bob@elsewhere.example>\r\nTo: Alice\r\nSubject: elderberry wine\r\n\
    Message-ID: <1@elsewhere.example>\r\n\r\nThe juniper is in bloom.\r\n";

/// What Postfix puts in front of a message, in this order.
const ADDED: [&str; 4] = ["Return-Path", "X-Original-To", "Delivered-To", "Received"];

/// `stored` is what SMTP carried, with LF for CRLF and the last line ended, behind the fields that Postfix
/// adds, and no other.
#[track_caller]
pub fn is_what_smtp_carried(name: &str, stored: &[u8], carried: &[u8]) {
    let mut carried = lf(carried);
    if !carried.ends_with(b"\n") {
        carried.push(b'\n');
    }
    let (shown, sent) = (stored.escape_ascii(), carried.escape_ascii());
    assert!(stored.ends_with(&carried), "{name}:\n{shown}\ndoes not end with\n{sent}");
    let added = String::from_utf8_lossy(&stored[..stored.len() - carried.len()]).into_owned();
    let fields = added.lines().filter(|line| !line.starts_with('\t'));
    let names: Vec<_> = fields.map(|line| line.split(':').next().unwrap_or_default()).collect();
    assert_eq!(names, ADDED, "{name}: {added}");
}

/// Messages with an oddity each, as SMTP carries them. All hold the words of [`WORDS`].
pub fn oddities() -> Vec<(&'static str, Transfer, Vec<u8>)> {
    let letter = |subject: &[u8], body: &[u8]| {
        [b"From: bob@elsewhere.example\r\nSubject: elderberry ", subject, b"\r\n\r\njuniper", body].concat()
    };
    let long = [&[b'j'; 5000], &b"\r\n"[..]].concat();
    vec![
        ("a plain letter", Transfer::Data, letter(b"", b"\r\n")),
        ("an 8-bit body", Transfer::Data, letter(b"", b" caf\xe9 \xff\r\n")),
        ("an 8-bit subject", Transfer::Data, letter(b"caf\xe9", b"\r\n")),
        ("a line of 5,000 octets", Transfer::Data, letter(b"", &long)),
        ("dots at the beginning of lines", Transfer::Data, letter(b"", b"\r\n.\r\n..a\r\n.b\r\n")),
        ("lines that look like a frame", Transfer::Data, letter(b"", b"\r\nFrom here on\r\n>From x\r\n")),
        ("blanks at the ends of lines", Transfer::Data, letter(b"", b" \t\r\n\r\n \r\n\r\n")),
        ("a header section alone", Transfer::Data, b"Subject: elderberry\r\nX-A: juniper\r\n".to_vec()),
        ("no end of the last line", Transfer::Chunk, letter(b"", b" without end")),
        ("NUL", Transfer::Chunk, letter(b"", b" \0 \r\n")),
    ]
}

/// Sends every oddity to a user of its own whom `make` prepares, and shows what rests to `check`.
pub fn each_oddity(mta: &Mta, make: impl Fn() -> Account, check: impl Fn(&str, &Account, &[u8])) {
    let sent: Vec<_> = oddities()
        .into_iter()
        .map(|(name, transfer, message)| {
            let user = make();
            let id = mta.send_by(transfer, BOB, &mta.address(&user), &message);
            (name, message, user, id)
        })
        .collect();
    for (name, message, user, id) in sent {
        mta.attempted(&id).is_sent();
        check(name, &user, &message);
    }
    mta.has_empty_queue();
}

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
