//! What the fields of a stored message say of it: the store's own ones (mbox(5) of mutt, c-client and
//! Dovecot), not the sender's.

use crate::mailbox::Flags;
use crate::message::{Field, Header as Section, empty_line, line_len};

/// The longest header section that is read, in octets.
pub const LONGEST: usize = 256 * 1024;

/// What a header section says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Octets of all its fields.
    pub length: usize,
    /// Octets of the empty line behind them.
    pub separator: usize,
    /// Whether it begins as a header section does, with a field, the empty line behind none, or the second
    /// `From ` line of UUCP, which is quoted.
    pub begins_well: bool,
    /// Whether it goes on to the end of the bytes, and perhaps further.
    pub is_open: bool,
    /// Read, flagged and so on.
    pub flags: Flags,
    /// Whether this is no message but what a server keeps of the mailbox (c-client, Alpine).
    pub is_internal: bool,
    /// The whole X-IMAPbase field: what UIDs in this mailbox are worth.
    pub base: Option<Vec<u8>>,
    /// Each Content-Length.
    pub lengths: Vec<u64>,
}

impl Header {
    /// Reads the header section at the beginning of `bytes`: up to the first empty line, since some programs
    /// read on behind a line that is no field, and their flags count. Never beyond a `From ` line.
    pub fn of(bytes: &[u8]) -> Self {
        let mut header = Header::default();
        let (mut has_title, mut has_base) = (false, false);
        let mut rest = bytes;
        while !rest.is_empty() && empty_line(rest).is_empty() && !is_from_line(rest) {
            if let Some(field) = may_tell(rest).then(|| first_field(rest)).flatten() {
                header.add(&field, &mut has_title, &mut has_base);
            }
            rest = &rest[line_len(rest)..];
        }
        header.length = bytes.len() - rest.len();
        header.separator = empty_line(rest).len();
        header.begins_well =
            bytes.starts_with(b">From ") || !empty_line(bytes).is_empty() || first_field(bytes).is_some();
        header.is_open = rest.is_empty();
        header.is_internal = has_title && has_base;
        header
    }

    fn add(&mut self, field: &Field, has_title: &mut bool, has_base: &mut bool) {
        match field.raw.first() {
            Some(b'S' | b's') if field.is("Status") => self.add_flags(field, &STATUS),
            Some(b'S' | b's') if field.is("Subject") => {
                // A fold divides no word, and few subjects are worth unfolding.
                let may_be = field.body().trim_ascii_start().starts_with(b"DON'T");
                *has_title |= may_be && field.unfolded().starts_with(INTERNAL.as_bytes());
            }
            Some(b'C' | b'c') if field.is("Content-Length") => self.lengths.extend(number(field)),
            Some(b'X' | b'x') if field.is("X-Status") => self.add_flags(field, &X_STATUS),
            Some(b'X' | b'x') if field.is("X-Mozilla-Status") => self.add_mozilla(field),
            Some(b'X' | b'x') if field.is("X-IMAP") => *has_base = true,
            Some(b'X' | b'x') if field.is("X-IMAPbase") => {
                *has_base = true;
                self.base.get_or_insert_with(|| field.raw.to_vec());
            }
            _ => {}
        }
    }

    fn add_flags(&mut self, field: &Field, letters: &[(u8, Flags)]) {
        for (letter, flag) in letters {
            if field.body().contains(letter) {
                self.flags = self.flags.with(*flag);
            }
        }
    }

    /// Four hexadecimal digits of Thunderbird.
    fn add_mozilla(&mut self, field: &Field) {
        let text = field.unfolded();
        let Some(bits) = std::str::from_utf8(&text).ok().and_then(|text| u32::from_str_radix(text, 16).ok())
        else {
            return;
        };
        for (bit, flag) in MOZILLA {
            if bits & bit != 0 {
                self.flags = self.flags.with(flag);
            }
        }
    }
}

