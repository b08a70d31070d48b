//! Where `encrypt-to-self` takes certificates from, and the attacks on those places.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::world::gpg::Gpg;
use crate::world::opened::opened;
use crate::world::{Run, World, fixture, manual};

const READABLE: &[u8] = b"From: bob@example.net\nTo: alice@example.org\nSubject: the plan\n\nhello\n";

/// A world with these fixtures below its home.
fn world(files: &[(&str, &str)]) -> World {
    let world = World::new();
    for (path, key) in files {
        world.write(path, &fixture(&format!("keys/{key}")));
    }
    world
}

fn sealing(world: &World, arguments: &[&str]) -> Run {
    world.program("encrypt-to-self").args(arguments).input(READABLE)
}

/// Whose secret key opens it, of all those that `names` are.
#[track_caller]
fn opens_with(sealed: &[u8], names: &[&str]) {
    let payload = Gpg::with_keys(names).decrypt(manual::armor(sealed));
    assert_eq!(manual::original(&payload), READABLE);
}

#[test]
fn the_first_place_that_has_a_certificate_is_the_one() {
    let places = [
        ("certs/alice@example.org.asc", "alice.asc"),
        (".config/selfseal/cert.asc", "rosa.asc"),
        (".pgpkey", "rsa4096.asc"),
        ("named.asc", "expires-2036.asc"),
    ];
    let in_certs = ["--certs=certs", "--recipient=alice@example.org"];
    let named = ["--cert=named.asc", in_certs[0], in_certs[1]];
    for (skipped, arguments, reader) in [
        (0, &named[..], "expires-2036"),
        (0, &in_certs, "alice"),
        (1, &in_certs, "rosa"),
        (2, &in_certs, "rsa4096"),
    ] {
        let world = world(&places[skipped..]);
        fs::create_dir_all(world.path("certs")).unwrap();
        opens_with(&sealing(&world, arguments).run().succeeds(), &[reader]);
    }
}

#[test]
fn xdg_config_home_is_followed_only_when_it_is_absolute() {
    let world =
        world(&[("elsewhere/selfseal/cert.asc", "rosa.asc"), (".config/selfseal/cert.asc", "alice.asc")]);
    let absolute = sealing(&world, &[]).env("XDG_CONFIG_HOME", world.path("elsewhere"));
    opens_with(&absolute.run().succeeds(), &["rosa"]);
    opens_with(&sealing(&world, &[]).env("XDG_CONFIG_HOME", "elsewhere").run().succeeds(), &["alice"]);
}

#[test]
fn a_named_certificate_that_is_not_there_never_leads_to_another_reader() {
    let world = World::with_alice();
    sealing(&world, &["--cert=missing.asc"]).run().defers("no certificate: looked in missing.asc");
}

#[test]
fn the_recipient_comes_from_the_host() {
    let world = world(&[("certs/first_last@example.org.asc", "alice.asc")]);
    let run = |environment: &[(&str, &str)], message: &[u8]| {
        let program = world.program("encrypt-to-self").args(["--certs=certs"]).input(message);
        environment.iter().fold(program, |run, (name, value)| run.env(name, value)).run()
    };
    let told = [("RECIPIENT", "first_last@example.org"), ("ORIGINAL_RECIPIENT", "rosa@example.org")];
    let confirmed = [b"Delivered-To: first_last@example.org\n", READABLE].concat();
    assert_eq!(run(&told, &confirmed).status(), 0);
    let disfigured = [b"Delivered-To: first&last@example.org\n", READABLE].concat();
    run(&told, &disfigured).defers("has a _, which may stand for another character");
    run(&[], READABLE).defers("--certs: the recipient is not known; give --recipient=ADDRESS");
    run(&[("RECIPIENT", "../../etc/passwd")], READABLE).defers("is no mail address");
}

#[test]
fn no_spelling_of_an_address_makes_its_owner_a_stranger() {
    let world = world(&[("certs/alice@example.org.asc", "alice.asc")]);
    let gpg = Gpg::with_keys(&["alice"]);
    for recipient in
        ["alice@example.org", "ALICE@EXAMPLE.ORG", "Alice+news@example.org", "alice+@Example.org"]
    {
        let recipient = format!("--recipient={recipient}");
        let sealed = sealing(&world, &["--certs=certs", &recipient, "--no-cert=pass"]).run().succeeds();
        assert_eq!(manual::original(&gpg.decrypt(manual::armor(&sealed))), READABLE, "{recipient}");
    }
    let stranger = sealing(&world, &["--certs=certs", "--recipient=bob@example.org", "--no-cert=pass"]);
    assert_eq!(stranger.run().succeeds(), READABLE);
}

