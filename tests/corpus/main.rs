//! Real mail, judged and sealed: 1,300 messages that other projects ship as their test data.
//!
//! The mail is not part of this project. `SELFSEAL_CORPUS` names its directory; without it,
//! `../shared/corpus` beside the checkout is taken. It holds `INDEX.tsv`: path, kind, why, where `a|b`
//! means that either is a fair answer.

#[path = "../../fuzz/bodies.rs"]
mod bodies;
#[path = "../world/mod.rs"]
mod world;

mod received;
mod sealed;

use std::fs;
use std::path::{Path, PathBuf};

use selfseal::kind;
use selfseal::message::Arrival;

/// Labels that are not followed, each with its reason.
const WRONG: [(&str, &str, &str); 0] = [];

fn corpus() -> PathBuf {
    let directory = std::env::var_os("SELFSEAL_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    assert!(
        directory.join("INDEX.tsv").is_file(),
        "{}: no INDEX.tsv there; give the directory of the corpus in SELFSEAL_CORPUS",
        directory.display()
    );
    directory
}

/// All rows of the index: path, kinds.
fn index(corpus: &Path) -> Vec<(String, String)> {
    let index = fs::read_to_string(corpus.join("INDEX.tsv")).expect("a readable index");
    let rows = index.lines().skip(1).map(|line| {
        let mut columns = line.split('\t');
        (columns.next().expect("a path").to_owned(), columns.next().expect("a kind").to_owned())
    });
    rows.collect()
}

#[test]
fn every_message_is_judged_as_its_label_says() {
    let corpus = corpus();
    let rows = index(&corpus);
    assert!(rows.len() > 1_000, "only {} rows", rows.len());
    let mut wrong = String::new();
    for (path, label) in &rows {
        let bytes = fs::read(corpus.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let verdict = kind::of(Arrival::read(&bytes).message);
        let expected =
            WRONG.iter().find(|(name, _, _)| name == path).map_or(label.as_str(), |(_, kind, _)| kind);
        if !expected.split('|').any(|kind| kind == verdict.kind.as_str()) {
            wrong += &format!("{path}\n    expected {expected}, judged {verdict}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_verdict_while_a_message_is_read_is_that_on_the_whole() {
    let corpus = corpus();
    let (mut judged, mut let_go) = (0, 0);
    for (path, _) in index(&corpus) {
        let bytes = fs::read(corpus.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let verdict = kind::of(Arrival::read(&bytes).message);
        for eighth in 1..8 {
            if let Some((while_read, octets)) = bodies::while_read(&bytes, bytes.len() * eighth / 8) {
                assert_eq!(while_read, verdict, "{path}, after {eighth}/8");
                judged += 1;
                let_go += usize::from(octets > 0);
            }
        }
    }
    assert!(judged > 100 && let_go > 50, "{judged} judged so, something let go of {let_go}");
}
