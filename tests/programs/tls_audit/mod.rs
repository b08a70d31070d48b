//! `tls-audit`: the field on top, refusals, warnings, reports, whatever a stranger writes.

mod faults;
mod hostile;
mod properties;
mod shortage;

use crate::world::gpg::Gpg;
use crate::world::{Outcome, World, fixture, manual};

const IN_CLEAR: &str = "Received: from mx.sender.example (mx.sender.example [203.0.113.9])\n\tby mx.ours.example (Postfix) with ESMTP id 1; Mon, 1 Jun 2026 10:00:00 +0200\n";
const IN_TLS: &str = "Received: from mx.sender.example (mx.sender.example [203.0.113.9])\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n\tby mx.ours.example (Postfix) with ESMTPS id 1; Mon, 1 Jun 2026 10:00:00 +0200\n";
const LOCAL: &str =
    "Received: by mx.ours.example (Postfix, from userid 1000)\n\tid 1; Mon, 1 Jun 2026 10:00:00 +0200\n";
const SILENT: &str = "Received: from mx.sender.example (HELO x) (203.0.113.9)\n  by mx.ours.example with SMTP; 1 Jun 2026 10:00:00 -0000\n";
const LETTER: &str = "From: bob@sender.example\nSubject: Lunch\n\nAt noon?\n";

fn letter(received: &str) -> String {
    format!("{received}{LETTER}")
}

/// The field that stands on top, by what stands behind the host's name.
fn field(items: &str) -> String {
    let host = rustix::system::uname();
    format!("TLS-Audit: {}; {items}\n", host.nodename().to_string_lossy())
}

fn in_clear() -> String {
    field("border=plain; from=mx.sender.example;\n\taddress=203.0.113.9")
        .replace(";\n\t", if long_host() { ";\n\t" } else { "; " })
}

/// Whether this machine's name leaves no room for all items in one line.
fn long_host() -> bool {
    field("border=plain; from=mx.sender.example; address=203.0.113.9").len() > 79
}

fn audit(arguments: &[&str], message: &str) -> Outcome {
    World::new().program("tls-audit").args(arguments).input(message.as_bytes()).run()
}

#[test]
fn the_verdict_stands_on_top_and_nothing_else_changes() {
    let message = letter(IN_CLEAR);
    assert_eq!(text(audit(&[], &message)), in_clear() + &message);
    assert_eq!(text(audit(&["--annotate"], &message)), in_clear() + &message);
    let message = letter(LOCAL);
    assert_eq!(text(audit(&[], &message)), field("border=local") + &message);
    assert_eq!(text(audit(&[], LETTER)), field("border=unknown") + LETTER);
    let message = letter(IN_TLS);
    let whole = text(audit(&[], &message));
    let (own, rest) = whole.split_at(whole.len() - message.len());
    assert_eq!(rest, message);
    let items: Vec<&str> = own.trim_end().split(';').map(str::trim).skip(1).collect();
    assert_eq!(
        items,
        [
            "border=tls",
            "version=TLSv1.3",
            "cipher=TLS_AES_256_GCM_SHA384",
            "from=mx.sender.example",
            "address=203.0.113.9"
        ]
    );
}

fn text(outcome: Outcome) -> String {
    String::from_utf8(outcome.succeeds()).unwrap()
}

#[test]
fn the_frame_stays_first_and_the_line_ends_are_the_messages() {
    let message = format!("From bob@sender.example  Mon Jun  1 10:00:00 2026\n{}", letter(LOCAL));
    let (frame, rest) = message.split_once('\n').unwrap();
    assert_eq!(text(audit(&[], &message)), format!("{frame}\n{}{rest}", field("border=local")));
    let message = letter(LOCAL).replace('\n', "\r\n");
    assert_eq!(text(audit(&[], &message)), field("border=local").replace('\n', "\r\n") + &message);
}

#[test]
fn a_field_that_came_in_is_removed_whatever_its_spelling() {
    let forged = "TLS-Audit: mx; border=tls\ntls-audit : mx;\n\tborder=tls\n";
    let message = format!("{forged}{LOCAL}TLS-AUDIT: mx; border=tls\n{LETTER}");
    assert_eq!(text(audit(&[], &message)), field("border=local") + &letter(LOCAL));
}

#[test]
fn a_large_message_is_the_same_from_a_pipe_a_file_and_a_chain() {
    let long_header = format!("{}X-Long: {}\n", LOCAL, "x ".repeat(100_000));
    for header in [LOCAL, &long_header] {
        let message = format!("{header}{LETTER}{}", "0123456789abcde\n".repeat(30_000));
        let expected = field("border=local") + &message;
        let world = World::new();
        let file = world.write("message", message.as_bytes());
        world.write("behind", format!("first line\n{message}").as_bytes());
        let run = |script: &str| {
            let program = world.where_is("tls-audit");
            let run = world.command("/bin/sh").args(["-c", script]);
            run.env("A", program).env("M", &file).run().succeeds()
        };
        for (name, script) in [
            ("a pipe", "cat $M | $A"),
            ("a file", "$A <$M"),
            ("a file into a pipe", "$A <$M | cat"),
            ("a file into a file", "$A <$M >out; cat out"),
            ("a file behind another", "$A <$M >>out2; cat out2"),
            ("a chain from a file", "$A cat <$M"),
            ("a chain from a pipe", "cat $M | $A cat"),
            ("a file that was read in part", "{ read line; $A; } <behind"),
        ] {
            assert!(run(script) == expected.as_bytes(), "{name}");
        }
        let both = String::from_utf8(run("$A $A cat <$M")).unwrap();
        assert!(both == expected, "its own field is not doubled");
    }
}

