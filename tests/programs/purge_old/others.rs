//! Other users and other programs at the same mailbox.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{STAYS, letter, maildir, mixed, names, purge};
use crate::world::{Outcome, World};

const NOBODY: u32 = 65_534;

/// `purge-old` from root, in a world whose programs and mailboxes are somebody else's.
fn from_root(world: &World, arguments: &[&str]) -> Outcome {
    assert!(rustix::process::geteuid().is_root(), "root alone can try this: run the tests as root");
    let mut command = Command::new(world.where_is("purge-old"));
    command.args(arguments).env_clear().env("PATH", "/usr/bin:/bin").current_dir(world.home());
    Outcome(command.output().expect("purge-old"))
}

/// Ends what goes on beside the test, also when the test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The names in a Maildir under which messages are at this moment.
fn listed(world: &World) -> Vec<String> {
    let part = |part: &str| fs::read_dir(world.path("box").join(part)).expect("a directory");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("an entry").file_name().into_string().expect("UTF-8")
    };
    part("new").chain(part("cur")).map(name).collect()
}

fn give(world: &World, owner: u32) {
    let mut open = vec![world.home().to_owned()];
    while let Some(path) = open.pop() {
        std::os::unix::fs::lchown(&path, Some(owner), Some(owner)).expect("a new owner");
        if path.is_dir() && !path.is_symlink() {
            open.extend(
                fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()),
            );
        }
    }
}

#[test]
fn root_works_in_a_mailbox_with_its_owners_rights_alone() {
    let world = World::unprivileged();
    mixed(&world, "box");
    give(&world, NOBODY);
    from_root(&world, &["--older-than", "90d", "box"]).succeeds();
    assert_eq!(names(&world, "box"), STAYS);
    // Root might remove these, their owner may not.
    mixed(&world, "closed");
    give(&world, NOBODY);
    chown(world.path("closed/cur"), Some(0), Some(0)).expect("a new owner");
    let before = names(&world, "closed");
    from_root(&world, &["--older-than", "90d", "closed"]).fails(74, "permission denied");
    assert!(
        names(&world, "closed").iter().filter(|name| name.starts_with("cur/")).count() == 8,
        "{before:?}"
    );
}

/// Links that root made are followed to the mailbox's owner, others are their maker's.
#[test]
fn no_way_to_a_mailbox_gives_it_roots_rights_or_another_users() {
    let world = World::unprivileged();
    // The directory of all is root's.
    let set = |path: &str, owner| std::os::unix::fs::lchown(world.path(path), Some(owner), Some(owner));
    chown(world.home(), Some(0), Some(0)).expect("a new owner");
    let mailbox = |name: &str, owner| {
        mixed(&world, name);
        for part in ["", "cur", "new", "tmp"] {
            set(&format!("{name}/{part}"), owner).expect("a new owner");
        }
    };
    // Root moved alice's mail to another disk.
    mailbox("disk/alice/Maildir", NOBODY);
    fs::create_dir(world.path("alice")).expect("a directory");
    symlink(world.path("disk/alice/Maildir"), world.path("alice/Maildir")).expect("a link");
    set("alice", NOBODY).expect("a new owner");
    from_root(&world, &["--older-than", "90d", "alice/Maildir"]).succeeds();
    assert_eq!(names(&world, "disk/alice/Maildir"), STAYS);

    // Mallory leads his path to root's mailbox and to another user's: with his rights nothing is there.
    fs::create_dir(world.path("mallory")).expect("a directory");
    for (name, owner) in [("root", 0), ("bob", 1)] {
        mailbox(&format!("{name}/Maildir"), owner);
        set(name, owner).expect("a new owner");
        fs::set_permissions(world.path(name), fs::Permissions::from_mode(0o700)).expect("a mode");
        symlink(world.path(name), world.path("mallory/mail")).expect("a link");
        set("mallory", NOBODY).expect("a new owner");
        from_root(&world, &["--older-than", "90d", "mallory/mail/Maildir"]).fails(74, "permission denied");
        assert_eq!(names(&world, &format!("{name}/Maildir")).len(), STAYS.len() + 3);
        fs::remove_file(world.path("mallory/mail")).expect("a link");
    }

    // From where root stands, in bob's directory, the way does not lead through it.
    mailbox("disk/alice/Second", NOBODY);
    let mut from_there = Command::new(world.where_is("purge-old"));
    from_there.args(["--older-than", "90d", "../disk/alice/Second"]).current_dir(world.path("bob"));
    Outcome(from_there.output().expect("purge-old")).succeeds();
    assert_eq!(names(&world, "disk/alice/Second"), STAYS);

    // A tree of many users' Maildirs.
    mailbox("tree/root", 0);
    mailbox("tree/bob", 1);
    set("tree", 0).expect("a new owner");
    from_root(&world, &["--older-than", "90d", "--recursive", "tree"])
        .fails(74, "tree/bob: belongs to user number 1; name it by itself");
    assert_eq!(names(&world, "tree/bob").len(), STAYS.len() + 3);
    assert_eq!(names(&world, "tree/root"), STAYS);
}

