//! What `encrypt-to-self` makes of a message, opened with gpg and the rule on the manual page.

use crate::world::gpg::Gpg;
use crate::world::{World, manual};

const READABLE: &[u8] =
    b"Return-Path: <bob@example.org>\nFrom: Bob <bob@example.org>\nTo: alice@example.org\n\
    Subject: the plan\nDate: Wed, 25 Nov 2026 09:00:00 +0100\nMessage-ID: <1@example.org>\n\
    X-Mailer: vellum\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nmeet me at noon\n";

fn with_frame(message: &[u8]) -> Vec<u8> {
    [b"From bob@example.org  Wed Nov 25 09:00:00 2026\n".as_slice(), message].concat()
}

#[test]
fn readable_mail_comes_out_as_pgp_mime_that_gpg_opens() {
    let sealed = World::with_alice().program("encrypt-to-self").input(READABLE).run().succeeds();
    let text = String::from_utf8(sealed.clone()).unwrap();
    let boundary = text.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    let armor = String::from_utf8(manual::armor(&sealed).to_vec()).unwrap();
    let expected = format!(
        "Return-Path: <bob@example.org>\nFrom: Bob <bob@example.org>\nTo: alice@example.org\nSubject: [...]\n\
        Date: Wed, 25 Nov 2026 09:00:00 +0100\nMessage-ID: <1@example.org>\nMIME-Version: 1.0\n\
        Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; \n\tboundary=\"{boundary}\"\n\n\
        This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)\n--{boundary}\n\
        Content-Type: application/pgp-encrypted\nContent-Description: PGP/MIME version identification\n\n\
        Version: 1\n\n--{boundary}\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\n\
        Content-Description: OpenPGP encrypted message\n\
        Content-Disposition: inline; filename=\"encrypted.asc\"\n\n{armor}\n\n--{boundary}--\n"
    );
    assert_eq!(text, expected);

    let payload = Gpg::with_keys(&["alice"]).decrypt(manual::armor(&sealed));
    let inside = String::from_utf8(payload.clone()).unwrap();
    assert!(
        inside.starts_with("Selfseal: form=spliced; lines=lf; added=6\r\nHP-Outer: Return-Path: <bob@"),
        "{inside}"
    );
    assert_eq!(manual::original(&payload), READABLE);
}

/// GnuPG 2.2 read the armor's tail as data where neither padding nor a CRC ended the data.
#[test]
fn gpg_reads_sealed_mail_of_every_length() {
    let world = World::with_alice();
    let gpg = Gpg::with_keys(&["alice"]);
    for length in 0..6 {
        let original = [READABLE, &vec![b'x'; length]].concat();
        let sealed = world.program("encrypt-to-self").input(&original).run().succeeds();
        assert_eq!(manual::original(&gpg.decrypt(manual::armor(&sealed))), original, "{length}");
    }
}

#[test]
fn several_certificates_are_several_readers() {
    let world = World::new();
    let alice = world.write("alice.asc", &crate::world::fixture("keys/alice.asc"));
    let rosa = world.write("rosa.asc", &crate::world::fixture("keys/rosa.asc"));
    let run = world.program("encrypt-to-self").args([
        "--cert".as_ref(),
        alice.as_os_str(),
        "--cert".as_ref(),
        rosa.as_os_str(),
    ]);
    let sealed = run.input(READABLE).run().succeeds();
    for reader in ["alice", "rosa"] {
        let payload = Gpg::with_keys(&[reader]).decrypt(manual::armor(&sealed));
        assert_eq!(manual::original(&payload), READABLE, "{reader}");
    }
}

#[test]
fn the_hosts_frame_comes_off_and_is_put_back() {
    let world = World::with_alice();
    let sealed = world.program("encrypt-to-self").input(&with_frame(READABLE)).run().succeeds();
    assert!(sealed.starts_with(b"From bob@example.org  Wed Nov 25 09:00:00 2026\nReturn-Path: "));
    let payload = Gpg::with_keys(&["alice"]).decrypt(manual::armor(&sealed));
    assert_eq!(manual::original(&payload), READABLE);
}

