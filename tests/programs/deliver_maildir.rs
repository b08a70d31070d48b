//! `deliver` to a Maildir: what rests on the disk, and what a failure leaves.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;
use std::time::SystemTime;

use crate::world::World;

const MAIL: &[u8] = b"Return-Path: <a@example.org>\nSubject: hello\n\nFrom here\r\non: \xe9\0\rx";

#[test]
fn a_message_rests_byte_for_byte() {
    let world = World::unprivileged();
    world.program("deliver").args(["Maildir/"]).input(MAIL).run().succeeds();
    assert_eq!(world.delivered("Maildir"), MAIL);
    assert_eq!(world.files("Maildir").len(), 1, "nothing else is left");
}

#[test]
fn without_a_destination_it_is_the_maildir_at_home() {
    let world = World::unprivileged();
    world.program("deliver").input(MAIL).run().succeeds();
    assert_eq!(world.delivered("Maildir"), MAIL);
}

#[test]
fn a_tilde_needs_no_shell() {
    let world = World::unprivileged();
    world.write("Mail/keep", b"");
    world.program("deliver").args(["~/Mail/in/"]).input(MAIL).run().succeeds();
    assert_eq!(world.delivered("Mail/in"), MAIL);
}

#[test]
fn the_home_directory_of_another_user_is_not_guessed() {
    let world = World::unprivileged();
    for dest in ["~bob/", "~bob/mbox", "~+/in/", "lmtp:unix:~bob/socket"] {
        world.program("deliver").args([dest]).input(MAIL).run().defers("only ~/ is known");
    }
    world.program("deliver").args(["./~bob/"]).input(MAIL).run().succeeds();
    assert_eq!(world.delivered("~bob"), MAIL);
}

#[test]
fn a_directory_with_cur_new_and_tmp_needs_no_slash() {
    let world = World::unprivileged();
    world.program("deliver").args(["box/"]).input(MAIL).run().succeeds();
    world.program("deliver").args(["box"]).input(b"A: second\n").run().succeeds();
    assert_eq!(world.files("box/new").len(), 2);
}

#[test]
fn the_hosts_from_line_comes_off_and_nothing_else() {
    let world = World::unprivileged();
    let framed = [b"From a@b  Mon Jan  1 00:00:00 2026\n", MAIL, b"\n\n"].concat();
    world.program("deliver").input(&framed).run().succeeds();
    assert_eq!(world.delivered("Maildir"), [MAIL, b"\n\n"].concat());
}

#[test]
fn a_field_with_a_blank_before_its_colon_is_no_from_line() {
    let world = World::unprivileged();
    world.program("deliver").input(b"From : a@b\n\nhi").run().succeeds();
    assert_eq!(world.delivered("Maildir"), b"From : a@b\n\nhi");
}

#[test]
fn empty_input_defers_and_stores_nothing() {
    for input in [&b""[..], b"From a@b  Mon Jan  1 00:00:00 2026\n"] {
        let world = World::unprivileged();
        world.program("deliver").input(input).run().defers("empty input");
        assert!(!world.path("Maildir").exists());
    }
}

#[test]
fn a_closed_standard_input_defers() {
    let world = World::unprivileged();
    let script = format!("exec {} Maildir/ <&-", world.where_is("deliver").display());
    world.command("/bin/sh").args(["-c", &script]).run().defers("empty input");
}

#[test]
fn what_is_made_is_private_whatever_the_umask() {
    for umask in ["000", "022", "777"] {
        let world = World::unprivileged();
        let script = format!("umask {umask}; exec {}", world.where_is("deliver").display());
        world.command("/bin/sh").args(["-c", &script]).input(MAIL).run().succeeds();
        for (name, mode) in
            [("Maildir", 0o700), ("Maildir/cur", 0o700), ("Maildir/new", 0o700), ("Maildir/tmp", 0o700)]
        {
            let made = fs::metadata(world.path(name)).unwrap();
            assert_eq!(made.permissions().mode() & 0o7777, mode, "{name} under umask {umask}");
        }
        let message = fs::metadata(&world.files("Maildir")[0].0).unwrap();
        assert_eq!(message.permissions().mode() & 0o7777, 0o600, "the message under umask {umask}");
    }
}

#[test]
fn the_name_holds_size_and_host_and_the_file_the_time() {
    let world = World::unprivileged();
    let earliest = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    world.program("deliver").input(MAIL).run().succeeds();
    let (path, _) = &world.files("Maildir/new")[0];
    let name = path.file_name().unwrap().to_str().unwrap();
    let (unique, size) = name.split_once(",S=").unwrap();
    assert_eq!(size, MAIL.len().to_string());
    let mut words = unique.splitn(3, '.');
    let seconds: u64 = words.next().unwrap().parse().unwrap();
    let delivery = words.next().unwrap();
    let uname = Command::new("uname").arg("-n").output().unwrap().stdout;
    assert_eq!(words.next().unwrap().as_bytes(), uname.trim_ascii_end());
    assert!(seconds >= earliest, "{name}");
    assert!(delivery.starts_with('M') && delivery.contains('P') && delivery.contains('R'), "{name}");
    assert!(!name.contains(':'), "{name}: a message in new has no flags");
    assert!(fs::metadata(path).unwrap().mtime() as u64 >= earliest);
}

