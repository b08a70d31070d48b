//! Other programs that write to the mbox meanwhile: none of their mail is lost.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::{NEW, OLD, names, purge, rested};
use crate::world::{Outcome, Run, World};

/// Programs that deliver to `mbox` in the home directory, each as it locks by its own rules.
const PROGRAMS: [&str; 9] = [
    "deliver",
    "procmail",
    "procmail with a lock file",
    "maildrop",
    "Dovecot",
    "mutt",
    "neomutt",
    "Python",
    "a poller",
];

/// Those of them that are quick, each with a way of its own.
const HASTY: [&str; 5] = ["deliver", "procmail", "procmail with a lock file", "maildrop", "a poller"];

/// The mailbox module of Python, which opens the file first, and gives up at once when it is locked.
const PYTHON: &str = "import mailbox, sys, time
message = sys.stdin.buffer.read()
while True:
    box = mailbox.mbox('mbox')
    try:
        box.lock()
        break
    except mailbox.ExternalClashError:
        time.sleep(0.1)
box.add(message)
box.flush()
box.unlock()";

/// The worst that is allowed: opens once, waits for fcntl a second at a time, then for the dotlock, and never
/// looks whether the file is still the one.
const POLLER: &str = "import fcntl, os, sys, time
mbox = open('mbox', 'ab')
def wait(attempt):
    while True:
        try:
            return attempt()
        except OSError:
            time.sleep(1)
wait(lambda: fcntl.lockf(mbox, fcntl.LOCK_EX | fcntl.LOCK_NB))
wait(lambda: os.close(os.open('mbox.lock', os.O_CREAT | os.O_EXCL)))
mbox.seek(0, 2)
mbox.write(sys.stdin.buffer.read())
mbox.close()
os.unlink('mbox.lock')";

/// A home in which all of them are set up.
fn world() -> World {
    let world = World::unprivileged();
    let home = world.home().display();
    for (name, text) in [
        ("rc", format!("MAILDIR={home}\nLOCKSLEEP=1\n:0\nmbox\n")),
        ("rc-lock", format!("MAILDIR={home}\nLOCKSLEEP=1\n:0:\nmbox\n")),
        ("mailfilter", format!("to \"{home}/mbox\"\n")),
        ("dovecot.conf", dovecot(&world)),
    ] {
        world.write(name, text.as_bytes());
        fs::set_permissions(world.path(name), Permissions::from_mode(0o600)).unwrap();
    }
    world.write("Mail/x", b"");
    world
}

/// The order of Debian's package: fcntl, where it waits with the file open, and then the dotlock.
fn dovecot(world: &World) -> String {
    let home = world.home().display();
    format!(
        "log_path = {home}/dovecot.log\nmail_location = mbox:{home}/Mail:INBOX={home}/mbox\n\
         mbox_write_locks = fcntl dotlock\nmbox_dirty_syncs = no\nssl = no\nfirst_valid_uid = 1\n"
    )
}

