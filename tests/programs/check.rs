//! `encrypt-to-self --check`: of all users of a directory, and of one and his `.forward`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use crate::world::{Outcome, World, fixture};

/// A world with these fixtures in `certs`.
fn enrolled(files: &[(&str, &str)]) -> World {
    let world = World::new();
    for (name, key) in files {
        world.write(&format!("certs/{name}"), &fixture(&format!("keys/{key}")));
    }
    world
}

fn check(world: &World, arguments: &[&str]) -> Outcome {
    world.program("encrypt-to-self").arg("--check").args(arguments).run()
}

fn said(outcome: &Outcome) -> &str {
    assert_eq!(outcome.stderr(), "");
    std::str::from_utf8(outcome.stdout()).unwrap()
}

fn mode(world: &World, name: &str, mode: u32) {
    fs::set_permissions(world.path(name), PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn all_users_of_a_directory_are_one_table() {
    let world = enrolled(&[("alice@example.org.asc", "alice.asc"), ("pq@example.org.asc", "v6-pq.asc")]);
    let outcome = check(&world, &["--certs=certs"]);
    // The fingerprints are gpg's and Sequoia's words.
    let expected = format!(
        "address            {:64}  ends        SEIPDv2  PQ\n\
         alice@example.org  {:64}  never       no       no\n\
         pq@example.org     {:64}  never       yes      yes\n\
         users: 2; something is wrong with: 0\n",
        "fingerprint",
        "71B787390432D933243FBA38F845F615DABE35C5",
        "5CA1E1C49CC5C898E051C047F72EC87742284DB0B0E1722BDB17289829060FCE"
    );
    assert_eq!((said(&outcome), outcome.status()), (&expected[..], 0));
}

#[test]
fn whoever_mail_would_wait_for_comes_first_with_status_1() {
    type Attack = fn(&World);
    let attacks: [(&str, Attack, &str); 7] = [
        ("an expired one", |w| exchange(w, "expired.asc"), "expired on 2025-01-01"),
        ("a revoked one", |w| exchange(w, "revoked.asc"), "is revoked"),
        ("one for signing only", |w| exchange(w, "sign-only.asc"), "has no subkey for encryption"),
        ("a secret key", |w| exchange(w, "alice.key"), "holds a secret key"),
        ("no certificate", |w| exchange(w, "README.md"), "holds no OpenPGP certificate"),
        ("a file that others can write", |w| mode(w, "certs/z@x.asc", 0o664), "is writable by others"),
        (
            "a symbolic link",
            |w| {
                fs::remove_file(w.path("certs/z@x.asc")).unwrap();
                symlink("alice@x.asc", w.path("certs/z@x.asc")).unwrap();
            },
            "is a symbolic link",
        ),
    ];
    for (name, attack, words) in attacks {
        let world = enrolled(&[("alice@x.asc", "alice.asc"), ("z@x.asc", "rosa.asc")]);
        attack(&world);
        let outcome = check(&world, &["--certs=certs"]);
        let lines: Vec<&str> = said(&outcome).lines().collect();
        assert!(lines[1].starts_with("z@x ") && lines[1].contains(words), "{name}: {lines:#?}");
        assert!(lines[2].starts_with("alice@x ") && lines[2].ends_with(" no"), "{name}: {lines:#?}");
        assert_eq!((lines[3], outcome.status()), ("users: 2; something is wrong with: 1", 1), "{name}");
    }
}

fn exchange(world: &World, key: &str) {
    world.write("certs/z@x.asc", &fixture(&format!("keys/{key}")));
}

#[test]
fn a_name_of_any_octets_is_told_and_drives_no_terminal() {
    let world = enrolled(&[("alice@x.asc", "alice.asc"), ("\u{1b}[2J\n.asc", "rosa.asc")]);
    fs::write(world.path("certs").join(OsStr::from_bytes(b"\xff@x.asc")), "x").unwrap();
    let outcome = check(&world, &["--certs=certs"]);
    let table = said(&outcome);
    assert!(table.is_ascii() && table.lines().count() == 5, "{table}");
    assert!(table.contains("\n\\x1b[2J\\x0a.asc ") && table.ends_with("wrong with: 2\n"), "{table}");
    assert_eq!(outcome.status(), 1);
}

#[test]
fn programs_read_the_table_as_json() {
    let world = enrolled(&[("otto@x.asc", "old-and-new.asc"), ("z@x.asc", "expired.asc")]);
    let outcome = check(&world, &["--certs=certs", "--json"]);
    assert_eq!(said(&outcome).lines().count(), 1);
    let read: Value = serde_json::from_slice(outcome.stdout()).unwrap();
    let [z, otto] = &read["users"].as_array().unwrap()[..] else { panic!("{read}") };
    assert_eq!((&read["wrong"], &read["problem"], outcome.status()), (&1.into(), &Value::Null, 1));
    assert_eq!(z["wrong"], "expired on 2025-01-01; extend it, or give --expired=seal");
    assert_eq!((&otto["address"], &otto["file"]), (&"otto@x".into(), &"otto@x.asc".into()));
    assert_eq!((&otto["ends"], &otto["wrong"]), (&"2036-01-01".into(), &Value::Null));
    assert_eq!(otto["fingerprints"], serde_json::json!(["AF9BF16C77ECF234A9F699EBDC66AEDBF193E3E0"]));
}

#[test]
fn a_directory_in_which_nobody_can_be_is_a_problem() {
    let world = enrolled(&[("alice@x.asc", "alice.asc")]);
    fs::create_dir(world.path("empty")).unwrap();
    let attacks: [(&str, &str, &str); 3] = [
        ("empty", "--certs=empty", "empty: holds no certificate; put one there for each user\n"),
        ("not there", "--certs=missing", "missing: no such directory\n"),
        ("writable by a group", "--certs=certs", "is writable by others; chmod go-w\n"),
    ];
    mode(&world, "certs", 0o775);
    for (name, argument, words) in attacks {
        let outcome = check(&world, &[argument]);
        assert!(said(&outcome).starts_with("problem: ") && said(&outcome).ends_with(words), "{name}");
        assert_eq!(outcome.status(), 1, "{name}");
        let outcome = check(&world, &[argument, "--json"]);
        let read: Value = serde_json::from_slice(outcome.stdout()).unwrap();
        assert!(read["problem"].is_string() && outcome.status() == 1, "{name}: {read}");
    }
}

#[test]
fn a_recipient_is_one_user_and_the_hosts_variables_are_not_asked_for_all() {
    let world = enrolled(&[("alice@x.asc", "alice.asc"), ("z@x.asc", "expired.asc")]);
    let one = check(&world, &["--certs=certs", "--recipient=alice@x"]);
    assert!(said(&one).contains("seals with SEIPDv1") && one.status() == 0, "{}", said(&one));
    let all = world.program("encrypt-to-self").env("RECIPIENT", "../x").args(["--check", "--certs=certs"]);
    assert!(said(&all.run()).ends_with("users: 2; something is wrong with: 1\n"));
    for arguments in [
        &["--json"][..],
        &["--certs=certs", "--recipient=alice@x", "--json"],
        &["--certs=certs", "--cert=x", "--json"],
    ] {
        assert_eq!(check(&world, arguments).status(), 75, "{arguments:?}");
    }
    assert_eq!(world.program("encrypt-to-self").args(["--certs=certs", "--json"]).run().status(), 75);
}
