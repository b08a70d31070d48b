//! What is told of messages that go: lines for a person, or JSON for a program.

use std::fmt::Write as _;
use std::io::{IsTerminal, Stdout, Write};
use std::path::Path;

use anyhow::{Context, Result};

use super::{Going, Outcome, Witness, condition};
use crate::escape;
use crate::json;
use crate::message::Header;
use crate::progress::Progress;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing, or on a terminal one line a mailbox.
    Total,
    /// Each message, and a line a mailbox.
    Messages,
}

/// The words for what happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Removed,
    Moved,
    WouldRemove,
    WouldMove,
}

impl Act {
    fn words(self) -> &'static str {
        match self {
            Act::Removed => "removed",
            Act::Moved => "moved",
            Act::WouldRemove => "would remove",
            Act::WouldMove => "would move",
        }
    }
}

/// A report on standard output.
pub struct Report {
    out: Stdout,
    detail: Detail,
    is_json: bool,
    act: Act,
    now: i64,
    progress: Progress,
    /// Lines about messages that are about to go.
    pending: String,
}

impl Report {
    /// A report of a run that counts ages from `now`.
    pub fn begin(detail: Detail, is_json: bool, act: Act, now: i64) -> Self {
        let progress = Progress::on_terminal(b"", None);
        Report { out: std::io::stdout(), detail, is_json, act, now, progress, pending: String::new() }
    }

    /// From here on it is about this mailbox.
    pub fn turn_to(&mut self, mailbox: &Path) {
        self.progress.turn_to(mailbox.as_os_str().as_encoded_bytes(), None);
    }

    /// What came of a mailbox.
    ///
    /// # Errors
    /// Nobody reads it.
    pub fn total(&mut self, mailbox: &Path, outcome: &Outcome) -> Result<()> {
        self.progress.clear();
        let is_asked_for = self.detail == Detail::Messages || self.out.is_terminal();
        match (self.is_json, is_asked_for) {
            (true, _) => self.write(&total_in_json(mailbox, self.act, outcome)),
            (false, true) => self.write(&total_in_words(mailbox, self.act, outcome)),
            (false, false) => Ok(()),
        }
    }

    fn write(&self, text: &str) -> Result<()> {
        let mut out = &self.out;
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("standard output")
    }
}

impl Witness for Report {
    fn is_told_of_each(&self) -> bool {
        self.detail == Detail::Messages
    }

    fn sees(&mut self, going: &Going) -> Result<()> {
        if self.detail == Detail::Messages {
            let header = (going.header)()?.unwrap_or_default();
            let subject = condition::subject(Header(&header));
            self.pending += &match self.is_json {
                true => message_in_json(going, self.act, &subject),
                false => message_in_words(going, self.now, &subject),
            };
        }
        Ok(())
    }

    fn gone(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.progress.clear();
        let told = self.write(&self.pending);
        self.pending.clear();
        told
    }

    fn stayed(&mut self) {
        self.pending.clear();
    }

    fn judged(&mut self, more: u64) {
        self.progress.advance(more);
    }
}

/// Age, size, path, subject. The path is whole, so that it can be used; the subject is cut.
fn message_in_words(going: &Going, now: i64, subject: &str) -> String {
    let days = (now - going.time).div_euclid(86_400);
    let size = going.size.map_or("-".to_owned(), size);
    let path = escape::harmless(going.path.as_os_str().as_encoded_bytes());
    let subject = escape::foreign(subject.as_bytes());
    format!("{days:>6}d {size:>9}  {path}  {subject}").trim_end().to_owned() + "\n"
}

fn message_in_json(going: &Going, act: Act, subject: &str) -> String {
    let line = json::object(&[
        ("message", json::string(going.path.as_os_str().as_encoded_bytes())),
        ("act", json::string(act.words().as_bytes())),
        ("time", going.time.to_string()),
        ("size", json::or_null(going.size.map(|size| size.to_string()))),
        ("subject", json::string(subject.as_bytes())),
    ]);
    line + "\n"
}

fn total_in_words(mailbox: &Path, act: Act, outcome: &Outcome) -> String {
    let path = escape::harmless(mailbox.as_os_str().as_encoded_bytes());
    let mut line = format!("{path}: {} {} of {} messages", act.words(), outcome.gone, outcome.messages);
    if outcome.octets > 0 {
        let _ = write!(line, ", {}", size(outcome.octets));
    }
    if outcome.undated > 0 {
        let _ = write!(line, "; {} stay, since their time cannot be known", outcome.undated);
    }
    if outcome.doubtful > 0 {
        let _ = write!(line, "; {} stay, since their end is not certain", outcome.doubtful);
    }
    if outcome.stale > 0 {
        let _ = write!(line, "; {} of broken deliveries removed", outcome.stale);
    }
    if outcome.is_cut_short {
        line += "; not all were looked at: the time was over";
    }
    line + "\n"
}

fn total_in_json(mailbox: &Path, act: Act, outcome: &Outcome) -> String {
    let line = json::object(&[
        ("mailbox", json::string(mailbox.as_os_str().as_encoded_bytes())),
        ("act", json::string(act.words().as_bytes())),
        ("messages", outcome.messages.to_string()),
        ("gone", outcome.gone.to_string()),
        ("octets", outcome.octets.to_string()),
        ("undated", outcome.undated.to_string()),
        ("doubtful", outcome.doubtful.to_string()),
        ("stale", outcome.stale.to_string()),
        ("cut_short", outcome.is_cut_short.to_string()),
    ]);
    line + "\n"
}

/// `987 B`, `12.3 kB`, `4.5 GB`: a thousand each.
fn size(octets: u64) -> String {
    let mut unit = 0;
    let mut rest = octets;
    while rest >= 999_950 && unit < 4 {
        rest /= 1000;
        unit += 1;
    }
    match (unit, rest) {
        (0, octets @ ..1000) => format!("{octets} B"),
        _ => {
            let tenths = (rest + 50) / 100;
            let names = ["kB", "MB", "GB", "TB", "PB"];
            format!("{}.{} {}", tenths / 10, tenths % 10, names[unit])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (octets, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (12_345, "12.3 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (4_512_345_678, "4.5 GB"),
        ] {
            assert_eq!(size(octets), shown, "{octets}");
        }
    }

    #[test]
    fn a_line_tells_age_size_path_and_subject_and_obeys_nothing() {
        let going = Going {
            path: "/m/cur/1.a\x1b[2J:2,S".into(),
            time: 1_000_000,
            size: Some(12_345),
            header: &|| Ok(None),
        };
        let line = message_in_words(&going, 1_000_000 + 86_400 * 91 + 5, "lunch\x07");
        assert_eq!(line, "    91d   12.3 kB  /m/cur/1.a\\x1b[2J:2,S  lunch\\x07\n");
        let subject = format!("a\"b\x07{}", "c".repeat(200));
        let line = message_in_json(&going, Act::WouldRemove, &subject);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["subject"], format!("a\"b\\x07{}", "c".repeat(200)));
        assert_eq!((read["time"].as_i64(), read["act"].as_str()), (Some(1_000_000), Some("would remove")));
    }

    #[test]
    fn a_path_is_told_whole_and_a_subject_is_cut() {
        let path = format!("/m/cur/{}:2,S", "1".repeat(200));
        let going = Going { path: path.clone().into(), time: 0, size: None, header: &|| Ok(None) };
        let line = message_in_words(&going, 0, &"s".repeat(200));
        assert_eq!(line, format!("     0d         -  {path}  {}...\n", "s".repeat(80)));
    }
}
