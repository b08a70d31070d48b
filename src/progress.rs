//! A line on a terminal that says how far a long work has come, and goes away when it is done.
//!
//! Only standard error, and only when it is a terminal: from cron, in a pipe or in a log there is nothing.

use std::io::{IsTerminal, Stderr, Write};
use std::time::{Duration, Instant};

use crate::escape;

/// How often the line changes at most.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest line, in characters: a wrapped one could not be taken away again.
const WIDTH: usize = 79;

/// A count that is shown as it grows.
pub struct Progress<W: Write = Stderr> {
    out: Option<W>,
    what: String,
    total: Option<u64>,
    done: u64,
    shown: Option<Instant>,
}

impl Progress {
    /// A line about `what`: silent unless standard error is a terminal.
    pub fn on_terminal(what: &[u8], total: Option<u64>) -> Self {
        Progress::to(Some(std::io::stderr()).filter(Stderr::is_terminal), what, total)
    }
}

impl<W: Write> Progress<W> {
    fn to(out: Option<W>, what: &[u8], total: Option<u64>) -> Self {
        Progress { out, what: escape::foreign(what), total, done: 0, shown: None }
    }

    /// From here on it is about `what`, counted from nothing.
    pub fn turn_to(&mut self, what: &[u8], total: Option<u64>) {
        if self.out.is_some() {
            (self.what, self.total, self.done) = (escape::foreign(what), total, 0);
        }
    }

    /// So many more are done.
    pub fn advance(&mut self, more: u64) {
        if self.out.is_some() {
            self.done += more;
            self.show(Instant::now());
        }
    }

    /// Takes the line away, so that another can be printed in its place.
    pub fn clear(&mut self) {
        if let Some(out) = &mut self.out
            && self.shown.take().is_some()
        {
            // A terminal that has gone away needs no line.
            let _ = out.write_all(b"\r\x1b[K").and_then(|()| out.flush());
        }
    }

    fn show(&mut self, now: Instant) {
        let is_due = self.shown.is_none_or(|then| now.duration_since(then) >= PAUSE);
        if let Some(out) = self.out.as_mut().filter(|_| is_due) {
            self.shown = Some(now);
            let line = line(&self.what, self.done, self.total);
            let _ = write!(out, "\r{line}\x1b[K").and_then(|()| out.flush());
        }
    }
}

impl<W: Write> Drop for Progress<W> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The end of a long name says more than its beginning: it is cut in front.
fn line(what: &str, done: u64, total: Option<u64>) -> String {
    let count = match total {
        Some(total) if total > 0 => {
            let done = done.min(total);
            format!(": {done} of {total} ({} %)", u128::from(done) * 100 / u128::from(total))
        }
        _ => format!(": {done}"),
    };
    let room = WIDTH.saturating_sub(count.chars().count());
    let length = what.chars().count();
    match length.checked_sub(room) {
        Some(over) if over > 0 => {
            let end: String = what.chars().skip(over + 3).collect();
            format!("...{end}{count}")
        }
        _ => format!("{what}{count}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_a_terminal_and_keeps_the_end_of_a_long_name() {
        for (what, done, total, shown) in [
            ("Maildir", 0, None, "Maildir: 0".to_owned()),
            ("Maildir", 5, Some(10), "Maildir: 5 of 10 (50 %)".to_owned()),
            ("Maildir", 12, Some(10), "Maildir: 10 of 10 (100 %)".to_owned()),
            ("Maildir", 3, Some(0), "Maildir: 3".to_owned()),
            (&"x".repeat(200), 1, None, format!("...{}: 1", "x".repeat(73))),
        ] {
            assert_eq!(line(what, done, total), shown);
            assert!(line(what, done, total).chars().count() <= WIDTH);
        }
        assert_eq!(line("a", u64::MAX, Some(u64::MAX)).split_once('(').unwrap().1, "100 %)");
    }

    #[test]
    fn the_line_is_shown_at_once_and_taken_away_in_the_end() {
        let mut out = Vec::new();
        let mut progress = Progress::to(Some(&mut out), b"a\x1b[2J", Some(4));
        progress.advance(2);
        drop(progress);
        assert_eq!(out.escape_ascii().to_string(), "\\ra\\\\x1b[2J: 2 of 4 (50 %)\\x1b[K\\r\\x1b[K");
    }

    #[test]
    fn without_a_terminal_there_is_nothing() {
        let mut progress = Progress::<Vec<u8>>::to(None, b"a", None);
        progress.advance(2);
        progress.clear();
        assert!(progress.shown.is_none());
        let mut out = Vec::new();
        drop(Progress::to(Some(&mut out), b"never begun", None));
        assert!(out.is_empty());
    }
}
