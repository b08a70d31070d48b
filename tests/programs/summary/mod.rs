//! `tls-audit --summary`: what is counted, what is named, where a report goes.

mod browser;
mod terminal;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};

use crate::world::{Outcome, World};

/// A hop from `domain` to our host in November 2026, with `tls` before its `by`.
fn received(domain: &str, protocol: &str, tls: &str) -> String {
    format!(
        "Received: from x (mail.{domain} [192.0.2.7])\n{tls}\tby mx.ours.example (Postfix) with {protocol} id 1;\n\
         \tTue, 3 Nov 2026 10:00:00 +0000\n"
    )
}

/// A message in the clear from `domain`.
fn in_clear(domain: &str) -> String {
    format!("Return-Path: <bob@{domain}>\n{}{LETTER}", received(domain, "ESMTP", ""))
}

/// A message under TLS.
fn in_tls() -> String {
    let tls = "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n";
    received("tls.example", "ESMTPS", tls) + LETTER
}

const LETTER: &str =
    "From: bob@sender.example\nDate: Mon, 1 Jan 2001 10:00:00 +0000\nSubject: Lunch\n\nAt noon?\n";
const SEALED: &str = "From: bob@sender.example\nContent-Type: multipart/encrypted; boundary=x\n\n--x\n";

/// A home with a Maildir that has a folder, an mbox, and a message.
fn mailboxes() -> World {
    let world = World::unprivileged();
    fill(&world);
    world
}

fn fill(world: &World) {
    for directory in ["Maildir/tmp", "Maildir/new", "Maildir/cur", "Maildir/.Old/new", "Maildir/.Old/tmp"] {
        world.write(&format!("{directory}/.keep"), b"");
    }
    world.write("Maildir/cur/1.a:2,S", in_tls().as_bytes());
    world.write("Maildir/cur/2.a:2,", in_clear("Clear.Example").as_bytes());
    world.write("Maildir/new/3.a", in_clear("clear.example").as_bytes());
    world.write("Maildir/.Old/cur/4.a:2,", SEALED.as_bytes());
    let frame = "From bob@clear.example  Tue Nov  3 10:00:00 2026\n";
    let mbox = format!("{frame}{}\n{frame}{}", in_clear("other.example"), in_tls());
    world.write("mbox", mbox.as_bytes());
    world.write("message.eml", LETTER.as_bytes());
}

fn summary(world: &World, arguments: &[&str]) -> Outcome {
    world.program("tls-audit").args(arguments).run()
}

fn figures(outcome: Outcome) -> Value {
    serde_json::from_slice(&outcome.succeeds()).expect("JSON")
}

#[test]
fn maildirs_with_folders_mboxes_and_messages_are_counted_together() {
    let world = mailboxes();
    let value = figures(summary(&world, &["--summary", "--json", "Maildir", "mbox", "message.eml"]));
    let none = json!({"tls": 0, "plain": 0, "local": 0, "unknown": 1, "not_visible": 1});
    assert_eq!(value["messages"], 7);
    assert_eq!(value["mailboxes"], 3);
    assert_eq!(value["verdicts"], json!({"tls": 2, "plain": 3, "local": 0, "unknown": 1, "not_visible": 1}));
    assert_eq!(value["without_trace"], 2);
    assert_eq!(value["undated"], none);
    assert_eq!(
        value["months"],
        json!([{"month": "2026-11", "tls": 2, "plain": 3, "local": 0, "unknown": 0, "not_visible": 0}])
    );
    assert_eq!(value["versions"]["TLSv1.3"], 2);
    assert_eq!(
        value["domains"],
        json!([
            {"domain": "clear.example", "plain": 2, "last": "2026-11-03", "host": "mail.clear.example [192.0.2.7]"},
            {"domain": "other.example", "plain": 1, "last": "2026-11-03", "host": "mail.other.example [192.0.2.7]"}
        ])
    );
    assert_eq!(value["unread"], json!({"count": 0, "named": []}));
}

#[test]
fn options_stand_before_or_behind_the_mailboxes() {
    let world = mailboxes();
    let expected = figures(summary(&world, &["--json", "--summary", "Maildir", "mbox"]));
    for arguments in [
        &["--summary", "Maildir", "mbox", "--json"][..],
        &["--summary", "--json", "Maildir", "mbox"],
        &["--summary", "Maildir", "--json", "mbox"],
        &["--summary", "Maildir", "mbox", "--json", "--ours", "mx.ours.example"],
    ] {
        assert_eq!(figures(summary(&world, arguments)), expected, "{arguments:?}");
    }
}