/// Whether a field that says something here may begin with `line`. Most say nothing, and a look at a few
/// letters tells: to read each whole takes three times as long.
fn may_tell(line: &[u8]) -> bool {
    match line {
        [b'S' | b's', second, ..] => matches!(second, b'T' | b't' | b'U' | b'u'),
        [b'C' | b'c', second, ..] => matches!(second, b'O' | b'o'),
        [b'X' | b'x', b'-', third, ..] => matches!(third, b'S' | b's' | b'M' | b'm' | b'I' | b'i'),
        _ => false,
    }
}

fn first_field(bytes: &[u8]) -> Option<Field<'_>> {
    Section(bytes).fields().next()
}

/// `From : a@b` is a field with an obsolete blank.
fn is_from_line(bytes: &[u8]) -> bool {
    bytes.starts_with(b"From ") && first_field(bytes).is_none()
}

/// The subject of the first message that c-client makes.
const INTERNAL: &str = "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA";

/// `O`, which is not new any more, is no flag that a rule could ask for.
const STATUS: [(u8, Flags); 1] = [(b'R', Flags::SEEN)];

const X_STATUS: [(u8, Flags); 4] =
    [(b'A', Flags::REPLIED), (b'D', Flags::TRASHED), (b'F', Flags::FLAGGED), (b'T', Flags::DRAFT)];

const MOZILLA: [(u32, Flags); 5] = [
    (0x0001, Flags::SEEN),
    (0x0002, Flags::REPLIED),
    (0x0004, Flags::FLAGGED),
    (0x0008, Flags::TRASHED),
    (0x1000, Flags::PASSED),
];

fn number(field: &Field) -> Option<u64> {
    std::str::from_utf8(&field.unfolded()).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_what_the_programs_wrote_that_keep_mail_here() {
        let seen = Flags::SEEN;
        for (fields, flags) in [
            ("Subject: x\n", Flags::NONE),
            ("Status: O\n", Flags::NONE),
            ("Status: RO\n", seen),
            ("status:\n RO\n", seen),
            ("Status: RO\nX-Status: AF\n", seen.with(Flags::REPLIED).with(Flags::FLAGGED)),
            ("X-Status: DT\n", Flags::TRASHED.with(Flags::DRAFT)),
            ("X-Status: A\nX-Status: F\n", Flags::REPLIED.with(Flags::FLAGGED)),
            ("X-Mozilla-Status: 0001\n", seen),
            ("X-Mozilla-Status: 1006\n", Flags::PASSED.with(Flags::REPLIED).with(Flags::FLAGGED)),
            ("X-Mozilla-Status: none\n", Flags::NONE),
            ("X-Sender-Status: RO\nX-Keywords: F\nX-Status-Of: F\n", Flags::NONE),
            ("\nStatus: RO\n", Flags::NONE),
            (">From x remote from y\nStatus: RO\n", seen),
            ("From x Mon Jan  5 12:00:59 2026\nStatus: RO\n", Flags::NONE),
        ] {
            assert_eq!(Header::of(fields.as_bytes()).flags, flags, "{fields:?}");
        }
    }

    #[test]
    fn what_a_server_keeps_of_the_mailbox_is_known_by_title_and_field() {
        let title = "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n";
        for (fields, is_internal, base) in [
            (format!("{title}X-IMAP: 1 2\n"), true, None),
            (format!("X-IMAPbase: 1 2\n{title}"), true, Some("X-IMAPbase: 1 2\n")),
            (title.to_owned(), false, None),
            ("Subject: x\nX-IMAPbase: 1\n 2 a\nX-UID: 1\n".to_owned(), false, Some("X-IMAPbase: 1\n 2 a\n")),
            ("x-imapbase: 1 2\r\nX-IMAPbase: 3 4\r\n".to_owned(), false, Some("x-imapbase: 1 2\r\n")),
        ] {
            let header = Header::of(fields.as_bytes());
            assert_eq!(header.is_internal, is_internal, "{fields:?}");
            assert_eq!(header.base.as_deref(), base.map(str::as_bytes), "{fields:?}");
        }
    }

    #[test]
    fn lengths_are_told_not_believed() {
        let header = Header::of(b"Content-Length: 12\ncontent-length: x\nContent-Length: 99\n\nbody");
        assert_eq!(header.lengths, [12, 99]);
        assert_eq!((header.length, header.separator), (56, 1));
    }
}
