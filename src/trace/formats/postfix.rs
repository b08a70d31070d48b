//! Postfix since 2.2, and what is built on it: iCloud, Fastmail, Proton, Zimbra.
//!
//! `from HELO (NAME [ADDRESS]) (using TLSv1.3 with cipher C (256/256 bits) key-exchange ...) (Client CN "C",
//! Issuer "I" (verified OK)) by HOST (Postfix) with ESMTPS id ID`. With `smtpd_tls_received_header = no`, the
//! default, only the protocol says it. The HELO name is neutered: no blank, parenthesis, quote or semicolon.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Postfix",
    wrote: |clauses| clauses.by_comments().next().is_some_and(|text| begins(text, "Postfix")),
    tls: |clauses| {
        let tls = using_tls(clauses)?;
        Some(Tls { verified: verified(clauses), ..tls })
    },
    silence: always_says,
    is_local: |clauses, peer| {
        // local(8) and bounce(8) name no client and no protocol; smtpd names both.
        let inside = clauses.with().is_none();
        let pickup = clauses.by_comments().next().is_some_and(|text| begins(text, "Postfix, from userid"));
        (pickup || inside) && clauses.from().is_empty() || generic_local(clauses, peer)
    },
    // smtpd writes a name only if it leads back to the address.
    peer: checks_names,
    ..COMMON
};

/// The names in the certificate are the client's words; what Postfix found stands behind them.
fn verified(clauses: &Clauses) -> Option<bool> {
    clauses.remarks().find_map(|text| {
        let is_about_client = begins(text, "Client ") || begins(text, "No client certificate");
        is_about_client.then(|| text.ends_with(b"(verified OK)"))
    })
}

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn what_postfix_makes_itself_is_local() {
        reads(&[
            ("by mx.example (Postfix)\n\tid 45BAF27A0001; Mon", "Postfix local"),
            ("by mx.example (Postfix) with ESMTP id 1; Mon", "Postfix unknown"),
        ]);
    }

    #[test]
    fn each_form_since_2_2_is_read() {
        reads(&[
("from a.example (a.example [192.0.2.1])\n\t(using TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits))\n\t(No client certificate requested)\n\tby mx.example (Postfix) with ESMTPS id 5C917B70A6\n\tfor <u@example>; Tue,  3 Aug 2010 23:25:00 +1000 (EST)",
 "Postfix tls TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 256 unverified"),
("from a.example (a.example [192.0.2.1])\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n\t key-exchange X25519 server-signature RSA-PSS (4096 bits) server-digest SHA256)\n\t(Client CN \"a.example\", Issuer \"CA\" (verified OK))\n\tby mx.example (Postfix) with ESMTPS id 1; Mon",
 "Postfix tls TLSv1.3 TLS_AES_256_GCM_SHA384 256 verified"),
("from a.example (a.example [IPv6:2001:db8::1])\n\t(using TLSv1.3 with cipher X (256/256 bits)\n\t client-signature ECDSA (P-256) client-digest SHA256)\n\t(Client CN \"a (verified OK)\", Issuer \"a\" (not verified))\n\t(Authenticated sender: u)\n\tby mx.example (Postfix) with ESMTPSA id 1; Mon",
 "Postfix tls TLSv1.3 X 256 unverified authenticated"),
("from a (unknown [192.0.2.1])\n\t(using TLSv1 with cipher RC4-MD5 (128/128 bits))\n\t(Client did not present a certificate)\n\tby mx.example (Postfix) with ESMTP id 1; Mon",
 "Postfix tls TLSv1.0 RC4-MD5 128 unverified"),
("from a (a.example [192.0.2.1]) by mx.example (Postfix) with ESMTPS id 1; Mon", "Postfix tls"),
("from a (a.example [192.0.2.1]) by mx.example (Postfix) with UTF8SMTPS id 1; Mon", "Postfix tls"),
("from a (a.example [192.0.2.1]) by mx.example (Postfix/Debian) with ESMTPA id 1; Mon", "Postfix plain authenticated"),
("from a (a.example [192.0.2.1]) by mx.example (Postfix) with SMTP id 1; Mon", "Postfix plain"),
("from a (a.example [192.0.2.1])\n\t(using TLSv1.2 with cipher NULL-SHA256 (0/0 bits)) by mx.example (Postfix) with ESMTPS id 1; Mon", "Postfix plain TLSv1.2 NULL-SHA256 0"),
("by mx.example (Postfix, from userid 1000)\n\tid 1; Mon", "Postfix local"),
("from x (Postfix, from userid 0) by mx.example (Postfix) with ESMTP id 1; Mon", "Postfix plain"),
("from a (localhost [127.0.0.1])\n\t(using TLSv1.2 with cipher X (256/256 bits)) by mx.example (Postfix) with ESMTPS id 1; Mon", "Postfix local TLSv1.2 X 256"),
]);
    }
}