#[test]
fn what_is_sealed_passes_unchanged_with_its_frame() {
    let world = World::with_alice();
    let sealed = world.program("encrypt-to-self").input(READABLE).run().succeeds();
    for message in [sealed.clone(), with_frame(&sealed)] {
        assert_eq!(world.program("encrypt-to-self").input(&message).run().succeeds(), message);
    }
}

#[test]
fn what_is_encrypted_needs_no_certificate() {
    let sealed = World::with_alice().program("encrypt-to-self").input(READABLE).run().succeeds();
    assert_eq!(World::new().program("encrypt-to-self").input(&sealed).run().succeeds(), sealed);
}

#[test]
fn a_crlf_message_is_sealed_with_crlf() {
    let original = String::from_utf8(READABLE.to_vec()).unwrap().replace('\n', "\r\n").into_bytes();
    let sealed = World::with_alice().program("encrypt-to-self").input(&original).run().succeeds();
    let bare = sealed.windows(2).filter(|pair| pair[1] == b'\n' && pair[0] != b'\r').count();
    assert_eq!(bare, 0);
    let payload = Gpg::with_keys(&["alice"]).decrypt(manual::armor(&sealed));
    assert_eq!(manual::original(&payload), original);
}

#[test]
fn no_word_of_a_readable_message_stands_outside() {
    let original =
        b"From: Bob <bob@example.org>\nSubject: xylophone\nThread-Topic: xylophone\nKeywords: xylophone\n\
        Comments: xylophone\nX-Foo: xylophone\nContent-Type: text/plain; name=xylophone\n\nxylophone\n";
    for options in [&[][..], &["--headers=shy"]] {
        let run = World::with_alice().program("encrypt-to-self").args(options).input(original).run();
        let sealed = String::from_utf8(run.succeeds()).unwrap();
        assert!(!sealed.contains("xylophone"), "{sealed}");
    }
    let kept =
        World::with_alice().program("encrypt-to-self").args(["--headers", "keep"]).input(original).run();
    assert_eq!(String::from_utf8(kept.succeeds()).unwrap().matches("xylophone").count(), 5);
    let one =
        World::with_alice().program("encrypt-to-self").args(["--keep-field", "x-foo"]).input(original).run();
    assert_eq!(String::from_utf8(one.succeeds()).unwrap().matches("xylophone").count(), 1);
}

#[test]
fn compressed_on_request_it_still_comes_back() {
    let original = [READABLE, "all work and no play\n".repeat(2000).as_bytes()].concat();
    let world = World::with_alice();
    let plain = world.program("encrypt-to-self").input(&original).run().succeeds();
    let small = world.program("encrypt-to-self").args(["--compress"]).input(&original).run().succeeds();
    assert!(small.len() * 4 < plain.len(), "{} of {}", small.len(), plain.len());
    let payload = Gpg::with_keys(&["alice"]).decrypt(manual::armor(&small));
    assert_eq!(manual::original(&payload), original);
}

#[test]
fn empty_input_defers() {
    let world = World::with_alice();
    world.program("encrypt-to-self").run().defers("empty input");
    world
        .program("encrypt-to-self")
        .input(b"From bob@example.org  Wed Nov 25 09:00:00 2026\n")
        .run()
        .defers("empty input");
}

#[test]
fn without_a_certificate_mail_waits_unless_the_administrator_says_otherwise() {
    let world = World::new();
    world.program("encrypt-to-self").input(READABLE).run().defers("no certificate");
    let passed = world.program("encrypt-to-self").args(["--no-cert", "pass"]).input(READABLE).run();
    assert_eq!(passed.succeeds(), READABLE);
    let refuse = || world.program("encrypt-to-self").args(["--no-cert=refuse"]).input(READABLE);
    let refused = refuse().env("SENDER", "bob@example.org").run();
    assert!(refused.stderr().starts_with("5.7.1 "), "{}", refused.stderr());
    refused.fails(77, "certificate");
    // A bounce that bounces is gone.
    refuse().env("SENDER", "").run().defers("no certificate");
    refuse().env("SENDER", "MAILER-DAEMON").run().defers("no certificate");
}

