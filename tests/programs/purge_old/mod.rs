//! `purge-old` on Maildirs: what goes, what stays, what is told.

mod faults;
mod many;
mod others;
mod terminal;

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::world::{Outcome, World};

/// The names of all files below the world's `directory`, sorted.
fn names(world: &World, directory: &str) -> Vec<String> {
    let place = world.path(directory);
    let relative = |path: &Path| path.strip_prefix(&place).expect("below").display().to_string();
    world.files(directory).iter().map(|(path, _)| relative(path)).collect()
}

fn age(path: &Path, days: u64) {
    let time = SystemTime::now() - Duration::from_secs(days * 86_400);
    let times = FileTimes::new().set_modified(time).set_accessed(time);
    File::options().write(true).open(path).expect("a file").set_times(times).expect("its times");
}

/// A message of so many days.
fn letter(world: &World, name: &str, days: u64) {
    age(&world.write(name, b"From: bob@example.org\nSubject: lunch\n\nhi\n"), days);
}

fn maildir(world: &World, name: &str) {
    for part in ["cur", "new", "tmp"] {
        fs::remove_file(world.write(&format!("{name}/{part}/x"), b"")).expect("a file");
    }
}

/// A Maildir with old messages, young ones, and what is none.
fn mixed(world: &World, name: &str) {
    maildir(world, name);
    let at = |file: &str| format!("{name}/{file}");
    for (file, days) in [
        ("cur/1.old:2,S", 104),
        ("cur/2.old-answered,S=41:2,RS", 91),
        ("cur/3.old-flagged:2,FS", 103),
        ("cur/4.old-draft:2,D", 102),
        ("cur/5.young:2,S", 89),
        ("new/6.old-unread", 101),
        ("new/7.young", 1),
        ("cur/notes", 100),
        ("cur/.hidden:2,S", 100),
        ("dovecot-uidlist", 100),
        ("tmp/8.arriving", 1),
        ("9.beside:2,S", 100),
    ] {
        letter(world, &at(file), days);
    }
    symlink(world.path(&at("cur/notes")), world.path(&at("cur/10.link:2,S"))).expect("a link");
}

/// What stays of it.
const STAYS: [&str; 10] = [
    "9.beside:2,S",
    "cur/.hidden:2,S",
    "cur/10.link:2,S",
    "cur/3.old-flagged:2,FS",
    "cur/4.old-draft:2,D",
    "cur/5.young:2,S",
    "cur/notes",
    "dovecot-uidlist",
    "new/7.young",
    "tmp/8.arriving",
];

fn purge(world: &World, arguments: &[&str]) -> Outcome {
    world.program("purge-old").args(arguments).run()
}

#[test]
fn old_mail_goes_and_nothing_else_and_nothing_is_said() {
    let world = World::new();
    mixed(&world, "box");
    assert_eq!(purge(&world, &["--older-than", "90d", "box"]).succeeds(), b"");
    assert_eq!(names(&world, "box"), STAYS);
    // Again there is nothing to do.
    assert_eq!(purge(&world, &["--older-than", "90d", "box"]).succeeds(), b"");
    assert_eq!(names(&world, "box"), STAYS);
}

#[test]
fn nothing_goes_by_default_or_by_accident() {
    let world = World::new();
    mixed(&world, "box");
    let before = names(&world, "box");
    for (arguments, words) in [
        (&["box"][..], "required"),
        (&["--older-than", "90", "box"], "say the unit, as in 90d"),
        (&["--older-than", "0d", "box"], "give a number above 0"),
        (&["--older-than=-90d", "box"], "as in 90d"),
        (&["--older-than", "", "box"], "as in 90d"),
        (&["--older-than", "box"], "as in 90d"),
        (&["--keep", "0", "box"], "give a number above 0"),
        (&["--keep=-1", "box"], "give a number above 0"),
        (&["--keep-size", "0", "box"], "as in 2G"),
        (&["--keep-size", "2Q", "box"], "as in 2G"),
        (&["--older-than", "90d"], "required"),
        (&["--older-than", "90d", "--match", "nonsense", "box"], "FIELD:GLOB"),
        (&["--older-than", "90d", "--max-time", "5", "box"], "as in 2h"),
        (&["--older-than", "90d", "--only", "nonsense", "box"], "nonsense"),
        (&["--older-than", "90d", "--only", "seen", "--only", "unseen", "box"], "no message is both"),
        (&["--older-than", "90d", "--only", "unseen", "--unread", "keep", "box"], "no message would ever go"),
        (&["--dry-run", "box"], "required"),
    ] {
        let outcome = purge(&world, arguments);
        assert_eq!((outcome.status(), outcome.stdout()), (64, &b""[..]), "{arguments:?}");
        assert!(outcome.stderr().contains(words), "{arguments:?}: {}", outcome.stderr());
    }
    assert_eq!(names(&world, "box"), before);
}

