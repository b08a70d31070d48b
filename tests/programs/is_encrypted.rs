//! `is-encrypted` as a program: statuses, silence, reports.

use crate::world::{World, fixture};

#[test]
fn the_status_is_the_answer_and_nothing_is_said() {
    let world = World::new();
    for (file, status) in [
        ("pgp-mime_plain", 0),
        ("pgp-mime-mangled_exchange", 0),
        ("pgp-inline_plain", 0),
        ("smime_enveloped", 0),
        ("partial_footer", 1),
        ("signed_pgp-mime", 1),
        ("plain_text", 1),
    ] {
        let outcome = world.program("is-encrypted").input(&fixture(&format!("kind/{file}.eml"))).run();
        assert_eq!(
            (outcome.status(), outcome.stdout(), outcome.stderr().as_str()),
            (status, &b""[..], ""),
            "{file}"
        );
    }
}

#[test]
fn the_hosts_frame_is_no_part_of_the_message() {
    let framed =
        [b"From bob@example.org  Mon Jun  1 10:00:00 2026\n", &fixture("kind/pgp-mime_plain.eml")[..]]
            .concat();
    assert_eq!(World::new().program("is-encrypted").input(&framed).run().status(), 0);
}

#[test]
fn print_says_the_kind_and_why() {
    let world = World::new();
    for (file, status, line) in [
        ("partial_attachment", 1, "partial: text/csv attachment \"a.csv\" is readable\n"),
        (
            "pgp-mime_plain",
            0,
            "pgp-mime: application/octet-stream \"encrypted.asc\" is an encrypted OpenPGP message\n",
        ),
        ("smime_enveloped", 0, "smime: application/pkcs7-mime \"smime.p7m\" is enveloped CMS\n"),
        ("signed_cleartext", 1, "signed: text/plain is signed and readable\n"),
        ("plain_stored-message", 1, "plain: text/plain is OpenPGP, but not encrypted\n"),
    ] {
        let outcome = world
            .program("is-encrypted")
            .args(["--print"])
            .input(&fixture(&format!("kind/{file}.eml")))
            .run();
        let stdout = String::from_utf8_lossy(outcome.stdout()).into_owned();
        assert_eq!(
            (outcome.status(), stdout.as_str(), outcome.stderr().as_str()),
            (status, line, ""),
            "{file}"
        );
    }
}

#[test]
fn json_is_one_object_with_parts_and_recipients() {
    let world = World::new();
    let run = world
        .program("is-encrypted")
        .args(["--print=json"])
        .input(&fixture("kind/pgp-mime_hidden-recipient.eml"))
        .run();
    assert_eq!(run.status(), 0);
    let expected = concat!(
        r#"{"kind":"pgp-mime","encrypted":true,"reason":"OpenPgp","#,
        r#""why":"application/octet-stream \"encrypted.asc\" is an encrypted OpenPGP message","#,
        r#""parts":[{"type":"multipart/encrypted","name":null,"state":"structure","reason":"Structure"},"#,
        r#"{"type":"application/pgp-encrypted","name":null,"state":"empty","reason":"Version"},"#,
        r#"{"type":"application/octet-stream","name":"encrypted.asc","state":"encrypted","reason":"OpenPgp"}],"#,
        r#""recipients":["hidden"]}"#,
        "\n"
    );
    assert_eq!(String::from_utf8_lossy(run.stdout()), expected);
}

/// The key IDs are those that gpg lists for the fixtures' encryption subkeys.
#[test]
fn recipients_are_the_key_ids_that_gpg_shows() {
    let world = World::new();
    let home = world.path("gnupg");
    std::fs::create_dir(&home).expect("a directory");
    let message = world.write("message.asc", &fixture("kind/pgp-inline_two-messages.eml"));
    let packets = world
        .command("gpg")
        .env("GNUPGHOME", &home)
        .args(["--batch", "--list-only", "--list-packets"])
        .args([&message])
        .run();
    let listed = String::from_utf8_lossy(packets.stdout()).into_owned();
    let ids: Vec<&str> = listed
        .lines()
        .filter(|line| line.starts_with(":pubkey enc packet"))
        .filter_map(|line| line.rsplit(' ').next())
        .collect();
    assert!(!ids.is_empty(), "gpg lists no recipients (apt-get install gnupg): {listed}{}", packets.stderr());
    let json = world
        .program("is-encrypted")
        .args(["--print=json"])
        .input(&fixture("kind/pgp-inline_two-messages.eml"))
        .run();
    let json = String::from_utf8_lossy(json.stdout()).into_owned();
    for id in ids {
        assert!(json.contains(&format!("\"{id}\"")), "{id} is not in {json}");
    }
}

#[test]
fn foreign_text_in_a_report_cannot_drive_a_terminal() {
    let message = b"Content-Type: text/csv; name=\"\x1b[2J\xe2\x80\xae.csv\"\n\nhello\n";
    let world = World::new();
    for form in ["--print", "--print=json"] {
        let outcome = world.program("is-encrypted").args([form]).input(message).run();
        let shown = String::from_utf8_lossy(outcome.stdout()).into_owned();
        assert!(shown.contains("x1b[2J") && shown.contains("u{202e}"), "{shown}");
        assert!(!shown.contains(['\x1b', '\u{202e}']), "{shown:?}");
        assert_eq!(shown.lines().count(), 1, "{shown:?}");
    }
}

