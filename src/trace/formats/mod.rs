//! How each mail host writes a Received field: one small file a writer, its own tests in it.
//!
//! To add a writer: a file with a [`Format`], and its name in the table below. The first format that takes a
//! field for its own reads it; what none knows is read by RFC 3848 alone.

use super::clauses::{Clauses, begins};
use super::hop::{Passage, State};
use super::ours::is_at_or_below;
use super::peer::Peer;
use super::tls::Tls;

/// The table: each name is a file of this folder with a `FORMAT`.
macro_rules! formats {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        static FORMATS: &[Format] = &[$($name::FORMAT),*];
    };
}

formats![
    postfix,
    exim,
    exchange,
    google,
    opensmtpd,
    sendmail,
    dovecot,
    cyrus,
    amavis,
    haraka,
    stalwart,
    qmail,
    mimecast,
    proofpoint,
    courier,
    nemesis,
    ecelerity,
    communigate,
    postini,
    fetchers,
    yahoo,
    silent,
];

/// One writer's dialect.
pub(super) struct Format {
    /// What reports call the writer.
    pub software: &'static str,
    /// Whether this writer wrote the field.
    pub wrote: fn(&Clauses) -> bool,
    /// What it says of TLS beyond the protocol's name.
    pub tls: for<'a> fn(&Clauses<'a>) -> Option<Tls<'a>>,
    /// What a network hop of its is when it says nothing of TLS.
    pub silence: fn(&Clauses, &Peer) -> State,
    /// Whether the message was handed over without a network.
    pub is_local: fn(&Clauses, &Peer) -> bool,
    /// Puts right what the writer has in another place than most.
    pub peer: for<'a> fn(&Clauses<'a>, &mut Peer<'a>),
    /// What its field stands for.
    pub passage: fn(&Clauses) -> Passage,
}

/// What a format does not say otherwise, and what holds for a writer that is not known.
const COMMON: Format = Format {
    software: "",
    wrote: |_| true,
    tls: generic_tls,
    silence: never_says,
    is_local: generic_local,
    peer: |_, _| {},
    passage: |_| Passage::Hop,
};

/// The format of a field.
pub(super) fn of(clauses: &Clauses) -> &'static Format {
    static UNKNOWN: Format = COMMON;
    FORMATS.iter().find(|format| (format.wrote)(clauses)).unwrap_or(&UNKNOWN)
}

/// Silence of a writer that may not know TLS, or not write of it.
fn never_says(_: &Clauses, _: &Peer) -> State {
    State::Unknown
}

/// Silence of a writer that states TLS whenever there is any: the hop was in the clear, if it was one.
fn always_says(_: &Clauses, peer: &Peer) -> State {
    if peer.helo.is_some() { State::Plain } else { State::Unknown }
}

/// Looks the client's name up and back, so its name is not the client's choice.
fn checks_names<'a>(_: &Clauses<'a>, peer: &mut Peer<'a>) {
    peer.is_checked = peer.name.is_some();
}

/// Whether a protocol's name says that there was TLS: ESMTPS, LMTPSA, UTF8SMTPS and their kin (RFC 3848,
/// RFC 6531), HTTPS, SMTPs, POP3S, imaps, CommuniGate's ESMTP-TLS.
pub(super) fn says_tls(with: &[u8]) -> bool {
    const NAMES: [&str; 14] = [
        "ESMTPS",
        "ESMTPSA",
        "SMTPS",
        "SMTPSA",
        "LMTPS",
        "LMTPSA",
        "UTF8SMTPS",
        "UTF8SMTPSA",
        "UTF8LMTPS",
        "UTF8LMTPSA",
        "HTTPS",
        "ESMTP-TLS",
        "POP3S",
        "IMAPS",
    ];
    NAMES.iter().any(|name| with.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether the client authenticated: RFC 3848's A, or the writer's remark.
pub(super) fn says_authenticated(clauses: &Clauses) -> bool {
    let with = clauses.with().unwrap_or_default();
    let by_protocol = matches!(with.last(), Some(b'A' | b'a')) && super::tokens::is_protocol(with);
    let remarks = |text: &[u8]| begins(text, "authenticated ") || begins(text, "Authenticated sender");
    by_protocol || clauses.remarks().any(remarks)
}

/// A version or cipher right behind the writer's name, protocol or id, or a `tls` clause.
fn generic_tls<'a>(clauses: &Clauses<'a>) -> Option<Tls<'a>> {
    let read = |text| Tls::from_pairs(text).or_else(|| Tls::from_colons(text));
    clauses.early_comments().find_map(read).or_else(|| tls_clause(clauses))
}

