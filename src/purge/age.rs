//! How old is too old: a number with a unit, and what that means by the calendar.

use std::fmt;
use std::str::FromStr;

/// A span of time that reaches back from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    number: u32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

/// What may stand behind the number.
const UNITS: [(&str, Unit); 5] =
    [("h", Unit::Hours), ("d", Unit::Days), ("w", Unit::Weeks), ("mo", Unit::Months), ("y", Unit::Years)];

impl Age {
    /// The second that lies so far before `now`, in UTC.
    ///
    /// Months and years go by the calendar: a month before 31 March is the last day of February.
    pub fn before(self, now: i64) -> i64 {
        let number = i64::from(self.number);
        match self.unit {
            Unit::Hours => now.saturating_sub(number * 3600),
            Unit::Days => now.saturating_sub(number * DAY),
            Unit::Weeks => now.saturating_sub(number * 7 * DAY),
            Unit::Months => months_before(now, number),
            Unit::Years => months_before(now, number * 12),
        }
    }
}

impl FromStr for Age {
    type Err = String;

    /// Nothing is guessed: a wrong guess removes mail.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        if digits > 0 && unit.is_empty() {
            return Err(format!("say the unit, as in {number}d"));
        }
        let unit = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, unit)| *unit);
        match (number.parse(), unit) {
            (Ok(0), _) => Err("nothing is younger than that; give a number above 0".to_owned()),
            (Ok(number @ 1..=99_999), Some(unit)) => Ok(Age { number, unit }),
            _ => Err("give a number up to 99999 and h, d, w, mo or y, as in 90d".to_owned()),
        }
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let name = UNITS.iter().find(|(_, unit)| *unit == self.unit).map_or("", |(name, _)| name);
        write!(f, "{}{name}", self.number)
    }
}

const DAY: i64 = 86_400;

fn months_before(now: i64, months: i64) -> i64 {
    let (year, month, day) = date_of(now.div_euclid(DAY));
    let count = year * 12 + (month - 1) - months;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
    day_number(year, month, day.min(length_of(year, month))) * DAY + now.rem_euclid(DAY)
}

/// The days of a month in the Gregorian calendar.
pub fn length_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days in 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// Days since 1 January 1970 of a date in the Gregorian calendar. Years are counted from March, so that
/// the day that may be missing is the last one of its year.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year.div_euclid(400) * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1 January 1970.
fn date_of(days: i64) -> (i64, i64, i64) {
    // By the mean length of a year, never too late.
    let mut year = 1970 + (days * 400).div_euclid(ERA) - 2;
    while day_number(year + 1, 1, 1) <= days {
        year += 1;
    }
    let month = (1..12).rev().map(|month| month + 1).find(|month| day_number(year, *month, 1) <= days);
    let month = month.unwrap_or(1);
    (year, month, days - day_number(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(text: &str) -> Age {
        text.parse().unwrap_or_else(|said| panic!("{text}: {said}"))
    }

    #[test]
    fn an_age_goes_by_the_calendar() {
        // Both sides from `date -u -d DATE +%s`.
        for (name, text, now, then) in [
            ("2026-11-25 12:00", "12h", 1_795_608_000, 1_795_564_800),
            ("90 days before", "90d", 1_795_608_000, 1_787_832_000),
            ("6 weeks before", "6w", 1_795_608_000, 1_791_979_200),
            ("18 months before: 2025-05-25 12:00", "18mo", 1_795_608_000, 1_748_174_400),
            ("2 years before: 2024-11-25 12:00", "2y", 1_795_608_000, 1_732_536_000),
            ("2026-03-31 23:59:59, a month before: 2026-02-28", "1mo", 1_775_001_599, 1_772_323_199),
            ("2024-02-29, a year before: 2023-02-28", "1y", 1_709_164_800, 1_677_542_400),
            ("2100-03-31, which no leap year has", "1mo", 4_110_134_400, 4_107_456_000),
            ("2000-03-31, which a leap year has", "1mo", 954_460_800, 951_782_400),
            ("1970-01-01: 1968-07-01", "18mo", 0, -47_433_600),
        ] {
            assert_eq!(
                age(text).before(now),
                then,
                "{name}: {:?}",
                date_of(age(text).before(now).div_euclid(DAY))
            );
        }
    }

    #[test]
    fn what_is_no_age_is_told_the_way_out() {
        for (text, said) in [
            ("90", "say the unit, as in 90d"),
            ("0", "say the unit, as in 0d"),
            ("0d", "give a number above 0"),
            ("00mo", "give a number above 0"),
            ("", "as in 90d"),
            ("-5d", "as in 90d"),
            ("+5d", "as in 90d"),
            ("d", "as in 90d"),
            ("5m", "as in 90d"),
            ("5 d", "as in 90d"),
            ("5D", "as in 90d"),
            ("1.5y", "as in 90d"),
            ("1y6mo", "as in 90d"),
            ("100000d", "as in 90d"),
            ("99999999999999999999d", "as in 90d"),
        ] {
            let answer = text.parse::<Age>().expect_err(text);
            assert!(answer.ends_with(said), "{text:?}: {answer}");
        }
    }

    proptest::proptest! {
        /// Forth and back over 20,000 years, and each day follows the one before.
        #[test]
        fn every_day_has_one_date(days in -4_000_000_i64..4_000_000) {
            let (year, month, day) = date_of(days);
            proptest::prop_assert_eq!(day_number(year, month, day), days);
            proptest::prop_assert!((1..=length_of(year, month)).contains(&day));
            let next = if day < length_of(year, month) { (year, month, day + 1) }
                else if month < 12 { (year, month + 1, 1) }
                else { (year + 1, 1, 1) };
            proptest::prop_assert_eq!(date_of(days + 1), next);
        }

        /// What is older than a longer age is older than a shorter one, and printing loses nothing.
        #[test]
        fn a_longer_age_reaches_further_back(number in 1_u32..99_999, now in -1_i64 << 40..1_i64 << 40) {
            for (_, unit) in UNITS {
                let (short, long) = (Age { number, unit }, Age { number: number + 1, unit });
                proptest::prop_assert!(long.before(now) <= short.before(now));
                proptest::prop_assert!(short.before(now) < now);
                proptest::prop_assert_eq!(age(&short.to_string()), short);
            }
        }
    }
}
