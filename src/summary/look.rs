//! How a report may look where it goes: its width, colours, block characters.

use std::ffi::OsString;
use std::io::IsTerminal;

use rustix::fd::AsFd;
use rustix::termios::tcgetwinsize;

/// The width of what is no terminal, or does not say.
const WIDTH: usize = 80;

/// Below this the columns have no room, and above it the eye loses the line.
const NARROWEST: usize = 60;
const WIDEST: usize = 120;

/// What the place of a report can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns of a line.
    pub width: usize,
    /// Whether colours are shown, and wanted.
    pub has_colours: bool,
    /// Whether block characters are shown: the locale says UTF-8.
    pub has_blocks: bool,
}

impl Look {
    /// The look of standard output in this environment.
    pub fn of_output() -> Self {
        let output = std::io::stdout();
        let columns = output
            .is_terminal()
            .then(|| tcgetwinsize(output.as_fd()).map_or(WIDTH, |size| usize::from(size.ws_col)));
        Look::of(columns, |name| std::env::var_os(name))
    }

    /// The look of a terminal with so many columns, 0 where it does not say, or of no terminal.
    fn of(columns: Option<usize>, environment: impl Fn(&str) -> Option<OsString>) -> Self {
        let value = |name: &str| environment(name).filter(|value| !value.is_empty());
        // https://no-color.org: any value that is not empty.
        let has_colours = columns.is_some()
            && value("NO_COLOR").is_none()
            && value("TERM").is_some_and(|term| term != "dumb");
        // locale(7): the first that is set counts.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(value).unwrap_or_default();
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        let width = columns.filter(|columns| *columns > 0).unwrap_or(WIDTH).clamp(NARROWEST, WIDEST);
        Look { width, has_colours, has_blocks: locale.contains("utf-8") || locale.contains("utf8") }
    }

    /// `text` between a colour of ECMA-48 (SGR) and its end, or alone.
    pub fn paint(self, colour: &str, text: &str) -> String {
        if self.has_colours && !text.is_empty() {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(columns: Option<usize>, words: &[(&str, &str)]) -> (usize, bool, bool) {
        let look = Look::of(columns, |name| {
            words.iter().find(|(word, _)| *word == name).map(|(_, value)| OsString::from(value))
        });
        (look.width, look.has_colours, look.has_blocks)
    }

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let term = ("TERM", "xterm");
        for (name, columns, words, expected) in [
            ("a terminal", Some(100), &[term, ("LANG", "de_DE.UTF-8")][..], (100, true, true)),
            ("a pipe", None, &[term, ("LC_CTYPE", "C.utf8")], (80, false, true)),
            ("NO_COLOR", Some(80), &[term, ("NO_COLOR", "1")], (80, false, false)),
            ("NO_COLOR is empty", Some(80), &[term, ("NO_COLOR", "")], (80, true, false)),
            ("no colours at all", Some(80), &[("TERM", "dumb")], (80, false, false)),
            ("no TERM", Some(80), &[], (80, false, false)),
            ("LC_ALL wins", Some(80), &[term, ("LC_ALL", "C"), ("LANG", "C.UTF-8")], (80, true, false)),
            ("an empty LC_ALL", Some(80), &[term, ("LC_ALL", ""), ("LANG", "C.UTF-8")], (80, true, true)),
        ] {
            assert_eq!(look(columns, words), expected, "{name}");
        }
    }

    #[test]
    fn the_width_has_bounds() {
        for (columns, width) in [(0, 80), (1, 60), (60, 60), (120, 120), (5000, 120)] {
            assert_eq!(look(Some(columns), &[]).0, width, "{columns} columns");
        }
    }
}
