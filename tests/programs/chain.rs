//! The way to the next program, and what a typo or a broken host makes of it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use crate::world::{World, program_path};

const READABLE: &[u8] = b"From: bob@example.org\nSubject: s\n\nhi\n";

/// A message that is encrypted already, so that `encrypt-to-self` hands on what it got.
fn sealed() -> Vec<u8> {
    World::with_alice().program("encrypt-to-self").input(READABLE).run().succeeds()
}

fn shell(script: &str) -> [&str; 3] {
    ["/bin/sh", "-c", script]
}

#[test]
fn the_next_program_gets_the_whole_message_as_a_file_in_memory() {
    let world = World::new();
    let message = sealed();
    let run = world
        .program("encrypt-to-self")
        .args(shell("readlink /proc/self/fd/0; stat -Lc '%F %s' /dev/stdin; cat"));
    let output = run.input(&message).run().succeeds();
    let head = format!("/memfd:selfseal (deleted)\nregular file {}\n", message.len());
    assert_eq!(String::from_utf8(output).unwrap(), head + &String::from_utf8(message).unwrap());
}

#[test]
fn the_host_sees_the_status_of_the_next_program() {
    for status in [0, 1, 69, 75] {
        let run = World::new()
            .program("encrypt-to-self")
            .args(shell(&format!("exit {status}")))
            .input(&sealed())
            .run();
        assert_eq!((run.status(), run.stderr()), (status, String::new()));
    }
}

#[test]
fn a_filter_that_fails_never_starts_the_next_program() {
    let world = World::new();
    world
        .program("encrypt-to-self")
        .args(shell("touch started"))
        .input(READABLE)
        .run()
        .defers("no certificate");
    world.program("encrypt-to-self").args(shell("touch started")).run().defers("empty input");
    assert!(!world.path("started").exists());
}

#[test]
fn options_behind_the_command_are_the_commands_own() {
    let world = World::new();
    let run = world.program("encrypt-to-self").args(["/bin/echo", "--help", "--no-cert", "-x", "--"]);
    assert_eq!(run.input(&sealed()).run().succeeds(), b"--help --no-cert -x --\n");
}

#[test]
fn a_typo_in_a_forward_line_defers() {
    for arguments in [
        &["--no-such-option", "deliver"][..],
        &["-x"],
        &["--headers", "baselin", "deliver"],
        &["--no-cert"],
        &["--check", "deliver"],
        &["--cert"],
    ] {
        let run = World::with_alice().program("encrypt-to-self").args(arguments).input(READABLE).run();
        assert_eq!(run.status(), 75, "{arguments:?}: {}", run.stderr());
        assert!(run.stderr().starts_with("error: "), "{}", run.stderr());
        assert_eq!(run.stdout(), b"");
    }
}

#[test]
fn help_and_version_are_answers() {
    for option in ["--help", "-h", "--version", "-V"] {
        let answer = World::new().program("encrypt-to-self").args([option]).run().succeeds();
        assert!(!answer.is_empty(), "{option}");
    }
}

#[test]
fn our_own_programs_are_looked_up_beside_the_running_one_only() {
    let world = World::new();
    let program = world.path("encrypt-to-self");
    fs::copy(program_path("encrypt-to-self"), &program).unwrap();
    let foreign = world.write("bin/deliver", b"#!/bin/sh\ntouch foreign\n");
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o755)).unwrap();
    let run = world.command(&program).env("PATH", world.path("bin")).args(["deliver"]).input(&sealed()).run();
    run.defers("deliver is missing");
    assert!(!world.path("foreign").exists());
    // With a slash it is whatever the user says.
    world.command(&program).args([&foreign]).input(&sealed()).run().succeeds();
    assert!(world.path("foreign").exists());
}