#[test]
fn a_path_that_is_no_mailbox_is_an_error_and_nothing_in_it_is_touched() {
    let world = World::new();
    mixed(&world, "home/Maildir");
    letter(&world, "home/Documents/1.old:2,S", 100);
    letter(&world, "cur/1.old:2,S", 100);
    letter(&world, "letter", 100);
    fs::create_dir(world.path("empty")).expect("a directory");
    symlink(world.path("letter"), world.path("link")).expect("a link");
    for path in ["home", "empty", "cur", "letter", "link", "missing", "/", "/etc", ".", "home/Maildir/cur"] {
        let before = world.files("");
        let outcome = purge(&world, &["--older-than", "90d", "--recursive", path]);
        outcome.fails(66, path);
        assert!(world.files("") == before, "{path} was touched");
    }
    // One that fails does not stop the others.
    mixed(&world, "box");
    purge(&world, &["--older-than", "90d", "empty", "box", "missing"]).stderr_lines(66, 2);
    assert_eq!(names(&world, "box"), STAYS);
}

#[test]
fn a_directory_of_maildirs_is_purged_only_when_asked_for() {
    let world = World::new();
    for name in ["tree/a", "tree/b/c", "plus", "plus/.Lists", "plus/.Lists.rust"] {
        mixed(&world, name);
    }
    purge(&world, &["--older-than", "90d", "tree"]).fails(66, "give --recursive");
    purge(&world, &["--older-than", "90d", "plus"]).succeeds();
    let count = |name: &str| names(&world, name).len();
    assert_eq!((count("plus/.Lists/cur"), count("plus/cur")), (8, 6));
    purge(&world, &["--older-than", "90d", "--recursive", "tree", "plus"]).succeeds();
    for name in ["tree/a", "tree/b/c", "plus/.Lists", "plus/.Lists.rust"] {
        assert_eq!(names(&world, name), STAYS, "{name}");
    }
}

#[test]
fn a_folder_that_may_not_be_read_stops_no_other() {
    for (closed, mode) in [("box/.Closed", 0o000), ("box/.Closed/cur", 0o000), ("box/.Closed/cur", 0o500)] {
        let world = World::unprivileged();
        for folder in ["box", "box/.Archive", "box/.Closed", "box/.Old"] {
            mixed(&world, folder);
        }
        fs::set_permissions(world.path(closed), Permissions::from_mode(mode)).expect("a mode");
        purge(&world, &["--older-than", "90d", "--recursive", "box"]).fails(74, "permission denied");
        fs::set_permissions(world.path(closed), Permissions::from_mode(0o700)).expect("a mode");
        assert!(names(&world, "box/.Closed").contains(&"cur/1.old:2,S".to_owned()), "{closed} {mode:o}");
        for folder in ["box/.Archive", "box/.Old"] {
            assert_eq!(names(&world, folder), STAYS, "{folder} beside {closed} {mode:o}");
        }
    }
}

