//! What is counted over all messages: the noun of the summary.
//!
//! Everything here is bounded, so memory does not grow with the mail: five verdicts, seven versions, the
//! months since 1982, [`senders::KEPT`](super::senders::KEPT) domains, a few names of what was not read.

use std::collections::BTreeMap;

use super::day::{Day, Month};
use super::senders::Senders;
use crate::trace::Version;

/// How many names of unread files a report holds. Each of them is on standard error too.
const NAMED: usize = 100;

/// How much is kept of what is so with one, in octets.
const LINE: usize = 400;

/// How a message came, by its border hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The border hop says so itself.
    Tls,
    /// A network hop by software that would have said.
    Plain,
    /// It never crossed a network.
    Local,
    /// Nobody can tell.
    Unknown,
    /// Sealed so that its outer fields do not tell.
    NotVisible,
}

impl Verdict {
    /// All of them, in the order of reports.
    pub const ALL: [Verdict; 5] =
        [Verdict::Tls, Verdict::Plain, Verdict::Local, Verdict::Unknown, Verdict::NotVisible];

    /// The word for it, in every report.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Tls => "tls",
            Verdict::Plain => "plain",
            Verdict::Local => "local",
            Verdict::Unknown => "unknown",
            Verdict::NotVisible => "not visible",
        }
    }
}

/// All versions that a border hop under TLS may state, the best first, and none.
pub const VERSIONS: [Option<Version>; 7] = [
    Some(Version::Tls1_3),
    Some(Version::Tls1_2),
    Some(Version::Tls1_1),
    Some(Version::Tls1_0),
    Some(Version::Ssl3),
    Some(Version::Ssl2),
    None,
];

/// The word for a version, in every report.
pub fn version_word(version: Option<Version>) -> &'static str {
    version.map_or("not stated", Version::as_str)
}

/// Whether the version was withdrawn (RFC 8996, RFC 7568, RFC 6176): it keeps no secret from whoever wants it.
pub fn is_withdrawn(version: Option<Version>) -> bool {
    version.is_some_and(|version| version < Version::Tls1_2)
}

/// What one message adds.
#[derive(Clone, Debug)]
pub struct Facts {
    /// How it came.
    pub verdict: Verdict,
    /// The version; it counts under TLS only.
    pub version: Option<Version>,
    /// The day of the border hop or, without one, of the topmost trace field.
    pub day: Option<Day>,
    /// Whether there is any trace field.
    pub has_trace: bool,
    /// For mail in the clear: the domain that the sender claims, lower case, if there is one.
    pub domain: Option<String>,
    /// For mail in the clear: the host that brought it. Foreign bytes.
    pub host: String,
}

/// Messages by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; 5]);

impl Counts {
    /// Messages with this verdict.
    pub fn of(&self, verdict: Verdict) -> u64 {
        self.0[verdict as usize]
    }

    /// Messages with any.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn count(&mut self, verdict: Verdict) {
        self.0[verdict as usize] += 1;
    }

    /// Adds `other`, verdict by verdict.
    pub fn add(&mut self, other: &Counts) {
        self.0.iter_mut().zip(other.0).for_each(|(own, more)| *own += more);
    }
}

/// All that was counted.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Messages by verdict.
    pub verdicts: Counts,
    /// Mailboxes that were read: Maildirs and their subfolders, mboxes, single files.
    pub mailboxes: u64,
    /// Messages with no trace field at all, like drafts and copies of sent mail.
    pub without_trace: u64,
    /// Months in which mail came.
    pub months: BTreeMap<Month, Counts>,
    /// Messages whose trace has no date, or none that can be true.
    pub undated: Counts,
    /// Domains of mail in the clear.
    pub senders: Senders,
    /// Mail in the clear from no domain that can be read.
    pub without_domain: u64,
    /// How many files were not read.
    pub unread: u64,
    /// What is so with the first of them, `path: why`, as harmless text.
    pub unread_names: Vec<String>,
    /// Messages that went away, or got another name, while they were to be read.
    pub gone: u64,
    versions: [u64; STATED + 1],
}

/// How many versions can be stated.
const STATED: usize = Version::ALL.len();

impl Figures {
    /// Counts one message.
    pub fn count(&mut self, facts: &Facts) {
        self.verdicts.count(facts.verdict);
        self.without_trace += u64::from(!facts.has_trace);
        match facts.day {
            Some(day) => self.months.entry(day.month).or_default().count(facts.verdict),
            None => self.undated.count(facts.verdict),
        }
        match (facts.verdict, &facts.domain) {
            (Verdict::Tls, _) => self.versions[facts.version.map_or(STATED, |version| version as usize)] += 1,
            (Verdict::Plain, Some(domain)) => self.senders.count(domain, facts.day, &facts.host),
            (Verdict::Plain, None) => self.without_domain += 1,
            _ => {}
        }
    }

    /// Counts a file, directory or path that was not read, and why, as harmless text.
    pub fn miss(&mut self, mut line: String) {
        self.unread += 1;
        line.truncate(line.floor_char_boundary(LINE));
        if self.unread_names.len() < NAMED {
            self.unread_names.push(line);
        }
    }

