//! Where an mbox lies: directories in which its owner may make no files, disks without room.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use super::{NEW, OLD, after, before, names, purge, rested};
use crate::world::{Small, World};

/// The group of Debian's /var/mail.
const MAIL: u32 = 8;

/// /var/mail as Debian has it, and a mailbox in it.
fn spool(world: &World, text: &str) {
    rested(world, "spool/mbox", text);
    chown(world.path("spool/mbox"), None, Some(MAIL)).unwrap();
    fs::set_permissions(world.path("spool/mbox"), Permissions::from_mode(0o660)).unwrap();
    chown(world.path("spool"), Some(0), Some(MAIL)).unwrap();
    fs::set_permissions(world.path("spool"), Permissions::from_mode(0o2775)).unwrap();
}

#[test]
fn where_the_user_may_make_no_file_nothing_is_removed() {
    let world = World::unprivileged();
    spool(&world, &before());
    let inode = fs::metadata(world.path("spool/mbox")).unwrap().ino();
    let outcome = purge(&world, "spool/mbox");
    assert_ne!(outcome.status(), 0);
    assert!(outcome.stderr().contains("this user may make no file beside it"), "{}", outcome.stderr());
    assert_eq!(fs::read_to_string(world.path("spool/mbox")).unwrap(), before());
    assert_eq!(fs::metadata(world.path("spool/mbox")).unwrap().ino(), inode);
    // Where nothing is to be removed, nothing is missing.
    spool(&world, &after());
    purge(&world, "spool/mbox").succeeds();
}

#[test]
fn with_the_group_of_the_spool_its_mailboxes_are_purged_and_keep_their_group() {
    let world = World::unprivileged();
    let program = world.where_is("purge-old").display().to_string();
    let with_group = format!("setpriv --reuid 65534 --regid 65534 --groups {MAIL} {program}");
    // Root lends it by itself.
    for program in [with_group, program] {
        spool(&world, &before());
        let script = format!("exec {program} --older-than 90d spool/mbox");
        world.as_root("/bin/sh").args(["-c", &script]).run().succeeds();
        assert_eq!(fs::read_to_string(world.path("spool/mbox")).unwrap(), after());
        let state = fs::metadata(world.path("spool/mbox")).unwrap();
        assert_eq!((state.uid(), state.gid(), state.mode() & 0o7777), (65_534, MAIL, 0o660));
        assert_eq!(names(&world, "spool"), ["mbox"]);
    }
}

#[test]
fn on_a_full_disk_the_old_mbox_stays() {
    let world = World::unprivileged();
    let _small = Small::mount(&world, "128k");
    let body = "x".repeat(10_000);
    let large = |from: &str| format!("{from}{body}\n\n");
    let mut purged = 0;
    for kept in 0..10 {
        let (old, new) = (large(OLD), large(NEW).repeat(kept));
        rested(&world, "small/mbox", &format!("{old}{new}"));
        let outcome = purge(&world, "small/mbox");
        let left = fs::read_to_string(world.path("small/mbox")).unwrap();
        if outcome.status() == 0 {
            purged += 1;
            assert!(left == new, "{kept}");
        } else {
            assert!(
                outcome.stderr().contains("nothing was removed: no space left on device"),
                "{}",
                outcome.stderr()
            );
            assert!(left == format!("{old}{new}"), "{kept}: {} octets", left.len());
        }
        assert_eq!(names(&world, "small"), ["mbox"]);
    }
    assert!((2..9).contains(&purged), "{purged} of 10 had room");
}

#[test]
fn a_file_size_limit_stops_it_before_it_writes() {
    let world = World::unprivileged();
    rested(&world, "box/mbox", &[OLD, &NEW.replace("From here", &"x".repeat(3000))].concat());
    let text = fs::read_to_string(world.path("box/mbox")).unwrap();
    let script =
        format!("ulimit -f 1; exec {} --older-than 90d box/mbox", world.where_is("purge-old").display());
    let outcome = world.command("/bin/bash").args(["-c", &script]).run();
    assert!(outcome.stderr().contains("file size limit of 1024"), "{}", outcome.stderr());
    assert_ne!(outcome.status(), 0);
    assert_eq!(fs::read_to_string(world.path("box/mbox")).unwrap(), text);
    assert_eq!(names(&world, "box"), ["mbox"]);
}

#[test]
fn where_nothing_goes_the_file_is_not_touched_and_new_mail_stays_new() {
    let world = World::unprivileged();
    rested(&world, "box/mbox", &after());
    let state = || {
        let state = fs::metadata(world.path("box/mbox")).unwrap();
        (state.ino(), state.modified().unwrap(), state.accessed().unwrap(), state.ctime(), state.ctime_nsec())
    };
    let before = state();
    purge(&world, "box/mbox").succeeds();
    world.program("purge-old").args(["--older-than", "1h", "--dry-run", "box/mbox"]).run().succeeds();
    assert_eq!(state(), before);
    assert_eq!(fs::read_to_string(world.path("box/mbox")).unwrap(), after());
}
