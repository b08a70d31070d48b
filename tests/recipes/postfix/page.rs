//! The page of contrib/postfix, followed as an administrator would.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::world::fixture;

pub const PAGE: &str = include_str!("../../../contrib/postfix/README.md");

/// Where the administrator works: the shipped files and the users' certificates lie there.
const DESK: &str = "/root/desk";

/// Runs the first commands under this heading.
#[track_caller]
pub fn follow(heading: &str) {
    let desk = Path::new(DESK);
    fs::create_dir_all(desk).expect("a directory");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/postfix");
    for entry in fs::read_dir(shipped).expect("contrib/postfix") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, desk.join(path.file_name().expect("a name"))).expect("a copy");
    }
    fs::write(desk.join("alice.asc"), fixture("keys/alice.asc")).expect("a file");
    shell(blocks(heading).first().expect("commands"));
}

/// Runs the last commands under this heading.
#[track_caller]
pub fn undo(heading: &str) {
    shell(blocks(heading).last().expect("commands"));
}

#[track_caller]
fn shell(commands: &str) {
    let output = Command::new("sh").args(["-euc", commands]).current_dir(DESK).output().expect("sh");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}\n{commands}", output.status);
}

/// What is set as code under a heading, block by block.
fn blocks(heading: &str) -> Vec<String> {
    let lines = PAGE.lines().skip_while(|line| *line != heading).skip(1);
    let lines: Vec<_> = lines.take_while(|line| !line.starts_with("## ")).collect();
    let blocks = lines.chunk_by(|one, next| one.starts_with("    ") == next.starts_with("    "));
    let blocks = blocks.filter(|block| block[0].starts_with("    "));
    blocks.map(|block| block.iter().map(|line| format!("{}\n", &line[4..])).collect()).collect()
}

/// Words of the page, for a test that uses them.
#[track_caller]
pub fn word(word: &'static str) -> &'static str {
    assert!(PAGE.contains(word), "the page does not say {word}");
    word
}

/// Replaces something in one of Postfix's own files, as an editor would.
#[track_caller]
pub fn amend(file: &str, old: &str, new: &str) {
    let path = Path::new("/etc/postfix").join(file);
    let text = fs::read_to_string(&path).expect("a file");
    assert!(text.contains(old), "{} without {old}", path.display());
    fs::write(&path, text.replace(old, new)).expect("a file");
}

/// What the page shows of a log and of a bounce was in these, whatever stands around it.
#[track_caller]
pub fn is_shown_by(log: &str, bounce: &[u8]) {
    let shown = blocks("## All of them");
    let [lines, words] = &shown[..] else { panic!("a log and a bounce: {shown:?}") };
    for line in lines.lines() {
        let line = line.trim().trim_end_matches(" ...");
        assert!(log.contains(line), "the log does not say {line:?}");
    }
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let bounce = one_line(&String::from_utf8_lossy(bounce));
    assert!(bounce.contains(&one_line(words)), "the sender does not read {words:?} but {bounce}");
}