#[test]
fn a_dry_run_lists_what_would_go_and_a_verbose_one_what_went() {
    let world = World::new();
    maildir(&world, "box");
    letter(&world, "box/cur/1.a:2,S", 100);
    let bytes = b"Subject: =?utf-8?q?M=C3=BCsli?=\n =?utf-8?q?_=1B[2J?=\nX: y\n\nhi\n";
    age(&world.write("box/new/2.b\x1b", bytes), 400);
    letter(&world, "box/cur/3.c:2,S", 1);
    let expected = |act: &str| {
        format!(
            "   100d      41 B  box/cur/1.a:2,S  lunch\n   400d      {} B  box/new/2.b\\x1b  M\u{fc}sli \\x1b[2J\n\
             box: {act} 2 of 3 messages, {} B\n",
            bytes.len(),
            41 + bytes.len()
        )
    };
    let sorted = |text: &[u8]| {
        let text = String::from_utf8(text.to_vec()).expect("UTF-8");
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n") + "\n"
    };
    let dry = purge(&world, &["--older-than", "90d", "--dry-run", "box"]).succeeds();
    assert_eq!(sorted(&dry), sorted(expected("would remove").as_bytes()));
    assert_eq!(names(&world, "box").len(), 3);
    let verbose = purge(&world, &["--older-than", "90d", "--verbose", "box"]).succeeds();
    assert_eq!(sorted(&verbose), sorted(expected("removed").as_bytes()));
    assert_eq!(names(&world, "box"), ["cur/3.c:2,S"]);
}

#[test]
fn a_message_that_may_not_be_read_is_listed_and_goes_like_the_others() {
    let world = World::unprivileged();
    for number in 1..=3 {
        letter(&world, &format!("box/cur/{number}.a:2,S"), 100);
    }
    maildir(&world, "box");
    fs::set_permissions(world.path("box/cur/2.a:2,S"), Permissions::from_mode(0o000)).expect("a mode");
    for how in ["--dry-run", "--verbose"] {
        let out = purge(&world, &["--older-than", "90d", how, "box"]).succeeds();
        let out = String::from_utf8(out).expect("UTF-8");
        assert!(out.lines().any(|line| line == "   100d      41 B  box/cur/2.a:2,S"), "{how}: {out}");
        assert!(out.contains(" 3 of 3 messages"), "{how}: {out}");
    }
    assert_eq!(names(&world, "box"), [""; 0]);
}

