//! `purge-old` on an mbox: what rests in it, whatever happens meanwhile.

mod crash;
mod others;
mod places;

use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::world::{Outcome, World};

const OLD: &str = "From a@example.org Mon Jan  6 12:00:00 2025\nSubject: old\n\nbody\n\n";

/// Of a day that stays young for a long time.
const NEW: &str = "From b@example.org Tue Nov 24 12:00:00 2099\nSubject: new\n\n>From here on\n\n";

/// What a run finds, and what it leaves.
fn before() -> String {
    [OLD, NEW, OLD, OLD, NEW, OLD].concat()
}

fn after() -> String {
    [NEW, NEW].concat()
}

/// Puts `text` into the file `name`, as if nobody had touched it for a year: then nobody can be waiting for
/// its lock.
fn rested(world: &World, name: &str, text: &str) {
    rest(&world.write(name, text.as_bytes()));
}

fn rest(path: &Path) {
    let then = SystemTime::now() - Duration::from_secs(365 * 86_400);
    let file = File::options().append(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(then).set_accessed(then)).unwrap();
}

fn purge(world: &World, name: &str) -> Outcome {
    world.program("purge-old").args(["--older-than", "90d", name]).run()
}

/// The names in a directory of `world`.
fn names(world: &World, directory: &str) -> Vec<String> {
    let entries = fs::read_dir(world.path(directory)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