/// `program`, about to store a message with this subject.
fn storing(world: &World, program: &str, subject: &str, body: &str) -> Run {
    let home = world.home().display();
    let (path, arguments): (&str, Vec<String>) = match program {
        "deliver" => return world.program("deliver").args(["mbox"]).input(&message(subject, body)),
        "procmail" => ("/usr/bin/procmail", vec!["-m".into(), "rc".into()]),
        "procmail with a lock file" => ("/usr/bin/procmail", vec!["-m".into(), "rc-lock".into()]),
        "maildrop" => ("/usr/bin/maildrop", vec![format!("{home}/mailfilter")]),
        "Dovecot" => {
            ("/usr/bin/doveadm", ["-c", "dovecot.conf", "save", "-m", "INBOX"].map(String::from).to_vec())
        }
        "mutt" | "neomutt" => {
            let path = if program == "mutt" { "/usr/bin/mutt" } else { "/usr/bin/neomutt" };
            let mut arguments = vec!["-n".to_owned(), "-F".into(), "/dev/null".into()];
            for set in
                ["sendmail=/bin/true", "copy=yes", "from=a@example.org", &format!("record={home}/mbox")]
            {
                arguments.extend(["-e".to_owned(), format!("set {set}")]);
            }
            arguments.extend(["-s", subject, "b@example.org"].map(String::from));
            (path, arguments)
        }
        "Python" => ("/usr/bin/python3", vec!["-c".into(), PYTHON.into()]),
        _ => ("/usr/bin/python3", vec!["-c".into(), POLLER.into()]),
    };
    assert!(
        Path::new(path).exists(),
        "{path} is missing: apt-get install procmail maildrop dovecot-core mutt neomutt"
    );
    let input = match program {
        // They make their own.
        "maildrop" | "Dovecot" => {
            message(subject, body).splitn(2, |octet| *octet == b'\n').nth(1).unwrap().to_vec()
        }
        "mutt" | "neomutt" => format!("{body}\n").into_bytes(),
        _ => message(subject, body),
    };
    world.command(path).args(arguments).env("USER", "nobody").env("LOGNAME", "nobody").input(&input)
}

fn message(subject: &str, body: &str) -> Vec<u8> {
    NEW.replace("Subject: new\n\n>From here on\n", &format!("Subject: {subject}\n\n{body}\n")).into_bytes()
}

/// Subjects and bodies, as Python reads them.
fn read(world: &World) -> Vec<(String, String)> {
    let script = "import json, mailbox
print(json.dumps([(m['Subject'], m.get_payload().strip()) for m in mailbox.mbox('mbox', create=False)]))";
    let read = world.command("/usr/bin/python3").args(["-c", script]).run().succeeds();
    serde_json::from_slice(&read).unwrap()
}

/// Runs `program` while `purge-old` stands still in front of this system call, with the locks held, and shows
/// its outcome and all subjects.
fn comes_before(call: &str, program: &str) -> (Outcome, Vec<String>) {
    let world = world();
    rested(&world, "mbox", &[OLD, NEW].concat());
    let mut purging = world
        .strace()
        .args(["-qq", "-o", "trace", "-e", &format!("inject={call}:delay_enter=2000000")])
        .arg(world.where_is("purge-old"))
        .args(["--older-than", "90d", "mbox"])
        .spawn(Stdio::null());
    while !names(&world, "").iter().any(|name| name.starts_with(".mbox.purge-old.")) {
        // On a busy machine it may come and go between two looks.
        if let Some(status) = purging.try_wait().expect("a child") {
            assert!(status.success(), "{program}: {status}");
            return comes_before(call, program);
        }
        sleep(Duration::from_millis(10));
    }
    let outcome = storing(&world, program, "late", "body").run();
    assert!(purging.wait_with_output().unwrap().status.success(), "{program}");
    let names = names(&world, "");
    let left: Vec<&String> =
        names.iter().filter(|name| name.contains("mbox") || name.contains(".lock")).collect();
    assert_eq!(left, ["mbox"], "{program}");
    let mut found: Vec<String> = read(&world).into_iter().map(|(subject, _)| subject).collect();
    found.sort();
    (outcome, found)
}

fn at_once(programs: impl IntoIterator<Item = &'static str>, test: impl Fn(&str) + Sync) {
    std::thread::scope(|scope| {
        for program in programs {
            let test = &test;
            scope.spawn(move || test(program));
        }
    });
}

#[test]
fn whoever_waits_for_the_lock_goes_first() {
    at_once(PROGRAMS, |program| {
        let (outcome, found) = comes_before("fallocate", program);
        assert_eq!((outcome.status(), found), (0, vec!["late".to_owned(), "new".into()]), "{program}");
    });
}