#[test]
fn a_report_in_json_has_a_line_for_each_message_and_mailbox() {
    let world = World::new();
    mixed(&world, "box");
    let out = purge(&world, &["--older-than", "90d", "--json", "--dry-run", "box"]).succeeds();
    let lines: Vec<serde_json::Value> =
        out.split(|octet| *octet == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    assert_eq!(lines.len(), 4);
    let total = lines.last().expect("a total");
    assert_eq!(
        *total,
        serde_json::json!({"mailbox": "box", "act": "would remove", "messages": 7, "gone": 3, "octets": 123,
            "undated": 0, "doubtful": 0, "stale": 0, "cut_short": false})
    );
    let paths: Vec<&str> = lines[..3].iter().map(|line| line["message"].as_str().expect("a path")).collect();
    assert!(paths.contains(&"box/new/6.old-unread"), "{paths:?}");
    assert!(lines[..3].iter().all(|line| line["subject"] == "lunch" && line["size"] == 41), "{lines:?}");
}

#[test]
fn each_option_chooses_what_its_name_says() {
    for (arguments, gone) in [
        (&["--older-than", "90d", "--unread", "keep"][..], &["1.old", "2.old"][..]),
        (&["--older-than", "90d", "--include-flagged"], &["1.old", "2.old", "3.old", "6.old"]),
        (&["--older-than", "90d", "--include-drafts"], &["1.old", "2.old", "4.old", "6.old"]),
        (&["--older-than", "90d", "--only", "replied"], &["2.old"]),
        (&["--older-than", "90d", "--only", "unseen"], &["6.old"]),
        (&["--older-than", "90d", "--only", "flagged"], &["3.old"]),
        (&["--older-than", "90d", "--match", "Subject:*UNC*"], &["1.old", "2.old", "6.old"]),
        (&["--older-than", "90d", "--match", "Subject:dinner"], &[]),
        (
            &["--older-than", "90d", "--match", "From:*bob*", "--match", "Subject:lunch"],
            &["1.old", "2.old", "6.old"],
        ),
        (&["--older-than", "90d", "--by", "date"], &[]),
        (&["--older-than", "90d", "--by", "name"], &["1.old", "2.old", "5.young", "6.old", "7.young"]),
        (&["--keep", "7"], &[]),
        (&["--keep", "6"], &["1.old"]),
        (&["--keep", "1"], &["1.old", "2.old", "5.young", "6.old"]),
        (&["--keep-size", "100"], &["1.old", "2.old", "6.old"]),
    ] {
        let world = World::new();
        mixed(&world, "box");
        let before = names(&world, "box");
        world.program("purge-old").args(arguments).arg("box").run().succeeds();
        let after = names(&world, "box");
        let went: Vec<&str> = before
            .iter()
            .filter(|name| !after.contains(name))
            .map(|name| name.split_once('/').expect("a part").1)
            .collect();
        let mut went: Vec<&str> =
            went.iter().map(|name| name.split(['-', ':', ',']).next().unwrap_or_default()).collect();
        went.sort_unstable();
        assert_eq!(went, gone, "{arguments:?}");
    }
}

#[test]
fn a_message_of_no_known_date_stays_and_is_told_of() {
    let world = World::new();
    maildir(&world, "box");
    for (name, date) in [
        ("1.good", "Date: Mon, 1 Jan 2024 00:00:00 +0000\n"),
        ("2.none", ""),
        ("3.odd", "Date: yesterday\n"),
        ("4.future", "Date: Mon, 1 Jan 2980 00:00:00 +0000\n"),
    ] {
        world.write(&format!("box/cur/{name}:2,S"), format!("{date}Subject: s\n\nhi\n").as_bytes());
    }
    let out = purge(&world, &["--older-than", "30d", "--by", "date", "--verbose", "box"]).succeeds();
    let out = String::from_utf8(out).expect("UTF-8");
    assert!(
        out.ends_with("removed 1 of 4 messages, 52 B; 3 stay, since their time cannot be known\n"),
        "{out}"
    );
    assert_eq!(names(&world, "box"), ["cur/2.none:2,S", "cur/3.odd:2,S", "cur/4.future:2,S"]);
}

#[test]
fn moved_mail_keeps_its_flags_times_and_bytes() {
    let world = World::new();
    let memory = tempfile::TempDir::new_in("/dev/shm").expect("a file system of its own");
    let device = |path: &Path| path.metadata().expect("a directory").dev();
    assert_ne!(device(memory.path()), device(world.home()), "/dev/shm is no other file system");
    for elsewhere in [world.path("archive"), memory.path().join("archive")] {
        mixed(&world, "box");
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(elsewhere.join(part)).expect("a Maildir");
        }
        let time = world.path("box/cur/1.old:2,S").metadata().expect("a file").mtime();
        fs::rename(world.path("box/cur/1.old:2,S"), world.path("box/cur/1.old,U=7:2,S")).expect("a rename");
        // A name that is taken is given to nobody else.
        fs::write(elsewhere.join("new/6.old-unread"), "other").expect("a file");
        let to = elsewhere.to_str().expect("UTF-8");
        let arguments = ["--older-than", "90d", "--move-to", to, "box"];
        purge(&world, &[&["--dry-run"], &arguments[..]].concat()).succeeds();
        assert_eq!(fs::read_dir(elsewhere.join("cur")).expect("a directory").count(), 0);
        purge(&world, &arguments).succeeds();
        assert_eq!(names(&world, "box"), STAYS);
        let moved = elsewhere.join("cur/1.old:2,S");
        assert_eq!(fs::read(&moved).expect("a message"), b"From: bob@example.org\nSubject: lunch\n\nhi\n");
        assert_eq!(moved.metadata().expect("a file").mtime(), time);
        assert!(elsewhere.join("cur/2.old-answered,S=41:2,RS").exists());
        assert_eq!(fs::read(elsewhere.join("new/6.old-unread")).expect("a file"), b"other");
        assert_eq!(fs::read_dir(elsewhere.join("new")).expect("a directory").count(), 2);
        assert_eq!(fs::read_dir(elsewhere.join("tmp")).expect("a directory").count(), 0);
        fs::remove_dir_all(world.path("box")).expect("a directory");
    }
    mixed(&world, "box");
    purge(&world, &["--older-than", "90d", "--move-to", "nowhere", "box"]).fails(66, "--move-to: nowhere");
}

#[test]
fn a_name_of_another_mailboxs_numbers_alone_becomes_one_of_a_message() {
    let world = World::new();
    maildir(&world, "box");
    maildir(&world, "archive");
    for name in ["U=7:2,S", "U=8,.a:2,S"] {
        letter(&world, &format!("box/cur/{name}"), 100);
    }
    purge(&world, &["--older-than", "90d", "--move-to", "archive", "box"]).succeeds();
    let moved = names(&world, "archive");
    assert!(moved.len() == 2 && moved.iter().all(|name| name.ends_with(".moved:2,S")), "{moved:?}");
}

