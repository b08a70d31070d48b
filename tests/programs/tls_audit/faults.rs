//! Whatever system call fails: the next program gets the whole message, or the host keeps it.

use std::fs;

use super::{LETTER, LOCAL, field};
use crate::world::{Outcome, World};

const ERRORS: [&str; 5] = ["EIO", "ENOSPC", "ENOMEM", "EINVAL", "EPERM"];

/// Runs the program on the file `message` of `world`, under strace.
fn traced(world: &World, inject: &str, arguments: &str) -> Outcome {
    assert!(fs::exists("/usr/bin/strace").expect("/usr"), "strace is missing: apt-get install strace");
    let program = world.where_is("tls-audit");
    let script = format!("exec /usr/bin/strace -o trace {inject} {} {arguments} <message", program.display());
    world.command("/bin/sh").args(["-c", &script]).run()
}

/// The calls from the program's first act to the next program or its end, each with its number among those of its name.
/// brk(2) and futex(2) cannot fail so that the C library knew an answer.
fn calls(trace: &str) -> Vec<(String, usize)> {
    let names: Vec<&str> = trace.lines().filter_map(|line| Some(line.split_once('(')?.0)).collect();
    let first =
        trace.lines().position(|line| line.starts_with("prctl(PR_SET_DUMPABLE")).expect("the first act");
    let next = names.iter().rposition(|name| *name == "execve").filter(|next| *next > first);
    let last = next.unwrap_or(names.len());
    let number = |at: usize| names[..=at].iter().filter(|name| **name == names[at]).count();
    (first..last)
        .filter(|at| !matches!(names[*at], "brk" | "futex"))
        .map(|at| (names[at].to_owned(), number(at)))
        .collect()
}

#[test]
fn every_failing_system_call_leaves_the_message_with_the_host_or_whole_with_the_next_program() {
    let world = World::new();
    // Most of it stays in the file until it is handed on.
    let message = format!("{LOCAL}{LETTER}{}", "0123456789abcde\n".repeat(8_000));
    let expected = field("border=local") + &message;
    world.write("message", message.as_bytes());
    assert!(traced(&world, "", "/bin/cat").succeeds() == expected.as_bytes());
    let calls = calls(&fs::read_to_string(world.path("trace")).expect("a trace"));
    for name in ["read", "memfd_create", "sendfile"] {
        assert!(calls.iter().any(|(called, _)| called == name), "no {name} in {calls:?}");
    }
    for (name, number) in &calls {
        for error in ERRORS {
            let inject = format!("-e inject={name}:error={error}:when={number}");
            let outcome = traced(&world, &inject, "/bin/cat");
            match outcome.status() {
                0 => assert!(outcome.stdout() == expected.as_bytes(), "{inject}"),
                status => {
                    assert_eq!((status, outcome.stdout()), (75, &b""[..]), "{inject}: {}", outcome.stderr());
                }
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_leaves_nothing_on_standard_output() {
    let world = World::new();
    let message = format!("{LOCAL}{LETTER}{}", "0123456789abcde\n".repeat(40_000));
    world.write("message", message.as_bytes());
    assert!(traced(&world, "", "").succeeds().ends_with(message.as_bytes()));
    let calls = calls(&fs::read_to_string(world.path("trace")).expect("a trace"));
    let reads: Vec<_> =
        calls.iter().filter(|(name, _)| name == "pread64").map(|(_, number)| number).collect();
    assert!(reads.len() > 4, "{calls:?}");
    for number in reads {
        let outcome = traced(&world, &format!("-e inject=pread64:error=EIO:when={number}"), "");
        outcome.defers("standard input: input/output error");
    }
}
