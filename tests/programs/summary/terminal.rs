//! The report on a terminal: colours, width, and the line that says how far the work has come.

use super::{mailboxes, summary};
use crate::world::World;

/// What a terminal of `columns` gets, from both outputs. script(1) is the terminal.
fn on_terminal(world: &World, columns: u32, environment: &[(&str, &str)]) -> String {
    let program = world.where_is("tls-audit");
    let command = format!("stty cols {columns}; exec {} --summary Maildir mbox", program.display());
    let mut run =
        world.command("/usr/bin/script").args(["--quiet", "--return", "--command", &command, "/dev/null"]);
    for (name, value) in environment {
        run = run.env(name, value);
    }
    String::from_utf8(run.run().succeeds()).expect("UTF-8").replace("\r\n", "\n")
}

/// What stands before the report, and the report.
fn divided(shown: &str) -> (&str, &str) {
    shown.split_at(shown.find("5 messages").or(shown.find("6 messages")).expect("a report"))
}

#[test]
fn a_terminal_gets_colours_and_a_line_that_goes_away() {
    let world = mailboxes();
    let shown = on_terminal(&world, 100, &[("TERM", "xterm"), ("LANG", "C.UTF-8")]);
    let (progress, report) = divided(&shown);
    assert!(progress.contains("\rMaildir: ") && progress.ends_with("\r\x1b[K"), "{progress:?}");
    assert!(report.contains("\x1b[31m\u{2588}") && report.contains("\x1b[32m\u{2592}"), "{report:?}");
    let bare = report.replace("\x1b[0m", "").replace("\x1b[1m", "").replace("\x1b[2m", "");
    let bare = ["31", "32", "33", "34", "35"]
        .iter()
        .fold(bare, |text, colour| text.replace(&format!("\x1b[{colour}m"), ""));
    assert!(!bare.contains('\x1b'), "{bare:?}");
    assert!(bare.lines().any(|line| line.chars().count() == 100), "as wide as the terminal: {bare}");
    assert!(bare.lines().all(|line| line.chars().count() <= 100), "{bare}");
}

#[test]
fn no_color_and_a_simple_terminal_get_none() {
    let world = mailboxes();
    for environment in [[("TERM", "xterm"), ("NO_COLOR", "1")], [("TERM", "dumb"), ("NO_COLOR", "")]] {
        let shown = on_terminal(&world, 70, &environment);
        let (_, report) = divided(&shown);
        assert!(!report.contains('\x1b'), "{report:?}");
        assert!(report.is_ascii(), "no UTF-8 is promised: {report}");
    }
}

#[test]
fn a_wide_terminal_gets_lines_that_the_eye_can_follow() {
    let world = mailboxes();
    let shown = on_terminal(&world, 400, &[("TERM", "dumb")]);
    let widest = divided(&shown).1.lines().map(|line| line.chars().count()).max();
    assert_eq!(widest, Some(120));
}

#[test]
fn a_pipe_gets_neither_colours_nor_progress() {
    let world = mailboxes();
    let run = world.program("tls-audit").env("TERM", "xterm").env("LANG", "C.UTF-8");
    // Silence on standard error is part of success.
    let report = String::from_utf8(run.args(["--summary", "Maildir", "mbox"]).run().succeeds()).unwrap();
    assert!(!report.contains('\x1b') && report.contains('\u{2588}'), "{report:?}");
    let plain = String::from_utf8(summary(&world, &["--summary", "Maildir", "mbox"]).succeeds()).unwrap();
    assert_eq!(plain, report.replace('\u{2588}', "#").replace('\u{2592}', "=").replace('\u{b7}', "."));
}
