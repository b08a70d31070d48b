//! The domains whose mail came in the clear, in bounded memory whatever senders invent.
//!
//! A spammer makes up a domain for each message. Up to [`KEPT`] domains are all counted; at twice as many
//! those with the least mail are forgotten, and from then on a count is a lower bound.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::day::Day;

/// How many domains survive when the table is cut, which happens at twice as many.
pub const KEPT: usize = 10_000;

/// The longest host that is remembered beside a domain, in octets.
const LONGEST_HOST: usize = 128;

/// What is known about the mail of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Messages in the clear.
    pub messages: u64,
    /// The day of the last one, if any of them has one.
    pub last: Option<Day>,
    /// The host that brought the last one, as our own host wrote it. Foreign bytes.
    pub host: String,
}

/// Domains, and what they sent in the clear.
#[derive(Clone, Debug, Default)]
pub struct Senders {
    domains: HashMap<String, Sender>,
    /// Messages of domains that were forgotten.
    forgotten: u64,
}

impl Senders {
    /// Counts one message in the clear. `domain` is lower case and bounded by its parser.
    pub fn count(&mut self, domain: &str, last: Option<Day>, host: &str) {
        match self.domains.get_mut(domain) {
            Some(sender) => {
                sender.messages += 1;
                sender.see(last, bounded(host));
            }
            None => {
                let sender = Sender { messages: 1, last, host: bounded(host).to_owned() };
                self.domains.insert(domain.to_owned(), sender);
                self.cut();
            }
        }
    }

    /// Adds what another table counted.
    pub fn add(&mut self, other: Senders) {
        self.forgotten += other.forgotten;
        for (domain, new) in other.domains {
            match self.domains.get_mut(&domain) {
                Some(sender) => {
                    sender.messages += new.messages;
                    sender.see(new.last, &new.host);
                }
                None => {
                    self.domains.insert(domain, new);
                    self.cut();
                }
            }
        }
    }

    /// The `most` domains with most mail in the clear, the worst first.
    pub fn worst(&self, most: usize) -> Vec<(&str, &Sender)> {
        let mut all: Vec<_> = self.domains.iter().map(|(domain, sender)| (domain.as_str(), sender)).collect();
        all.sort_unstable_by_key(|(domain, sender)| sender.rank(domain));
        all.truncate(most);
        all
    }

    /// How many domains are in the table.
    pub fn len(&self) -> usize {
        self.domains.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// Whether no domain was forgotten, so that each count is exact.
    pub fn is_exact(&self) -> bool {
        self.forgotten == 0
    }

    /// Forgets the domains with the least mail when the table is full.
    fn cut(&mut self) {
        if self.domains.len() < 2 * KEPT {
            return;
        }
        let mut all: Vec<_> = std::mem::take(&mut self.domains).into_iter().collect();
        all.select_nth_unstable_by(KEPT, |(a, one), (b, other)| one.rank(a).cmp(&other.rank(b)));
        self.forgotten += all.drain(KEPT..).map(|(_, sender)| sender.messages).sum::<u64>();
        self.domains.extend(all);
    }
}

impl Sender {
    /// Most mail first; of the same number, the latest; then by name, so that a report does not change from
    /// run to run.
    fn rank<'a>(&self, domain: &'a str) -> (Reverse<u64>, Reverse<Option<Day>>, &'a str) {
        (Reverse(self.messages), Reverse(self.last), domain)
    }

    /// The later message tells the host. Of one day it is the host that sorts last: threads meet messages in
    /// any order.
    fn see(&mut self, last: Option<Day>, host: &str) {
        if (last, host) > (self.last, self.host.as_str()) {
            self.last = last;
            self.host = host.to_owned();
        }
    }
}

fn bounded(host: &str) -> &str {
    &host[..host.floor_char_boundary(LONGEST_HOST)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Option<Day> {
        Day::of(1_795_608_000 + day * 86_400)
    }

    #[test]
    fn the_worst_domain_comes_first_with_its_last_day() {
        let mut senders = Senders::default();
        senders.count("b.example", day(0), "late");
        senders.count("b.example", day(-3), "early");
        senders.count("a.example", day(-1), "");
        senders.count("c.example", None, "");
        let mut other = Senders::default();
        other.count("b.example", day(-1), "middle");
        other.count("d.example", day(-1), "");
        senders.add(other);
        let worst: Vec<String> = senders
            .worst(3)
            .into_iter()
            .map(|(domain, sender)| {
                let last = sender.last.map(|day| day.to_string()).unwrap_or_default();
                format!("{domain} {} {last} {}", sender.messages, sender.host)
            })
            .collect();
        assert_eq!(
            worst,
            ["b.example 3 2026-11-25 late", "a.example 1 2026-11-24 ", "d.example 1 2026-11-24 "]
        );
        assert_eq!((senders.len(), senders.is_exact()), (4, true));
    }

    #[test]
    fn a_million_domains_take_no_more_room_than_the_bound() {
        let mut senders = Senders::default();
        let mut largest = 0;
        for number in 0..1_000_000_u32 {
            senders.count(&format!("{number}.example"), None, "");
            // A real sender among the made-up ones, each thousandth message.
            if number % 1000 == 0 {
                senders.count("real.example", day(0), "");
            }
            largest = largest.max(senders.len());
        }
        assert!(largest < 2 * KEPT, "{largest} domains");
        assert!(!senders.is_exact());
        let (domain, sender) = senders.worst(1)[0];
        assert_eq!((domain, sender.messages), ("real.example", 1000));
        let in_table: u64 = senders.domains.values().map(|sender| sender.messages).sum();
        assert_eq!(in_table + senders.forgotten, 1_001_000, "no message is lost");
    }

    #[test]
    fn two_full_tables_make_one_within_the_bound() {
        let of = |name: &str| {
            let mut senders = Senders::default();
            (0..15_000).for_each(|number| senders.count(&format!("{number}.{name}"), None, ""));
            senders
        };
        let mut both = of("a");
        both.add(of("b"));
        assert!(both.len() < 2 * KEPT);
        assert!(!both.is_exact());
    }

    #[test]
    fn a_host_of_a_megabyte_is_cut() {
        let mut senders = Senders::default();
        senders.count("a.example", None, &"\u{e4}".repeat(1 << 20));
        assert_eq!(senders.worst(1)[0].1.host, "\u{e4}".repeat(64));
    }
}