    /// Adds what another thread counted.
    pub fn add(&mut self, other: Figures) {
        self.verdicts.add(&other.verdicts);
        self.mailboxes += other.mailboxes;
        self.without_trace += other.without_trace;
        for (month, counts) in &other.months {
            self.months.entry(*month).or_default().add(counts);
        }
        self.undated.add(&other.undated);
        self.senders.add(other.senders);
        self.without_domain += other.without_domain;
        self.gone += other.gone;
        self.unread += other.unread;
        self.unread_names.extend(other.unread_names);
        self.unread_names.sort_unstable();
        self.unread_names.truncate(NAMED);
        self.versions.iter_mut().zip(other.versions).for_each(|(own, more)| *own += more);
    }

    /// Messages under TLS of this version.
    pub fn version(&self, version: Option<Version>) -> u64 {
        self.versions[version.map_or(STATED, |version| version as usize)]
    }

    /// Messages.
    pub fn messages(&self) -> u64 {
        self.verdicts.total()
    }

    /// Messages of which it is known whether they crossed the network under TLS.
    pub fn told(&self) -> u64 {
        self.verdicts.of(Verdict::Tls) + self.verdicts.of(Verdict::Plain)
    }

    /// The last `most` months up to the last one with mail, those without any among them, and the years
    /// before them that have mail.
    pub fn periods(&self, most: u16) -> Periods {
        let mut periods = Periods::default();
        let (Some((first, _)), Some((last, _))) =
            (self.months.first_key_value(), self.months.last_key_value())
        else {
            return periods;
        };
        let begin = last.before(most.saturating_sub(1)).max(*first);
        for (month, counts) in self.months.range(..begin) {
            match periods.years.last_mut() {
                Some((year, sum)) if *year == month.year => sum.add(counts),
                _ => periods.years.push((month.year, *counts)),
            }
        }
        let mut month = begin;
        while month <= *last {
            periods.months.push((month, self.months.get(&month).copied().unwrap_or_default()));
            month = month.next();
        }
        periods
    }
}

/// Time in pieces that fit a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Periods {
    /// Years, as far as they lie before the months.
    pub years: Vec<(u16, Counts)>,
    /// Months without a gap.
    pub months: Vec<(Month, Counts)>,
}

impl Periods {
    /// All of them with their labels, the oldest first. The year that the months begin in is marked.
    pub fn labelled(&self) -> Vec<(String, Counts)> {
        let cut = self.months.first().map(|(month, _)| month.year);
        let years = self.years.iter().map(|(year, counts)| {
            let mark = if Some(*year) == cut { " (rest)" } else { "" };
            (format!("{year}{mark}"), *counts)
        });
        years.chain(self.months.iter().map(|(month, counts)| (month.to_string(), *counts))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::{NOW, facts};

    const MONTH: i64 = 30 * 86_400;

    #[test]
    fn what_two_threads_count_is_what_one_would() {
        let mut whole = Figures::default();
        let mut halves = [Figures::default(), Figures::default()];
        for (number, verdict) in Verdict::ALL.iter().cycle().take(50).enumerate() {
            let mut facts = facts(*verdict, NOW - number as i64 * MONTH);
            facts.domain = (number % 3 > 0).then(|| "a.example".to_owned());
            facts.has_trace = number % 7 > 0;
            facts.version = VERSIONS[number % 7];
            whole.count(&facts);
            halves[number % 2].count(&facts);
        }
        whole.miss("b: gone".to_owned());
        whole.miss("a: gone".to_owned());
        halves[0].miss("b: gone".to_owned());
        halves[1].miss("a: gone".to_owned());
        whole.add(Figures::default());
        let [mut sum, other] = halves;
        sum.add(other);
        assert_eq!(sum.verdicts, whole.verdicts);
        assert_eq!(sum.months, whole.months);
        assert_eq!((sum.versions, sum.without_trace), (whole.versions, whole.without_trace));
        assert_eq!(sum.senders.worst(9), whole.senders.worst(9));
        assert_eq!(sum.without_domain, whole.without_domain);
        assert_eq!(sum.unread_names, whole.unread_names);
        assert_eq!(sum.messages(), 50);
    }

    #[test]
    fn old_months_become_years_and_gaps_stay_visible() {
        let mut figures = Figures::default();
        // November, August and January 2026; June and April 2024.
        for months in [0, 3, 10, 30, 32] {
            figures.count(&facts(Verdict::Tls, NOW - months * MONTH));
        }
        let labels = |most| {
            let of = |(label, counts): &(String, Counts)| format!("{label}={}", counts.total());
            figures.periods(most).labelled().iter().map(of).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(labels(4), "2024=2 2026 (rest)=1 2026-08=1 2026-09=0 2026-10=0 2026-11=1");
        assert_eq!(figures.periods(600).months.len(), 32, "no month before the first mail");
        assert_eq!(Figures::default().periods(24), Periods::default());
    }

    #[test]
    fn a_million_unread_files_are_counted_and_the_first_named() {
        let mut figures = Figures::default();
        (0..1_000_000).for_each(|_| figures.miss("a: permission denied".to_owned()));
        assert_eq!((figures.unread, figures.unread_names.len()), (1_000_000, NAMED));
    }
}
