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
        let pickup = clauses.by_comments().next().is_some_and(|text| begins(text, "Postfix, from userid"));
        pickup && clauses.from().is_empty() || generic_local(clauses, peer)
    },
    // smtpd writes a name only if it leads back to the address.
    peer: checks_names,
    ..PLAIN_READING
};

/// The names in the certificate are the client's words; what Postfix found stands behind them.
fn verified(clauses: &Clauses) -> Option<bool> {
    clauses.remarks().find_map(|text| {
        let is_about_client = begins(text, "Client ") || begins(text, "No client certificate");
        is_about_client.then(|| text.ends_with(b"(verified OK)"))
    })
}
