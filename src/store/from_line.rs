//! The `From ` line that stands before each message of an mbox (RFC 4155, appendix A).

use std::time::SystemTime;

use crate::address::Address;
use crate::message::line_end;

/// The host's `From ` line, if readers will take it for one (RFC 4155, appendix A) and its sender cannot
/// be more than a sender: an address, or the name of a local user.
pub fn kept(frame: &[u8]) -> Option<Vec<u8>> {
    let line = frame.strip_suffix(line_end(frame))?;
    let text = std::str::from_utf8(line).ok().filter(|text| !text.contains(char::is_control))?;
    let mut words = text.strip_prefix("From ")?.split_ascii_whitespace();
    let sender = words.next()?;
    let is_local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_sender = Address::parse(sender.as_bytes()).is_some() || sender.chars().all(is_local);
    (is_sender && is_date(words)).then(|| [line, b"\n"].concat())
}

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The date of asctime(3): day, month, day, time, year, perhaps with a zone before or behind the year.
fn is_date<'a>(mut words: impl Iterator<Item = &'a str>) -> bool {
    let is_number = |word: &str| word.bytes().all(|octet| octet.is_ascii_digit());
    let begins = words.next().is_some_and(|day| DAYS.contains(&day))
        && words.next().is_some_and(|month| MONTHS.contains(&month))
        && words.next().is_some_and(|day| day.len() <= 2 && is_number(day))
        && words.next().is_some_and(|time| time.contains(':') && time.split(':').all(is_number));
    let rest: Vec<&str> = words.collect();
    begins && rest.len() <= 2 && rest.iter().any(|word| word.len() == 4 && is_number(word))
}

/// A `From ` line of our own, in UTC. A blank in a quoted local part becomes `-`, as qmail has it.
pub fn made(sender: Option<&Address>, now: SystemTime) -> Vec<u8> {
    let sender = sender.map_or("MAILER-DAEMON".to_owned(), |address| address.as_str().replace(' ', "-"));
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("From {sender} {}\n", asctime(seconds)).into_bytes()
}

fn asctime(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut day) = (1970, days);
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut name = MONTHS[0];
    for (month, length) in MONTHS.iter().zip(lengths) {
        name = month;
        if day < length {
            break;
        }
        day -= length;
    }
    format!(
        "{} {name} {:>2} {:02}:{:02}:{:02} {year}",
        DAYS[(days % 7) as usize],
        day + 1,
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asctime_is_that_of_date() {
        // From `date -u -d @SECONDS '+%a %b %e %T %Y'`.
        for (seconds, text) in [
            (0, "Thu Jan  1 00:00:00 1970"),
            (951_782_399, "Mon Feb 28 23:59:59 2000"),
            (951_782_400, "Tue Feb 29 00:00:00 2000"),
            (1_798_761_599, "Thu Dec 31 23:59:59 2026"),
            (4_102_444_800, "Fri Jan  1 00:00:00 2100"),
            (4_107_542_400, "Mon Mar  1 00:00:00 2100"),
        ] {
            assert_eq!(asctime(seconds), text);
        }
    }

    #[test]
    fn a_from_line_that_could_forge_or_confuse_is_made_anew() {
        for (line, is_kept) in [
            ("From a@b  Mon Jan  1 00:00:00 2026\n", true),
            ("From a@b Mon Jan  1 00:00:00 2026\r\n", true),
            ("From MAILER-DAEMON Mon Jan  1 00:00:00 2026\n", true),
            ("From root Mon Jan  1 00:00 2026", true),
            ("From a@b Mon Jan  1 00:00:00 EST 2026\n", true),
            ("From a@b Mon Jan  1 00:00:00 2026 +0100\n", true),
            ("", false),
            ("From a@b\n", false),
            ("From a@b 1 2 3\n", false),
            ("From a<b@c Mon Jan  1 00:00:00 2026\n", false),
            ("From a@b\rX-Forged: y Mon Jan  1 00:00:00 2026\n", false),
            ("From a@b\x1b[2J Mon Jan  1 00:00:00 2026\n", false),
            ("From  Mon Jan  1 00:00:00 2026\n", false),
            ("From a@b Mon Jan  1 00:00:00 2026 remote from x\n", false),
        ] {
            assert_eq!(kept(line.as_bytes()).is_some(), is_kept, "{line:?}");
        }
        assert_eq!(
            kept(b"From a@b Mon Jan  1 00:00:00 2026\r\n").unwrap(),
            b"From a@b Mon Jan  1 00:00:00 2026\n"
        );
    }

    #[test]
    fn a_made_from_line_has_no_blank_in_its_sender() {
        let at = SystemTime::UNIX_EPOCH;
        let sender = Address::parse(b"\"a b\"@example.org");
        assert_eq!(made(sender.as_ref(), at), b"From \"a-b\"@example.org Thu Jan  1 00:00:00 1970\n");
        assert_eq!(made(None, at), b"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n");
    }
}
