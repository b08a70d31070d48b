//! How long a host waits for a program: as its recipe says, or a moment, for a test with one that hangs.

use std::fs;
use std::path::PathBuf;

/// The file that says it.
pub struct Limit {
    path: PathBuf,
    text: String,
    hasty: String,
}

impl Limit {
    /// One that stands in this text, once.
    #[track_caller]
    pub fn of(path: impl Into<PathBuf>, text: &str, value: &str, moment: &str) -> Self {
        assert_eq!(text.matches(value).count(), 1, "{value} is there once:\n{text}");
        Limit { path: path.into(), text: text.to_owned(), hasty: text.replace(value, moment) }
    }

    /// One that a text has with these lines only, where the host waits for an hour otherwise.
    pub fn added(path: impl Into<PathBuf>, text: &str, lines: &str) -> Self {
        Limit { path: path.into(), text: text.to_owned(), hasty: format!("{text}{lines}") }
    }

    /// Sets it to a moment, or (false) as it was. The file keeps its owner and its mode.
    pub fn hurry(&self, on: bool) {
        let text = if on { &self.hasty } else { &self.text };
        fs::write(&self.path, text).unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
    }
}
