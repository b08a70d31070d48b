use super::*;

const IN_TLS: &str = "from mx.sender.example (mx.sender.example [203.0.113.9])\n\tby mx.ours.example (Postfix) with ESMTPS id 1\n\tfor <a@ours.example>; Mon, 1 Jun 2026 10:00:00 +0200";
const IN_CLEAR: &str = "from mx.sender.example (mx.sender.example [203.0.113.9])\n\tby mx.ours.example (Postfix) with ESMTP id 1; Mon, 1 Jun 2026 10:00:00 +0200";
const FILTERED: &str = "from localhost (localhost [127.0.0.1])\n\tby mx.ours.example (Postfix) with ESMTP id 2; Mon, 1 Jun 2026 10:00:00 +0200";
const AMAVIS: &str = "from mx.ours.example ([127.0.0.1])\n\tby localhost (mx.ours.example [127.0.0.1]) (amavisd-new, port 10024)\n\twith ESMTP id 3; Mon, 1 Jun 2026 10:00:00 +0200";
const SUBMITTED: &str =
    "by mx.ours.example (Postfix, from userid 1000)\n\tid 4; Mon, 1 Jun 2026 10:00:00 +0200";
/// What anybody can write below.
const FORGED: &str = IN_TLS;

fn ours(words: &[&str]) -> Ours {
    let mut ours = Ours::default();
    for word in words {
        ours.add(word).unwrap_or_else(|_| panic!("{word}"));
    }
    ours
}

/// `tls 2/3`: the verdict, the border counted from 1, the hops that are evidence.
fn judged(fields: &[&str], given: &[&str]) -> String {
    let header: String = fields.iter().map(|body| format!("Received: {body}\n")).collect();
    let ours = ours(given);
    let judgement = judge(Header(header.as_bytes()), &ours);
    let (verdict, hop) = arrival(Header(header.as_bytes()), &ours);
    assert_eq!(verdict, judgement.verdict, "the short way");
    assert_eq!(hop.map(|hop| hop.by), judgement.border_hop().map(|hop| hop.by), "the short way");
    assert_eq!(judgement.hops.len(), fields.len());
    let border = judgement.border.map_or("none".to_owned(), |at| (at + 1).to_string());
    format!("{} {border}/{}", judgement.verdict.as_str(), judgement.proven)
}

#[test]
fn the_border_is_where_a_message_came_in() {
    for (name, fields, verdict) in [
        ("no trace field", &[][..], "unknown none/0"),
        ("one hop", &[IN_TLS], "tls 1/1"),
        ("one hop in the clear", &[IN_CLEAR], "plain 1/1"),
        ("a program of ours", &[SUBMITTED], "local 1/1"),
        ("a filter on this host", &[FILTERED, AMAVIS, IN_CLEAR, FORGED], "plain 3/3"),
        ("a program sent on what had come", &[SUBMITTED, IN_TLS, IN_CLEAR], "tls 2/2"),
        ("a filter with another name", &[FILTERED, "from a by filter.example with ESMTP"], "unknown none/1"),
        ("a filter alone", &[FILTERED], "local 1/1"),
        ("nonsense", &["nonsense"], "unknown none/0"),
    ] {
        assert_eq!(judged(fields, &[]), verdict, "{name}");
    }
}

#[test]
fn nothing_below_the_border_moves_it() {
    for below in
        [FORGED, FILTERED, SUBMITTED, AMAVIS, "(qmail 1 invoked by uid 1)", "by mx.ours.example with ESMTPS"]
    {
        assert_eq!(judged(&[IN_CLEAR, below, FORGED], &[]), "plain 1/1", "{below}");
        assert_eq!(judged(&[FILTERED, IN_CLEAR, below, FORGED], &[]), "plain 2/2", "{below}");
    }
}

