//! Conditions on a header section: `FIELD:GLOB`.

use crate::escape;
use crate::message::Header;
use crate::mime;

/// The longest Date field that is one, in octets.
const LONGEST_DATE: usize = 200;

/// A field that has to be there, with a value that a pattern fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    typed: String,
    field: String,
    glob: Vec<char>,
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.typed)
    }
}

impl Condition {
    /// Reads `FIELD:GLOB`. In the glob `*` stands for any characters and `?` for one; letters fit either case.
    ///
    /// # Errors
    /// There is no colon, or no name of a field before it.
    pub fn parse(typed: &str) -> Result<Self, String> {
        let way_out = "give FIELD:GLOB, as in List-Id:*announce*";
        let (field, glob) = typed.split_once(':').ok_or(way_out)?;
        let is_name = !field.is_empty() && field.bytes().all(|octet| matches!(octet, 33..=126));
        if !is_name {
            return Err(way_out.to_owned());
        }
        Ok(Condition { typed: typed.to_owned(), field: field.to_owned(), glob: lower(glob.trim()) })
    }

    /// Whether one of the fields of that name fits.
    pub fn holds(&self, header: Header) -> bool {
        header.all(&self.field).any(|field| fits(&self.glob, &lower(&mime::text(&field))))
    }
}

/// The Subject as a report shows it; nothing where there is none.
pub fn subject(header: Header) -> String {
    let shown = header.all("Subject").next().map(|field| mime::text(&field)).unwrap_or_default();
    escape::foreign(shown.as_bytes())
}

/// The second that the Date field names; None where it names none.
pub fn date(header: Header) -> Option<i64> {
    let field = header.all("Date").next().filter(|field| field.unfolded().len() < LONGEST_DATE)?;
    mime::date(&field).map(|date| date.to_timestamp())
}

fn lower(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Whether `glob` fits all of `text`. After a mismatch only the last star takes one character more: an earlier
/// one could do nothing that it cannot.
fn fits(glob: &[char], text: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(c) if *c == '?' || *c == text[read] => (at, read) = (at + 1, read + 1),
            _ => match &mut star {
                None => return false,
                Some((behind, taken)) => {
                    *taken += 1;
                    (at, read) = (*behind + 1, *taken);
                }
            },
        }
    }
    glob[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(typed: &str, header: &str) -> bool {
        Condition::parse(typed).unwrap().holds(Header(header.as_bytes()))
    }

    #[test]
    fn a_condition_holds_for_one_of_the_fields_as_readers_show_them() {
        let header = "From: Bob <bob@Example.org>\nList-Id: Rust\n announcements <rust.example.org>\n\
            X-A: one\nX-A: two\nSubject: =?utf-8?q?M=C3=BCsli?= =?utf-8?q?_bar?=\nX-Empty:\n";
        for (typed, expected) in [
            ("From:*@example.org>", true),
            ("from:*BOB@*", true),
            ("From:bob@example.org", false),
            ("From:*@example.com*", false),
            ("List-Id:*rust announcements*", true),
            ("List-Id:*", true),
            ("List-Post:*", false),
            ("X-A:two", true),
            ("X-A:t?o", true),
            ("X-A:t?", false),
            ("X-A:??", false),
            ("X-A:*o*e*", true),
            ("Subject:m\u{fc}sli bar", true),
            ("Subject:M*BAR", true),
            ("X-Empty:", true),
            ("X-Empty:?", false),
            ("X-A:", false),
            ("X-A:***two***", true),
        ] {
            assert_eq!(holds(typed, header), expected, "{typed}");
        }
    }

    #[test]
    fn what_is_no_condition_is_told_the_way_out() {
        for typed in ["", "From", ":x", "a b:x", "\u{e9}:x"] {
            assert!(Condition::parse(typed).unwrap_err().contains("FIELD:GLOB"), "{typed}");
        }
    }

    #[test]
    fn a_glob_of_stars_over_a_long_field_comes_to_an_end() {
        let header = format!("X: {}\n", "a".repeat(60_000));
        assert!(!holds(&format!("X:{}b", "*a".repeat(50)), &header));
    }

    #[test]
    fn a_date_is_one_or_none() {
        // `date -u -d '2026-11-24 18:00:00 +0100' +%s`
        for (text, second) in [
            ("Date: Tue, 24 Nov 2026 18:00:00 +0100\n", Some(1_795_539_600)),
            ("Date: 24 Nov 2026 18:00 +0100\n", Some(1_795_539_600)),
            ("Date: yesterday\n", None),
            ("Date:\n", None),
            ("Date: Tue, 99 Nov 2026 18:00:00 +0100\n", None),
            ("Subject: x\n", None),
        ] {
            assert_eq!(date(Header(text.as_bytes())), second, "{text}");
        }
    }
}
