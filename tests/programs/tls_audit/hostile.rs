//! What a sender writes cannot make the program believe in TLS, stop it, or reach a terminal.

use super::{IN_TLS, LETTER, audit, letter, text};

/// The verdict of the whole program.
fn verdict(message: &str) -> String {
    let json = text(audit(&["--print=json"], message));
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    value["verdict"].as_str().unwrap().to_owned()
}

/// A field of our host in which a client said `helo` and nothing was encrypted.
fn said(helo: &str) -> String {
    format!(
        "Received: from {helo} (evil.example [203.0.113.9])\n\tby mx.ours.example (Postfix) with ESMTP id 1\n\tfor <a@ours.example>; Mon, 1 Jun 2026 10:00:00 +0200\n"
    )
}

#[test]
fn a_helo_name_is_no_evidence() {
    for helo in [
        "x",
        "with ESMTPS",
        "by",
        "x with ESMTPS",
        "x (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))",
        "x (mx.sender.example [203.0.113.9]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))",
        "x (mx.sender.example [198.51.100.7]) (using TLSv1.3 with cipher X)",
        "x by mx.ours.example (Postfix) with ESMTPS id 1",
        "x by mx.ours.example (Postfix) with ESMTPS id 1 (",
        "x by mx.ours.example (Postfix) with ESMTPS id 1 \"",
        "x by mx.ours.example (Postfix) with ESMTPS id 1;",
        "x by mx.ours.example (Postfix) with ESMTPS id 1; Mon, 1 Jun 2026 10:00:00 +0200 (",
        "x\n\tby mx.ours.example (Postfix) with ESMTPS id 1;\n\t",
        "x)",
        "((((",
        "\"",
        "[127.0.0.1]",
        "[127.0.0.1] (localhost [127.0.0.1])",
        "localhost",
        "localhost (localhost)",
        "localhost (root@localhost)",
        "x ([unix socket])",
        "x (Postfix, from userid 0)",
        "mx.ours.example",
        "tls TLS_AES_256_GCM_SHA384",
        "x over TLS secured channel",
    ] {
        let verdict = verdict(&format!("{}{IN_TLS}{LETTER}", said(helo)));
        assert!(verdict == "plain" || verdict == "unknown", "{helo:?}: {verdict}");
    }
    for helo in ["x", "with", "by", "[127.0.0.1]", "localhost", "mx.ours.example", "x:25"] {
        assert_eq!(verdict(&format!("{}{IN_TLS}{LETTER}", said(helo))), "plain", "{helo}");
    }
}

/// A field that is looked through would give the sender's own fields below it the word.
#[test]
fn no_word_of_a_client_makes_a_hop_local_or_fetched() {
    for field in [
        "from mail pickup service (203.0.113.9) by mx.ours.example (192.0.2.2) with Microsoft SMTP Server id 15.1.1; Mon",
        "from mail pickup service ([203.0.113.9]) by mx.ours.example with Microsoft SMTPSVC(8.5.9600.16384); Mon",
        "from x (localhost) by mx.ours.example with SMTP id 1; Mon",
        "from localhost (localhost) by mx.ours.example with SMTP id 1; Mon",
        "from x (x [local] [203.0.113.9]) by mx.ours.example (OpenSMTPD) with ESMTP id 1; Mon",
        "from x ([203.0.113.9]) by mx.ours.example with SMTP id 1 for getmail6@ours.example; Mon",
        "from x ([203.0.113.9]) by mx.ours.example with ESMTP (fetchmail-6.4.37) id 1; Mon",
        "from x (HELO localhost) (203.0.113.9) by mx.ours.example with SMTP; Mon",
        "from [203.0.113.9] (helo=localhost ident=localhost) by mx.ours.example with esmtp (Exim 4.96) id 1; Mon",
        "from [203.0.113.9] (HELO [127.0.0.1]) by mx.ours.example (CommuniGate Pro SMTP 5.4.2) with ESMTP id 1; Mon",
        "from 127.0.0.1 (EHLO x) by mx.ours.example with SMTP; Mon",
        "from localhost by mx.ours.example with ESMTP id 1; Mon",
        "from [127.0.0.1] by mx.ours.example with ESMTP id 1; Mon",
    ] {
        let verdict = verdict(&format!("Received: {field}\n{IN_TLS}{LETTER}"));
        assert!(verdict == "plain" || verdict == "unknown", "{field}: {verdict}");
    }
}

/// Two places in one field that a sender chooses, together.
#[test]
fn what_opens_in_one_place_and_closes_in_another_is_no_evidence() {
    for (helo, recipient) in [
        ("x by mx.ours.example (Postfix) with ESMTPS id 1 (", "<\"a)\"@ours.example>"),
        ("x by mx.ours.example (Postfix) with ESMTPS id 1 \"", "<\"a\"@ours.example>"),
        ("x by mx.ours.example (Postfix) with ESMTPS id 1 ((", "<\"a))\"@ours.example>"),
        ("x", "<\"a (TLSv1.3:X:256) b\"@ours.example>"),
        ("x", "<\"a\\\" with ESMTPS \\\"b\"@ours.example>"),
        ("x", "<a@ours.example> with ESMTPS"),
    ] {
        let field = said(helo).replace("<a@ours.example>", recipient);
        let verdict = verdict(&format!("{field}{IN_TLS}{LETTER}"));
        assert!(verdict == "plain" || verdict == "unknown", "{helo:?} {recipient:?}: {verdict}");
    }
}

