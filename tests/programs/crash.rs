//! `deliver` when the system fails it, or stops it: every system call in turn, each error that the call
//! may give, SIGKILL at each call and at random moments.
//!
//! The promise: status 0 means that the whole message is stored. Anything else means that the host tries
//! again, and that what was stored before is untouched. There is no third thing.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::chown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use crate::world::{Outcome, World, fixture};

const FRAME: &[u8] = b"From a@example.org  Mon Jan  1 00:00:00 2026\n";
const MAIL: &[u8] = b"Subject: hello\n\nbody\nwithout a last line end";
const OLD: &[u8] = b"From b@example.org Mon Jan  1 00:00:00 2026\nSubject: old\n\nprecious\n\n";

/// `deliver` under strace with these options; what strace itself has to say goes to the file `trace`.
fn traced(world: &World, options: &[&str], destination: &str) -> Outcome {
    strace(world, options, "deliver", destination)
}

fn strace(world: &World, options: &[&str], program: &str, argument: &str) -> Outcome {
    let program = world.where_is(program);
    let input = [FRAME, MAIL].concat();
    world.strace().args(["-o", "trace"]).args(options).arg(program).arg(argument).input(&input).run()
}

/// The system calls of a delivery that works, each with its number among those of its name.
///
/// Those before the program's first act, which is to be not dumpable, belong to the system's loader.
fn calls(world: &World, destination: &str) -> Vec<(String, usize)> {
    calls_with(world, &[], destination)
}

fn calls_with(world: &World, options: &[&str], destination: &str) -> Vec<(String, usize)> {
    traced(world, options, destination).succeeds();
    numbered(&fs::read_to_string(world.path("trace")).unwrap())
}

fn numbered(trace: &str) -> Vec<(String, usize)> {
    let names: Vec<&str> = trace.lines().filter_map(|line| Some(line.split_once('(')?.0)).collect();
    let first_act = trace.lines().position(|line| line.starts_with("prctl(PR_SET_DUMPABLE")).unwrap();
    let numbered = names.iter().enumerate().map(|(at, name)| {
        let number = names[..=at].iter().filter(|other| *other == name).count();
        ((*name).to_owned(), number)
    });
    numbered.skip(first_act).filter(|(name, _)| name != "exit_group").collect()
}

fn stderr_is_one_line(outcome: &Outcome) -> bool {
    outcome.stderr().lines().count() == 1 && outcome.stderr().starts_with("deliver: ")
}

/// How a destination looks before: there, or not yet.
#[derive(Clone, Copy, Debug)]
enum Before {
    Missing,
    There,
}

fn maildir(world: &World, name: &str, before: Before) -> String {
    if let Before::There = before {
        for part in ["cur", "new", "tmp"] {
            let file = world.write(&format!("{name}/{part}/x"), b"");
            fs::remove_file(file).unwrap();
        }
    }
    format!("{name}/")
}

fn mbox(world: &World, name: &str, before: Before) -> (String, &'static [u8]) {
    match before {
        Before::Missing => (name.to_owned(), b""),
        Before::There => {
            world.write(name, OLD);
            (name.to_owned(), OLD)
        }
    }
}

/// What is stored in an mbox once for each of `times`.
fn entry(old: &[u8], times: usize) -> Vec<u8> {
    [old, &[FRAME, MAIL, b"\n\n"].concat().repeat(times)].concat()
}

const ERRORS: [&str; 4] = ["EIO", "ENOSPC", "EDQUOT", "EINTR"];

#[test]
fn every_failing_system_call_leaves_the_message_whole_in_new_or_the_host_with_it() {
    let world = World::unprivileged();
    for before in [Before::Missing, Before::There] {
        let calls = calls(&world, &maildir(&world, &format!("good-{before:?}"), before));
        assert!(calls.iter().any(|(name, _)| name == "renameat2"), "{calls:?}");
        for (name, number) in &calls {
            for error in ERRORS {
                let case = format!("{before:?}-{name}-{number}-{error}");
                let destination = maildir(&world, &case, before);
                let inject = format!("inject={name}:error={error}:when={number}");
                let outcome = traced(&world, &["-e", &inject], &destination);
                let new = world.files(&format!("{case}/new"));
                let tmp = world.files(&format!("{case}/tmp"));
                assert!(new.iter().all(|(_, bytes)| bytes == MAIL), "{case}: a part in new");
                match outcome.status() {
                    0 => assert_eq!((new.len(), outcome.stderr()), (1, String::new()), "{case}"),
                    75 => assert!(
                        new.len() <= 1 && stderr_is_one_line(&outcome),
                        "{case}: {}",
                        outcome.stderr()
                    ),
                    other => panic!("{case}: status {other}: {}", outcome.stderr()),
                }
                assert!(tmp.is_empty() || name == "unlinkat", "{case}: left in tmp");
                assert!(name != "fsync" || outcome.status() == 75, "{case}: a lost sync is no success");
            }
        }
    }
}