#[test]
fn the_next_program_gets_the_whole_or_is_not_started() {
    let world = World::new();
    let size = format!("{}\n", (field("border=local") + &letter(LOCAL)).len());
    let chain = ["stat", "-Lc", "%s", "/dev/stdin"];
    let run = world.program("tls-audit").args(chain).input(letter(LOCAL).as_bytes()).run();
    assert_eq!(text(run), size);
    let touch = ["/bin/sh", "-c", "touch started"];
    world.program("tls-audit").args(touch).run().defers("empty input");
    let refused = world.program("tls-audit").args(["--require", "tls"]).args(touch);
    refused.env("SENDER", "bob@sender.example").input(letter(IN_CLEAR).as_bytes()).run().fails(77, "5.7.10 ");
    assert!(!world.path("started").exists());
}

#[test]
fn below_the_level_the_sender_is_told_what_to_do() {
    for (level, received, is_refused) in [
        ("tls", IN_CLEAR, true),
        ("tls", IN_TLS, false),
        ("tls", LOCAL, false),
        ("tls", SILENT, false),
        ("tls", "", false),
        ("tls1.2", IN_TLS, false),
        ("tls1.3", IN_TLS, false),
        (
            "tls1.3",
            &IN_TLS.replace("TLSv1.3", "TLSv1.2").replace("TLS_AES_256_GCM_SHA384", "AES256-SHA"),
            true,
        ),
        (
            "verified",
            &IN_TLS.replace("bits))", "bits))\n\t(Client CN \"x\", Issuer \"y\" (verified OK))"),
            false,
        ),
        (
            "verified",
            &IN_TLS.replace("bits))", "bits))\n\t(Client CN \"x\", Issuer \"y\" (not verified))"),
            true,
        ),
        (
            "verified",
            &IN_TLS
                .replace("bits))", "bits))\n\t(Client CN \"x (verified OK)\", Issuer \"y\" (not verified))"),
            true,
        ),
    ] {
        let world = World::new();
        let run = world.program("tls-audit").args(["--require", level]);
        let outcome = run.env("SENDER", "bob@sender.example").input(letter(received).as_bytes()).run();
        if is_refused {
            let said = outcome.stderr();
            assert!(said.len() < 500 && said.is_ascii(), "{said}");
            outcome.fails(77, "5.7.10 This mailbox accepts mail only over TLS");
        } else {
            assert!(text(outcome).ends_with(&letter(received)), "{level} {received}");
        }
    }
}

#[test]
fn strict_refuses_what_nobody_knows() {
    for received in [SILENT, ""] {
        let world = World::new();
        let run = world.program("tls-audit").args(["--require", "tls", "--strict"]);
        run.env("SENDER", "bob@sender.example").input(letter(received).as_bytes()).run().fails(77, "5.7.10 ");
    }
    let world = World::new();
    let run = world.program("tls-audit").args(["--require", "tls1.2", "--strict"]);
    let silent_on_version =
        letter(&IN_TLS.replace("\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n", ""));
    run.env("SENDER", "bob@sender.example").input(silent_on_version.as_bytes()).run().fails(77, "5.7.10 ");
}

#[test]
fn whom_nobody_can_or_should_tell_passes_with_the_verdict() {
    for (name, sender, more) in [
        ("a bounce", "", ""),
        ("no word of the sender", "unset", ""),
        ("Postfix' null sender", "MAILER-DAEMON", ""),
        ("an automatic reply", "bob@sender.example", "Auto-Submitted: auto-replied\n"),
        ("a list", "bob@sender.example", "List-Id: <x.sender.example>\n"),
    ] {
        let message = format!("{IN_CLEAR}{more}{LETTER}");
        let world = World::new();
        let run = world.program("tls-audit").args(["--require", "tls"]).input(message.as_bytes());
        let run = if sender == "unset" { run } else { run.env("SENDER", sender) };
        assert_eq!(text(run.run()), in_clear() + &message, "{name}");
    }
    let framed = format!("From bob@sender.example  Mon Jun  1 10:00:00 2026\n{}", letter(IN_CLEAR));
    audit(&["--require", "tls"], &framed).fails(77, "5.7.10 ");
    audit(&["--require", "tls", "--sender", "bob@sender.example"], &letter(IN_CLEAR)).fails(77, "5.7.10 ");
}

