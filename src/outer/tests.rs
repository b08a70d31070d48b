use super::*;
use crate::message::Entity;

fn shown(policy: Policy, kept: &[&str], header: &str) -> String {
    let header = Header(header.as_bytes());
    let outside = Outside { policy, kept: kept.iter().map(|name| name.to_string()).collect() };
    let mut out = Vec::new();
    for field in fields(header, &outside, Extent::of(header)) {
        field.write(&mut out, b"", b"\n");
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn baseline_is_an_allow_list() {
    let header = "Return-Path: <b@example.org>\nDelivered-To: a@example.org\nReceived: from x\n\tby y; date\n\
        DKIM-Signature: v=1\nAuthentication-Results: mx; spf=pass\nFrom: Bob <b@example.org>\nSubject: secret\n\
        Thread-Topic: secret\nX-Original-Subject: secret\nKeywords: secret\nMessage-ID: <1@x>\n\
        MIME-Version: 1.0\nContent-Type: text/plain; name=secret\nX-Spam-Flag: NO\nList-Id: <l.x>\n";
    let expected = "Return-Path: <b@example.org>\nDelivered-To: a@example.org\nReceived: from x\n\tby y; date\n\
        Authentication-Results: mx; spf=pass\nFrom: Bob <b@example.org>\nSubject: [...]\nMessage-ID: <1@x>\n\
        X-Spam-Flag: NO\nList-Id: <l.x>\n";
    assert_eq!(shown(Policy::Baseline, &[], header), expected);
}

#[test]
fn keep_shows_everything_but_structure_and_our_own_words() {
    let header = "X-Other: caf\u{e9}\nSubject: open\nContent-Type: a/b\nHP-Outer: Subject: forged\nSelfseal : x\nDKIM-Signature: v\n";
    assert_eq!(shown(Policy::Keep, &[], header), "X-Other: caf\u{e9}\nSubject: open\nDKIM-Signature: v\n");
}

#[test]
fn one_more_field_is_kept_by_name() {
    assert_eq!(
        shown(Policy::Baseline, &["x-ticket"], "To: a@x\nX-Ticket: 7\nX-Other: 8\n"),
        "To: a@x\nX-Ticket: 7\n"
    );
    assert_eq!(shown(Policy::Baseline, &["subject"], "Subject: open\n"), "Subject: open\n");
    assert_eq!(
        shown(Policy::Baseline, &["content-type", "selfseal"], "To: a@x\nContent-Type: a/b\nSelfseal: x\n"),
        "To: a@x\n"
    );
}

#[test]
fn blanks_before_the_colon_hide_no_name() {
    assert_eq!(shown(Policy::Baseline, &[], "Subject : secret\nX-Other : secret\n"), "Subject: [...]\n");
    assert_eq!(
        shown(Policy::Keep, &[], "HP-Outer : Subject: x\nContent-Type\t: a/b\nTo: a@x\n"),
        "To: a@x\n"
    );
}

#[test]
fn of_a_field_that_may_occur_once_the_first_is_shown() {
    assert_eq!(
        shown(Policy::Baseline, &[], "To: a@x\nto: b@x\nReceived: 1\nReceived: 2\n"),
        "To: a@x\nReceived: 1\nReceived: 2\n"
    );
}

#[test]
fn what_is_not_clean_ascii_stays_inside() {
    let long = "x".repeat(999);
    for header in [
        "To: caf\u{e9}@example.org\n",
        "To: a\u{1b}[2J@example.org\n",
        "To: a@example.org,\n \t\n b@example.org\n",
        "To: a\rb@example.org\n",
        &format!("To: {long}\n"),
    ] {
        assert_eq!(shown(Policy::Baseline, &[], header), "Subject: [...]\n", "{header:?}");
    }
}

#[test]
fn from_and_date_are_mended_never_absent() {
    for (header, expected) in [
        ("From: J\u{f6}rg <joerg@example.org>\n", "From: joerg@example.org\n"),
        ("From: \u{1b}[2J\n", "From: ?[2J\n"),
        (
            "Date: Wed, 25 Nov 2026 09:00:00 +0100 (\u{e9})\n",
            "Date: Wed, 25 Nov 2026 09:00:00 +0100\nSubject: [...]\n",
        ),
        ("Date: caf\u{e9}\n", "Date: caf??\nSubject: [...]\n"),
    ] {
        assert_eq!(shown(Policy::Baseline, &[], header), expected, "{header:?}");
    }
}

#[test]
fn a_mended_from_keeps_within_the_line() {
    let header = format!("From: J\u{f6}rg <{}@example.org>\n", "x".repeat(2000));
    let from = shown(Policy::Baseline, &[], &header);
    assert!(from.starts_with("From: J??rg <xxx") && from.len() < 250, "{from}");
}

#[test]
fn keep_writes_nothing_that_could_end_a_line() {
    let long = format!("X-Long: {}\n", "x".repeat(1500));
    for header in ["X-A: a\rSubject: forged\n", "X-A: a\0b\n", "X-A: a\n \t\n b\n", &long] {
        assert_eq!(shown(Policy::Keep, &[], &format!("To: a@x\n{header}")), "To: a@x\n", "{header:?}");
    }
}

#[test]
fn shy_drops_display_names_and_time_zones() {
    let header = "From: \"Bob, the builder\" <bob@example.org>\nTo: Ann <a@example.org>, c@example.org\n\
        Cc: friends: d@example.org;\nDate: Wed, 25 Nov 2026 09:30:00 +0130\nSubject: s\n";
    let expected = "From: bob@example.org\nTo: a@example.org,\n c@example.org\n\
        Cc: friends: d@example.org;\nDate: Wed, 25 Nov 2026 08:00:00 +0000\nSubject: [...]\n";
    assert_eq!(shown(Policy::Shy, &[], header), expected);
}

#[test]
fn two_authors_fall_through_the_shy_policy() {
    let header = "From: A <a@example.org>, B <b@example.org>\n";
    assert_eq!(shown(Policy::Shy, &[], header), header);
}

#[test]
fn a_huge_header_section_shows_what_a_reader_needs() {
    let header = format!("{}Subject: s\nFrom: a@example.org\nReceived: r\n", "X-A: b\n".repeat(20_000));
    for policy in [Policy::Keep, Policy::Baseline] {
        let subject = if policy == Policy::Keep { "s" } else { "[...]" };
        assert_eq!(shown(policy, &[], &header), format!("Subject: {subject}\nFrom: a@example.org\n"));
    }
    let huge = format!("To: {}\nSubject: s\n", "a@example.org,\n ".repeat(10_000) + "b@example.org");
    assert_eq!(shown(Policy::Baseline, &[], &huge), "Subject: [...]\n");
}

/// notmuch passes over a file that has none of From, To and Subject.
#[test]
fn a_header_section_that_ends_early_still_shows_a_subject() {
    for policy in [Policy::Keep, Policy::Baseline, Policy::Shy] {
        let header = Entity::split(b"Received: r\nFrom bob\nSubject: s\n\nhi\n").header;
        let outside = Outside { policy, kept: Vec::new() };
        let names: Vec<_> =
            fields(header, &outside, Extent::Full).into_iter().map(|field| field.name).collect();
        assert_eq!(names, [b"Received".to_vec(), b"Subject".to_vec()]);
    }
}
