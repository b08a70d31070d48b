//! What one header section adds to the figures.

use std::fmt::Write;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::day::Day;
use super::figures::{Facts, Verdict};
use crate::address::Address;
use crate::message::{Entity, Field, Header};
use crate::mime::Content;
use crate::trace::{self, Hop, Ours, State};

/// As much of a From field is read, in octets. The domain of its first address stands there.
const FROM: usize = 4096;

/// Judges a header section at the moment `now`, in seconds since 1970.
pub fn of(header: Header, ours: &Ours, now: i64) -> Facts {
    let (state, border) = trace::arrival(header, ours);
    let day = border.as_ref().and_then(|hop| day_of(hop, now)).or_else(|| topmost_day(header, now));
    let has_trace = border.is_some() || header.all("Received").next().is_some();
    let verdict = match state {
        State::Tls => Verdict::Tls,
        State::Plain => Verdict::Plain,
        State::Local => Verdict::Local,
        State::Unknown if !has_trace && is_sealed(header) => Verdict::NotVisible,
        State::Unknown => Verdict::Unknown,
    };
    let mut facts = Facts { verdict, version: None, day, has_trace, domain: None, host: String::new() };
    match (verdict, border) {
        (Verdict::Tls, Some(hop)) => facts.version = hop.tls.version,
        (Verdict::Plain, Some(hop)) => {
            facts.domain = domain(header);
            facts.host = host(&hop);
        }
        _ => {}
    }
    facts
}

fn day_of(hop: &Hop, now: i64) -> Option<Day> {
    Day::of_trace(hop.seconds()?, now)
}

/// Where the border has no date: when our own host took the message.
fn topmost_day(header: Header, now: i64) -> Option<Day> {
    day_of(&Hop::read(header.all("Received").next()?.body()), now)
}

/// Whether it says that it is sealed. That is believed: it only tells why there is no trace.
fn is_sealed(header: Header) -> bool {
    let entity = Entity { header, separator: b"", body: b"" };
    let content = Content::read(&entity, "text/plain");
    match content.media.as_str() {
        "multipart/encrypted" => true,
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => content
            .parameters
            .get("smime-type")
            .is_none_or(|kind| kind.eq_ignore_ascii_case(b"enveloped-data")),
        _ => false,
    }
}

/// The domain that the sender claims, in lower case: of the envelope, and of From where that is empty.
fn domain(header: Header) -> Option<String> {
    let sender = header.all("Return-Path").next().and_then(|field| envelope_sender(&field));
    let author = || header.all("From").next().and_then(|field| first_address(&field));
    Some(sender.or_else(author)?.domain().to_ascii_lowercase())
}

fn envelope_sender(field: &Field) -> Option<Address> {
    let path = field.unfolded();
    Address::parse(path.strip_prefix(b"<")?.strip_suffix(b">")?)
}

fn first_address(field: &Field) -> Option<Address> {
    let mut text = field.unfolded();
    text.truncate(FROM);
    text.push(b'\n');
    let HeaderValue::Address(list) = MessageStream::new(&text).parse_address() else { return None };
    Address::parse(list.first()?.address()?.as_bytes())
}