/// RFC 8314, 4.3: `tls TLS_AES_256_GCM_SHA384`.
fn tls_clause<'a>(clauses: &Clauses<'a>) -> Option<Tls<'a>> {
    clauses.tls().map(|cipher| Tls::of(None, Some(cipher), None))
}

/// Postfix's `(using TLSv1.3 with cipher ...)` behind the address, and what others took from it.
fn using_tls<'a>(clauses: &Clauses<'a>) -> Option<Tls<'a>> {
    clauses.remarks().find_map(Tls::from_sentence)
}

/// The client is this host; a pipe; a program on this host; LMTP without an address, so through a socket.
fn generic_local(clauses: &Clauses, peer: &Peer) -> bool {
    let with = clauses.with().unwrap_or_default();
    let through_socket = begins(with, "LMTP") && peer.address.is_none() && peer.helo.is_some();
    peer.is_loopback() || begins(with, "local") || through_socket || is_note_of_a_pipe(clauses)
}

fn is_note_of_a_pipe(clauses: &Clauses) -> bool {
    clauses.by().is_none()
        && clauses.leading_comment().is_some_and(|text| begins(text, "Postfix, from userid"))
}

/// Whether a comment of the writer begins so.
fn by_comment_begins(clauses: &Clauses, start: &str) -> bool {
    clauses.by_comments().any(|text| begins(text, start))
}

/// Whether the writer's host is `domain` or below it.
fn by_is_at(clauses: &Clauses, domain: &str) -> bool {
    clauses.by().is_some_and(|by| is_at_or_below(by, domain.as_bytes()))
}

/// What the tests of a format compare: its name and what it read, as in `Postfix tls TLSv1.3 CIPHER 256 verified`.
#[cfg(test)]
fn judged(body: &str) -> String {
    let hop = super::hop::Hop::read(body.as_bytes());
    let mut words = vec![hop.software.unwrap_or("-").to_owned(), hop.state.as_str().to_owned()];
    words.extend(hop.tls.version.map(|version| version.as_str().to_owned()));
    words.extend(hop.tls.cipher.map(|cipher| cipher.escape_ascii().to_string()));
    words.extend(hop.tls.bits.map(|bits| bits.to_string()));
    words
        .extend(hop.tls.verified.map(|verified| if verified { "verified" } else { "unverified" }.to_owned()));
    words.extend(hop.authenticated.then(|| "authenticated".to_owned()));
    words.extend(hop.doubt.map(|doubt| doubt.name().to_owned()));
    words.join(" ")
}

/// Reads each field and compares it with what stands beside it.
#[cfg(test)]
#[track_caller]
fn reads(rows: &[(&str, &str)]) {
    for (body, expected) in rows {
        assert_eq!(judged(body), *expected, "{body}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<&str> = FORMATS.iter().map(|format| format.software).collect();
        assert_eq!(names.len(), FORMATS.len());
        assert!(!names.contains(""));
    }

    #[test]
    fn an_unknown_writer_is_read_by_the_protocols_name_alone() {
        let field = |with: &str| {
            format!("from a.example (a.example [192.0.2.1]) by mx.example (NewMTA 1.0) with {with} id 1; Mon")
        };
        for (with, expected) in [
            ("ESMTPS", "- tls"),
            ("ESMTPSA", "- tls authenticated"),
            ("UTF8SMTPS", "- tls"),
            ("UTF8SMTPSA", "- tls authenticated"),
            ("LMTPS", "- tls"),
            ("SMTPs", "- tls"),
            ("HTTPS", "- tls"),
            ("ESMTP", "- unknown"),
            ("ESMTPA", "- unknown authenticated"),
            ("SMTP", "- unknown"),
            ("HTTP", "- unknown"),
            ("LMTP", "- unknown"),
            ("ESMTPX", "- unknown"),
            ("XESMTPS", "- unknown"),
            ("local", "- local"),
        ] {
            assert_eq!(judged(&field(with)), expected, "{with}");
        }
        reads(&[
            (
                "from a ([192.0.2.1]) by b with ESMTP (version=TLSv1.2 cipher=X bits=256) id 1; Mon",
                "- tls TLSv1.2 X 256",
            ),
            (
                "from a ([192.0.2.1]) by b with ESMTP id 1 tls TLS_AES_128_GCM_SHA256; Mon",
                "- tls TLSv1.3 TLS_AES_128_GCM_SHA256",
            ),
            (
                "from a ([192.0.2.1]) by b with ESMTP (version=TLSv1.2 cipher=NULL-SHA256) id 1; Mon",
                "- plain TLSv1.2 NULL-SHA256",
            ),
            ("from a ([127.0.0.1]) by b with ESMTPS id 1; Mon", "- local"),
            ("from a by b; Mon", "- unknown"),
            ("", "- unknown"),
        ]);
    }
}
