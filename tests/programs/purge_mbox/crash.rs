//! The system fails it, or stops it: every system call in turn, each error that the call may give, SIGKILL at
//! each call and at random moments, a disk that is full.
//!
//! The promise: the old mbox or the new one, whole; and the next run sets right what was left beside it.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::{after, before, names, purge, rest, rested};
use crate::world::{Outcome, World};

/// `purge-old` under strace on the mbox of a directory.
fn traced(world: &World, directory: &str, options: &[&str]) -> Outcome {
    let trace = world.path(directory).with_extension("trace");
    world
        .strace()
        .arg("-o")
        .arg(trace)
        .args(options)
        .arg(world.where_is("purge-old"))
        .args(["--older-than", "90d", &format!("{directory}/mbox")])
        .run()
}

/// System calls that give an answer always.
const CANNOT_FAIL: [&str; 5] = ["exit_group", "geteuid", "getpid", "brk", "prlimit64"];

/// The system calls of a run that works, each with its number among those of its name, from the program's
/// first act on.
fn calls(world: &World) -> Vec<(String, usize)> {
    rested(world, "good/mbox", &before());
    traced(world, "good", &[]).succeeds();
    assert_eq!(fs::read_to_string(world.path("good/mbox")).unwrap(), after());
    let trace = fs::read_to_string(world.path("good.trace")).unwrap();
    let names: Vec<&str> = trace.lines().filter_map(|line| Some(line.split_once('(')?.0)).collect();
    let first_act = trace.lines().position(|line| line.starts_with("prctl(PR_SET_DUMPABLE")).unwrap();
    let numbered = names.iter().enumerate().map(|(at, name)| {
        let number = names[..=at].iter().filter(|other| *other == name).count();
        ((*name).to_owned(), number)
    });
    let calls: Vec<(String, usize)> =
        numbered.skip(first_act).filter(|(name, _)| !CANNOT_FAIL.contains(&name.as_str())).collect();
    assert!(calls.iter().any(|(name, _)| name == "renameat2"), "{calls:?}");
    calls
}

/// Runs `test` on each case, several at once: some of them wait for other programs.
fn each<T: Send>(cases: Vec<T>, test: impl Fn(T) + Sync) {
    let cases = Mutex::new(cases);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let Some(case) = cases.lock().unwrap().pop() else { break };
                    test(case);
                }
            });
        }
    });
}

/// The mbox is the old one or the new one, whole, and beside it lies nothing but what the next run knows.
#[track_caller]
fn is_whole(world: &World, directory: &str) -> String {
    let text = fs::read_to_string(world.path(&format!("{directory}/mbox"))).unwrap();
    assert!(text == before() || text == after(), "{directory}: {text}");
    for name in names(world, directory) {
        let is_known = name == "mbox" || name.contains("lock") || name.starts_with(".mbox.purge-old.");
        assert!(is_known, "{directory}: {name}");
    }
    text
}

/// The next run, and the next delivery, find nothing in their way.
#[track_caller]
fn is_set_right_by_the_next_run(world: &World, directory: &str) {
    let mbox = format!("{directory}/mbox");
    let new = "From c@example.org Tue Nov 24 12:00:00 2099\nSubject: next\n\nbody\n";
    world.program("deliver").args([&mbox]).input(new.as_bytes()).run().succeeds();
    rest(&world.path(&mbox));
    purge(world, &mbox).succeeds();
    assert_eq!(fs::read_to_string(world.path(&mbox)).unwrap(), format!("{}{new}\n", after()), "{directory}");
    let left: Vec<String> =
        names(world, directory).into_iter().filter(|name| !name.starts_with(".lock.")).collect();
    assert_eq!(left, ["mbox"], "{directory}");
}

#[test]
fn every_failing_system_call_leaves_the_old_mbox_or_the_new_one() {
    let world = World::unprivileged();
    let mut cases = Vec::new();
    for (name, number) in calls(&world) {
        for error in ["EIO", "ENOSPC", "EDQUOT", "EINTR"] {
            cases.push((name.clone(), number, error));
        }
    }
    each(cases, |(name, number, error)| {
        let case = format!("{name}-{number}-{error}");
        rested(&world, &format!("{case}/mbox"), &before());
        let outcome = traced(&world, &case, &["-e", &format!("inject={name}:error={error}:when={number}")]);
        let text = is_whole(&world, &case);
        match outcome.status() {
            0 => assert!(text == after() && outcome.stderr().is_empty(), "{case}: {}", outcome.stderr()),
            _ => {
                let said = outcome.stderr();
                assert!(said.lines().count() == 1 && said.starts_with("purge-old: "), "{case}: {said}");
                let tells_of_the_new_one = said.contains("may come back") || said.contains("was rewritten");
                assert_eq!(text == after(), tells_of_the_new_one, "{case}: {said}");
            }
        }
        assert!(name != "fsync" || outcome.status() != 0, "{case}: a lost sync is no success");
        is_set_right_by_the_next_run(&world, &case);
    });
}