#[test]
fn every_failing_system_call_leaves_an_mbox_as_it_was_or_with_the_whole_message() {
    let world = World::unprivileged();
    for before in [Before::Missing, Before::There] {
        let calls = calls(&world, &mbox(&world, &format!("good-{before:?}"), before).0);
        assert!(calls.iter().any(|(name, _)| name == "fsync"), "{calls:?}");
        for (name, number) in &calls {
            for error in ERRORS {
                let case = format!("{before:?}-{name}-{number}-{error}");
                let (destination, old) = mbox(&world, &case, before);
                let inject = format!("inject={name}:error={error}:when={number}");
                let outcome = traced(&world, &["-e", &inject], &destination);
                let stored = fs::read(world.path(&case)).unwrap_or_default();
                let whole = entry(old, 1);
                match outcome.status() {
                    0 => assert!(stored == whole && outcome.stderr().is_empty(), "{case}: not stored"),
                    75 => {
                        assert!(stored == old || stored == whole, "{case}: {}", stored.escape_ascii());
                        assert!(stderr_is_one_line(&outcome), "{case}: {}", outcome.stderr());
                    }
                    other => panic!("{case}: status {other}: {}", outcome.stderr()),
                }
                if name == "fsync" {
                    // The first is that of the file, which is cut back; the other that of its directory.
                    assert_eq!(outcome.status(), 75, "{case}: a lost sync is no success");
                    assert!(stored == old || *number > 1, "{case}: not cut back");
                }
            }
        }
    }
}

#[test]
fn a_file_is_synced_before_its_name_and_the_directory_after_it() {
    let world = World::unprivileged();
    let order = |calls: Vec<(String, usize)>| -> String {
        let steps = ["write", "fsync", "renameat2", "mkdirat", "linkat"];
        let names: Vec<String> = calls.into_iter().map(|(name, _)| name).collect();
        names.into_iter().filter(|name| steps.contains(&name.as_str())).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(order(calls(&world, &maildir(&world, "there", Before::There))), "write fsync renameat2 fsync");
    // The Maildir, synced in its parent; tmp and new, synced; cur, which says that all this was done.
    assert_eq!(
        order(calls(&world, &maildir(&world, "missing", Before::Missing))),
        "mkdirat fsync mkdirat mkdirat fsync mkdirat fsync write fsync renameat2 fsync"
    );
    // The first write is that of the lock.
    assert_eq!(order(calls(&world, &mbox(&world, "mbox", Before::There).0)), "write linkat write fsync");
    assert_eq!(
        order(calls(&world, &mbox(&world, "new", Before::Missing).0)),
        "write linkat write fsync fsync"
    );
}

/// An LMTP server on the socket `lmtp` of a world, which keeps the text of every message that ended in a
/// dot before it answers.
fn store_behind_lmtp(world: &World) -> Arc<Mutex<Vec<Vec<u8>>>> {
    let listener = UnixListener::bind(world.path("lmtp")).unwrap();
    chown(world.path("lmtp"), Some(65_534), None).unwrap();
    let stored = Arc::new(Mutex::new(Vec::new()));
    let store = Arc::clone(&stored);
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            // A client that breaks off is what this is about.
            let _ = serve(socket.unwrap(), &store);
        }
    });
    stored
}

fn serve(mut socket: UnixStream, store: &Mutex<Vec<Vec<u8>>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(socket.try_clone()?);
    let mut line = Vec::new();
    for answer in ["220 x\r\n", "250 x\r\n", "250 x\r\n", "250 x\r\n"] {
        socket.write_all(answer.as_bytes())?;
        line.clear();
        lines.read_until(b'\n', &mut line)?;
    }
    socket.write_all(b"354 x\r\n")?;
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n.\r\n") {
        if lines.read_until(b'\n', &mut text)? == 0 {
            return Ok(());
        }
    }
    store.lock().unwrap().push(text);
    socket.write_all(b"250 x\r\n")
}

/// Waits until the server has done with whoever came before: it serves one after the other.
fn is_at_rest(world: &World) {
    let socket = UnixStream::connect(world.path("lmtp")).unwrap();
    let mut greeting = String::new();
    BufReader::new(socket).read_line(&mut greeting).unwrap();
    assert!(greeting.starts_with("220"), "{greeting}");
}