/// In lower case the sign for kelvin is a k.
#[test]
fn the_certificate_of_a_k_is_not_that_of_a_kelvin() {
    let world = world(&[("certs/karl@example.org.asc", "alice.asc")]);
    let recipient = "--recipient=\u{212a}arl@example.org";
    let run = sealing(&world, &["--certs=certs", recipient, "--no-cert=pass"]).run();
    run.defers("cannot be part of a file name; give --cert FILE");
}

#[test]
fn an_address_with_a_path_in_it_defers_even_where_strangers_pass() {
    let world = world(&[("certs/alice@example.org.asc", "alice.asc"), ("secret/x@y.asc", "rosa.asc")]);
    for recipient in ["\"../secret/x\"@y", "/etc/x@y", "\".hidden\"@y", "x@[../y]"] {
        let recipient = format!("--recipient={recipient}");
        let run = sealing(&world, &["--certs=certs", &recipient, "--no-cert=pass"]).run();
        run.defers("cannot be part of a file name; give --cert FILE");
    }
    for recipient in ["../secret/x@y", ".hidden@y", "x@..", "x y@z"] {
        let recipient = format!("--recipient={recipient}");
        sealing(&world, &["--certs=certs", &recipient, "--no-cert=pass"]).run().defers("is no mail address");
    }
}

#[test]
fn a_place_that_others_could_change_defers_even_where_strangers_pass() {
    type Attack = fn(&World);
    let attacks: [(&str, Attack, &str); 5] = [
        (
            "a world-writable file",
            |w| mode(w, "certs/a@x.asc", 0o666),
            "a@x.asc: is writable by others; chmod go-w",
        ),
        (
            "a world-writable directory",
            |w| mode(w, "certs", 0o777),
            "certs: is writable by others; chmod go-w",
        ),
        ("a world-writable directory above", |w| mode(w, "", 0o777), ": is writable by others; chmod go-w"),
        (
            "a symbolic link",
            |w| instead(w, |path| symlink("../rosa.asc", path).unwrap()),
            "is a symbolic link",
        ),
        ("a FIFO", |w| instead(w, make_fifo), "is no regular file"),
    ];
    for (name, attack, words) in attacks {
        let world = world(&[("certs/a@x.asc", "alice.asc"), ("rosa.asc", "rosa.asc")]);
        attack(&world);
        let run = sealing(&world, &["--certs=certs", "--recipient=a@x", "--no-cert=pass"]).run();
        assert!(run.stderr().contains(words), "{name}: {}", run.stderr());
        run.defers(words);
    }
}

fn mode(world: &World, name: &str, mode: u32) {
    fs::set_permissions(world.path(name), PermissionsExt::from_mode(mode)).unwrap();
}

fn instead(world: &World, make: fn(&std::path::Path)) {
    let path = world.path("certs/a@x.asc");
    fs::remove_file(&path).unwrap();
    make(&path);
}

fn make_fifo(path: &std::path::Path) {
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, rustix::fs::Mode::from_raw_mode(0o600), 0).unwrap();
}

#[test]
fn bounds_defer_and_name_themselves() {
    let world = World::new();
    for (name, bytes, words) in [
        ("large", vec![b'x'; (1 << 20) + 1], "is longer than 1 MiB"),
        ("nine", fixture("keys/alice.asc").repeat(9), "holds more than 8 certificates"),
        ("subkeys", fixture("keys/subkeys-17.asc"), "17 subkeys for encryption are more than 16"),
        ("empty", Vec::new(), "holds no OpenPGP certificate"),
        ("cut", fixture("keys/rsa4096.gpg")[..1000].to_vec(), "is damaged"),
    ] {
        let path = world.write(name, &bytes);
        sealing(&world, &["--cert", path.to_str().unwrap()]).run().defers(words);
    }
}

#[test]
fn what_is_revoked_or_weak_is_never_sealed_to() {
    for (key, words) in [
        ("revoked.asc", "is revoked"),
        ("subkey-revoked.asc", "(revoked)"),
        ("rsa1024-subkey.asc", "RSA of 1024 bits"),
        ("elgamal.asc", "ElGamal"),
    ] {
        let world = world(&[(".pgpkey", key)]);
        sealing(&world, &["--expired=seal", "--no-cert=pass"]).run().defers(words);
    }
}

#[test]
fn expired_defers_or_seals_as_the_option_says() {
    let world = world(&[(".pgpkey", "expired.asc")]);
    sealing(&world, &[]).run().defers("expired on 2025-01-01; extend it, or give --expired=seal");
    opens_with(&sealing(&world, &["--expired=seal"]).run().succeeds(), &["expired"]);
}