#[test]
fn without_a_certificate_whoever_cannot_be_told_waits() {
    let world = World::new();
    let status = |head: &str| {
        let message = [head.as_bytes(), b"Subject: s\n\nhi\n"].concat();
        world.program("encrypt-to-self").args(["--no-cert=refuse"]).input(&message).run().status()
    };
    assert_eq!(status("Return-Path: <bob@example.org>\n"), 77);
    assert_eq!(status("From bob@example.org  Mon Jan  1 00:00:00 2026\n"), 77);
    for head in [
        // Where nobody tells the sender, it may be a bounce.
        "",
        "Return-Path: <>\n",
        "From MAILER-DAEMON  Mon Jan  1 00:00:00 2026\n",
        "Return-Path: <bob@example.org>\nAuto-Submitted: auto-replied\n",
        "Return-Path: <list@example.org>\nList-Id: <list.example.org>\n",
    ] {
        assert_eq!(status(head), 75, "{head}");
    }
}

#[test]
fn a_broken_certificate_waits_even_where_a_missing_one_would_pass() {
    let world = World::new();
    world.write(".config/selfseal/cert.asc", b"no certificate");
    for choice in ["defer", "pass", "refuse"] {
        world.program("encrypt-to-self").args(["--no-cert", choice]).input(READABLE).run().defers("cert.asc");
    }
}

#[test]
fn a_flood_of_tiny_fields_stays_within_the_bound() {
    let flood = format!("Subject: s\n{}\nbody\n", "X:y\n".repeat(500_000));
    let folds = format!("To: a@example.org\nX: {}\n\nbody\n", "\n y".repeat(400_000));
    let list = format!("To: {}b@example.org\n\nbody\n", "a@example.org,\n ".repeat(3_000));
    let lines = format!("Subject: s\n\n{}", "\n".repeat(2_000_000));
    let signed = format!("{}\nx", "Received: y\n".repeat(999));
    for original in [flood, folds, list, lines, signed] {
        for policy in ["keep", "baseline", "shy"] {
            let run = World::with_alice()
                .program("encrypt-to-self")
                .args(["--headers", policy])
                .input(original.as_bytes())
                .run();
            let sealed = run.succeeds();
            let bound = original.len() * 3 / 2 + 256 * 1024;
            assert!(sealed.len() <= bound, "{policy}: {} of {bound} for {:?}", sealed.len(), &original[..20]);
        }
    }
}

#[test]
fn check_tells_what_would_be_used_and_until_when() {
    let world = World::unprivileged();
    world.write(".config/selfseal/cert.asc", &crate::world::fixture("keys/alice.asc"));
    let said =
        String::from_utf8(world.program("encrypt-to-self").args(["--check"]).run().succeeds()).unwrap();
    // `gpg --show-keys` says the same of this certificate.
    for words in
        ["cert.asc\n", "\"Alice <alice@example.org>\"", "ECDH", "seals with SEIPDv1, AES", "subkeys used: 1"]
    {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
}

#[test]
fn check_warns_with_status_1() {
    for (name, words) in [
        ("keys/alice.key", "warning: "),
        ("keys/expired.asc", "problem: "),
        ("keys/revoked.asc", "problem: "),
        ("no file", "problem: "),
    ] {
        let world = World::new();
        if name != "no file" {
            world.write(".config/selfseal/cert.asc", &crate::world::fixture(name));
        }
        let run = world.program("encrypt-to-self").args(["--check"]).run();
        let said = String::from_utf8(run.stdout().to_vec()).unwrap();
        assert_eq!((run.status(), run.stderr()), (1, String::new()), "{name}");
        assert!(said.contains(words), "{name}: {said}");
    }
}

#[test]
fn a_recipient_that_nobody_asks_for_is_not_looked_at() {
    let world = World::unprivileged();
    world.write(".config/selfseal/cert.asc", &crate::world::fixture("keys/alice.asc"));
    world.program("encrypt-to-self").env("RECIPIENT", "../x").args(["--check"]).run().succeeds();
    world.program("encrypt-to-self").env("RECIPIENT", "../x").input(READABLE).run().succeeds();
}