#[test]
fn empty_and_relative_entries_of_path_are_skipped() {
    let world = World::new();
    let here = world.write("tool", b"#!/bin/sh\n");
    fs::set_permissions(&here, fs::Permissions::from_mode(0o755)).unwrap();
    for path in ["", ":", ".", ":bin", "."] {
        let run = world.program("encrypt-to-self").env("PATH", path).args(["tool"]).input(&sealed()).run();
        run.defers("tool is not in PATH");
    }
    let run =
        world.program("encrypt-to-self").env("PATH", world.home()).args(["tool"]).input(&sealed()).run();
    run.succeeds();
    world
        .program("encrypt-to-self")
        .without_env("PATH")
        .args(["tool"])
        .input(&sealed())
        .run()
        .defers("not in PATH");
}

#[test]
fn a_program_that_cannot_be_started_defers() {
    let world = World::new();
    world
        .program("encrypt-to-self")
        .args(["/no/such/program"])
        .input(&sealed())
        .run()
        .defers("/no/such/program");
    let text = world.write("text", b"no program");
    world.program("encrypt-to-self").args([text]).input(&sealed()).run().defers("text");
}

#[test]
fn the_next_program_starts_with_the_signals_of_a_fresh_process_and_no_core() {
    let world = World::new();
    let run =
        world.program("encrypt-to-self").args(shell("grep SigIgn /proc/self/status | tail -c 6; ulimit -c"));
    let output = String::from_utf8(run.input(&sealed()).run().succeeds()).unwrap();
    // SIGPIPE is not ignored as it is in this process; what somebody had ignored before, as nohup does, stays.
    let ours = ignored(&fs::read_to_string("/proc/self/status").unwrap());
    assert_eq!(output, format!("{:05x}\n0\n", ours & !(1 << 12)));
}

/// The classic signals that a process ignores, by its /proc/PID/status: the last five digits, a bit a signal. The C
/// library keeps two others to itself.
fn ignored(status: &str) -> u32 {
    let line = status.lines().find(|line| line.starts_with("SigIgn:")).expect("a line");
    u32::from_str_radix(&line[line.len() - 5..], 16).expect("digits")
}

#[test]
fn the_hosts_file_size_limit_defers_and_is_named() {
    let world = World::with_alice();
    let program = program_path("encrypt-to-self");
    let limited = format!("ulimit -f 1; exec {} cat", program.display());
    let message = [READABLE, &[b'x'; 4000]].concat();
    world.command("/bin/bash").args(["-c", &limited]).input(&message).run().defers("mailbox_size_limit");
}

/// The kernel would write a part of the message.
#[test]
fn a_file_as_standard_output_never_grows_beyond_the_limit() {
    let program = program_path("encrypt-to-self");
    for (redirection, before) in [(">file", 0), (">>file", 900), (">>file", 2000)] {
        let world = World::with_alice();
        world.write("file", &vec![b'x'; before]);
        let script = format!("ulimit -f 1; exec {} {redirection}", program.display());
        world.command("/bin/bash").args(["-c", &script]).input(READABLE).run().defers("mailbox_size_limit");
        assert_eq!(fs::metadata(world.path("file")).unwrap().len(), before as u64, "{redirection}");
        let script = format!("ulimit -f 100; exec {} {redirection}", program.display());
        world.command("/bin/bash").args(["-c", &script]).input(READABLE).run().succeeds();
    }
}

#[test]
fn a_closed_standard_input_is_an_empty_message() {
    let program = program_path("encrypt-to-self");
    let closed = format!("exec {} <&-", program.display());
    World::with_alice().command("/bin/sh").args(shell(&closed)[1..].iter()).run().defers("empty input");
}

#[test]
fn a_message_is_not_written_to_a_closed_standard_output() {
    let program = program_path("encrypt-to-self");
    let closed = format!("exec {} >&-", program.display());
    let run = World::with_alice().command("/bin/sh").args(shell(&closed)[1..].iter()).input(READABLE).run();
    run.defers("standard output: closed");
}