#[test]
fn an_empty_input_is_no_answer() {
    World::new().program("is-encrypted").run().defers("empty input");
}

#[test]
fn a_usage_error_is_no_answer() {
    for arguments in [&["--prnit"][..], &["--print=xml"], &["deliver"]] {
        let outcome = World::new().program("is-encrypted").args(arguments).input(b"To: x\n\nhi\n").run();
        assert_eq!(outcome.status(), 75, "{arguments:?}: {}", outcome.stderr());
        assert!(outcome.stdout().is_empty(), "{arguments:?}");
    }
}

/// SEIPD v1 and v2, certificates of version 4 and 6, post-quantum ones.
#[test]
fn what_encrypt_to_self_seals_is_encrypted() {
    let world = World::new();
    for name in ["alice", "rosa", "v4-seipd2", "v6", "v6-pq"] {
        let cert = world.write("cert.asc", &fixture(&format!("keys/{name}.asc")));
        let sealed = world
            .program("encrypt-to-self")
            .args(["--cert"])
            .args([cert])
            .input(b"From: bob@example.org\nTo: alice@example.org\nSubject: hello\n\nthe launch code\n")
            .run()
            .succeeds();
        let outcome = world.program("is-encrypted").args(["--print"]).input(&sealed).run();
        let line = String::from_utf8_lossy(outcome.stdout()).into_owned();
        assert!(outcome.status() == 0 && line.starts_with("pgp-mime: "), "{name}: {line}");
    }
}

/// Sealed to certificates that read SEIPD v1 and v2: one length, and the library's chunks.
fn large(world: &World, octets: usize) -> [Vec<u8>; 2] {
    let message = [&b"Subject: hello\n\n"[..], &b"the launch code\n".repeat(octets / 16)].concat();
    ["alice", "v4-seipd2"].map(|name| {
        let cert = world.write("cert.asc", &fixture(&format!("keys/{name}.asc")));
        world.program("encrypt-to-self").args(["--cert"]).args([cert]).input(&message).run().succeeds()
    })
}

/// The status of a look at `message` with so many kilobytes of memory, through a pipe and from a file.
fn within(limit: usize, world: &World, message: &[u8]) -> [i32; 2] {
    let file = world.write("message", message);
    let script = format!("ulimit -v {limit}; exec {}", world.where_is("is-encrypted").display());
    let redirected = format!("{script} <{}", file.display());
    [script, redirected].map(|script| {
        let shell = world.command("/bin/bash").args(["-c", &script]);
        shell.input(message).run().status()
    })
}

#[test]
fn a_large_sealed_message_takes_no_more_memory_than_a_smaller_one() {
    let world = World::new();
    let [smaller, _] = large(&world, 150_000);
    // From where the system's loader can just start it.
    let enough = (10_000..200_000).step_by(2_000).find(|limit| within(*limit, &world, &smaller) == [0, 0]);
    let enough = enough.expect("a limit that is enough");
    for message in large(&world, 12_000_000) {
        assert_eq!(within(enough + 2_000, &world, &message), [0, 0], "{enough}");
    }
    // What has to be kept, because a line of it is unlike the others, is more than that.
    let [mut message, _] = large(&world, 12_000_000);
    message.insert(1_000_000, b'A');
    assert_eq!(within(enough + 2_000, &world, &message), [75, 75], "{enough}");
}

#[test]
fn what_is_readable_far_behind_in_a_sealed_message_is_seen() {
    let world = World::new();
    let text = b"a sentence that is as long as a line of base64 has to be, is it?\n";
    for message in large(&world, 500_000) {
        let middle = message.len() / 2;
        let line = middle + message[middle..].iter().position(|octet| *octet == b'\n').unwrap() + 1;
        let end = message.windows(9).rposition(|nine| nine == b"-----END ").unwrap();
        let said_of_middle = "has armor with something in it that is no base64\n";
        let cut_off = [&message[..line], &message[end..]].concat();
        for (changed, said) in [
            ([&message[..line], text, &message[line..]].concat(), said_of_middle),
            ([&message[..line], text, &message[line + 65..]].concat(), said_of_middle),
            ([&message[..line], b"\n", &message[line..]].concat(), "is readable beside the armor\n"),
            ([&cut_off[..], b"a sentence\n"].concat(), "is readable behind its last part\n"),
            ([&message[..], b"a sentence\n"].concat(), "is readable behind its last part\n"),
        ] {
            let file = world.write("message", &changed);
            let program = world.program("is-encrypted").args(["--print"]);
            let piped = program.input(&changed).run();
            let script =
                format!("exec {} --print <{}", world.where_is("is-encrypted").display(), file.display());
            let from_file = world.command("/bin/bash").args(["-c", &script]).run();
            let shown = String::from_utf8_lossy(piped.stdout()).into_owned();
            assert!(shown.ends_with(said), "{shown}");
            assert_eq!((piped.status(), piped.stdout()), (1, from_file.stdout()), "{shown}");
        }
    }
}
