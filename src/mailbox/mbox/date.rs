//! The date in a `From ` line, in the forms that are met (RFC 4155, appendix A, and what others write).

use std::ops::RangeInclusive;

use mail_parser::DateTime;

/// What lies so many seconds behind the latest second that a line can mean may be meant too: from the westernmost
/// zone, UTC-12, to the easternmost one, UTC+14.
pub const SPREAD: i64 = 26 * 3600;

/// The second, since 1970, at which a message came by its `From ` line: the latest one that the line can
/// mean. None where there is no date.
///
/// RFC 4155 wants UTC, most programs write the local time of some place, and few say of which. So a time
/// without a zone, or with one whose name is not known, is taken for one in the westernmost zone, where it
/// comes last: a message may stay up to 26 hours longer than was asked, and never goes early.
pub fn latest(line: &[u8]) -> Option<i64> {
    let mut words: [Word; MOST] = [b""; MOST];
    let all = line.strip_prefix(b"From ")?.rsplit(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    // The sender may hold blanks, and a day's name too: the date is looked for from the end.
    for (at, word) in (0..MOST).rev().zip(all) {
        words[at] = word;
        let found = if MOST - at >= FEWEST { date(&words[at..]) } else { None };
        if found.is_some() {
            return found;
        }
    }
    None
}

type Word<'a> = &'a [u8];

/// The most words that a date has: day, month, day, time, two of a zone, year, `remote from` and a host. They
/// are few, so that nothing is allocated for them: a date stands before each message.
const MOST: usize = 10;

/// The fewest: day, month, day, time, year.
const FEWEST: usize = 5;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Seconds from UTC to the westernmost zone, UTC-12.
const WESTERNMOST: i64 = 12 * 3600;

/// asctime(3), perhaps with a zone before or behind the year; or the day before its month, as in a Date
/// field.
fn date(words: &[Word]) -> Option<i64> {
    let [day_name, first, second, rest @ ..] = words else { return None };
    among(&DAYS, day_name.strip_suffix(b",").unwrap_or(day_name))?;
    let (month, day) = match (among(&MONTHS, first), among(&MONTHS, second)) {
        (Some(month), _) => (month, number(second, 1..=31)?),
        (None, Some(month)) => {
            // The year stands before the time; put it behind, where asctime has it.
            let [year, time, zone @ ..] = rest else { return None };
            let day = number(first, 1..=31)?;
            return seconds(month, day, time, &[&[*year], zone].concat());
        }
        (None, None) => return None,
    };
    let [time, rest @ ..] = rest else { return None };
    seconds(month, day, time, rest)
}

/// `month` is counted from 0. `rest`: zone, year, zone, of which only the year has to be there.
fn seconds(month: usize, day: u8, time: Word, rest: &[Word]) -> Option<i64> {
    let (hour, minute, second) = time_of_day(time)?;
    let rest = match rest {
        // What UUCP adds.
        [rest @ .., b"remote", b"from", _] => rest,
        rest => rest,
    };
    // `MET DST` is a zone of two words.
    let at = rest.iter().take(3).position(|word| year(word).is_some())?;
    let (before, year_and_after) = rest.split_at(at);
    let (year_word, after) = year_and_after.split_first()?;
    let zone = if before.is_empty() { after } else { before };
    if zone.len() > 2 || !(before.is_empty() || after.is_empty()) || !zone.iter().all(|word| is_zone(word)) {
        return None;
    }
    let date = DateTime {
        year: year(year_word)?,
        month: u8::try_from(month + 1).ok()?,
        day,
        hour,
        minute,
        second,
        tz_before_gmt: false,
        tz_hour: 0,
        tz_minute: 0,
    };
    Some(date.to_timestamp() + seconds_to_utc(zone))
}

/// Which of `names` the word is.
fn among(names: &[&str], word: Word) -> Option<usize> {
    names.iter().position(|name| word.eq_ignore_ascii_case(name.as_bytes()))
}

fn year(word: Word) -> Option<u16> {
    digits(word).filter(|year| word.len() == 4 && *year >= 1970)
}

fn number(word: Word, range: RangeInclusive<u8>) -> Option<u8> {
    let number = digits(word).filter(|_| (1..=2).contains(&word.len()))?;
    u8::try_from(number).ok().filter(|number| range.contains(number))
}

/// The number that up to four digits are, and nothing else.
fn digits(word: Word) -> Option<u16> {
    let add = |number: u16, octet: &u8| {
        octet.is_ascii_digit().then(|| number.wrapping_mul(10).wrapping_add(u16::from(octet - b'0')))
    };
    word.iter().try_fold(0, add).filter(|_| word.len() <= 4)
}

/// Some write no seconds. A leap second is one.
fn time_of_day(word: Word) -> Option<(u8, u8, u8)> {
    let mut parts = word.split(|octet| *octet == b':');
    let hour = number(parts.next()?, 0..=23)?;
    let minute = number(parts.next()?, 0..=59)?;
    let second = match parts.next() {
        Some(second) => number(second, 0..=60)?,
        // The latest.
        None => 59,
    };
    parts.next().is_none().then_some((hour, minute, second))
}

fn is_zone(word: Word) -> bool {
    let name = word.strip_prefix(b"(").unwrap_or(word);
    let name = name.strip_suffix(b")").unwrap_or(name);
    offset(word).is_some() || (1..=5).contains(&name.len()) && name.iter().all(u8::is_ascii_uppercase)
}

/// The zones of RFC 5322, 4.3, in hours. The names of others mean several places each (IST, BST).
const NAMED: [(&str, i64); 11] = [
    ("UTC", 0),
    ("UT", 0),
    ("GMT", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

/// What to add to a time in `zone` to have it in UTC.
fn seconds_to_utc(zone: &[Word]) -> i64 {
    let known = match zone {
        [word] | [word, _] if offset(word).is_some() => offset(word),
        [word] => NAMED.iter().find(|(name, _)| name.as_bytes() == *word).map(|(_, hours)| hours * 3600),
        _ => None,
    };
    known.map_or(WESTERNMOST, |offset| -offset)
}

/// `+0100` in seconds. `-0000` says that the place is not told (RFC 5322, 3.3), but the time is in UTC.
fn offset(word: Word) -> Option<i64> {
    let (sign, digits) = match word {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2).filter(|_| digits.len() == 4)?;
    let (hours, minutes) = (number(hours, 0..=14)?, number(minutes, 0..=59)?);
    Some(sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-05 12:00:59 UTC, from `date -u -d '2026-01-05 12:00:59' +%s`.
    const NOON: i64 = 1_767_614_459;
    const HOUR: i64 = 3600;

    #[test]
    fn a_date_is_the_latest_moment_that_its_line_can_mean() {
        for (line, hours) in [
            ("From a@b Mon Jan  5 12:00:59 2026", 12),
            ("From a@b  Mon Jan 5 12:00:59 2026\r\n", 12),
            ("From a@b Mon Jan 05 12:00 2026", 12),
            ("From - Mon Jan 05 12:00:59 2026", 12),
            ("From Mon Jan  5 12:00:59 2026", 12),
            ("From alice at example.org  Mon Jan  5 12:00:59 2026", 12),
            ("From Mon Alice Fri Feb x Mon Jan  5 12:00:59 2026", 12),
            ("From a@b Mon Jan  5 12:00:59 2026 +0000", 0),
            ("From a@b Mon Jan  5 12:00:59 2026 -0000", 0),
            ("From a@b Mon Jan  5 12:00:59 2026 +0100", -1),
            ("From a@b Mon Jan  5 12:00:59 2026 -0500 (EST)", 5),
            ("From 17@xxx Mon Jan 05 12:00:59 +0000 2026", 0),
            ("From a@b Mon Jan  5 12:00:59 GMT 2026", 0),
            ("From a@b Mon Jan  5 12:00 EST 2026", 5),
            ("From a@b Mon Jan  5 12:00:59 2026 PDT", 7),
            ("From a@b Mon Jan  5 12:00:59 CEST 2026", 12),
            ("From a@b Mon Jan  5 12:00:59 MET DST 2026", 12),
            ("From a!b Mon Jan  5 12:00:59 2026 remote from c", 12),
            ("From a!b Mon Jan  5 12:00:59 UTC 2026 remote from c", 0),
            ("From a@b Mon, 5 Jan 2026 12:00:59 +0200", -2),
            ("From a@b mon jan 5 12:00:59 2026", 12),
        ] {
            assert_eq!(latest(line.as_bytes()), Some(NOON + hours * HOUR), "{line}");
        }
    }

    #[test]
    fn prose_and_broken_dates_are_none_and_octets_of_any_kind_hide_none() {
        for line in [
            "From here on",
            "From a@b",
            "From a@b Mon Jan",
            "From a@b Mon Jan  5",
            "From a@b Mon Jan  5 12:00:59",
            "From a@b Mon Jan 32 12:00:59 2026",
            "From a@b Mon Jan  0 12:00:59 2026",
            "From a@b Mon Jan  5 24:00:59 2026",
            "From a@b Mon Jan  5 12:60:59 2026",
            "From a@b Mon Jan  5 12:00:59:00 2026",
            "From a@b Mon Jan  5 12:00:59 26",
            "From a@b Mon Jan  5 12:00:59 1926",
            "From a@b Mon Jan  5 12:00:59 02026",
            "From a@b Mon Foo  5 12:00:59 2026",
            "From a@b Xyz Jan  5 12:00:59 2026",
            "From a@b Mon Jan  5 12:00:59 2026 it rained",
            "From a@b Mon Jan  5 12:00:59 GMT 2026 +0100",
            "From a@b Mon Jan  5 +1:00:59 2026",
            "from a@b Mon Jan  5 12:00:59 2026",
            "From: a@b Mon Jan  5 12:00:59 2026",
            "From a\u{e9}b Mon",
            "From ",
            "",
        ] {
            assert_eq!(latest(line.as_bytes()), None, "{line}");
        }
        assert_eq!(latest(b"From a\xff Mon Jan  5 12:00:59 2026"), Some(NOON + 12 * HOUR));
    }
}
