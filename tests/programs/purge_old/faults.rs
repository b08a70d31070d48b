//! When the system fails `purge-old`, or stops it: every system call in turn.
//!
//! The promise: nothing goes that the rules spare; status 0 means that all of it is gone.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use super::{STAYS, maildir, mixed, names};
use crate::world::{Outcome, World};

const ARGUMENTS: [&str; 3] = ["--older-than", "90d", "box"];

pub(super) fn strace(world: &World, options: &[&str], arguments: &[&str]) -> Outcome {
    let program = world.where_is("purge-old");
    world.strace().args(["-o", "trace"]).args(options).arg(program).args(arguments).run()
}

/// The system calls of a run that works, each with its number among those of its name.
fn calls(world: &World) -> Vec<(String, usize)> {
    strace(world, &[], &ARGUMENTS).succeeds();
    let trace = fs::read_to_string(world.path("trace")).expect("a trace");
    let names: Vec<&str> = trace.lines().filter_map(|line| Some(line.split_once('(')?.0)).collect();
    let first_act =
        trace.lines().position(|line| line.starts_with("prctl(PR_SET_DUMPABLE")).expect("its first act");
    let numbered = names.iter().enumerate().map(|(at, name)| {
        let number = names[..=at].iter().filter(|other| *other == name).count();
        ((*name).to_owned(), number)
    });
    // brk(2) answers with an address: the C library has no answer to what cannot be.
    numbered.skip(first_act).filter(|(name, _)| !matches!(name.as_str(), "exit_group" | "brk")).collect()
}

fn again(world: &World) {
    fs::remove_dir_all(world.path("box")).expect("a Maildir");
    mixed(world, "box");
}

/// All that the rules spare is there.
fn is_spared(world: &World) -> bool {
    let left = names(world, "box");
    STAYS.iter().all(|name| left.iter().any(|there| there == name))
}

/// Which messages a run asked the system about, by the names in its trace.
fn asked_for(arguments: &[&str]) -> Vec<&'static str> {
    let world = World::new();
    mixed(&world, "box");
    strace(&world, &[], arguments).succeeds();
    let trace = fs::read_to_string(world.path("trace")).expect("a trace");
    let asks = |line: &&str| !line.starts_with("unlink") && !line.starts_with("execve");
    let asked: String = trace.lines().filter(asks).collect();
    ["1.old", "2.old", "3.old", "4.old", "5.young", "6.old", "7.young"]
        .into_iter()
        .filter(|name| asked.contains(&format!("\"{name}")))
        .collect()
}

#[test]
fn what_a_name_tells_is_not_asked_for() {
    let age = ["--older-than", "90d"];
    assert_eq!(asked_for(&[&age[..], &["--by", "name", "box"]].concat()), [""; 0]);
    assert_eq!(asked_for(&[&age[..], &["--only", "replied", "box"]].concat()), ["2.old"]);
    assert_eq!(asked_for(&[&age[..], &["box"]].concat()), ["1.old", "2.old", "5.young", "6.old", "7.young"]);
}

#[test]
fn every_failing_system_call_leaves_what_is_to_stay_and_is_told() {
    let world = World::unprivileged();
    mixed(&world, "box");
    let calls = calls(&world);
    assert_eq!(calls.iter().filter(|(name, _)| name == "unlinkat").count(), 3, "{calls:?}");
    for (name, number) in &calls {
        for error in ["EIO", "EACCES", "EROFS", "ENOSPC", "EINTR", "ENOMEM"] {
            again(&world);
            let inject = format!("inject={name}:error={error}:when={number}");
            let outcome = strace(&world, &["-e", &inject], &ARGUMENTS);
            assert!(is_spared(&world), "{inject}: something went that was to stay");
            match outcome.status() {
                0 => assert_eq!(names(&world, "box"), STAYS, "{inject}"),
                64 | 66 | 74 | 75 => assert!(!outcome.stderr().is_empty(), "{inject}"),
                other => panic!("{inject}: status {other}: {}", outcome.stderr()),
            }
        }
    }
}

#[test]
fn killed_at_any_system_call_it_leaves_what_is_to_stay() {
    let world = World::unprivileged();
    mixed(&world, "box");
    for (name, number) in calls(&world) {
        again(&world);
        let inject = format!("inject={name}:signal=KILL:when={number}");
        let outcome = strace(&world, &["-e", &inject], &ARGUMENTS);
        assert_eq!(outcome.0.status.signal(), Some(9), "{inject}");
        assert!(is_spared(&world), "{inject}");
        world.program("purge-old").args(ARGUMENTS).run().succeeds();
        assert_eq!(names(&world, "box"), STAYS, "{inject}: the next run did not finish it");
    }
}