#[test]
fn a_client_cannot_pass_for_a_host_of_ours() {
    for from in [
        "mx.ours.example (evil.example [203.0.113.9])",
        "localhost (evil.example [203.0.113.9])",
        "[127.0.0.1] (evil.example [203.0.113.9])",
        "127.0.0.1 (unknown [203.0.113.9])",
        "x (localhost [203.0.113.9])",
        "x (unknown [10.0.0.1])",
        "x (unknown [192.168.1.1])",
        "x (unknown [IPv6:fd00::1])",
        "x (unknown [172.17.0.1])",
    ] {
        let field = format!("from {from}\n\tby mx.ours.example (Postfix) with ESMTP id 1; Mon");
        assert_eq!(judged(&[&field, FORGED], &[]), "plain 1/1", "{from}");
    }
    // The name of an address is its owner's choice where nobody looks back from it.
    for (field, verdict) in [
        (
            "from mx.ours.example (mx.ours.example [203.0.113.9] (may be forged)) by mx.ours.example (8.17.1/8.17.1) with ESMTP id 1; Mon",
            "plain 1/1",
        ),
        (
            "from mx.ours.example (mx.ours.example [203.0.113.9]) by mx.ours.example (Haraka/3.0.1) with ESMTP id 1; Mon",
            "plain 1/1",
        ),
        (
            "from mx.ours.example (203.0.113.9) by mx.ours.example with Microsoft SMTP Server id 15.1.1; Mon",
            "plain 1/1",
        ),
        (
            "from mx.ours.example (HELO mx.ours.example) (203.0.113.9) by mx.ours.example with SMTP; Mon",
            "unknown 1/1",
        ),
        ("from mx.ours.example by mx.ours.example with ESMTP; Mon", "unknown 1/1"),
    ] {
        assert_eq!(judged(&[field, FORGED], &[]), verdict, "{field}");
    }
}

#[test]
fn more_hosts_are_ours_when_they_are_given() {
    let relay = "from relay.provider.example (relay.provider.example [198.51.100.7])\n\tby mx.ours.example (Postfix) with ESMTPS id 5; Mon";
    let provider = "from mx.sender.example (mx.sender.example [203.0.113.9])\n\tby in.provider.example (Postfix) with ESMTP id 6; Mon";
    let fields = [relay, provider, FORGED];
    assert_eq!(judged(&fields, &[]), "tls 1/1");
    assert_eq!(judged(&fields, &["provider.example"]), "plain 2/2");
    assert_eq!(judged(&fields, &["198.51.100.0/24", "provider.example"]), "plain 2/2");
    assert_eq!(
        judged(&fields, &["198.51.100.0/24"]),
        "unknown none/1",
        "its field has a name that nobody gave"
    );
    let inner = "from store (unknown [10.1.2.3])\n\tby mx.ours.example (Postfix) with ESMTP id 7; Mon";
    assert_eq!(judged(&[inner, IN_TLS], &[]), "plain 1/1");
    assert_eq!(judged(&[inner, IN_TLS], &["private"]), "tls 2/2");
}

#[test]
fn notes_and_fetches_lead_to_the_field_below() {
    let network = "(qmail 26816 invoked from network); 15 Nov 2017 14:16:18 -0000";
    let alias = "(qmail 26815 invoked by alias); 15 Nov 2017 14:16:18 -0000";
    let stock = "from unknown (HELO a.example) (203.0.113.9)\n  by mx.ours.example with SMTP; 15 Nov 2017 14:16:18 -0000";
    let patched = "from unknown (HELO a.example) (203.0.113.9)\n  by mx.ours.example with AES256-SHA encrypted SMTP; 15 Nov 2017 14:16:18 -0000";
    let fetched = "from pop.provider.example [198.51.100.7]\n\tby localhost with POP3 (fetchmail-6.4.37)\n\tfor <u@localhost> (single-drop); Mon";
    let pulled = "from pop.provider.example (pop.provider.example [198.51.100.7])\n\tby host.example (mpop-1.4.18) with POP3\n\tfor <u@host.example>; Mon";
    let clear = "by host.example (fdm 2.0, account \"x\") \n\twith pop3 (unencrypted)\n\tMon, 1 Jun 2026 10:00:00 +0200";
    let secure = "by host.example (fdm 2.0, account \"x\") \n\twith imaps (version=TLSv1.3 TLS_AES_256_GCM_SHA384 256 bits)\n\tMon";
    for (name, fields, verdict) in [
        ("qmail", &[alias, network, stock, FORGED][..], "unknown 3/3"),
        ("qmail with TLS", &[network, patched, IN_CLEAR], "tls 2/2"),
        ("a note alone", &[network], "unknown none/1"),
        ("a program alone", &[alias], "local 1/1"),
        ("fetchmail", &[fetched, IN_CLEAR, FORGED], "plain 2/2"),
        ("fetchmail into a local host", &[FILTERED, fetched, IN_TLS, IN_CLEAR], "tls 3/3"),
        ("a fetch alone", &[fetched], "unknown none/1"),
        ("mpop", &[pulled, IN_CLEAR, FORGED], "plain 2/2"),
        ("fdm in the clear", &[clear, IN_TLS], "plain 1/1"),
        ("fdm", &[secure, IN_CLEAR], "plain 2/2"),
    ] {
        let given = if name == "fetchmail into a local host" { &["host.example"][..] } else { &[] };
        assert_eq!(judged(fields, given), verdict, "{name}");
    }
}
