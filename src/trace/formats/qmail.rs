//! qmail, qmail-ldap, netqmail, MessageLabs, qpsmtpd and others of its kin.
//!
//! `from NAME (HELO HELO) (USER@ADDRESS) by HOST with SMTP`: qmail itself knows no TLS, its patches write
//! `with CIPHER encrypted SMTP`, qpsmtpd `with (CIPHER encrypted) ESMTPS`. Notes between the fields have no `by`.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "qmail",
    wrote: |clauses| {
        is_note(clauses) || is_scanner(clauses) || tls(clauses).is_some() || by_comment_begins(clauses, "qmail")
            || by_comment_begins(clauses, "qpsmtpd")
    },
    tls,
    is_local: |clauses, peer| is_note(clauses) || is_scanner(clauses) || generic_local(clauses, peer),
    passage: |clauses| match clauses.leading_comment() {
        Some(text) if is_note(clauses) && text.ends_with(b"from network") => Passage::Note,
        Some(_) if is_note(clauses) => Passage::Program,
        _ => Passage::Hop,
    },
    ..PLAIN_READING
};

/// `(qmail 5 invoked by uid 9)`, `(nullmailer pid 5 invoked by uid 9)`.
fn is_note(clauses: &Clauses) -> bool {
    let is_invocation = |text: &[u8]| {
        (begins(text, "qmail ") || begins(text, "nullmailer ")) && memchr::memmem::find(text, b" invoked ").is_some()
    };
    clauses.by().is_none() && clauses.from().is_empty() && clauses.leading_comment().is_some_and(is_invocation)
}

/// `from S by HOST by uid 502 with qmail-scanner-1.12`.
fn is_scanner(clauses: &Clauses) -> bool {
    clauses.with().is_some_and(|with| begins(with, "qmail-scanner"))
}

/// `with DHE-RSA-AES256-SHA encrypted SMTP`, `with (TLS_AES_256_GCM_SHA384 encrypted) ESMTPS`.
fn tls<'a>(clauses: &Clauses<'a>) -> Option<Tls<'a>> {
    let mut with = clauses.with_words();
    let patched = with.next().filter(|_| with.next() == Some(b"encrypted"));
    let comment = clauses.early_comments().next().and_then(|text| text.strip_suffix(b" encrypted"));
    patched.or(comment).map(|cipher| Tls::of(None, Some(cipher), None))
}