#[test]
fn what_was_moved_before_keeps_its_name() {
    let world = World::new();
    mixed(&world, "box");
    mixed(&world, "box/.Archive");
    letter(&world, "box/.Archive/cur/9.before,U=7:2,S", 400);
    let before = names(&world, "box/.Archive");
    for _ in 0..2 {
        let arguments = ["--older-than", "90d", "--recursive", "--move-to", "box/.Archive", "box"];
        purge(&world, &arguments).succeeds();
        purge(&world, &["--older-than", "90d", "--move-to", "box/.Archive", "box/.Archive/"]).succeeds();
        let after = names(&world, "box/.Archive");
        assert!(before.iter().all(|name| after.contains(name)), "{after:?}");
        assert_eq!(after.len(), before.len() + 3, "{after:?}");
    }
}

#[test]
fn names_of_any_octets_and_length_are_messages() {
    let world = World::new();
    maildir(&world, "box");
    let long = format!("1.{}:2,S", "x".repeat(249));
    for name in [&b"1.caf\xe9:2,S"[..], b"2.new\nline:2,S", long.as_bytes()] {
        let path = world.path("box/cur").join(std::ffi::OsStr::from_bytes(name));
        fs::write(&path, "Subject: s\n\nhi\n").expect("a file");
        age(&path, 100);
    }
    let out = purge(&world, &["--older-than", "90d", "--verbose", "box"]).succeeds();
    assert_eq!(out.split(|octet| *octet == b'\n').count(), 5, "{}", out.escape_ascii());
    assert!(world.files("box").is_empty());
}

#[test]
fn a_young_clock_removes_nothing() {
    let world = World::new();
    maildir(&world, "box");
    let path = world.write("box/cur/4102444800.a:2,S", b"Subject: s\n\nhi\n");
    let future = SystemTime::now() + Duration::from_secs(80 * 365 * 86_400);
    let times = FileTimes::new().set_modified(future);
    File::options().write(true).open(path).expect("a file").set_times(times).expect("its times");
    for by in ["arrival", "name", "date"] {
        purge(&world, &["--older-than", "1h", "--by", by, "box"]).succeeds();
    }
    assert_eq!(world.files("box").len(), 1);
}

impl Outcome {
    /// This status, and so many lines on standard error.
    #[track_caller]
    fn stderr_lines(self, status: i32, lines: usize) {
        assert_eq!((self.status(), self.stderr().lines().count()), (status, lines), "{}", self.stderr());
    }
}

/// Three messages: of 101 days, flagged of 101 days, of one day. The zone of the date is not known, so the
/// message is as young as it can be.
fn mbox(world: &World, name: &str) -> [String; 3] {
    let date = |days: u64| {
        let text = Outcome(
            std::process::Command::new("date")
                .args(["-u", "-d", &format!("{days} days ago"), "+%a %b %e %H:%M:%S %Y"])
                .output()
                .expect("date"),
        )
        .succeeds();
        String::from_utf8(text).expect("UTF-8").trim_end().to_owned()
    };
    let messages = [
        format!("From a@example.org {}\nSubject: old\nStatus: RO\n\n>From the start\n\n", date(101)),
        format!("From a@example.org {}\nSubject: flagged\nStatus: RO\nX-Status: F\n\nhi\n\n", date(101)),
        format!("From a@example.org {}\nSubject: young\n\nhi\n\n", date(1)),
    ];
    world.write(name, messages.concat().as_bytes());
    messages
}

#[test]
fn of_an_mbox_the_rest_stays_byte_for_byte() {
    let world = World::unprivileged();
    let [old, flagged, young] = mbox(&world, "mbox");
    let dry = purge(&world, &["--older-than", "90d", "--dry-run", "mbox"]).succeeds();
    let told = format!(
        "   100d {:>7} B  mbox@0  old\nmbox: would remove 1 of 3 messages, {} B\n",
        old.len(),
        old.len()
    );
    assert_eq!(String::from_utf8(dry).expect("UTF-8"), told);
    assert_eq!(purge(&world, &["--older-than", "90d", "mbox"]).succeeds(), b"");
    assert_eq!(fs::read(world.path("mbox")).expect("an mbox"), [flagged, young].concat().as_bytes());
    let state = world.path("mbox").metadata().expect("a file");
    assert_eq!(purge(&world, &["--older-than", "90d", "mbox"]).succeeds(), b"");
    let again = world.path("mbox").metadata().expect("a file");
    assert_eq!((state.ino(), state.mtime_nsec()), (again.ino(), again.mtime_nsec()), "it was touched");
}