/// Some wait with the old file open, and write to it when they get its lock.
#[test]
fn what_comes_in_the_last_moment_is_taken_over() {
    // Dovecot would wait for the mbox's time to change, which is that of another file by then. With the
    // dotlock first, as its own default is, it cannot come so late.
    at_once(PROGRAMS.into_iter().filter(|program| *program != "Dovecot"), |program| {
        let (outcome, found) = comes_before("renameat2", program);
        match (program, outcome.status()) {
            // It looks again, and the host comes again.
            ("deliver", 75) => assert_eq!(found, ["new"]),
            (_, status) => {
                assert_eq!((status, found), (0, vec!["late".to_owned(), "new".into()]), "{program}")
            }
        }
    });
}

#[test]
fn programs_that_store_all_the_time_lose_nothing() {
    let world = world();
    rested(&world, "mbox", OLD);
    let (stored, is_over) = (Mutex::new(BTreeMap::new()), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for (number, program) in HASTY.into_iter().enumerate() {
            let (world, stored, is_over) = (&world, &stored, &is_over);
            scope.spawn(move || {
                for count in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let subject = format!("{number}-{count}");
                    // Longer lines would be encoded by mutt.
                    let body = vec!["x".repeat(70); number * 7 + count % 7 * 14 + 1].join("\n");
                    // A program may give up; then its host still has the message.
                    if storing(world, program, &subject, &body).run().0.status.success() {
                        stored.lock().unwrap().insert(subject, body);
                    }
                    // With no pause at all it is a matter of luck when anybody else has the lock.
                    sleep(Duration::from_millis(100));
                }
            });
        }
        // How many are stored in a time is the machine's affair, so it goes on until there are enough.
        for round in 0.. {
            if round >= 2 && stored.lock().unwrap().len() > 50 {
                break;
            }
            // Something to remove each time.
            let old = OLD.as_bytes();
            while !world.program("deliver").args(["mbox"]).input(old).run().0.status.success() {}
            purge(&world, "mbox").succeeds();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let found = read(&world);
    for (subject, body) in stored.into_inner().unwrap() {
        let bodies: Vec<&String> =
            found.iter().filter(|(found, _)| *found == subject).map(|(_, body)| body).collect();
        assert_eq!(bodies, [&body], "{subject}");
    }
    assert!(found.len() > 50, "{} messages", found.len());
}

#[test]
fn dovecot_sees_the_expunges_and_nothing_else() {
    let world = world();
    let doveadm = |arguments: &[&str]| {
        let run = world.command("/usr/bin/doveadm").args(["-c", "dovecot.conf"]).args(arguments);
        String::from_utf8(run.env("USER", "nobody").run().succeeds()).unwrap()
    };
    let text = |order: &[&str]| order.concat().replace("Subject: ", "Subject: a ");
    rested(&world, "mbox", &text(&[OLD, NEW, OLD, NEW, NEW, OLD]));
    let uids =
        |said: String| said.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>();
    assert_eq!(uids(doveadm(&["fetch", "uid", "all"])), [1, 2, 3, 4, 5, 6]);
    doveadm(&["flags", "add", "\\Seen", "uid", "2,3"]);
    let state = |said: String| said.replace("messages=6", "messages=3");
    let before = doveadm(&["mailbox", "status", "uidvalidity uidnext messages", "INBOX"]);
    purge(&world, "mbox").succeeds();
    assert_eq!(doveadm(&["mailbox", "status", "uidvalidity uidnext messages", "INBOX"]), state(before));
    assert_eq!(uids(doveadm(&["fetch", "uid", "all"])), [2, 4, 5]);
    assert_eq!(uids(doveadm(&["fetch", "uid", "seen"])), [2]);
    // The numbers come from the file alone: what Dovecot remembers elsewhere is not needed.
    fs::remove_dir_all(world.path("Mail")).unwrap();
    world.write("Mail/x", b"");
    assert_eq!(uids(doveadm(&["fetch", "uid", "all"])), [2, 4, 5]);
    assert_eq!(fs::read_to_string(world.path("dovecot.log")).unwrap_or_default(), "");
}