/// The host that brought the message, as our own host saw it: the name only if it was looked up both ways.
fn host(hop: &Hop) -> String {
    let mut text = String::new();
    if let Some(name) = hop.from.name.filter(|_| hop.from.is_checked) {
        text += &String::from_utf8_lossy(&name[..name.len().min(256)]);
    }
    if let Some(address) = hop.from.address {
        let blank = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{blank}[{address}]");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::NOW;

    fn facts(header: &str) -> Facts {
        of(Header(header.as_bytes()), &Ours::default(), NOW)
    }

    const PLAIN: &str = "Received: from x (mail.example.net [192.0.2.7])\n\tby mx.example.org (Postfix) with ESMTP id 1\n\t\
        for <a@example.org>; Tue, 24 Nov 2026 23:30:00 -0100\n";

    #[test]
    fn mail_in_the_clear_tells_domain_host_and_day() {
        for (name, rest, domain) in [
            ("the envelope", "Return-Path: <bob@Example.NET>\nFrom: eve@a.example\n", Some("example.net")),
            ("the null sender", "Return-Path: <>\nFrom: Bob <bob@b.example>\n", Some("b.example")),
            ("no envelope", "From: \"a, b\" <bob@B.example>, c@d.example\n", Some("b.example")),
            ("a group", "From: them: bob@b.example;\n", Some("b.example")),
            ("nobody", "To: a@example.org\n", None),
            ("no address", "From: bob\n", None),
            ("a line break in the domain", "Return-Path: <bob@a\x1b.example>\n", None),
        ] {
            let facts = facts(&(PLAIN.to_owned() + rest));
            assert_eq!(facts.verdict, Verdict::Plain, "{name}");
            assert_eq!(facts.domain.as_deref(), domain, "{name}");
            assert_eq!(facts.host, "mail.example.net [192.0.2.7]", "{name}");
            // In UTC the day is the next one.
            assert_eq!(facts.day.map(|day| day.to_string()).as_deref(), Some("2026-11-25"), "{name}");
        }
    }

    #[test]
    fn a_domain_of_a_megabyte_is_none() {
        let long = format!("{PLAIN}Return-Path: <a@{0}.example>\nFrom: a@{0}.example\n", "x".repeat(1 << 20));
        assert_eq!(facts(&long).domain, None);
    }

    #[test]
    fn the_month_is_never_that_of_the_senders_date() {
        let late =
            "Received: by mx.example.org (Postfix, from userid 7) id 2; Wed, 25 Nov 2026 10:00:00 +0000\n";
        for (name, date, day) in [
            ("the border's", "Sat, 24 Oct 2026 23:00:00 +0000", Some("2026-10-24")),
            ("none that is one", "yesterday", Some("2026-11-25")),
            ("the year 9999", "Fri, 31 Dec 9999 23:59:59 +0000", Some("2026-11-25")),
            ("before all mail", "Thu, 1 Jan 1970 00:00:00 +0000", Some("2026-11-25")),
        ] {
            let border = PLAIN.replace("Tue, 24 Nov 2026 23:30:00 -0100", date);
            let facts = facts(&format!("{late}{border}Date: Mon, 1 Jan 2001 00:00:00 +0000\n"));
            assert_eq!(facts.day.map(|day| day.to_string()).as_deref(), day, "{name}");
        }
        assert_eq!(facts("Date: Mon, 1 Jun 2026 00:00:00 +0000\nFrom: a@b.example\n").day, None);
    }

    #[test]
    fn sealed_mail_without_a_trace_is_not_visible() {
        for (name, header, verdict) in [
            (
                "sealed",
                "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"\n",
                Verdict::NotVisible,
            ),
            (
                "S/MIME",
                "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n",
                Verdict::NotVisible,
            ),
            ("signed", "Content-Type: application/pkcs7-mime; smime-type=signed-data\n", Verdict::Unknown),
            ("a draft", "Subject: x\n", Verdict::Unknown),
            ("nothing", "", Verdict::Unknown),
        ] {
            let facts = facts(header);
            assert_eq!((facts.verdict, facts.has_trace), (verdict, false), "{name}");
        }
        let sealed = facts(&(PLAIN.to_owned() + "Content-Type: multipart/encrypted\n"));
        assert_eq!(sealed.verdict, Verdict::Plain, "sealed, and its trace outside");
    }

    #[test]
    fn the_version_is_the_borders() {
        let border = PLAIN.replace("with ESMTP", "with ESMTPS").replace(
            "\tby",
            "\t(using TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits))\n\t(No client certificate requested)\n\tby",
        );
        let facts = facts(&border);
        assert_eq!((facts.verdict, facts.version), (Verdict::Tls, Some(trace::Version::Tls1_2)));
    }

    proptest::proptest! {
        /// Whatever stands in the fields: one verdict, a domain that is one, a day that can be true.
        #[test]
        fn whatever_stands_in_the_fields_is_bounded(
            path in "[ -~\\x00\\n\\t\u{e4}]{0,80}",
            from in "[ -~\\x00\\n\\t\u{e4}]{0,80}",
            date in "[0-9a-zA-Z:+, -]{0,40}",
        ) {
            let header = format!(
                "Return-Path: {path}\nFrom: {from}\n{}",
                PLAIN.replace("Tue, 24 Nov 2026 23:30:00 -0100", &date)
            );
            let facts = facts(&header);
            proptest::prop_assert!(facts.domain.is_none_or(|domain| domain.len() < 255 && !domain.contains(char::is_whitespace)));
            proptest::prop_assert!(facts.day.is_none_or(|day| (1982..=2026).contains(&day.month.year)));
        }
    }
}