#[test]
fn a_message_is_in_one_of_both_mailboxes_wherever_a_move_stops() {
    let world = World::unprivileged();
    let elsewhere = tempfile::TempDir::new_in("/dev/shm").expect("a file system of its own");
    std::os::unix::fs::chown(elsewhere.path(), Some(65_534), Some(65_534)).expect("a new owner");
    let to = elsewhere.path().join("box");
    let to = to.to_str().expect("UTF-8");
    let arguments = ["--older-than", "90d", "--only", "replied", "--move-to", to, "box"];
    let begin = || {
        let _ = fs::remove_dir_all(world.path("box"));
        let _ = fs::remove_dir_all(to);
        mixed(&world, "box");
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(Path::new(to).join(part)).expect("a Maildir");
        }
        for path in [to.to_owned(), format!("{to}/cur"), format!("{to}/new"), format!("{to}/tmp")] {
            std::os::unix::fs::chown(path, Some(65_534), Some(65_534)).expect("a new owner");
        }
    };
    begin();
    strace(&world, &[], &arguments).succeeds();
    let trace = fs::read_to_string(world.path("trace")).expect("a trace");
    let order: Vec<&str> = trace.lines().filter_map(|line| Some(line.split_once('(')?.0)).collect();
    let steps: Vec<&str> =
        order.iter().filter(|name| ["fsync", "renameat2", "unlinkat"].contains(name)).copied().collect();
    // Refused (another file system), the copy, into its place, its directory; only then gone here.
    assert_eq!(steps[..5], ["renameat2", "fsync", "renameat2", "fsync", "unlinkat"]);
    for name in ["renameat2", "fsync", "unlinkat", "openat", "write", "read", "utimensat", "fstat"] {
        let count = order.iter().filter(|other| **other == name).count();
        for number in 1..=count {
            for what in ["error=EIO", "error=ENOSPC", "signal=KILL"] {
                begin();
                let inject = format!("inject={name}:{what}:when={number}");
                let outcome = strace(&world, &["-e", &inject], &arguments);
                let here = world.path("box/cur/2.old-answered,S=41:2,RS").exists();
                let there = Path::new(to).join("cur/2.old-answered,S=41:2,RS").exists();
                assert!(here || there, "{inject}: the message is lost");
                let is_whole = there.then(|| fs::read(Path::new(to).join("cur/2.old-answered,S=41:2,RS")));
                assert!(
                    is_whole.is_none_or(|read| read.is_ok_and(|text| text.len() == 41)),
                    "{inject}: a part"
                );
                if what != "signal=KILL" && name == "unlinkat" {
                    assert!(here != there, "{inject}: the next run would move it once more");
                }
                if what != "signal=KILL" && outcome.0.status.code() == Some(0) {
                    assert!(!here && there, "{inject}: success, and it is not moved");
                }
            }
        }
    }
}

#[test]
fn a_run_that_has_no_time_left_says_so() {
    let world = World::unprivileged();
    mixed(&world, "box");
    let slow = "inject=getdents64:delay_enter=1100000:when=1";
    let arguments = ["--older-than", "90d", "--max-time", "1s", "box"];
    strace(&world, &["-e", slow], &arguments).fails(75, "the time was over before all was done");
    assert_eq!(names(&world, "box").len(), STAYS.len() + 3);
}

/// Nothing is judged in an empty folder, so none is cut short.
#[test]
fn folders_and_mailboxes_that_were_not_reached_are_told_of() {
    let world = World::unprivileged();
    maildir(&world, "box");
    mixed(&world, "box/.later");
    mixed(&world, "other");
    let slow = "inject=getdents64:delay_enter=1100000:when=1";
    for (arguments, first) in [
        (&["--recursive", "box", "other"][..], "purge-old: box: the time was over before all was done"),
        (&["box", "other"], "purge-old: other: the time was over before all was done"),
    ] {
        let all = [&["--older-than", "90d", "--max-time", "1s"], arguments].concat();
        let outcome = strace(&world, &["-e", slow], &all);
        assert_eq!(outcome.status(), 75, "{arguments:?}: {}", outcome.stderr());
        assert!(outcome.stderr().starts_with(first), "{arguments:?}: {}", outcome.stderr());
        for place in ["box/.later", "other"] {
            assert_eq!(names(&world, place).len(), STAYS.len() + 3, "{arguments:?}: {place}");
        }
    }
}