#[test]
fn every_failing_system_call_leaves_the_message_with_the_lmtp_server_or_with_the_host() {
    let world = World::unprivileged();
    let store = store_behind_lmtp(&world);
    let options = ["-E", "RECIPIENT=b@example.org"];
    let calls = calls_with(&world, &options, "lmtp:unix:lmtp");
    assert!(calls.iter().any(|(name, _)| name == "connect"), "{calls:?}");
    for (name, number) in &calls {
        for error in ERRORS.into_iter().chain(["ECONNRESET"]) {
            is_at_rest(&world);
            store.lock().unwrap().clear();
            let case = format!("{name}-{number}-{error}");
            let inject = format!("inject={name}:error={error}:when={number}");
            let outcome = traced(&world, &[&options[..], &["-e", &inject]].concat(), "lmtp:unix:lmtp");
            match outcome.status() {
                0 => {
                    let text = b"Subject: hello\r\n\r\nbody\r\nwithout a last line end\r\n.\r\n".to_vec();
                    assert_eq!(*store.lock().unwrap(), [text], "{case}");
                }
                75 => assert!(stderr_is_one_line(&outcome), "{case}: {}", outcome.stderr()),
                other => panic!("{case}: status {other}: {}", outcome.stderr()),
            }
        }
    }
}

#[test]
fn killed_at_any_system_call_no_part_is_ever_in_new() {
    let world = World::unprivileged();
    for before in [Before::Missing, Before::There] {
        let calls = calls(&world, &maildir(&world, &format!("good-{before:?}"), before));
        for (name, number) in &calls {
            let case = format!("{before:?}-{name}-{number}");
            let destination = maildir(&world, &case, before);
            let inject = format!("inject={name}:signal=KILL:when={number}");
            let outcome = traced(&world, &["-e", &inject], &destination);
            assert_eq!(outcome.0.status.signal(), Some(9), "{case}: {}", outcome.0.status);
            let killed = world.files(&format!("{case}/new"));
            assert!(killed.iter().all(|(_, bytes)| bytes == MAIL), "{case}: a part in new");
            // The host comes again.
            world.program("deliver").args([&destination]).input(MAIL).run().succeeds();
            let new = world.files(&format!("{case}/new"));
            assert_eq!(new.len(), killed.len() + 1, "{case}");
            assert!(new.iter().all(|(_, bytes)| bytes == MAIL), "{case}: a part in new");
        }
    }
}

#[test]
fn killed_at_any_system_call_the_old_mail_of_an_mbox_stays_and_no_lock_bars_the_way() {
    let world = World::unprivileged();
    for before in [Before::Missing, Before::There] {
        let calls = calls(&world, &mbox(&world, &format!("good-{before:?}"), before).0);
        for (name, number) in &calls {
            let case = format!("{before:?}-{name}-{number}");
            let (destination, old) = mbox(&world, &case, before);
            let inject = format!("inject={name}:signal=KILL:when={number}");
            let outcome = traced(&world, &["-e", &inject], &destination);
            assert_eq!(outcome.0.status.signal(), Some(9), "{case}: {}", outcome.0.status);
            let killed = fs::read(world.path(&case)).unwrap_or_default();
            assert!(killed == old || killed == entry(old, 1), "{case}: {}", killed.escape_ascii());
            // The host comes again, and the lock that nobody holds is broken.
            let input = [FRAME, MAIL].concat();
            world.program("deliver").args([&destination]).input(&input).run().succeeds();
            assert_eq!(fs::read(world.path(&case)).unwrap(), entry(&killed, 1), "{case}");
            assert!(!world.path(&format!("{case}.lock")).exists(), "{case}");
        }
    }
}

#[test]
fn killed_at_random_moments_no_part_is_ever_in_new() {
    let world = World::unprivileged();
    let message = [MAIL, &[b'x'; 8_000_000]].concat();
    let input = world.write("message", &message);
    let mut killed = 0;
    for round in 0..60 {
        let destination = maildir(&world, "box", Before::There);
        let mut child =
            world.program("deliver").args([destination]).spawn(Stdio::from(fs::File::open(&input).unwrap()));
        // Thirds of a millisecond, from none to the end of the whole delivery.
        sleep(Duration::from_micros(round * 333));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        let new = world.files("box/new");
        assert!(new.iter().all(|(_, bytes)| *bytes == message), "a part in new in round {round}");
        match status.code() {
            Some(code) => assert_eq!((code, new.len()), (0, 1), "round {round}"),
            None => killed += 1,
        }
        fs::remove_dir_all(world.path("box")).unwrap();
    }
    assert!(killed > 0, "no moment was early enough");
}