#[test]
fn a_relay_of_ours_is_looked_through() {
    let world = World::new();
    let relayed = received("relay.example", "ESMTP", "").replace("192.0.2.7", "198.51.100.9") + &in_tls();
    world.write(
        "message",
        relayed
            .replace("mx.ours.example (Postfix) with ESMTPS", "relay.example (Postfix) with ESMTPS")
            .as_bytes(),
    );
    let verdict = |arguments: &[&str]| {
        let value = figures(summary(&world, &[&["--summary", "message", "--json"], arguments].concat()));
        [value["verdicts"]["tls"].clone(), value["verdicts"]["plain"].clone()]
    };
    assert_eq!(verdict(&[]), [json!(0), json!(1)]);
    assert_eq!(verdict(&["--ours", "relay.example", "--ours", "198.51.100.9"]), [json!(1), json!(0)]);
}

#[test]
fn what_is_not_read_is_named_and_the_rest_is_counted() {
    let world = mailboxes();
    let locked = world.write("Maildir/cur/5.a:2,", in_tls().as_bytes());
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    symlink("/etc/passwd", world.path("Maildir/cur/6.a:2,")).unwrap();
    world.write("plain/notes.txt", b"no mail");
    world.write("picture", b"\x89PNG\r\n\x1a\n");
    let paths = ["--summary", "gone", "plain", "picture", "/dev/null", "Maildir", "mbox", "--json"];
    let outcome = summary(&world, &paths);
    assert_eq!(outcome.status(), 66);
    let value: Value = serde_json::from_slice(outcome.stdout()).expect("JSON");
    assert_eq!((&value["messages"], &value["unread"]["count"]), (&json!(6), &json!(6)));
    let said = outcome.stderr();
    let mut lines: Vec<&str> = said.lines().collect();
    for (path, why) in [
        ("gone", "no such file or directory"),
        ("plain", "is no mailbox"),
        ("picture", "is no mailbox and no message"),
        ("/dev/null", "is no regular file"),
        ("Maildir/cur/5.a:2,", "permission denied"),
        ("Maildir/cur/6.a:2,", "is no regular file"),
    ] {
        let at = lines.iter().position(|line| line.starts_with(&format!("tls-audit: {path}: ")));
        let line = lines.remove(at.unwrap_or_else(|| panic!("{path} is not named: {said}")));
        assert!(line.contains(why), "{line}");
        let named = value["unread"]["named"].as_array().unwrap();
        assert!(named.iter().any(|name| line.ends_with(name.as_str().unwrap())), "{line}");
    }
    assert_eq!(lines, [""; 0]);
}

#[test]
fn a_usage_error_counts_nothing() {
    let world = mailboxes();
    for (arguments, words) in [
        (&["--summary"][..], "--summary: name a mailbox"),
        (&["--json", "Maildir"], "--summary"),
        (&["--html", "page.html", "Maildir"], "--summary"),
        (&["--summary", "Maildir", "--warn"], "--warn"),
        (&["--summary", "Maildir", "--require", "tls"], "--require"),
        (&["--summary", "Maildir", "--print"], "--print"),
        (&["--summary", "Maildir", "--ours", "a/b"], "is no host"),
    ] {
        let outcome = summary(&world, arguments);
        assert_eq!(outcome.status(), 75, "{arguments:?}");
        assert!(outcome.stderr().contains(words), "{arguments:?}: {}", outcome.stderr());
        assert_eq!(outcome.stdout(), b"", "{arguments:?}");
    }
    assert!(!world.path("page.html").exists());
}

