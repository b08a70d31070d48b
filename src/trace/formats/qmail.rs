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
    ..COMMON
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
    let comment = clauses.early_comments().find_map(|text| text.strip_suffix(b" encrypted"));
    patched.or(comment).map(|cipher| Tls::of(None, Some(cipher), None))
}

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn patches_say_it_and_the_stock_never() {
        reads(&[
("from unknown (HELO a.example) (u@[192.0.2.1])\n\t(envelope-sender <s@example>)\n\tby mx.example (qmail-ldap-1.03) with AES256-SHA encrypted SMTP\n\tfor <u@example>; 12 Feb 2011 18:49:46 -0000", "qmail tls AES256-SHA"),
("from unknown (HELO a.example) (192.0.2.1)\n  by mx.example with DHE-RSA-AES256-SHA encrypted SMTP; 15 Nov 2010 09:52:59 -0000", "qmail tls DHE-RSA-AES256-SHA"),
("from a.example (HELO a.example) (192.0.2.1)\n    by mx.example (qpsmtpd/0.96) with (TLS_AES_256_GCM_SHA384 encrypted) ESMTPS; Mon", "qmail tls TLSv1.3 TLS_AES_256_GCM_SHA384"),
("from a.example (HELO b.example) (192.0.2.1)\n  by mx.example with SMTP; 17 Jul 2003 00:00:00 -0000", "- unknown"),
("from a.example (HELO b.example) (192.0.2.1) by mx.example (qmail-1.03) with SMTP; Mon", "qmail unknown"),
("from a.example (HELO b.example) (127.0.0.1) by mx.example (qmail-1.03) with SMTP; Mon", "qmail local"),
("(qmail 32184 invoked by uid 700); 28 Mar 2005 01:14:54 -0000", "qmail local"),
("(qmail 26816 invoked from network); 28 Mar 2005 01:14:54 -0000", "qmail local"),
("(nullmailer pid 477 invoked by uid 1000); Mon", "qmail local"),
("from s@example by mx.example by uid 502 with qmail-scanner-1.12 (F-PROT: 3.12. Clear:. Processed in 0.34 secs); Mon", "qmail local"),
]);
    }
}
