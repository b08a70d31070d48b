//! Conditions on a header section: `FIELD:GLOB`.

use mail_parser::DateTime;

use super::age;
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

/// The Subject as readers show it, and as foreign as it came; nothing where there is none.
pub fn subject(header: Header) -> String {
    header.all("Subject").next().map(|field| mime::text(&field)).unwrap_or_default()
}

/// The second that the Date field names; None where it names none.
pub fn date(header: Header) -> Option<i64> {
    let field = header.all("Date").next().filter(|field| field.unfolded().len() < LONGEST_DATE)?;
    let says_so = |date: &DateTime| names(&field.unfolded(), date).is_some();
    mime::date(&field).filter(says_so).map(|date| date.to_timestamp())
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Whether `text` says the day, month and year of `date` (RFC 5322, 3.3, and years of two digits as in 4.3).
/// Readers guess: of a month in another language, of a 31 February, of a year of five digits. A guess that is
/// wrong would remove the message.
fn names(text: &[u8], date: &DateTime) -> Option<()> {
    let mut words = text.split(|octet| matches!(octet, b' ' | b'\t' | b',')).filter(|word| !word.is_empty());
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse().ok();
    let first = words.next()?;
    let day = if first[0].is_ascii_digit() { first } else { words.next()? };
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| month.eq_ignore_ascii_case(name.as_bytes()))?;
    let year = words.next().filter(|year| matches!(year.len(), 2 | 4))?;
    let last = age::length_of(date.year.into(), date.month.into());
    let is_said = number(day) == Some(i64::from(date.day))
        && month + 1 == usize::from(date.month)
        && number(year) == Some(i64::from(date.year) % if year.len() == 2 { 100 } else { 10_000 });
    (is_said && i64::from(date.day) <= last).then_some(())
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
            ("Date: Tue,24 nov 26 18:00:00 +0100 (MET)\n", Some(1_795_539_600)),
            ("Date: Thu, 29 Feb 2024 00:00:00 +0000\n", Some(1_709_164_800)),
            ("Date: 29 Feb 2023 00:00:00 +0000\n", None),
            ("Date: 31 Apr 2026 00:00:00 +0000\n", None),
            ("Date: 24 set 2026 18:00:00 +0100\n", None),
            ("Date: 24 ott 2026 18:00:00 +0100\n", None),
            ("Date: 24 11 2026 18:00:00 +0100\n", None),
            ("Date: 24 Nov 20260 18:00:00 +0100\n", None),
            ("Date: 24 Nov 126 18:00:00 +0100\n", None),
            ("Date: 124 Nov 2026 18:00:00 +0100\n", None),
            ("Date: ,\n", None),
            ("Date: yesterday\n", None),
            ("Date:\n", None),
            ("Date: Tue, 99 Nov 2026 18:00:00 +0100\n", None),
            ("Subject: x\n", None),
        ] {
            assert_eq!(date(Header(text.as_bytes())), second, "{text}");
        }
    }
}