#[test]
fn a_page_is_written_whole_and_the_rest_is_silence() {
    let world = mailboxes();
    world.write("page.html", b"old");
    let outcome = summary(&world, &["--summary", "Maildir", "--html", "page.html"]);
    assert_eq!(outcome.succeeds(), b"");
    let page = fs::read_to_string(world.path("page.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "{page}");
    assert_eq!(
        figures(summary(&world, &["--summary", "mbox", "--html", "page.html", "--json"]))["messages"],
        2
    );
    assert_ne!(fs::read_to_string(world.path("page.html")).unwrap(), page);
}

#[test]
fn a_page_that_cannot_be_written_leaves_the_old_one() {
    let world = mailboxes();
    let page = world.write("pages/page.html", b"old");
    let directory = page.parent().unwrap();
    fs::set_permissions(directory, fs::Permissions::from_mode(0o555)).unwrap();
    for (path, words) in [
        ("pages/page.html", "permission denied"),
        ("missing/page.html", "no such file or directory"),
        ("Maildir", "is no regular file"),
    ] {
        summary(&world, &["--summary", "mbox", "--html", path]).fails(73, words);
    }
    assert_eq!(fs::read(&page).unwrap(), b"old");
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn each_of_ten_thousand_messages_is_counted_once() {
    let world = World::new();
    world.write("Maildir/new/.keep", b"");
    world.write("Maildir/tmp/.keep", b"");
    for number in 0..10_000 {
        let message = if number % 4 == 0 { in_clear("clear.example") } else { in_tls() };
        world.write(&format!("Maildir/cur/{number}.a:2,"), message.as_bytes());
    }
    let value = figures(summary(&world, &["--summary", "Maildir", "--json"]));
    assert_eq!(
        value["verdicts"],
        json!({"tls": 7500, "plain": 2500, "local": 0, "unknown": 0, "not_visible": 0})
    );
    assert_eq!(value["domains"][0]["plain"], 2500);
    assert_eq!(value["gone"], 0);
}

#[test]
fn hostile_header_sections_are_read_and_shown_harmless() {
    let world = World::new();
    world.write("Maildir/new/.keep", b"");
    world.write("Maildir/tmp/.keep", b"");
    let long = "x".repeat(1 << 20);
    let plain = received("a.example", "ESMTP", "");
    for (number, header) in [
        format!("Return-Path: <a@{long}.example>\n{plain}From: a@{long}.example\n"),
        format!("Return-Path: <a@\u{202e}elpmaxe.a>\n{plain}"),
        format!("Return-Path: <a@<script>alert(1)</script>>\n{plain}From: <script>@<b>.example\n"),
        plain.replace("from x", "from <script>alert(1)</script>"),
        plain.replace("mail.a.example", "<img/src=x>\x1b[2J"),
        plain.replace("3 Nov 2026", "31 Dec 9999"),
        plain.replace("3 Nov 2026", "99 Foo -1"),
        format!("X-Long: {long}\n{plain}"),
        "X-Tiny: 1\n".repeat(10_000) + &plain,
        format!("Received: from {} by mx.ours.example\n", "(".repeat(1 << 20)),
        "\0\n".to_owned(),
        String::new(),
    ]
    .iter()
    .enumerate()
    {
        world.write(&format!("Maildir/cur/{number}.a:2,"), format!("{header}\nbody\n").as_bytes());
    }
    world.write("Maildir/cur/<script>\x1b[2J\u{202e}.a:2,", &[0; 1 << 16]);
    let text = String::from_utf8(summary(&world, &["--summary", "Maildir"]).succeeds()).unwrap();
    assert!(text.starts_with("13 messages in 1 mailbox, 2026-11 to 2026-11\n"), "{text}");
    assert!(!text.contains(['\x1b', '\u{202e}', '\0']), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    summary(&world, &["--summary", "Maildir", "--html", "page.html"]).succeeds();
    let page = fs::read_to_string(world.path("page.html")).unwrap();
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\x1b'), "{page}");
    assert!(page.len() < 100_000);
    let value = figures(summary(&world, &["--summary", "Maildir", "--json"]));
    assert_eq!(value["messages"], 13);
}

#[test]
fn a_flood_of_made_up_domains_is_counted_within_a_bound_and_said() {
    let world = World::new();
    let frame = "From x  Tue Nov  3 10:00:00 2026\n";
    let mut mbox = String::new();
    for number in 0..30_000 {
        mbox += &format!("{frame}{}\n", in_clear(&format!("{number}.example")));
        if number % 10 == 0 {
            mbox += &format!("{frame}{}\n", in_clear("real.example"));
        }
    }
    world.write("mbox", mbox.as_bytes());
    let value = figures(summary(&world, &["--summary", "mbox", "--json"]));
    assert_eq!((&value["messages"], &value["domains_exact"]), (&json!(33_000), &json!(false)));
    assert_eq!(
        (&value["domains"][0]["domain"], &value["domains"][0]["plain"]),
        (&json!("real.example"), &json!(3000))
    );
    let text = String::from_utf8(summary(&world, &["--summary", "mbox"]).succeeds()).unwrap();
    assert!(text.contains("the counts are lower bounds"), "{text}");
}
