//! For generated mail: the body and all other fields never change, and nothing below the border changes the
//! verdict.

use proptest::prelude::*;
use selfseal::audit::{Prefix, annotate};
use selfseal::message::{Arrival, Entity, Header};
use selfseal::trace::{Hop, Ours, State, arrival, judge};

/// Pieces that Received fields are made of, and what hostile ones are made of.
const PIECES: [&str; 40] = [
    "from ",
    "by ",
    "with ",
    "id ",
    "for ",
    "via ",
    "tls ",
    "; ",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\\",
    "<",
    ">",
    "mx.ours.example ",
    "mx.sender.example ",
    "localhost ",
    "127.0.0.1",
    "[203.0.113.9]",
    "::1",
    "10.0.0.1",
    "ESMTP ",
    "ESMTPS ",
    "LMTP ",
    "local ",
    "Postfix",
    "Exim 4.96",
    "8.17.1/8.17.1",
    "Microsoft SMTP Server ",
    "using TLSv1.3 with cipher X (256/256 bits)",
    "TLS1.3:X:256",
    "version=TLS1_2 cipher=X",
    "helo=x ",
    "HELO x",
    "qmail 5 invoked by uid 9",
    "\n\t",
    "Mon, 1 Jun 2026 10:00:00 +0200",
    "\u{fc}\u{0}",
];

fn trace_body() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(&PIECES[..]);
    prop_oneof![proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat()), "[ -~]{0,80}",]
}

fn header() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        trace_body().prop_map(|body| format!("Received: {body}\n")),
        "[ -~]{0,40}".prop_map(|body| format!("Subject: {body}\n")),
        "[ -~]{0,40}".prop_map(|body| format!("TLS-Audit : {body}\n")),
        "\\PC{0,20}".prop_map(|body| format!("X-A: {body}\n")),
        Just("no field\n".to_owned()),
    ];
    proptest::collection::vec(field, 0..8).prop_map(|fields| fields.concat())
}

/// What came in with the border: in the clear, to our host.
const BORDER: &str =
    "Received: from x (evil.example [203.0.113.9])\n\tby mx.ours.example (Postfix) with ESMTP id 1; Mon\n";
const FILTERED: &str =
    "Received: from localhost (localhost [127.0.0.1])\n\tby mx.ours.example (Postfix) with ESMTP id 2; Mon\n";

/// The bytes of all fields but those named `without`.
fn others(header: Header, without: &[&str]) -> Vec<u8> {
    let kept = header.fields().filter(|field| !without.iter().any(|name| field.is(name)));
    kept.flat_map(|field| field.raw.to_vec()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_body_and_all_other_fields_never_change(
        header in header(),
        separator in proptest::sample::select(&["\n", "", "\r\n"][..]),
        body in "(\\PC|\n){0,60}",
        warns in any::<bool>(),
    ) {
        let message = format!("{header}{separator}{body}");
        let arrived = Arrival::read(message.as_bytes());
        let before = Entity::split(arrived.message);
        let prefix = Prefix::default();
        let annotated = annotate(&arrived, "TLS-Audit: h; border=tls", Some(&prefix).filter(|_| warns));
        let whole = [annotated.head.as_slice(), annotated.rest].concat();
        let after = Entity::split(Arrival::read(&whole).message);
        prop_assert_eq!(Arrival::read(&whole).frame, arrived.frame);
        prop_assert_eq!(after.body, before.body);
        prop_assert_eq!(after.header.all("TLS-Audit").count(), 1);
        let without: &[&str] = if warns { &["TLS-Audit", "Subject"] } else { &["TLS-Audit"] };
        let (kept, expected) = (others(after.header, without), others(before.header, without));
        // A last field without a line end gets one only where a Subject follows it.
        prop_assert_eq!(kept.trim_ascii_end(), expected.trim_ascii_end());
        if warns {
            for field in after.header.all("Subject") {
                prop_assert!(field.unfolded().starts_with(b"[no TLS]"));
            }
            prop_assert!(after.header.all("Subject").next().is_some());
        }
    }

    #[test]
    fn nothing_below_the_border_changes_the_verdict(below in header(), filtered in any::<bool>()) {
        let above = if filtered { [FILTERED, BORDER].concat() } else { BORDER.to_owned() };
        let message = format!("{above}{below}");
        let ours = Ours::default();
        let judgement = judge(Entity::split(message.as_bytes()).header, &ours);
        prop_assert_eq!(judgement.verdict, State::Plain);
        prop_assert_eq!(judgement.border, Some(usize::from(filtered)));
        prop_assert_eq!(arrival(Entity::split(message.as_bytes()).header, &ours).0, State::Plain);
    }

    /// A client's words, wherever a host that neuters none of them puts them: HELO, the recipient, behind.
    #[test]
    fn no_helo_name_makes_tls(helo in trace_body(), recipient in "[ -~]{0,30}") {
        let body = format!("from {helo} (evil.example [203.0.113.9]) by mx.ours.example (Postfix) with ESMTP id 1 for <{recipient}>; Mon");
        prop_assert_ne!(Hop::read(body.as_bytes()).state, State::Tls, "{}", body);
    }

    #[test]
    fn any_octets_are_read(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let hop = Hop::read(&body);
        prop_assert!(hop.doubt.is_none() || hop.state == State::Unknown);
        let _ = hop.seconds();
    }
}