#[test]
fn an_address_of_the_sender_is_no_evidence_in_any_dialect() {
    for address in [
        "<\"a) (TLS1.3:TLS_AES_256_GCM_SHA384:256) (\"@evil.example>",
        "<\"a) with esmtps (TLS1.3) (\"@evil.example>",
        "<\"a\\\") (version=TLS1_3 cipher=X) (\\\"b\"@evil.example>",
        "<\"x\".\"a) tls TLS_AES_256_GCM_SHA384 (\"@evil.example>",
        "<a@evil.example> (version=TLS1_3 cipher=X)",
    ] {
        for field in [
            format!(
                "from evil.example ([203.0.113.9])\n\tby mx.ours.example with esmtp (Exim 4.96)\n\t(envelope-from {address})\n\tid 1k0HMV-00087e-HY; Mon, 1 Jun 2026 10:00:00 +0200"
            ),
            format!(
                "from evil.example (evil.example [203.0.113.9])\n\tby mx.ours.example (envelope-from {address}) (8.17.1/8.17.1) with ESMTP id mAM44xew022221; Mon, 1 Jun 2026 10:00:00 +0200"
            ),
            format!(
                "from evil.example (evil.example [203.0.113.9])\n\tby mx.ours.example (8.17.1/8.17.1) with ESMTP id mAM44xew022221; Mon, 1 Jun 2026 10:00:00 +0200\n\t(envelope-from {address})"
            ),
            format!(
                "from evil.example (evil.example [203.0.113.9])\n\tby mx.ours.example (Haraka/3.0.1) with ESMTP id A\n\tenvelope-from {address}; Mon, 1 Jun 2026 10:00:00 +0200"
            ),
            format!(
                "from evil.example (evil.example [203.0.113.9])\n\tby mx.ours.example (envelope-from {address})\n\t(ecelerity 4.7) with ESMTP\n\tid 1; Mon, 1 Jun 2026 10:00:00 +0200"
            ),
            format!(
                "from evil.example (evil.example [203.0.113.9])\n\tby mx.ours.example (OpenSMTPD) with ESMTP id 1\n\tfor {address}; Mon, 1 Jun 2026 10:00:00 +0200"
            ),
        ] {
            let verdict = verdict(&letter(&format!("Received: {field}\n")));
            assert!(verdict == "plain" || verdict == "unknown", "{field}: {verdict}");
        }
    }
}

#[test]
fn hostile_fields_are_judged_in_time_and_without_a_fault() {
    let mega = 1 << 20;
    for (name, field) in [
        ("open parentheses", "(".repeat(mega)),
        ("closed parentheses", ")".repeat(mega)),
        ("empty comments", "()".repeat(mega / 2)),
        ("nested comments", "(".repeat(1000) + &")".repeat(1000)),
        ("a deep comment", "(".repeat(mega / 2) + &")".repeat(mega / 2)),
        ("quotes", "\"".repeat(mega + 1)),
        ("backslashes", "\\".repeat(mega)),
        ("semicolons", ";".repeat(mega)),
        ("keywords", "by with id for tls from via ".repeat(mega / 28)),
        ("protocols in a comment", format!("({})", "with x ".repeat(mega / 7))),
        ("brackets", format!("from x ({}) by y", "[".repeat(mega))),
        ("addresses", format!("from x ({}) by y", "[1.2.3.4] ".repeat(mega / 10))),
        ("one word", "x".repeat(mega)),
        ("folds", "\n ".repeat(mega / 2)),
        ("NUL", "from \0 (\0 [\0]) by \0 with \0; \0".to_owned()),
        ("a date that is none", "from a by b; Mon, 99 Foo 99999999999 99:99:99 +99999999".to_owned()),
        ("dates", "; 1 Jan 2026 10:00:00 +0000".repeat(mega / 28)),
    ] {
        let message = format!("Received: {field}\n{IN_TLS}{LETTER}");
        assert_eq!(verdict(&message), "unknown", "{name}");
        assert!(text(audit(&[], &message)).ends_with(&message), "{name}");
    }
}

#[test]
fn ten_thousand_fields_are_judged() {
    let message = format!("{}{LETTER}", IN_TLS.repeat(10_000));
    assert_eq!(verdict(&message), "tls");
    assert!(text(audit(&["--warn"], &message)).ends_with(&message));
    let forged = format!("{}{}", "TLS-Audit: x\n".repeat(10_000), letter(IN_TLS));
    assert!(text(audit(&[], &forged)).ends_with(&format!("\n{}", letter(IN_TLS))));
}

#[test]
fn nothing_of_a_stranger_reaches_a_terminal_raw() {
    let evil = "\x1b]0;x\x07\u{9b}31m\u{202e}\r\x08";
    let message = format!(
        "Received: from {evil} ({evil} [203.0.113.9]) by {evil} ({evil}) with {evil} id {evil} (version={evil} cipher={evil}); {evil}\n{LETTER}"
    );
    for arguments in [&["--print"][..], &["--print=json"]] {
        let shown = text(audit(arguments, &message));
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        assert!(!shown.contains('\u{202e}'), "{shown:?}");
    }
    let field = text(audit(&[], &message));
    let own = &field[..field.len() - message.len()];
    assert!(own.bytes().all(|octet| matches!(octet, b'\n' | b'\t' | b' '..=b'~')), "{own:?}");
}