#[test]
fn plain_mail_warns_in_its_subject() {
    let with = |prefix: &str, received| letter(received).replace("Subject: ", &format!("Subject: {prefix}"));
    assert_eq!(text(audit(&["--warn"], &letter(IN_CLEAR))), in_clear() + &with("[no TLS] ", IN_CLEAR));
    assert_eq!(
        text(audit(&["--warn", "--prefix", "[clear] "], &letter(IN_CLEAR))),
        in_clear() + &with("[clear] ", IN_CLEAR)
    );
    assert_eq!(text(audit(&["--warn"], &letter(LOCAL))), field("border=local") + &letter(LOCAL));
    let silent = text(audit(&["--warn"], &letter(SILENT)));
    assert!(silent.ends_with(&letter(SILENT)));
    assert!(text(audit(&["--warn", "--strict"], &letter(SILENT))).ends_with(&with("[no TLS] ", SILENT)));
}

#[test]
fn a_mistyped_option_defers() {
    for (arguments, words) in [
        (&["--ours", "https://mx.example"][..], "--ours: \"https://mx.example\" is no host"),
        (&["--ours", "192.0.2.0/33"], "--ours: "),
        (&["--warn", "--prefix", ""], "--prefix: "),
        (&["--warn", "--prefix", "a\nBcc: x"], "--prefix: "),
    ] {
        audit(arguments, LETTER).defers(words);
    }
    for arguments in
        [&["--require", "tls1.1"][..], &["--prefix", "x"], &["--print", "cat"], &["--print", "--warn"]]
    {
        let run = audit(arguments, LETTER);
        assert_eq!((run.status(), run.stdout()), (75, &b""[..]), "{arguments:?}");
    }
}

#[test]
fn the_hops_are_printed_for_a_person_and_for_a_program() {
    let message = format!("{LOCAL}{IN_TLS}{IN_CLEAR}{LETTER}");
    assert_eq!(
        text(audit(&["--print"], &message)),
        "\
verdict: tls (TLSv1.3, TLS_AES_256_GCM_SHA384, 256 bits)
        state  version  from                             by               software
ours    local                                            mx.ours.example  Postfix
border  tls    TLSv1.3  mx.sender.example [203.0.113.9]  mx.ours.example  Postfix
claim   plain           mx.sender.example [203.0.113.9]  mx.ours.example  Postfix
"
    );
    let json = text(audit(&["--print=json", "--ours", "sender.example"], &message));
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&value["verdict"], &value["border"]), (&"plain".into(), &2.into()));
    let states: Vec<_> =
        value["hops"].as_array().unwrap().iter().map(|hop| hop["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["local", "tls", "plain"]);
}

/// The picture in README and on the page is what the program prints.
#[test]
fn the_picture_in_the_documentation_is_real() {
    let message = format!(
        "\
Received: from localhost (localhost [127.0.0.1])
\tby mx.example.org (Postfix) with ESMTP id 3; Mon, 1 Jun 2026 10:00:02 +0200
Received: from a.example (a.example [192.0.2.1])
\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
\tby mx.example.org (Postfix) with ESMTPS id 2; Mon, 1 Jun 2026 10:00:01 +0200
Received: from desk.example ([192.0.2.9])
\tby a.example with esmtp (Exim 4.96) id 1; Mon, 1 Jun 2026 10:00:00 +0200
{LETTER}"
    );
    let shown = text(audit(&["--print"], &message));
    let page = include_str!("../../../man/tls-audit.1");
    assert!(page.contains(&shown), "man/tls-audit.1:\n{shown}");
    let readme = include_str!("../../../README.md");
    let indented: String = shown.lines().map(|line| format!("    {line}\n")).collect();
    assert!(readme.contains(&indented), "README.md:\n{indented}");
}

#[test]
fn the_verdict_stays_outside_a_sealed_message_and_is_in_it_too() {
    for policy in ["keep", "baseline", "shy"] {
        let (world, gpg) = (World::unprivileged(), Gpg::with_keys(&["alice"]));
        world.write(".config/selfseal/cert.asc", &fixture("keys/alice.asc"));
        let message =
            format!("TLS-Audit: evil; border=tls\n{IN_CLEAR}TLS-Audit : evil; border=tls\n{LETTER}");
        let sealing = format!("--headers={policy}");
        let run = world.program("tls-audit").args(["encrypt-to-self", &sealing, "deliver"]);
        run.input(message.as_bytes()).run().succeeds();
        let sealed = world.delivered("Maildir");
        let outside = String::from_utf8(sealed.clone()).unwrap();
        assert!(outside.contains(in_clear().trim_end()), "{policy}: {outside}");
        assert_eq!(outside.matches("TLS-Audit").count(), 1, "{policy}: {outside}");
        let original = manual::original(&gpg.decrypt(manual::armor(&sealed)));
        assert_eq!(String::from_utf8(original).unwrap(), in_clear() + &letter(IN_CLEAR), "{policy}");
    }
}
