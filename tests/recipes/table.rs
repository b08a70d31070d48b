//! The table of contrib/README.md: a line a recipe, a column a case.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::recipe::TROUBLES;

/// Checks that the line of this recipe says what was seen, or writes it there when asked to.
#[track_caller]
pub fn hold(recipe: &str, seen: &[(&str, String)]) {
    let cells: Vec<_> = seen.iter().map(|(_, outcome)| outcome.as_str()).collect();
    let line = format!("| {recipe} | {} |", cells.join(" | "));
    if std::env::var_os("SELFSEAL_WRITE_TABLE").is_some() {
        return write(recipe, &line);
    }
    let text = fs::read_to_string(page()).expect("contrib/README.md");
    let found = text.lines().find(|line| line.starts_with(&format!("| {recipe} |")));
    assert_eq!(found, Some(line.as_str()), "the table of contrib/README.md; main.rs says how it is written");
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/README.md")
}

/// Replaces the recipe's line, or adds it at the end of the table.
fn write(recipe: &str, line: &str) {
    let lock = File::open(page()).expect("contrib/README.md");
    flock(&lock, FlockOperation::LockExclusive).expect("a lock");
    let text = fs::read_to_string(page()).expect("contrib/README.md");
    let mut lines: Vec<_> = text.lines().collect();
    match lines.iter().position(|line| line.starts_with(&format!("| {recipe} |"))) {
        Some(at) => lines[at] = line,
        None => {
            let last = lines.iter().rposition(|line| line.starts_with('|')).expect("a table");
            lines.insert(last + 1, line);
        }
    }
    fs::write(page(), lines.join("\n") + "\n").expect("contrib/README.md");
}

#[test]
fn a_page_says_first_what_its_host_cannot_do() {
    let text = fs::read_to_string(page()).expect("contrib/README.md");
    let recipes: Vec<_> = text.lines().filter(|line| line.starts_with("| [")).collect();
    assert!(!recipes.is_empty(), "the table has recipes");
    let cells = |line: &str| line.split(" | ").map(str::to_owned).collect::<Vec<_>>();
    let heads = cells(text.lines().find(|line| line.starts_with("| Recipe |")).expect("a head"));
    // A broken program is no reason for a bounce: the sender did nothing wrong.
    let is_trouble = |head: &str| TROUBLES.iter().any(|(name, _)| *name == head);
    for line in recipes {
        // | [Host](directory): recipe | outcome ...
        let directory = line.split(['(', ')']).nth(1).expect("a directory");
        let page = page().with_file_name(directory).join("README.md");
        let page = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        let first: Vec<_> = page.lines().skip(2).take_while(|line| !line.is_empty()).collect();
        let first = first.join(" ");
        let row: Vec<_> = heads.iter().zip(cells(line)).collect();
        let any = |of: &dyn Fn(&str) -> bool, outcome: &str| {
            row.iter().any(|(head, cell)| of(head.as_str()) && cell == outcome)
        };
        for (holds, word) in
            [(any(&is_trouble, "bounces"), " bounces "), (any(&|head| head == "refused", "–"), "refuse")]
        {
            assert!(
                !holds || first.contains(word),
                "the first words of {directory} have no {word:?}:\n{line}"
            );
        }
        let warns = first.starts_with("**");
        assert!(warns || !line.contains("**"), "the first line of {directory} does not warn:\n{line}");
    }
}