#[test]
fn killed_at_random_moments_the_old_mail_of_an_mbox_stays_and_the_next_is_whole() {
    let world = World::unprivileged();
    let message = [FRAME, MAIL, &[b'x'; 8_000_000]].concat();
    let input = world.write("message", &message);
    let mut killed = 0;
    for round in 0..40 {
        world.write("mbox", OLD);
        let file = fs::File::open(&input).unwrap();
        let mut child = world.program("deliver").args(["mbox"]).spawn(Stdio::from(file));
        sleep(Duration::from_micros(round * 500));
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());
        let left = fs::read(world.path("mbox")).unwrap();
        assert!(left.starts_with(OLD), "round {round}");
        world.program("deliver").args(["mbox"]).input(&[FRAME, MAIL].concat()).run().succeeds();
        let stored = fs::read(world.path("mbox")).unwrap();
        assert!(stored.starts_with(&left), "round {round}");
        // A part that was left is ended by an empty line, so it swallows no other message.
        assert!(stored.ends_with(&[b"\n\n", FRAME, MAIL, b"\n\n"].concat()), "round {round}");
    }
    assert!(killed > 0, "no moment was early enough");
}

#[test]
fn where_nothing_can_be_renamed_without_replacing_a_link_does_it() {
    let world = World::unprivileged();
    for error in ["EINVAL", "ENOSYS", "EOPNOTSUPP", "EPERM"] {
        let destination = maildir(&world, error, Before::There);
        traced(&world, &["-e", &format!("inject=renameat2:error={error}")], &destination).succeeds();
        assert_eq!(world.delivered(error), MAIL);
        assert!(world.files(&format!("{error}/tmp")).is_empty());
    }
    // No hard links either, or the name is taken.
    for error in ["EPERM", "EMLINK", "EEXIST"] {
        let case = format!("both-{error}");
        let destination = maildir(&world, &case, Before::There);
        let options = ["-e", "inject=renameat2:error=EINVAL", "-e", &format!("inject=linkat:error={error}")];
        let outcome = traced(&world, &options, &destination);
        outcome.defers("new: nothing was stored");
        assert!(world.files(&case).is_empty());
    }
}

#[test]
fn a_directory_that_cannot_be_synced_is_no_failure_but_one_that_was_not_is() {
    let world = World::unprivileged();
    let destination = maildir(&world, "box", Before::There);
    traced(&world, &["-e", "inject=fsync:error=EINVAL:when=2"], &destination).succeeds();
    let outcome = traced(&world, &["-e", "inject=fsync:error=EIO:when=2"], &destination);
    outcome.defers("the message may come twice");
}

#[test]
fn every_failing_system_call_of_sealing_leaves_the_message_with_the_host_or_sealed_with_the_next_program() {
    let world = World::unprivileged();
    world.write(".config/selfseal/cert.asc", &fixture("keys/alice.asc"));
    strace(&world, &[], "encrypt-to-self", "/bin/cat").succeeds();
    let trace = fs::read_to_string(world.path("trace")).unwrap();
    let cat = trace.rfind("execve(").expect("the next program");
    let mut calls = numbered(&trace[..cat]);
    // brk(2) answers with an address and futex(2) never so: the C library has no answer to what cannot be.
    calls.retain(|(name, _)| !matches!(name.as_str(), "brk" | "futex"));
    assert!(calls.iter().any(|(name, _)| name == "memfd_create"), "{calls:?}");
    for (name, number) in calls.iter().map(|(name, number)| (name.as_str(), *number)).chain([("execve", 1)]) {
        for error in ERRORS.into_iter().chain(["ENOMEM"]) {
            let inject = format!("inject={name}:error={error}:when={number}");
            let outcome = strace(&world, &["-e", &inject], "encrypt-to-self", "/bin/cat");
            let output = String::from_utf8(outcome.stdout().to_vec()).unwrap();
            match outcome.status() {
                0 => {
                    assert!(output.starts_with("From a@example.org ") && output.ends_with("--\n"), "{inject}")
                }
                status => assert_eq!((status, output.as_str()), (75, ""), "{inject}: {}", outcome.stderr()),
            }
            assert!(!output.contains("last line end"), "{inject}");
        }
    }
}

/// A kernel before 6.3 does not know the flag, and says EINVAL.
#[test]
fn memory_that_something_could_execute_is_used_only_where_the_kernel_knows_no_other() {
    let world = World::unprivileged();
    world.write(".config/selfseal/cert.asc", &fixture("keys/alice.asc"));
    let seal = |inject: &str| strace(&world, &["-e", inject], "encrypt-to-self", "/bin/cat");
    seal("inject=memfd_create:error=EINVAL:when=1").succeeds();
    for error in ["EPERM", "EACCES", "ENOSYS"] {
        seal(&format!("inject=memfd_create:error={error}:when=1")).defers("memory for the output");
    }
}
