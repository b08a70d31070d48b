//! `deliver` when there is not enough: memory, disk, and what the host allows for one file.

use std::fs;

use crate::world::{Small, World};

const FRAME: &[u8] = b"From a@example.org  Mon Jan  1 00:00:00 2026\n";
const MAIL: &[u8] = b"Subject: hello\n\nbody";
const OLD: &[u8] = b"From b@example.org Mon Jan  1 00:00:00 2026\nSubject: old\n\nprecious\n\n";

#[test]
fn short_of_memory_it_defers_and_no_signal_ends_it() {
    let world = World::unprivileged();
    let message = [FRAME, MAIL, &[b'x'; 20_000_000]].concat();
    world.write("mbox", OLD);
    let mut deferred = 0;
    // From where the system's loader can just start it to where all of it fits, in kilobytes.
    for limit in (6_000..60_000).step_by(6_000) {
        for destination in ["box/", "mbox", "lmtp:unix:lmtp"] {
            let program = world.where_is("deliver");
            let script = format!("ulimit -v {limit}; exec {} {destination}", program.display());
            let shell = world.command("/bin/bash").args(["-c", &script]).env("RECIPIENT", "b@example.org");
            let outcome = shell.input(&message).run();
            if outcome.stderr().contains("no memory for") {
                outcome.defers("octets");
                deferred += 1;
                assert!(
                    fs::read(world.path("mbox")).unwrap() == OLD && world.files("box").is_empty(),
                    "{limit}"
                );
                continue;
            }
            match destination {
                "lmtp:unix:lmtp" => outcome.defers("no such file"),
                _ => drop(outcome.succeeds()),
            }
            let _ = fs::remove_dir_all(world.path("box"));
            world.write("mbox", OLD);
        }
    }
    assert!((9..30).contains(&deferred), "{deferred} of 30 were short");
}

/// A body in base64 is decoded as a whole: an allocation that fails there would say nothing of the message.
#[test]
fn an_encrypted_message_that_does_not_fit_into_memory_defers() {
    let world = World::unprivileged();
    let gpg_begins = "hF4D7wU1NzgqUrISAQdA".to_owned() + &"A".repeat(56) + "\n";
    let head =
        "Subject: hello\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n";
    let message = head.to_owned() + &gpg_begins.repeat(20_000_000 / gpg_begins.len());
    let (mut deferred, mut judged) = (0, 0);
    for limit in (30_000..190_000).step_by(10_000) {
        for program in ["is-encrypted", "encrypt-to-self --no-cert=pass"] {
            let (name, options) = program.split_once(' ').unwrap_or((program, ""));
            let script = format!("ulimit -v {limit}; exec {} {options}", world.where_is(name).display());
            let shell = world.command("/bin/bash").args(["-c", &script]);
            let outcome = shell.input(message.as_bytes()).run();
            if outcome.stderr().contains("no memory for") {
                outcome.defers("octets");
                deferred += 1;
            } else {
                assert!(outcome.status() <= 1, "{program} with {limit}: {}", outcome.stderr());
                judged += 1;
            }
        }
    }
    assert!(deferred >= 8 && judged >= 8, "{deferred} were short and {judged} were not");
}

#[test]
fn a_full_disk_defers_and_keeps_nothing_of_the_message_in_a_maildir() {
    let world = World::unprivileged();
    let _small = Small::mount(&world, "64k");
    let mut stored = 0;
    for size in (0..100_000).step_by(3_000) {
        let message = [MAIL, &vec![b'x'; size]].concat();
        let outcome = world.program("deliver").args(["small/box/"]).input(&message).run();
        let files = world.files("small/box");
        if outcome.status() == 0 {
            stored += 1;
            assert!(files[0].1 == message, "{size}");
        } else {
            outcome.defers("no space left on device");
            assert!(files.is_empty(), "{size}");
        }
        fs::remove_dir_all(world.path("small/box")).unwrap();
    }
    assert!((2..30).contains(&stored), "{stored} of 34 had room");
}

#[test]
fn a_full_disk_cuts_an_mbox_back_to_the_old_mail() {
    let world = World::unprivileged();
    let _small = Small::mount(&world, "64k");
    let mut stored = 0;
    for size in (0..100_000).step_by(3_000) {
        world.write("small/mbox", OLD);
        let message = [FRAME, MAIL, &vec![b'x'; size]].concat();
        let outcome = world.program("deliver").args(["small/mbox"]).input(&message).run();
        let left = fs::read(world.path("small/mbox")).unwrap();
        if outcome.status() == 0 {
            stored += 1;
            assert!(left == [OLD, &message, b"\n\n"].concat(), "{size}");
        } else {
            outcome.defers("no space left on device");
            assert!(left == OLD, "{size}: {} octets", left.len());
        }
        assert!(!world.path("small/mbox.lock").exists());
    }
    assert!((2..30).contains(&stored), "{stored} of 34 had room");
}

#[test]
fn a_file_size_limit_of_the_host_defers_instead_of_killing() {
    let world = World::unprivileged();
    let program = world.where_is("deliver");
    for destination in ["Maildir/", "mbox"] {
        let script = format!("ulimit -f 1; exec {} {destination}", program.display());
        let message = [MAIL, &[b'x'; 4096]].concat();
        let run = world.command("/bin/bash").args(["-c", &script]).input(&message).run();
        run.defers("file size limit");
    }
    assert!(world.files("Maildir").is_empty());
    let old = world.write("grown", &[b"From x\n\n", &[b'x'; 900][..], b"\n\n"].concat());
    let script = format!("ulimit -f 1; exec {} grown", program.display());
    let run = world.command("/bin/bash").args(["-c", &script]).input(&[b'x'; 200]).run();
    run.defers("file size limit of 1024");
    assert_eq!(fs::metadata(old).unwrap().len(), 910);
}
