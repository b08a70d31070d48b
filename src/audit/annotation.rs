//! The TLS-Audit field, and a message that has it on top.
//!
//! `TLS-Audit: mx.example.org; border=tls; version=TLSv1.3; cipher=...; from=mail.example.net; address=192.0.2.7`:
//! the host that judged, and the border hop (as Authentication-Results does it, RFC 8601). A field of that
//! name that came in would be a stranger's word in our name, so every one is removed.

use std::fmt::Write;

use crate::message::{Arrival, Entity, Field, line_end_of};
use crate::trace::{Hop, State};

use super::warning::Prefix;

/// The field's name.
pub const FIELD: &str = "TLS-Audit";

/// Where a line is folded, in octets (RFC 5322, 2.1.1).
const LINE: usize = 78;

/// The longest foreign word in the field; longer ones are left out.
const WORD: usize = 100;

/// A message in two pieces: what was written, and what passes as it came.
#[derive(Clone, Debug)]
pub struct Annotated<'a> {
    /// The host's frame and the header section.
    pub head: Vec<u8>,
    /// The empty line and the body.
    pub rest: &'a [u8],
}

/// The message with `field` on top of its header section, without any other field of that name, and with
/// `warning` in its Subject.
pub fn annotate<'a>(arrival: &Arrival<'a>, field: &str, warning: Option<&Prefix>) -> Annotated<'a> {
    let entity = Entity::split(arrival.message);
    let rest = &arrival.message[entity.header.0.len()..];
    let eol = line_end_of(arrival.message);
    let mut head = Vec::with_capacity(arrival.frame.len() + entity.header.0.len() + 512);
    head.extend_from_slice(arrival.frame);
    for line in field.lines() {
        head.extend_from_slice(line.as_bytes());
        head.extend_from_slice(eol);
    }
    let mut has_subject = false;
    for field in entity.header.fields().filter(|field| !is_audit(field)) {
        match warning.filter(|_| field.is("Subject")) {
            Some(prefix) => {
                has_subject = true;
                prefix.put_before(&field, eol, &mut head);
            }
            None => head.extend_from_slice(field.raw),
        }
    }
    if let Some(prefix) = warning.filter(|_| !has_subject) {
        if !head.ends_with(b"\n") {
            head.extend_from_slice(eol);
        }
        prefix.be_subject(eol, &mut head);
    }
    // Without a header section of its own, the text could go on in our field, or be taken for one.
    if entity.header.0.is_empty() && entity.separator.is_empty() && !rest.is_empty() {
        head.extend_from_slice(eol);
    }
    Annotated { head, rest }
}

/// The name of the host that this program runs on, as the kernel has it.
pub fn this_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn is_audit(field: &Field) -> bool {
    field.is(FIELD)
}

/// The field: name, host that judges, verdict, what the border hop says; folded, without its last line end.
///
/// What a stranger chose (names) stands in it only if it is made of letters, digits and a few marks, so no
/// value can forge another one.
pub fn field(host: &str, verdict: State, border: Option<&Hop>) -> String {
    let host = clean(host.as_bytes()).unwrap_or("localhost");
    let mut line = format!("{FIELD}: {host}; border={}", verdict.as_str());
    let mut text = String::new();
    let mut add = |name: &str, value: Option<&str>| {
        let Some(value) = value else { return };
        let separator = if line.len() + name.len() + value.len() + 4 > LINE { ";\n\t" } else { "; " };
        line += separator;
        if separator.ends_with('\t') {
            text += &line;
            line.clear();
        }
        let _ = write!(line, "{name}={value}");
    };
    // Of a field in doubt, any part may be the stranger's.
    if let Some(hop) = border.filter(|hop| hop.doubt.is_none()) {
        let address = hop.from.address.map(|address| address.to_string());
        add("version", hop.tls.version.map(|version| version.as_str()));
        add("cipher", hop.tls.cipher.and_then(clean));
        add("verified", hop.tls.verified.map(|verified| if verified { "yes" } else { "no" }));
        add("from", hop.from.name.or(hop.from.helo).and_then(clean));
        add("address", address.as_deref());
    }
    text + &line
}