#[test]
fn killed_at_any_system_call_the_old_mbox_or_the_new_one_is_there() {
    let world = World::unprivileged();
    let calls = calls(&world);
    let (count, killed) = (calls.len(), AtomicUsize::new(0));
    each(calls, |(name, number)| {
        let case = format!("{name}-{number}");
        rested(&world, &format!("{case}/mbox"), &before());
        let outcome = traced(&world, &case, &["-e", &format!("inject={name}:signal=KILL:when={number}")]);
        let text = is_whole(&world, &case);
        match outcome.0.status.signal() {
            Some(9) => drop(killed.fetch_add(1, Ordering::Relaxed)),
            // It waits for others by looking again, so a last look may not come.
            _ => assert!(outcome.status() == 0 && text == after(), "{case}: {}", outcome.0.status),
        }
        is_set_right_by_the_next_run(&world, &case);
    });
    let killed = killed.into_inner();
    assert!(killed * 10 > count * 9, "{killed} of {count} were killed");
}

#[test]
fn killed_at_random_moments_the_old_mbox_or_the_new_one_is_there() {
    let world = World::unprivileged();
    let body = "x".repeat(100_000);
    let large = |from: &str| format!("{from}{body}\n\n");
    let (old, new) = (large(super::OLD), large(super::NEW));
    let (before, after) = ([&*old, &*new].concat().repeat(100), new.repeat(100));
    let killed = AtomicUsize::new(0);
    each((0..48).collect(), |round: u64| {
        let mbox = format!("{round}/mbox");
        rested(&world, &mbox, &before);
        let mut child = world.program("purge-old").args(["--older-than", "90d", &mbox]).spawn(Stdio::null());
        sleep(Duration::from_micros(round * 2000));
        child.kill().unwrap();
        killed.fetch_add(usize::from(child.wait().unwrap().code().is_none()), Ordering::Relaxed);
        // That a lock which nobody holds is broken is shown above; it takes a while.
        let _ = fs::remove_file(world.path(&format!("{mbox}.lock")));
        let left = fs::read_to_string(world.path(&mbox)).unwrap();
        assert!(left == before || left == after, "round {round}: {} octets", left.len());
        purge(&world, &mbox).succeeds();
        assert!(fs::read_to_string(world.path(&mbox)).unwrap() == after, "round {round}");
        let names = names(&world, &round.to_string());
        assert_eq!(names.iter().filter(|name| name.contains("purge-old")).count(), 0, "{names:?}");
        fs::remove_file(world.path(&mbox)).unwrap();
    });
    assert!(killed.into_inner() > 0, "no moment was early enough");
}

#[test]
fn the_copy_is_synced_before_the_names_are_exchanged_and_the_old_one_goes_last() {
    let world = World::unprivileged();
    let steps = ["linkat", "write", "fsync", "renameat2", "unlinkat"];
    let names: Vec<String> = calls(&world)
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| steps.contains(&name.as_str()))
        .collect();
    // The first three are the lock's; so is the removal behind the first sync of the directory.
    assert_eq!(names.join(" "), "write linkat unlinkat write fsync renameat2 fsync unlinkat unlinkat fsync");
}

#[test]
fn where_names_cannot_be_exchanged_the_new_one_replaces_the_old() {
    let world = World::unprivileged();
    for error in ["EINVAL", "ENOSYS", "EOPNOTSUPP"] {
        rested(&world, &format!("{error}/mbox"), &before());
        traced(&world, error, &["-e", &format!("inject=renameat2:error={error}")]).succeeds();
        assert_eq!(fs::read_to_string(world.path(&format!("{error}/mbox"))).unwrap(), after());
        assert_eq!(names(&world, error), ["mbox"]);
    }
}

#[test]
fn where_the_system_cannot_copy_by_itself_the_program_does() {
    let world = World::unprivileged();
    let body = "x".repeat(700_000);
    let large = |from: &str| format!("{from}{body}\n\n");
    let (old, new) = (large(super::OLD), large(super::NEW));
    for error in ["EXDEV", "EOPNOTSUPP", "ENOSYS"] {
        for when in ["1+", "2+"] {
            let case = format!("{error}{when}");
            rested(&world, &format!("{case}/mbox"), &[&*new, &old, &new, &new].concat());
            let inject = format!("inject=copy_file_range:error={error}:when={when}");
            traced(&world, &case, &["-e", &inject, "-e", "inject=fallocate:error=EOPNOTSUPP"]).succeeds();
            assert!(
                fs::read_to_string(world.path(&format!("{case}/mbox"))).unwrap() == new.repeat(3),
                "{case}"
            );
        }
    }
}