#[test]
fn what_moves_out_of_an_mbox_is_as_it_arrived() {
    let world = World::unprivileged();
    let [_, flagged, young] = mbox(&world, "mbox");
    maildir(&world, "archive");
    purge(&world, &["--older-than", "90d", "--move-to", "archive", "mbox"]).succeeds();
    assert_eq!(fs::read(world.path("mbox")).expect("an mbox"), [flagged, young].concat().as_bytes());
    let [(path, bytes)] = &world.files("archive")[..] else { panic!("not one message") };
    assert!(path.display().to_string().ends_with(":2,S"), "{}", path.display());
    assert!(bytes.ends_with(b"\nFrom the start\n"), "{}", bytes.escape_ascii());
    let age =
        SystemTime::now().duration_since(path.metadata().expect("a file").modified().expect("its time"));
    assert_eq!(age.expect("in the past").as_secs() / 86_400, 100);
}

#[test]
fn an_mbox_of_any_name_is_told_by_that_name() {
    let world = World::unprivileged();
    mbox(&world, "mbox");
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
    fs::rename(world.path("mbox"), world.path("").join(name)).expect("a rename");
    let out =
        world.program("purge-old").args(["--older-than", "90d", "--dry-run"]).arg(name).run().succeeds();
    let out = String::from_utf8(out).expect("UTF-8");
    assert!(out.contains("  caf\\xe9@0  old\n") && out.contains("\ncaf\\xe9: would remove 1 "), "{out}");
}

#[test]
fn what_an_mbox_keeps_after_all_is_not_left_in_the_target() {
    let world = World::unprivileged();
    let [old, ..] = mbox(&world, "mbox");
    let before = old.repeat(3);
    world.write("mbox", before.as_bytes());
    maildir(&world, "archive");
    let arguments = ["--older-than", "90d", "--move-to", "archive", "mbox"];
    // The third message finds no room in tmp, whatever its name is.
    let full = "inject=fsync:error=ENOSPC:when=6";
    for _ in 0..2 {
        let outcome = faults::strace(&world, &["-e", full], &arguments);
        outcome.fails(74, "no space left");
        assert_eq!(world.files("archive"), []);
        assert_eq!(fs::read(world.path("mbox")).expect("an mbox"), before.as_bytes());
    }
    purge(&world, &arguments).succeeds();
    assert_eq!((world.files("archive").len(), fs::read(world.path("mbox")).expect("an mbox")), (3, vec![]));
}

#[test]
fn what_moves_out_of_an_mbox_by_its_date_field_keeps_the_time_of_its_arrival() {
    let world = World::unprivileged();
    let [old, ..] = mbox(&world, "mbox");
    let date = "Date: Mon, 5 Jan 2015 12:00:00 +0000\n";
    world.write("mbox", old.replacen('\n', &format!("\n{date}"), 1).as_bytes());
    maildir(&world, "archive");
    purge(&world, &["--older-than", "90d", "--by", "date", "--move-to", "archive", "mbox"]).succeeds();
    let [(path, _)] = &world.files("archive")[..] else { panic!("not one message") };
    let age =
        SystemTime::now().duration_since(path.metadata().expect("a file").modified().expect("its time"));
    assert_eq!(age.expect("in the past").as_secs() / 86_400, 100);
}

#[test]
fn a_locked_mbox_is_left_to_the_next_run() {
    let world = World::unprivileged();
    mbox(&world, "mbox");
    let before = world.files("");
    let lock = world.write("mbox.lock", format!("{}\n", std::process::id()).as_bytes());
    let arguments = ["--older-than", "90d", "--max-time", "1s", "mbox"];
    purge(&world, &arguments).fails(75, "another program holds the lock");
    fs::remove_file(lock).expect("a lock");
    assert!(world.files("") == before, "it was touched");
    purge(&world, &arguments).succeeds();
}
