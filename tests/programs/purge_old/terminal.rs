//! What a person at a terminal sees of a run, and that nobody else hears of it.

use super::{age, letter, maildir, mixed, purge};
use crate::world::World;

/// What a terminal gets, from both outputs but for those that `redirected` sends elsewhere. script(1) is the
/// terminal.
fn on_terminal(world: &World, arguments: &str, redirected: &str) -> String {
    let program = world.where_is("purge-old");
    let command = format!("exec {} --older-than 90d {arguments} {redirected}", program.display());
    let run =
        world.command("/usr/bin/script").args(["--quiet", "--return", "--command", &command, "/dev/null"]);
    String::from_utf8(run.run().succeeds()).expect("UTF-8").replace("\r\n", "\n")
}

/// A count that was shown and taken away again.
fn counted(mailbox: &str, count: usize) -> String {
    format!("\r{mailbox}: {count}\x1b[K\r\x1b[K")
}

/// An mbox with an old message and one of the future, which nobody has used for long.
fn mbox(world: &World, name: &str) {
    let message = |year| format!("From a@example.org Mon Jan  5 12:00:00 {year}\nSubject: x\n\nhi\n\n");
    age(&world.write(name, (message(2016) + &message(2099)).as_bytes()), 365);
}

#[test]
fn a_terminal_sees_a_count_that_goes_away_and_a_line_a_mailbox() {
    let world = World::new();
    mixed(&world, "box");
    mixed(&world, "box/.Lists");
    mbox(&world, "mbox");
    let folder = "removed 3 of 7 messages, 123 B\n";
    let expected = [
        &counted("box", 5),
        &format!("box: {folder}"),
        &counted("box/.Lists", 5),
        &format!("box/.Lists: {folder}"),
        &counted("mbox", 2),
        "mbox: removed 1 of 2 messages, 60 B; 1 stay, since their time cannot be known\n",
    ];
    assert_eq!(on_terminal(&world, "--recursive box mbox", ""), expected.concat());
}

#[test]
fn each_output_is_judged_by_itself() {
    for (redirected, expected) in [
        (">/dev/null", counted("box", 5)),
        ("2>/dev/null", "box: removed 3 of 7 messages, 123 B\n".to_owned()),
        (">/dev/null 2>&1", String::new()),
    ] {
        let world = World::new();
        mixed(&world, "box");
        assert_eq!(on_terminal(&world, "box", redirected), expected, "{redirected}");
    }
}

#[test]
fn the_count_makes_room_for_the_lines_about_messages() {
    let world = World::new();
    maildir(&world, "box");
    letter(&world, "box/cur/1.a:2,S", 100);
    let line = "   100d      41 B  box/cur/1.a:2,S  lunch\n";
    let total = "box: would remove 1 of 1 messages, 41 B\n";
    assert_eq!(on_terminal(&world, "--dry-run box", ""), [&counted("box", 1), line, total].concat());
}

#[test]
fn a_name_moves_no_cursor() {
    let world = World::new();
    let shown = "box/.\\x1b[2J\\x0d\\u{202e}";
    mixed(&world, "box");
    mixed(&world, "box/.\x1b[2J\r\u{202e}");
    let seen = on_terminal(&world, "--recursive box", "");
    let (_, of_folder) = seen.split_once("123 B\n").expect("a line about the first folder");
    assert_eq!(of_folder, counted(shown, 5) + shown + ": removed 3 of 7 messages, 123 B\n");
}

#[test]
fn without_a_terminal_there_is_nothing_whatever_the_environment_says() {
    let world = World::new();
    mixed(&world, "box");
    mbox(&world, "mbox");
    let run = world.program("purge-old").env("TERM", "xterm").env("COLUMNS", "80");
    assert_eq!(run.args(["--older-than", "90d", "box", "mbox"]).run().succeeds(), b"");
    assert_eq!(purge(&world, &["--older-than", "90d", "box", "mbox"]).succeeds(), b"");
}
