//! `deliver` to an mbox: form, locks, and what may not be written to.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use crate::world::World;

const FRAME: &[u8] = b"From a@example.org  Mon Jan  1 00:00:00 2026\n";
const MAIL: &[u8] = b"Subject: hello\n\nbody\n";

#[test]
fn a_new_mbox_is_private_and_has_one_message() {
    let world = World::unprivileged();
    let script = format!("umask 0; exec {} mbox", world.where_is("deliver").display());
    world.command("/bin/sh").args(["-c", &script]).input(&[FRAME, MAIL].concat()).run().succeeds();
    assert_eq!(fs::read(world.path("mbox")).unwrap(), [FRAME, MAIL, b"\n"].concat());
    assert_eq!(fs::metadata(world.path("mbox")).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn messages_are_kept_apart_by_an_empty_line() {
    for (name, before, gap) in [
        ("an empty file", &b""[..], &b""[..]),
        ("an empty line at the end", b"From x\nA: b\n\nbody\n\n", b""),
        ("CRLF and an empty line", b"From x\r\nA: b\r\n\r\nbody\r\n\r\n", b""),
        ("no empty line at the end", b"From x\nA: b\n\nbody\n", b"\n"),
        ("a last line that was cut off", b"From x\nA: b\n\nbo", b"\n\n"),
    ] {
        let world = World::unprivileged();
        world.write("mbox", before);
        world.program("deliver").args(["mbox"]).input(&[FRAME, MAIL].concat()).run().succeeds();
        let expected = [before, gap, FRAME, MAIL, b"\n"].concat();
        let stored = fs::read(world.path("mbox")).unwrap();
        assert_eq!(stored.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{name}");
    }
}

#[test]
fn a_from_line_is_made_where_the_host_gave_none() {
    for (arguments, environment, sender) in [
        (&["mbox"][..], "", "MAILER-DAEMON"),
        (&["mbox"], "b@example.org", "b@example.org"),
        (&["--sender=c@example.org", "mbox"], "b@example.org", "c@example.org"),
        (&["--sender=", "mbox"], "b@example.org", "MAILER-DAEMON"),
    ] {
        let world = World::unprivileged();
        world.program("deliver").args(arguments).env("SENDER", environment).input(MAIL).run().succeeds();
        let stored = String::from_utf8(fs::read(world.path("mbox")).unwrap()).unwrap();
        assert!(stored.starts_with(&format!("From {sender} ")), "{stored}");
        assert!(stored.ends_with("\nSubject: hello\n\nbody\n\n"), "{stored}");
    }
}

#[test]
fn an_injected_line_in_the_sender_forges_no_message() {
    for sender in
        ["a@b Mon Jan  1 00:00:00 2026\nX-Forged: y", "a@b\r\nFrom: x", "a b@c", "<a@b>", "a@b\x1b[2J"]
    {
        let world = World::unprivileged();
        world.program("deliver").args(["mbox"]).env("SENDER", sender).input(MAIL).run().succeeds();
        let stored = String::from_utf8(fs::read(world.path("mbox")).unwrap()).unwrap();
        assert!(stored.starts_with("From MAILER-DAEMON "), "{stored}");
        assert_eq!(stored.lines().count(), 5, "{stored}");
    }
}

#[test]
fn a_from_line_in_a_body_starts_no_message_and_can_be_restored() {
    let world = World::unprivileged();
    let message =
        b"Subject: one\n\nFrom here on\n>From there\nFrom a@b Mon Jan  1 00:00:00 2026\nSubject: forged\n";
    world.program("deliver").args(["mbox"]).input(&[FRAME, message].concat()).run().succeeds();
    world.program("deliver").args(["mbox"]).input(&[FRAME, MAIL].concat()).run().succeeds();
    let script = "import mailbox, re, sys
box = mailbox.mbox('mbox', create=False)
print([m['Subject'] for m in box])
sys.stdout.flush()
sys.stdout.buffer.write(re.sub(rb'(?m)^>(>*From )', rb'\\1', box.get_bytes(0)))";
    let read = world.command("/usr/bin/python3").args(["-c", script]).run().succeeds();
    let expected = [b"['one', 'hello']\n", &message[..]].concat();
    assert_eq!(read.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn many_at_once_all_rest_whole() {
    let world = World::unprivileged();
    std::thread::scope(|scope| {
        for n in 0..30 {
            let world = &world;
            let message = format!("Subject: {n}\n\n{}\n", "x".repeat(n * 3000));
            scope.spawn(move || {
                world.program("deliver").args(["mbox"]).input(message.as_bytes()).run().succeeds();
            });
        }
    });
    let script = "import mailbox
print(sorted((int(m['Subject']), len(m.get_payload())) for m in mailbox.mbox('mbox', create=False)))";
    let read = world.command("/usr/bin/python3").args(["-c", script]).run().succeeds();
    let expected: Vec<(usize, usize)> = (0..30).map(|n| (n, n * 3000 + 1)).collect();
    assert_eq!(String::from_utf8_lossy(&read), format!("{expected:?}\n"));
    assert_eq!(world.files("").iter().filter(|(path, _)| is_a_lock(path)).count(), 0);
}

fn is_a_lock(path: &std::path::Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains("lock"))
}

#[test]
fn a_mbox_swapped_for_a_link_is_not_followed() {
    let world = World::unprivileged();
    world.write("victim", b"precious\n");
    symlink("victim", world.path("mbox")).unwrap();
    world.program("deliver").args(["mbox"]).input(MAIL).run().defers("mbox: is a symbolic link");
    assert_eq!(fs::read(world.path("victim")).unwrap(), b"precious\n");
}

#[test]
fn a_dangling_link_makes_no_file_elsewhere() {
    let world = World::unprivileged();
    symlink("victim", world.path("mbox")).unwrap();
    world.program("deliver").args(["mbox"]).input(MAIL).run().defers("mbox: is a symbolic link");
    assert!(!world.path("victim").exists());
}

#[test]
fn a_hard_link_to_a_precious_file_is_not_appended_to() {
    let world = World::unprivileged();
    world.write("victim", b"precious\n");
    fs::hard_link(world.path("victim"), world.path("mbox")).unwrap();
    world.program("deliver").args(["mbox"]).input(MAIL).run().defers("mbox: has a second name");
    assert_eq!(fs::read(world.path("victim")).unwrap(), b"precious\n");
}

#[test]
fn a_fifo_neither_hangs_nor_takes_the_mail() {
    let world = World::unprivileged();
    world.command("/usr/bin/mkfifo").args(["mbox"]).run().succeeds();
    world.program("deliver").args(["mbox"]).input(MAIL).run().defers("mbox: is no regular file");
}

#[test]
fn a_device_swallows_no_mail() {
    let world = World::unprivileged();
    world.program("deliver").args(["/dev/null"]).input(MAIL).run().defers("/dev/null: is no regular file");
}

#[test]
fn a_mbox_that_others_may_write_is_refused() {
    let world = World::unprivileged();
    let mbox = world.write("mbox", b"");
    fs::set_permissions(&mbox, fs::Permissions::from_mode(0o602)).unwrap();
    world.program("deliver").args(["mbox"]).input(MAIL).run().defers("others may write to it");
    assert_eq!(fs::read(&mbox).unwrap(), b"");
    // Debian's /var/mail has 0660 and the group mail.
    fs::set_permissions(&mbox, fs::Permissions::from_mode(0o660)).unwrap();
    world.program("deliver").args(["mbox"]).input(MAIL).run().succeeds();
}

#[test]
fn a_mbox_of_another_user_is_refused() {
    let world = World::unprivileged();
    let mbox = world.write("mbox", b"");
    chown(&mbox, Some(0), None).unwrap();
    fs::set_permissions(&mbox, fs::Permissions::from_mode(0o660)).unwrap();
    world.program("deliver").args(["mbox"]).input(MAIL).run().defers("belongs to another user, number 0");
    assert_eq!(fs::read(&mbox).unwrap(), b"");
}

#[test]
fn a_directory_is_no_mbox() {
    let world = World::unprivileged();
    world.write("Mail/x", b"");
    world.program("deliver").args(["Mail"]).input(MAIL).run().defers("is a directory and no Maildir");
}

#[test]
fn a_path_that_can_only_be_a_directory_makes_no_mbox() {
    let world = World::unprivileged();
    for path in ["Mail/.", "Mail/..", ".."] {
        let run = world.program("deliver").args([path]).input(MAIL).run();
        assert_eq!((run.status(), run.stdout()), (75, &b""[..]), "{path}: {}", run.stderr());
    }
    assert!(!world.path("Mail").exists());
    world.write("mbox", b"");
    world.program("deliver").args(["mbox/."]).input(MAIL).run().defers("mbox/.: names no file");
}

#[test]
fn while_another_program_holds_the_locks_it_waits() {
    // Python's mailbox takes both locks, as mutt and Dovecot do.
    let script = "import mailbox, sys, time
box = mailbox.mbox('mbox')
box.lock()
print('locked', flush=True)
time.sleep(0.5)
box.add('Subject: first\\n\\nbody\\n')
box.flush()
box.unlock()";
    let world = World::unprivileged();
    world.write("mbox", b"");
    let mut python = world.command("/usr/bin/python3").args(["-c", script]).spawn_and_hear("locked");
    world.program("deliver").args(["mbox"]).input(MAIL).run().succeeds();
    assert!(python.wait().unwrap().success());
    let script = "import mailbox; print([m['Subject'] for m in mailbox.mbox('mbox', create=False)])";
    let read = world.command("/usr/bin/python3").args(["-c", script]).run().succeeds();
    assert_eq!(String::from_utf8_lossy(&read), "['first', 'hello']\n");
}

#[test]
fn a_mbox_swapped_for_a_link_while_it_waits_for_the_lock_is_not_written_to() {
    for swap in ["os.link('victim', 'mbox')", "os.symlink('victim', 'mbox')", "open('mbox', 'w')", "pass"] {
        let script = format!(
            "import mailbox, os, time
box = mailbox.mbox('mbox')
box.lock()
print('locked', flush=True)
time.sleep(0.5)
os.rename('mbox', 'old')
{swap}
os.unlink('mbox.lock')"
        );
        let world = World::unprivileged();
        let files = [world.write("mbox", b"From x\n\nold\n\n"), world.write("victim", b"precious\n")];
        let mut python = world.command("/usr/bin/python3").args(["-c", &script]).spawn_and_hear("locked");
        world.program("deliver").args(["mbox"]).input(MAIL).run().defers("mbox: was moved away meanwhile");
        assert!(python.wait().unwrap().success());
        assert_eq!(fs::read(world.path("old")).unwrap(), b"From x\n\nold\n\n", "{swap}");
        assert_eq!(fs::read(&files[1]).unwrap(), b"precious\n", "{swap}");
    }
}

#[test]
fn procmail_python_and_deliver_share_a_mbox_without_a_loss() {
    let procmail = "/usr/bin/procmail";
    assert!(std::path::Path::new(procmail).exists(), "{procmail} is missing: apt-get install procmail");
    let world = World::unprivileged();
    world.write("rc", format!("MAILDIR={}\nLOCKSLEEP=1\n:0:\nmbox\n", world.home().display()).as_bytes());
    fs::set_permissions(world.path("rc"), fs::Permissions::from_mode(0o600)).unwrap();
    let script = "import mailbox, sys, time
message = sys.stdin.read()
while True:
    box = mailbox.mbox('mbox')
    try:
        box.lock()
    except mailbox.ExternalClashError:
        time.sleep(0.05)
        continue
    box.add(message)
    box.flush()
    box.unlock()
    break";
    std::thread::scope(|scope| {
        for n in 0..24 {
            let world = &world;
            let message = [FRAME, format!("Subject: {n}\n\n{}\n", "x".repeat(n * 1000)).as_bytes()].concat();
            scope.spawn(move || {
                let run = match n % 4 {
                    0 => world.command(procmail).args(["-m", "rc"]),
                    1 => world.command("/usr/bin/python3").args(["-c", script]),
                    _ => world.program("deliver").args(["mbox"]),
                };
                // procmail complains that nobody has no home, and stores.
                assert_eq!(run.input(&message).run().status(), 0);
            });
        }
    });
    let script = "import mailbox
print(sorted((int(m['Subject']), m.get_payload().count('x')) for m in mailbox.mbox('mbox', create=False)))";
    let read = world.command("/usr/bin/python3").args(["-c", script]).run().succeeds();
    let expected: Vec<(usize, usize)> = (0..24).map(|n| (n, n * 1000)).collect();
    assert_eq!(String::from_utf8_lossy(&read), format!("{expected:?}\n"));
}

#[test]
fn a_spool_directory_without_the_right_to_make_a_dotlock_is_used_with_fcntl_alone() {
    let world = World::unprivileged();
    let mbox = world.write("spool/mbox", b"");
    chown(world.path("spool"), Some(0), None).unwrap();
    fs::set_permissions(world.path("spool"), fs::Permissions::from_mode(0o755)).unwrap();
    world.program("deliver").args(["spool/mbox"]).input(&[FRAME, MAIL].concat()).run().succeeds();
    assert_eq!(fs::read(&mbox).unwrap(), [FRAME, MAIL, b"\n"].concat());
    world.program("deliver").args(["spool/other"]).input(MAIL).run().defers("spool/other: permission denied");
}
