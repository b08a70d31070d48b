//! One message as it stands in an mbox of the kind mboxrd, and the way back.

use anyhow::Result;

use crate::input::reserve;
use crate::message::Lines;

/// What may be missing before a message: the end of the last line and an empty one.
pub const GAP: &[u8] = b"\n\n";

/// The fields in which programs keep what they know of a stored message. A sender's own would hide the next
/// message (a false Content-Length: deleting the one deletes the other) or delete this one (`X-Status: D`).
const OF_THE_STORE: [&str; 9] = [
    "Content-Length",
    "Lines",
    "Status",
    "X-Status",
    "X-UID",
    "X-IMAP",
    "X-IMAPbase",
    "X-Keywords",
    "X-Mozilla-Status",
];

/// What stands before the name of such a field when it comes with a message.
const OF_THE_SENDER: &[u8] = b"X-Sender-";

/// One message as it stands in the file, after the longest gap: `From ` line, the message with one more `>`
/// before every line that begins with `From ` or with such a quoted one, an empty line.
pub fn entry(from_line: &[u8], message: &[u8]) -> Result<Vec<u8>> {
    let added: usize = marked_lines(message).map(|(mark, _)| mark.len()).sum();
    let mut entry = Vec::new();
    reserve(&mut entry, GAP.len() + from_line.len() + message.len() + added + 2)?;
    entry.extend_from_slice(GAP);
    entry.extend_from_slice(from_line);
    for (mark, line) in marked_lines(message) {
        entry.extend_from_slice(mark);
        entry.extend_from_slice(line);
    }
    if !message.ends_with(b"\n") {
        entry.push(b'\n');
    }
    entry.push(b'\n');
    Ok(entry)
}

/// The message that stands behind a `From ` line, up to the next one: the empty line at its end goes, one `>`
/// before each quoted line, and what was put before fields that are the store's.
///
/// Of what `deliver` stored that is the message that arrived, but for the line end that its last line may have
/// lacked. Other programs quote fewer lines (mboxo) or none; nobody can tell their quotes from a sender's.
///
/// # Errors
/// Memory is short.
pub fn restored(stored: &[u8]) -> Result<Vec<u8>> {
    let end = match stored {
        b"\n" | [.., b'\n', b'\n'] => 1,
        b"\r\n" | [.., b'\n', b'\r', b'\n'] => 2,
        _ => 0,
    };
    let mut message = Vec::new();
    reserve(&mut message, stored.len())?;
    let mut in_header = true;
    for line in Lines(&stored[..stored.len() - end]) {
        in_header = in_header && !is_empty_line(line);
        let mark = match () {
            () if line.starts_with(b">") && looks_like_from_line(line) => 1,
            () if in_header && line.strip_prefix(OF_THE_SENDER).is_some_and(is_of_the_store) => {
                OF_THE_SENDER.len()
            }
            () => 0,
        };
        message.extend_from_slice(&line[mark..]);
    }
    Ok(message)
}

/// Each line, with what has to stand before it.
fn marked_lines(message: &[u8]) -> impl Iterator<Item = (&'static [u8], &[u8])> {
    // Up to the empty line, since some programs read on behind a line that is no field.
    let mut in_header = true;
    Lines(message).map(move |line| {
        in_header = in_header && !is_empty_line(line);
        let mark = match () {
            () if looks_like_from_line(line) => b">".as_slice(),
            () if in_header && is_of_the_store(line) => OF_THE_SENDER,
            () => b"",
        };
        (mark, line)
    })
}