/// The owner's process stands in another directory than root did.
#[test]
fn a_place_that_root_names_from_where_he_stands_is_that_place() {
    let world = World::unprivileged();
    mixed(&world, "box");
    maildir(&world, "archive");
    give(&world, NOBODY);
    from_root(&world, &["--older-than", "90d", "--move-to", "archive", "box"]).succeeds();
    assert_eq!(names(&world, "box"), STAYS);
    assert_eq!(names(&world, "archive").len(), 3);
}

#[test]
fn a_mailbox_that_is_swapped_for_a_link_leads_root_nowhere() {
    let world = World::unprivileged();
    maildir(&world, "victim");
    for number in 0..20 {
        letter(&world, &format!("victim/cur/{number}.old:2,S"), 100);
    }
    mixed(&world, "box");
    give(&world, NOBODY);
    for path in ["victim", "victim/cur", "victim/new", "victim/tmp"] {
        chown(world.path(path), Some(0), Some(0)).expect("a new owner");
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (part, aside) = (world.path("box/cur"), world.path("box/aside"));
            while !done.load(Ordering::Relaxed) {
                fs::rename(&part, &aside).expect("a rename");
                symlink(world.path("victim/cur"), &part).expect("a link");
                fs::remove_file(&part).expect("a link");
                fs::rename(&aside, &part).expect("a rename");
            }
        });
        let _ends = Ends(&done);
        for _ in 0..60 {
            // Whether it is a Maildir at this moment or not.
            let status = from_root(&world, &["--older-than", "90d", "box"]).status();
            assert!(matches!(status, 0 | 66 | 74), "{status}");
        }
    });
    assert_eq!(world.files("victim").len(), 20);
}

#[test]
fn the_mailbox_of_each_user_is_found_in_his_home() {
    let world = World::unprivileged();
    mixed(&world, "alice/Maildir");
    mixed(&world, "bob/Maildir");
    mixed(&world, "daemon/Maildir");
    fs::create_dir(world.path("carol")).expect("a directory");
    let home = world.home().display().to_string();
    let passwd = format!(
        "daemon:x:1:1::{home}/daemon:/bin/sh\nalice:x:1000:1000::{home}/alice:/bin/sh\n\
         bob:x:1001:1001::{home}/bob:/bin/sh\ncarol:x:1002:1002::{home}/carol:/bin/sh\n"
    );
    world.write("passwd", passwd.as_bytes());
    let getent = world.write("bin/getent", format!("#!/bin/sh\nexec cat {home}/passwd\n").as_bytes());
    fs::set_permissions(getent, fs::Permissions::from_mode(0o755)).expect("a script");
    give(&world, NOBODY);
    let mut command = Command::new(world.where_is("purge-old"));
    command.args(["--users", "--older-than", "90d", "--verbose", "Maildir"]);
    command.env_clear().env("PATH", format!("{home}/bin:/usr/bin:/bin")).current_dir("/");
    let out = String::from_utf8(Outcome(command.output().expect("purge-old")).succeeds()).expect("UTF-8");
    for name in ["alice", "bob"] {
        assert_eq!(names(&world, &format!("{name}/Maildir")), STAYS, "{name}");
        let line = format!("{home}/{name}/Maildir: removed 3 of 7 messages, 123 B");
        assert!(out.lines().any(|told| told == line), "{out}");
    }
    assert_eq!(names(&world, "daemon/Maildir").len(), STAYS.len() + 3);
}

#[test]
fn what_a_reader_flags_meanwhile_stays_and_what_it_renames_goes() {
    let world = World::new();
    maildir(&world, "box");
    let count = 200;
    for number in 0..count {
        let part = if number % 3 == 0 { "new" } else { "cur" };
        let info = if part == "cur" { ":2," } else { "" };
        letter(&world, &format!("box/{part}/{number}.old{info}"), 100);
    }
    let done = AtomicBool::new(false);
    let flagged = |number: usize| number.is_multiple_of(10);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut letters = ["S", "RS"].iter().cycle();
            while !done.load(Ordering::Relaxed) {
                let letters = letters.next().expect("endless");
                for part in ["new", "cur"] {
                    for entry in fs::read_dir(world.path("box").join(part)).expect("a directory") {
                        let path = entry.expect("an entry").path();
                        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
                        let number: usize =
                            name.split('.').next().expect("a number").parse().expect("a number");
                        let base = name.split(':').next().expect("a name");
                        let letters = if flagged(number) { "FS" } else { letters };
                        // It may have gone.
                        let _ = fs::rename(&path, world.path("box/cur").join(format!("{base}:2,{letters}")));
                    }
                }
            }
        });
        let _ends = Ends(&done);
        // Only after all that is to stay has its flag.
        let is_flagged = |name: &&String| name.ends_with(":2,FS");
        while listed(&world).iter().filter(is_flagged).count() < count / 10 {
            std::thread::yield_now();
        }
        for _ in 0..20 {
            purge(&world, &["--older-than", "90d", "box"]).succeeds();
        }
    });
    purge(&world, &["--older-than", "90d", "box"]).succeeds();
    let left = names(&world, "box");
    assert_eq!(left.len(), count / 10, "{left:?}");
    assert!(left.iter().all(|name| name.ends_with(":2,FS")), "{left:?}");
}
