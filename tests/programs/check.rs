//! `encrypt-to-self --check`: of all users of a directory, and of one and his `.forward`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

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
    let attacks: [(&str, Attack, &str); 8] = [
        (
            "somebody else's file",
            |w| chown(w.path("certs/z@x.asc"), Some(12_345), None).expect("run the tests as root"),
            "belongs to user 12345",
        ),
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
fn where_no_other_thread_can_be_had_one_does_it_all() {
    let world = World::unprivileged();
    for name in ["alice@x.asc", "bob@x.asc"] {
        world.write(&format!("certs/{name}"), &fixture("keys/alice.asc"));
    }
    let program = world.where_is("encrypt-to-self");
    let script = format!("ulimit -u 1; exec {} --check --certs=certs", program.display());
    let outcome = world.command("/bin/bash").args(["-c", &script]).run();
    assert!(said(&outcome).ends_with("users: 2; something is wrong with: 0\n"), "{}", said(&outcome));
    assert_eq!(outcome.status(), 0);
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

/// A world whose owner has a certificate, and this in its `.forward`, where `PROGRAMS` stands for their place.
fn forwarding(forward: Option<&str>) -> World {
    let world = World::unprivileged();
    world.write(".config/selfseal/cert.asc", &fixture("keys/alice.asc"));
    if let Some(text) = forward {
        let text = text.replace("PROGRAMS", world.where_is("").to_str().unwrap().trim_end_matches('/'));
        world.write(".forward", text.as_bytes());
    }
    world
}

const SEALS: &str = "\"|PROGRAMS/encrypt-to-self deliver\"\n";

#[test]
fn the_check_ends_with_the_line_for_the_forward() {
    let world = forwarding(None);
    let program = world.where_is("encrypt-to-self");
    let place = world.path(".forward");
    let line = |rest: &str| format!("the line for {}: \"|{}{rest}\"\n", place.display(), program.display());
    let outcome = check(&world, &[]);
    assert!(said(&outcome).ends_with(&line(" deliver")), "{}", said(&outcome));
    assert_eq!(outcome.status(), 0);

    let certificate = world.write("named.asc", &fixture("keys/rosa.asc"));
    let options = ["--cert=named.asc", "--headers=keep", "--keep-field=X-Id", "--compress", "--expired=seal"];
    let named = check(&world, &options);
    let words = format!(
        " --cert={} --keep-field=X-Id --expired=seal --headers=keep --compress deliver",
        certificate.display()
    );
    assert!(said(&named).ends_with(&line(&words)), "{}", said(&named));

    world.write("my certs/a.asc", &fixture("keys/alice.asc"));
    let blank = check(&world, &["--cert=my certs/a.asc"]);
    assert!(
        said(&blank).contains("/my certs/a.asc: needs a shell for a blank; write letters"),
        "{}",
        said(&blank)
    );
    assert_eq!(blank.status(), 1);

    world.write("certs/alice@x.asc", &fixture("keys/alice.asc"));
    let of_many = check(&world, &["--certs=certs", "--recipient=alice@x"]);
    assert!(said(&of_many).ends_with("subkeys used: 1\n"), "{}", said(&of_many));
}

/// What Postfix does with that line is in `hosts`.
#[test]
fn the_line_that_the_check_prints_seals() {
    let world = forwarding(None);
    let outcome = check(&world, &[]);
    let (_, command) = said(&outcome).rsplit_once(": \"|").unwrap();
    let mut words = command.trim_end_matches("\"\n").split(' ');
    let run = world.command(words.next().unwrap()).args(words).input(b"Subject: x\n\nhello\n");
    run.run().succeeds();
    let stored = world.delivered("Maildir");
    assert!(stored.starts_with(b"Subject: [...]\n") && !stored.ends_with(b"hello\n"));
}

#[test]
fn a_link_to_the_program_is_named_as_it_was_called() {
    let world = forwarding(None);
    fs::create_dir(world.path("bin")).unwrap();
    let link = world.path("bin/encrypt-to-self");
    symlink(world.where_is("encrypt-to-self"), &link).unwrap();
    let expected = format!("\"|{} deliver\"\n", link.display());
    let called = world.command(&link).arg("--check").run();
    assert!(said(&called).ends_with(&expected), "{}", said(&called));
    let found = world.command("/bin/sh").args(["-c", "encrypt-to-self --check"]);
    let found = found.env("PATH", world.path("bin")).run();
    assert!(said(&found).ends_with(&expected), "{}", said(&found));
}

#[test]
fn a_forward_that_seals_is_told_so() {
    for forward in [
        SEALS,
        "# mine\n|\"PROGRAMS/encrypt-to-self --headers=keep deliver /home/alice/Mail/\"\n",
        "\"|PROGRAMS/tls-audit encrypt-to-self deliver\"\n",
        "\"|PROGRAMS/encrypt-to-self deliver\", \"|/usr/bin/vacation alice\"\n",
    ] {
        let world = forwarding(Some(forward));
        let outcome = check(&world, &[]);
        let last = said(&outcome).lines().last().unwrap();
        let expected = format!("{} has the line that seals: \"|/", world.path(".forward").display());
        assert!(last.starts_with(&expected) && last.contains("encrypt-to-self "), "{forward}: {last}");
        assert_eq!(outcome.status(), 0, "{forward}: {}", said(&outcome));
    }
}

#[test]
fn a_forward_of_another_program_gets_the_line_and_no_blame() {
    for forward in ["\"|/usr/bin/procmail\"\n", "# Exim filter\nsave $home/Mail\n", "alice@example.net\n", ""]
    {
        let outcome = check(&forwarding(Some(forward)), &[]);
        assert!(said(&outcome).lines().last().unwrap().starts_with("the line for "), "{forward}");
        assert_eq!(outcome.status(), 0, "{forward}: {}", said(&outcome));
    }
}

#[test]
fn what_a_mail_host_would_not_obey_is_a_warning() {
    type Attack = fn(&World);
    let nothing: Attack = |_| {};
    let attacks: [(&str, &str, Attack, &str); 18] = [
        (
            "nothing that stores",
            "\"|PROGRAMS/encrypt-to-self --cert /home/alice/a.asc\"\n",
            nothing,
            ".forward: has an option that is none, or no program that stores; use the line below",
        ),
        (
            "the check itself",
            "\"|PROGRAMS/tls-audit encrypt-to-self --check\"\n",
            nothing,
            ".forward: has an option that is none, or no program that stores",
        ),
        (
            "a mistaken option",
            "\"|PROGRAMS/encrypt-to-self --header=keep deliver\"\n",
            nothing,
            ".forward: has an option that is none, or no program that stores",
        ),
        (
            "a group's file",
            SEALS,
            |w| mode(w, ".forward", 0o664),
            ".forward: is writable by others; chmod go-w",
        ),
        ("everybody's file", SEALS, |w| mode(w, ".forward", 0o646), ".forward: is writable by others"),
        ("a file that may not be read", SEALS, |w| mode(w, ".forward", 0), ".forward: may not be read"),
        ("a link", SEALS, link, ".forward: is a symbolic link, which hosts pass over"),
        ("a directory", SEALS, |w| instead(w, |path| fs::create_dir(path)), ".forward: is no regular file"),
        (
            "somebody else's file",
            SEALS,
            |w| chown(w.path(".forward"), Some(12_345), None).expect("run the tests as root"),
            ".forward: belongs to user 12345; it has to belong to you",
        ),
        (
            "somebody else's home",
            SEALS,
            |w| chown(w.home(), Some(12_345), None).expect("run the tests as root"),
            ": belongs to user 12345; it has to belong to root or to you",
        ),
        ("a group's home", SEALS, |w| mode(w, "", 0o775), ": is writable by others; chmod go-w"),
        (
            "a shell",
            "\"|~/bin/encrypt-to-self deliver\"\n",
            nothing,
            ".forward: needs a shell for ~; write letters, digits and !@%-_=+:,./ only",
        ),
        (
            "a bare name",
            "\"|encrypt-to-self deliver\"\n",
            nothing,
            ".forward: begins with no absolute path; hosts look elsewhere",
        ),
        (
            "a missing program",
            "\"|/nonexistent/encrypt-to-self deliver\"\n",
            nothing,
            "/nonexistent/encrypt-to-self: no program that the mail host could start for you",
        ),
        ("no run bit", SEALS, |w| beside(w, 0o644, 0o755), "encrypt-to-self: no program that the mail host"),
        (
            "a shut directory",
            SEALS,
            |w| beside(w, 0o755, 0o600),
            "encrypt-to-self: no program that the mail host",
        ),
        (
            "a mailbox",
            "\"|PROGRAMS/encrypt-to-self deliver\"\n/home/alice/mbox\n",
            nothing,
            ".forward: stores readable mail in /home/alice/mbox; remove that",
        ),
        (
            "an address",
            "\\alice, \"|PROGRAMS/encrypt-to-self deliver\"\n",
            nothing,
            ".forward: sends readable mail to \\\\alice too; remove that",
        ),
    ];
    for (name, forward, attack, words) in attacks {
        let world = forwarding(Some(forward));
        attack(&world);
        let outcome = check(&world, &[]);
        assert_eq!(said(&outcome).matches(words).count(), 1, "{name}: {}", said(&outcome));
        assert_eq!(outcome.status(), 1, "{name}");
        // A line that is good in itself stays, whatever else is wrong.
        let is_good = ["writable", "belongs", "readable mail"].iter().any(|word| words.contains(word));
        let end = if is_good { " has the line that seals: " } else { "the line for " };
        assert!(said(&outcome).lines().last().unwrap().contains(end), "{name}: {}", said(&outcome));
    }
}

fn link(world: &World) {
    fs::rename(world.path(".forward"), world.path("forward")).unwrap();
    symlink("forward", world.path(".forward")).unwrap();
}

fn instead(world: &World, make: fn(&std::path::Path) -> std::io::Result<()>) {
    let path = world.path(".forward");
    fs::remove_file(&path).and_then(|()| make(&path)).unwrap();
}

/// Lets the `.forward` name a program with this mode in a directory with that one.
fn beside(world: &World, program: u32, directory: u32) {
    world.write("bin/encrypt-to-self", b"");
    mode(world, "bin/encrypt-to-self", program);
    mode(world, "bin", directory);
    let line = format!("\"|{}/encrypt-to-self deliver\"\n", world.path("bin").display());
    world.write(".forward", line.as_bytes());
}

#[test]
fn a_program_that_only_root_reaches_is_no_good_for_a_users_mail() {
    let world = forwarding(None);
    mode(&world, "", 0o700);
    let outcome = world.as_root(world.where_is("encrypt-to-self")).arg("--check").run();
    let words = "encrypt-to-self: no program that the mail host could start for you";
    assert!(
        said(&outcome).contains(words) && outcome.status() == 1,
        "run the tests as root: {}",
        said(&outcome)
    );
}

#[test]
fn a_program_without_deliver_beside_it_is_a_warning() {
    let world = forwarding(None);
    fs::create_dir(world.path("alone")).unwrap();
    let alone = world.path("alone/encrypt-to-self");
    fs::copy(world.where_is("encrypt-to-self"), &alone).unwrap();
    let outcome = world.command(&alone).arg("--check").run();
    let words = "/alone/deliver is missing; install selfseal's programs side by side\n";
    assert!(said(&outcome).contains(words) && outcome.status() == 1, "{}", said(&outcome));
}