fn is_empty_line(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

fn is_of_the_store(line: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', line) else { return false };
    let name = line[..colon].trim_ascii_end();
    OF_THE_STORE.iter().any(|own| name.eq_ignore_ascii_case(own.as_bytes()))
}

fn looks_like_from_line(line: &[u8]) -> bool {
    let quotes = line.iter().take_while(|octet| **octet == b'>').count();
    line[quotes..].starts_with(b"From ")
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// A reader that knows nothing of the writer: the lines of the entry without the first and the
        /// last, one `>` less where `From ` stands behind it.
        #[test]
        fn whatever_is_quoted_can_be_restored(message in "(From |>|x|\r?\n|\u{e9}){0,40}") {
            let entry = entry(b"From a@b Thu Jan  1 00:00:00 1970\n", message.as_bytes()).unwrap();
            let text = std::str::from_utf8(&entry).unwrap();
            let body = text.strip_prefix("\n\nFrom a@b Thu Jan  1 00:00:00 1970\n").unwrap();
            let body = body.strip_suffix('\n').unwrap();
            proptest::prop_assert!(!body.split('\n').any(|line| line.starts_with("From ")));
            let restored: Vec<&str> = body
                .split('\n')
                .map(|line| if line.trim_start_matches('>').starts_with("From ") { &line[1..] } else { line })
                .collect();
            let mut expected = message;
            if !expected.ends_with('\n') {
                expected.push('\n');
            }
            proptest::prop_assert_eq!(restored.join("\n"), expected);
        }
    }

    #[test]
    fn quoting_can_be_undone() {
        for (name, message, quoted) in [
            ("nothing to quote", &b"A: b\n\nFrom: x\nfrom y\n"[..], &b"A: b\n\nFrom: x\nfrom y\n\n"[..]),
            (
                "a line in the body",
                b"\nFrom x\n>From y\n>>From z\n> From\n",
                b"\n>From x\n>>From y\n>>>From z\n> From\n\n",
            ),
            ("the first line", b"From x\n", b">From x\n\n"),
            ("CRLF", b"A: b\r\n\r\nFrom x\r\n", b"A: b\r\n\r\n>From x\r\n\n"),
            (
                "fields of the store",
                b"Content-Length: 9\nx-status : D\nX-IMAPbase:\n 1\nno field\nSTATUS: R\n\nStatus: R\n",
                b"X-Sender-Content-Length: 9\nX-Sender-x-status : D\nX-Sender-X-IMAPbase:\n 1\nno field\n\
                  X-Sender-STATUS: R\n\nStatus: R\n\n",
            ),
            ("no last line end", b"A: b\n\nFrom x", b"A: b\n\n>From x\n\n"),
        ] {
            let entry = entry(b"F\n", message).unwrap();
            assert_eq!(
                entry.escape_ascii().to_string(),
                [b"\n\nF\n", quoted].concat().escape_ascii().to_string(),
                "{name}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_stored_is_restored(
            message in "(From |>|Status: |Lines:|x|: |\r?\n|\u{e9}){0,40}"
        ) {
            let entry = entry(b"F\n", message.as_bytes()).unwrap();
            let mut expected = message.into_bytes();
            if !expected.ends_with(b"\n") {
                expected.push(b'\n');
            }
            proptest::prop_assert_eq!(restored(&entry[4..]).unwrap(), expected);
        }
    }

    #[test]
    fn what_others_stored_loses_nothing_but_one_mark_a_line_and_the_last_empty_line() {
        for (stored, message) in [
            (&b"A: b\n\nhi\n\n"[..], &b"A: b\n\nhi\n"[..]),
            (b"A: b\r\n\r\nhi\r\n\r\n", b"A: b\r\n\r\nhi\r\n"),
            (b"A: b\n\nhi\n\n\n", b"A: b\n\nhi\n\n"),
            (b"A: b\n\nno end", b"A: b\n\nno end"),
            (b"A: b\n\n>From x\n>>From y\n> From z\n>from\n", b"A: b\n\nFrom x\n>From y\n> From z\n>from\n"),
            (
                b"Status: R\nX-Sender-Status: O\nX-Sender-Subject: x\n\nX-Sender-Status: O\n\n",
                b"Status: R\nStatus: O\nX-Sender-Subject: x\n\nX-Sender-Status: O\n",
            ),
            (b"\n", b""),
            (b"", b""),
        ] {
            let restored = restored(stored).unwrap();
            assert_eq!(restored.escape_ascii().to_string(), message.escape_ascii().to_string());
        }
    }
}