#[test]
fn a_secret_key_in_the_file_seals_and_leaves_no_trace() {
    let world = world(&[(".pgpkey", "alice.key")]);
    let sealed = sealing(&world, &[]).run().succeeds();
    opens_with(&sealed, &["alice"]);
    let secret = fixture("keys/alice.key");
    let line = secret.split(|octet| *octet == b'\n').nth(4).unwrap();
    assert!(memchr::memmem::find(&sealed, line).is_none());
    let report = world.program("encrypt-to-self").args(["--check"]).run();
    assert_eq!(report.status(), 1);
    assert!(String::from_utf8_lossy(report.stdout()).contains("holds a secret key"), "{}", report.stderr());
}

#[test]
fn the_check_is_for_people_and_for_cron() {
    let world = World::unprivileged();
    world.write(".pgpkey", &fixture("keys/alice.asc"));
    let report = world.program("encrypt-to-self").args(["--check"]).run().succeeds();
    let report = String::from_utf8(report).unwrap();
    assert!(report.contains("certificate 71B787390432D933243FBA38F845F615DABE35C5 \"Alice"), "{report}");
    assert!(report.contains("\nseals with SEIPDv1, AES-256; subkeys used: 1\nthe line for "), "{report}");

    let nothing = World::new().program("encrypt-to-self").args(["--check"]).run();
    assert_eq!((nothing.status(), nothing.stderr()), (1, String::new()));
    assert!(
        nothing.stdout().starts_with(b"problem: no certificate in ~/.config/selfseal/cert.asc, ~/.pgpkey")
    );
}

/// GnuPG 2.2 reads neither SEIPDv2 nor version 6 nor ML-KEM.
#[test]
fn new_certificates_are_sealed_to_and_their_owners_open_it() {
    for (name, arguments, post_quantum) in [
        ("v4-seipd2", &[][..], false),
        ("v6", &[], false),
        ("v6-pq", &[], true),
        ("v4-pq-and-classical", &[], true),
        ("v4-pq-and-classical", &["--all-subkeys"], true),
    ] {
        let world = world(&[(".pgpkey", &format!("{name}.asc"))]);
        let sealed = sealing(&world, arguments).run().succeeds();
        assert_eq!(manual::original(&opened(manual::armor(&sealed), name)), READABLE, "{name}");
        // A PKESK of ML-KEM-768 has 1,120 octets of its own.
        assert_eq!(manual::armor(&sealed).len() > 1_500, post_quantum, "{name}");
    }
}

#[test]
fn a_post_quantum_subkey_alone_opens_it_unless_all_are_asked_for() {
    let world = world(&[(".pgpkey", "v4-pq-and-classical.asc")]);
    let recipients = |arguments: &[&str]| {
        let sealed = sealing(&world, arguments).run().succeeds();
        let said = world.program("is-encrypted").args(["--print=json"]).input(&sealed).run().succeeds();
        let said = String::from_utf8(said).unwrap();
        said.split("\"recipients\":[").nth(1).unwrap().split(']').next().unwrap().to_lowercase()
    };
    // As `gpg --show-keys --with-subkey-fingerprint` has them: Curve25519, then ML-KEM-768+X25519.
    let (classical, post_quantum) = ("45a19166a2447996", "f8c1ae4e82ce3c6786d4691ed5dc18c9b784caf5");
    let alone = recipients(&[]);
    assert!(alone.contains(post_quantum) && !alone.contains(classical), "{alone}");
    let both = recipients(&["--all-subkeys"]);
    assert!(both.contains(post_quantum) && both.contains(classical), "{both}");
}

/// The library takes in a thread of its own what is known of RSA signatures, and panics where none can be had.
#[test]
fn where_no_thread_can_be_had_mail_is_sealed_to_rsa_all_the_same() {
    let world = world(&[("rosa.asc", "rosa.asc")]);
    let program = world.where_is("encrypt-to-self");
    let without = |threads: &str| {
        let inject = format!("inject=clone3:error=EAGAIN:when={threads}");
        let traced = world.strace().args(["-f", "-o", "trace", "-e", &inject]);
        let outcome = traced.arg(&program).arg("--cert=rosa.asc").input(READABLE).run();
        assert!(fs::read_to_string(world.path("trace")).unwrap().contains("EAGAIN"), "{threads}");
        outcome
    };
    opens_with(&without("1+").succeeds(), &["rosa"]);
    // Between the two that are asked for somebody else took the last.
    without("2").defers("the mail is kept");
}
