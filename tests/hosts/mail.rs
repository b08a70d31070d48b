//! Messages as SMTP carries them, and what has to rest of them.

use crate::account::Account;
use crate::mta::Mta;
use crate::smtp::Transfer;
pub use crate::world::letter::{BOB, LETTER, WORDS, encrypted_by, lf, original};

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