#[test]
fn a_reader_that_goes_away_defers() {
    let program = program_path("encrypt-to-self");
    let script = format!("{} | true; echo ${{PIPESTATUS[0]}}", program.display());
    let message = [READABLE, &vec![b'x'; 1 << 20]].concat();
    let run = World::with_alice().command("/bin/bash").args(["-c", &script]).input(&message).run();
    assert_eq!(run.stdout(), b"75\n", "{}", run.stderr());
    assert_eq!(run.stderr(), "encrypt-to-self: standard output: broken pipe\n");
}

/// Wherever memory runs out: in the message, before the library's buffers, nowhere.
#[test]
fn short_memory_defers() {
    let program = program_path("encrypt-to-self");
    let message = [READABLE, &vec![b'x'; 40 << 20]].concat();
    let mut deferred = 0;
    for kib in (14_000..130_000).step_by(8_000) {
        let script = format!("ulimit -v {kib}; exec {}", program.display());
        let run = World::with_alice().command("/bin/bash").args(["-c", &script]).input(&message).run();
        if run.status() != 0 {
            run.defers("no memory");
            deferred += 1;
        }
    }
    assert!((7..15).contains(&deferred), "{deferred} runs were short of memory");
}

/// Parts that have to be decoded, and a header section that has to be copied, take more than the message.
#[test]
fn short_memory_ends_no_program_by_a_signal_whatever_has_to_be_copied() {
    let field = [b"References: ", &b"<a@b>"[..].repeat(3 << 20)[..], b"\n", READABLE].concat();
    let lines = [&b"QUJD".repeat(19)[..], b"\n"].concat().repeat(200_000);
    let head = b"Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n";
    let html = [&head[..], &lines].concat();
    let refuse = "--require --sender=a@b encrypt-to-self";
    for (program, arguments, message, done) in [
        ("encrypt-to-self", "", &field, 0),
        ("encrypt-to-self", "", &html, 0),
        ("is-encrypted", refuse, &field, 77),
        ("is-encrypted", refuse, &html, 77),
    ] {
        let mut deferred = 0;
        for kib in (14_000..110_000).step_by(16_000) {
            let script = format!("ulimit -v {kib}; exec {} {arguments}", program_path(program).display());
            let run = World::with_alice().command("/bin/bash").args(["-c", &script]).input(message).run();
            if run.status() != done {
                run.defers("no memory");
                deferred += 1;
            }
        }
        assert!((2..6).contains(&deferred), "{program}: {deferred} of 6 runs were short of memory");
    }
}

#[test]
fn lent_rights_defer_before_anything_is_read() {
    let world = World::with_alice();
    let program = world.path("encrypt-to-self");
    fs::copy(program_path("encrypt-to-self"), &program).unwrap();
    std::os::unix::fs::chown(&program, Some(65534), Some(65534)).expect("these tests run as root");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o6755)).unwrap();
    world.command(&program).input(READABLE).run().defers("lent");
}

/// Seen from outside while the program waits for the rest of its message: the files of a process that is
/// not dumpable belong to root (prctl(2)), and its limits allow no core.
#[test]
fn memory_that_holds_a_message_is_never_written_to_a_core_file() {
    for name in ["is-encrypted", "encrypt-to-self", "deliver"] {
        let world = World::unprivileged();
        let mut child = world.program(name).spawn(std::process::Stdio::piped());
        child.stdin.as_mut().expect("a pipe").write_all(READABLE).unwrap();
        let process = Path::new("/proc").join(child.id().to_string());
        let limit = |text: String| {
            text.lines().find(|line| line.starts_with("Max core file size")).map(str::to_owned)
        };
        let is_caged = || {
            let limits = fs::read_to_string(process.join("limits")).ok().and_then(limit).unwrap_or_default();
            let owner = fs::metadata(process.join("environ")).unwrap().uid();
            owner == 0 && limits.split_whitespace().filter(|word| *word == "0").count() == 2
        };
        let waited = (0..500).any(|_| {
            is_caged() || {
                std::thread::sleep(Duration::from_millis(10));
                false
            }
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(waited, "{name}");
    }
}