#[test]
fn only_the_last_component_is_made() {
    let world = World::unprivileged();
    world.program("deliver").args(["Mail/in/"]).input(MAIL).run().defers("Mail: is missing; make it");
    assert!(!world.path("Mail").exists());
}

#[test]
fn a_maildir_that_a_crash_left_half_made_is_finished() {
    for made in [&[][..], &["tmp"], &["tmp", "new"], &["cur"], &["cur", "new"]] {
        let world = World::unprivileged();
        for name in made {
            world.write(&format!("Maildir/{name}/x"), b"");
            fs::remove_file(world.path("Maildir").join(name).join("x")).unwrap();
        }
        world.program("deliver").input(MAIL).run().succeeds();
        assert_eq!(world.delivered("Maildir"), MAIL, "{made:?}");
        assert!(world.path("Maildir/cur").is_dir());
    }
}

#[test]
fn a_maildir_may_lie_on_another_disk_but_new_may_not_lead_out_of_it() {
    let world = World::unprivileged();
    world.program("deliver").args(["real/"]).input(MAIL).run().succeeds();
    symlink("real", world.path("link")).unwrap();
    world.program("deliver").args(["link/"]).input(MAIL).run().succeeds();
    assert_eq!(world.files("real/new").len(), 2);

    fs::rename(world.path("real/new"), world.path("elsewhere")).unwrap();
    symlink("../elsewhere", world.path("real/new")).unwrap();
    world.program("deliver").args(["real/"]).input(MAIL).run().defers("real/new");
    assert_eq!(world.files("elsewhere").len(), 2, "no message more");
}

#[test]
fn a_directory_without_right_defers_and_says_where() {
    let world = World::unprivileged();
    world.program("deliver").input(MAIL).run().succeeds();
    fs::set_permissions(world.path("Maildir/tmp"), fs::Permissions::from_mode(0o500)).unwrap();
    world.program("deliver").input(MAIL).run().defers("Maildir/tmp: nothing was stored: permission denied");
    fs::set_permissions(world.path("Maildir/tmp"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(world.path("Maildir/new"), fs::Permissions::from_mode(0o500)).unwrap();
    world.program("deliver").input(MAIL).run().defers("Maildir/new: nothing was stored: permission denied");
    assert_eq!(world.files("Maildir").len(), 1, "nothing is left in tmp");
}

#[test]
fn as_root_nothing_is_delivered() {
    assert!(rustix::process::geteuid().is_root(), "run the tests as root");
    let world = World::new();
    for destination in ["Maildir/", "mbox", "lmtp:127.0.0.1:1"] {
        world.program("deliver").args([destination]).input(MAIL).run().defers("runs as root");
    }
    assert_eq!(world.files("").len(), 0);
}

#[test]
fn a_typo_defers() {
    let world = World::unprivileged();
    for arguments in [&["--sendr=a@b", "Maildir/"][..], &["Maildir/", "more"], &["--sender"]] {
        let run = world.program("deliver").args(arguments).input(MAIL).run();
        assert_eq!(run.status(), 75, "{arguments:?}: {}", run.stderr());
        assert!(run.stderr().contains("--help"), "{}", run.stderr());
    }
    world.program("deliver").args([""]).input(MAIL).run().defers("DEST: is empty");
    assert!(!world.path("Maildir").exists());
}

#[test]
fn a_message_of_many_megabytes_through_a_slow_pipe_is_whole() {
    let world = World::unprivileged();
    let message = [MAIL, &b"0123456789abcdef\n".repeat(1_000_000)].concat();
    world.program("deliver").input(&message).run().succeeds();
    assert!(world.delivered("Maildir") == message);
}

#[test]
fn many_at_once_all_rest_whole_even_in_a_maildir_that_none_has_made() {
    let world = World::unprivileged();
    let message = |n: usize| format!("Subject: {n}\n\n{}", "x".repeat(n * 500)).into_bytes();
    std::thread::scope(|scope| {
        for n in 0..40 {
            let world = &world;
            scope.spawn(move || world.program("deliver").input(&message(n)).run().succeeds());
        }
    });
    let mut stored: Vec<Vec<u8>> = world.files("Maildir").into_iter().map(|(_, bytes)| bytes).collect();
    let mut sent: Vec<Vec<u8>> = (0..40).map(message).collect();
    stored.sort();
    sent.sort();
    assert!(stored == sent, "{} of 40", stored.len());
}

#[test]
fn other_programs_read_what_was_stored() {
    let world = World::unprivileged();
    world.program("deliver").input(b"Subject: one\n\nbody\n").run().succeeds();
    world.program("deliver").input(b"Subject: two\n\nbody\n").run().succeeds();

    let listed: Vec<_> =
        maildir::Maildir::from(world.path("Maildir")).list_new().map(Result::unwrap).collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|entry| entry.flags().is_empty()));

    let script =
        "import mailbox; print(sorted(m['Subject'] for m in mailbox.Maildir('Maildir', create=False)))";
    let python = world.command("/usr/bin/python3").args(["-c", script]).run().succeeds();
    assert_eq!(String::from_utf8_lossy(&python), "['one', 'two']\n");
}
