//! `is-encrypted --require`: what the sender reads, who is never told, and the certificate in a bounce.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::world::gpg::Gpg;
use crate::world::{World, fixture};

/// Alice's fingerprint, in gpg's words.
const ALICE: &str = "71B787390432D933243FBA38F845F615DABE35C5";

const READABLE: &[u8] =
    b"Return-Path: <bob@example.net>\nFrom: bob@example.net\nTo: alice@example.org\n\nhello\n";

/// As is-encrypted(1) has it.
const OUT_OF_A_BOUNCE: &str = "tr -s ' \\r\\n' '\\n' <bounce.eml |
    sed -n '/^-----BEGIN$/,/^-----END$/p' |
    sed '1,5d;/^-----END$/,$d' | base64 -d | gpg --import";

/// A program called encrypt-to-self that hands on what it gets.
fn next_program(world: &World) -> String {
    let path = world.write("bin/encrypt-to-self", b"#!/bin/sh\nexec cat\n");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn encrypted() -> Vec<u8> {
    let armor = Gpg::with_keys(&["alice"]).encrypt(b"Content-Type: text/plain\n\nhi\n", ALICE);
    let header = b"From: bob@example.net\nContent-Type: multipart/encrypted; boundary=b;\n \
        protocol=\"application/pgp-encrypted\"\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n\
        --b\nContent-Type: application/octet-stream\n\n";
    [header, &armor[..], b"\n--b--\n"].concat()
}

#[test]
fn readable_mail_is_refused_in_one_line_for_its_sender() {
    let world = World::new();
    let arguments = ["--require", "encrypt-to-self", "deliver"];
    let refused = world.program("is-encrypted").args(arguments).input(READABLE).run();
    refused.fails(77, "5.7.1 This mailbox accepts encrypted mail only. ");
}

#[test]
fn encrypted_mail_goes_on_byte_for_byte() {
    let world = World::new();
    let next = next_program(&world);
    let framed = [b"From bob@example.net  Mon Jan  1 00:00:00 2026\n", &encrypted()[..]].concat();
    for message in [encrypted(), framed] {
        let passed = world.program("is-encrypted").args(["--require", &next]).input(&message).run();
        assert_eq!(passed.succeeds(), message);
    }
}

#[test]
fn who_cannot_be_told_is_never_refused() {
    let world = World::new();
    let next = next_program(&world);
    for (name, message) in [
        ("a null sender", "Return-Path: <>\nFrom: bob@example.net\n\nhello\n"),
        ("a host that does not say", "From: bob@example.net\n\nhello\n"),
        ("an automatic reply", "Return-Path: <bob@example.net>\nAuto-Submitted: auto-replied\n\nhello\n"),
        ("a list", "Return-Path: <list@example.net>\nList-Id: <list.example.net>\n\nhello\n"),
    ] {
        let passed = world.program("is-encrypted").args(["--require", &next]).input(message.as_bytes()).run();
        assert_eq!(
            passed.succeeds().escape_ascii().to_string(),
            message.as_bytes().escape_ascii().to_string(),
            "{name}"
        );
    }
    let bounce = world.program("is-encrypted").args(["--require", &next]).env("SENDER", "").input(READABLE);
    assert_eq!(bounce.run().succeeds(), READABLE);
    let told = world.program("is-encrypted").args(["--require", "--sender=a@x", &next]).env("SENDER", "");
    told.input(READABLE).run().fails(77, "5.7.1 ");
}

#[test]
fn mail_that_is_not_refused_cannot_be_stored_in_the_clear() {
    let world = World::new();
    for arguments in
        [&["--require", "deliver"][..], &["--require", "cat"], &["--require", "sh", "encrypt-to-self"]]
    {
        let run = world.program("is-encrypted").args(arguments).input(READABLE).run();
        run.defers("--require: COMMAND has to be encrypt-to-self");
    }
    for option in [&["--no-cert=pass"][..], &["--no-cert", "pass"]] {
        let arguments = [&["--require", "encrypt-to-self"][..], option, &["deliver"]].concat();
        let run = world.program("is-encrypted").args(arguments).input(READABLE).run();
        run.defers("--require: encrypt-to-self may not have --no-cert=pass");
    }
}

#[test]
fn a_command_without_require_and_require_without_a_command_defer() {
    let world = World::new();
    for arguments in
        [&["encrypt-to-self"][..], &["--require"], &["--offer=x", "encrypt-to-self"], &["--print", "cat"]]
    {
        let run = world.program("is-encrypted").args(arguments).input(READABLE).run();
        assert_eq!((run.status(), run.stdout()), (75, &b""[..]), "{arguments:?}: {}", run.stderr());
    }
}

#[test]
fn an_offer_that_cannot_be_made_defers_readable_mail_only() {
    let world = World::new();
    let next = next_program(&world);
    let missing = world.path("missing.asc");
    let offer = format!("--offer={}", missing.display());
    let run = |message: &[u8]| {
        world.program("is-encrypted").args(["--require", &offer, &next]).input(message).run()
    };
    run(READABLE).defers("missing.asc: no such file");
    let encrypted = encrypted();
    assert_eq!(run(&encrypted).succeeds(), encrypted);
}

/// What Postfix makes of a program's output in its bounce: line breaks become blanks, and the text is folded
/// at blanks into lines of 79 with an indent of 4.
fn folded_by_postfix(output: &str) -> String {
    let mut bounce = String::from("<alice@example.org>:");
    let mut column = bounce.len();
    for word in output.split(['\n', ' ']) {
        if column + 1 + word.len() > 79 {
            bounce.push_str("\n   ");
            column = 3;
        }
        bounce.push(' ');
        bounce.push_str(word);
        column += 1 + word.len();
    }
    bounce + "\n"
}

#[test]
fn one_command_gets_the_certificate_out_of_a_folded_bounce() {
    for (name, fingerprint) in
        [("alice.asc", ALICE), ("rosa.asc", "563719C09FF83408E7D4AAA00AAA759E7AFAFC1A")]
    {
        let world = World::new();
        world.write("offered.asc", &fixture(&format!("keys/{name}")));
        let arguments = ["--require", "--offer=offered.asc", "encrypt-to-self"];
        let refused = world.program("is-encrypted").args(arguments).input(READABLE).run();
        assert_eq!(refused.status(), 77, "{}", refused.stderr());
        // The same text stands in a bounce twice, and the sender's own certificate may come back in it.
        let folded = folded_by_postfix(&refused.stderr());
        let own = String::from_utf8(fixture("keys/expires-2036.asc")).unwrap();
        let bounce = format!("{folded}\nDiagnostic-Code: x-unix;\n    {folded}\n{own}");
        world.write("bounce.eml", bounce.as_bytes());
        let gpg = Gpg::with_keys(&[]);
        let imported = world.command("sh").args(["-c", OUT_OF_A_BOUNCE]).env("GNUPGHOME", gpg.home()).run();
        assert_eq!(imported.status(), 0, "{}", imported.stderr());
        let listed = String::from_utf8(gpg.run(&["--list-keys", "--with-colons"]).stdout).unwrap();
        assert_eq!(listed.lines().filter(|line| line.starts_with("pub:")).count(), 1, "{listed}");
        assert!(listed.contains(fingerprint), "{listed}");
        assert!(gpg.encrypt(b"hello", fingerprint).starts_with(b"-----BEGIN PGP MESSAGE-----"));
    }
}
