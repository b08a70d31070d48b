//! Days and months of trace fields, and which of them can be true.

use std::fmt;

use mail_parser::DateTime;

/// The year of RFC 821 and RFC 822: before it there was no Received field.
const FIRST_YEAR: u16 = 1982;

const SECONDS_A_DAY: i64 = 86_400;

/// A day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The month that it is in.
    pub month: Month,
    day: u8,
}

/// A month of a year, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// All four digits.
    pub year: u16,
    /// From 1.
    pub month: u8,
}

impl Day {
    /// The day of a moment in seconds since 1970; None outside of the years 1970 to 9999.
    pub fn of(seconds: i64) -> Option<Self> {
        // Beyond them the conversion would wrap around.
        if !(0..=253_402_300_799).contains(&seconds) {
            return None;
        }
        let date = DateTime::from_timestamp(seconds);
        Some(Day { month: Month { year: date.year, month: date.month }, day: date.day })
    }

    /// The day of a moment in a trace field, if it can be true: not before RFC 822, and not later than the
    /// day after the moment `now`, since clocks differ.
    pub fn of_trace(seconds: i64, now: i64) -> Option<Self> {
        let day = Day::of(seconds)?;
        (day.month.year >= FIRST_YEAR && seconds <= now.saturating_add(SECONDS_A_DAY)).then_some(day)
    }
}

impl Month {
    /// The one that follows.
    pub fn next(self) -> Self {
        match self.month {
            12 => Month { year: self.year + 1, month: 1 },
            month => Month { month: month + 1, ..self },
        }
    }

    /// The one that lies `months` before.
    pub fn before(self, months: u16) -> Self {
        let count = (self.year * 12 + u16::from(self.month) - 1).saturating_sub(months);
        Month { year: count / 12, month: (count % 12) as u8 + 1 }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}-{:02}", self.month, self.day)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `date -u -d 2026-11-25T12:00:00 +%s`
    const NOW: i64 = 1_795_608_000;

    #[test]
    fn a_date_that_cannot_be_true_is_none() {
        // Seconds as date(1) has them.
        for (name, seconds, day) in [
            ("today", NOW, Some("2026-11-25")),
            ("a clock that is ahead", NOW + 86_000, Some("2026-11-26")),
            ("next week", NOW + 7 * 86_400, None),
            ("a leap day", 1_709_208_000, Some("2024-02-29")),
            ("the last second of a year", 1_735_689_599, Some("2024-12-31")),
            ("RFC 822", 397_958_400, Some("1982-08-12")),
            ("1970", 0, None),
            ("the year 9999", 253_402_300_799, None),
            ("beyond all years", i64::MAX, None),
            ("before all years", i64::MIN, None),
        ] {
            assert_eq!(Day::of_trace(seconds, NOW).map(|day| day.to_string()).as_deref(), day, "{name}");
        }
    }

    #[test]
    fn months_follow_each_other_over_the_years() {
        let december = Month { year: 2025, month: 12 };
        assert_eq!(december.next().to_string(), "2026-01");
        assert_eq!(december.next().before(1), december);
        assert_eq!(december.before(23).to_string(), "2024-01");
        assert_eq!(december.before(24).to_string(), "2023-12");
    }
}