/// A word that needs no quotes anywhere.
fn clean(word: &[u8]) -> Option<&str> {
    let is_clean = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._:[]".contains(octet);
    let fits = !word.is_empty() && word.len() <= WORD && word.iter().all(is_clean);
    std::str::from_utf8(word).ok().filter(|_| fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIVED: &str = "Received: from a (b.example [192.0.2.1]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)) by mx.example (Postfix) with ESMTPS id 1; Mon";

    fn annotated(message: &[u8], warning: Option<&Prefix>) -> String {
        let arrival = Arrival::read(message);
        let annotated = annotate(&arrival, "TLS-Audit: h; border=tls", warning);
        [&annotated.head, annotated.rest].concat().escape_ascii().to_string()
    }

    #[test]
    fn the_field_says_who_judged_and_what_the_border_hop_says() {
        let hop = Hop::read(&RECEIVED.as_bytes()["Received:".len()..]);
        assert_eq!(
            field("mx.example", hop.state, Some(&hop)),
            "TLS-Audit: mx.example; border=tls; version=TLSv1.3;\n\tcipher=TLS_AES_256_GCM_SHA384; from=b.example; address=192.0.2.1"
        );
        assert_eq!(field("mx.example", State::Unknown, None), "TLS-Audit: mx.example; border=unknown");
        assert_eq!(field("a;b\n", State::Plain, None), "TLS-Audit: localhost; border=plain");
    }

    #[test]
    fn of_a_field_in_doubt_nothing_is_repeated() {
        let body = "from x by mx.example (Postfix) with ESMTPS id 1 (using TLSv1.3 with cipher X) (b.example [192.0.2.1]) by mx.example (Postfix) with ESMTP id 1; Mon";
        let hop = Hop::read(body.as_bytes());
        assert_eq!(field("mx.example", hop.state, Some(&hop)), "TLS-Audit: mx.example; border=unknown");
    }

    #[test]
    fn a_strangers_words_add_no_item() {
        for from in [
            "x;border=tls (unknown [192.0.2.1])",
            "x (y;border=tls [192.0.2.1])",
            "\u{fc} (unknown [192.0.2.1])",
        ] {
            let body = format!("from {from} by mx.example (Postfix) with ESMTP id 1; Mon");
            let hop = Hop::read(body.as_bytes());
            let field = field("mx.example", State::Plain, Some(&hop));
            assert_eq!(field.matches("border=").count(), 1, "{field}");
            assert!(field.is_ascii(), "{field}");
        }
    }

    #[test]
    fn the_field_is_on_top_and_everything_else_as_it_came() {
        for (name, message, expected) in [
            ("LF", &b"A: 1\n\nhi"[..], "TLS-Audit: h; border=tls\\nA: 1\\n\\nhi"),
            ("CRLF", b"A: 1\r\n\r\nhi\n", "TLS-Audit: h; border=tls\\r\\nA: 1\\r\\n\\r\\nhi\\n"),
            ("a frame", b"From x y\nA: 1\n", "From x y\\nTLS-Audit: h; border=tls\\nA: 1\\n"),
            ("no last line end", b"A: 1", "TLS-Audit: h; border=tls\\nA: 1"),
            ("no header section", b"\nhi", "TLS-Audit: h; border=tls\\n\\nhi"),
            ("a first line that is no field", b"hi\nA: 1\n", "TLS-Audit: h; border=tls\\n\\nhi\\nA: 1\\n"),
            (
                "a first line that would continue ours",
                b" border=x\n",
                "TLS-Audit: h; border=tls\\n\\n border=x\\n",
            ),
            (
                "copies, spelled in any way",
                b"tls-audit: a\nA: 1\nTLS-Audit :\n b\n\tc\nB: 2\nTLS-AUDIT:\n\nTLS-Audit: body\n",
                "TLS-Audit: h; border=tls\\nA: 1\\nB: 2\\n\\nTLS-Audit: body\\n",
            ),
            ("nothing but a copy", b"TLS-Audit: x\n\nhi", "TLS-Audit: h; border=tls\\n\\nhi"),
            (
                "octets of any kind",
                b"A: \xff\0\r\nB: 1\n\n\0",
                "TLS-Audit: h; border=tls\\r\\nA: \\xff\\x00\\r\\nB: 1\\n\\n\\x00",
            ),
        ] {
            assert_eq!(annotated(message, None), expected, "{name}");
        }
    }

    #[test]
    fn a_message_without_a_subject_gets_one() {
        let prefix = Prefix::default();
        for (name, message, expected) in [
            ("none", &b"A: 1\n\nhi"[..], "TLS-Audit: h; border=tls\\nA: 1\\nSubject: [no TLS]\\n\\nhi"),
            ("no last line end", b"A: 1", "TLS-Audit: h; border=tls\\nA: 1\\nSubject: [no TLS]\\n"),
            ("no header section", b"\r\nhi", "TLS-Audit: h; border=tls\\r\\nSubject: [no TLS]\\r\\n\\r\\nhi"),
            (
                "two",
                b"Subject: a\nSubject: b\n",
                "TLS-Audit: h; border=tls\\nSubject: [no TLS] a\\nSubject: [no TLS] b\\n",
            ),
        ] {
            assert_eq!(annotated(message, Some(&prefix)), expected, "{name}");
        }
    }
}
