//! Dovecot's LMTP server: `from HELO ([ADDRESS]) (using TLSv1.3 with cipher C (256/256 bits)) by HOST with LMTPS id ID`;
//! through a Unix socket there is no address. 2.2 writes `(Dovecot)`.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Dovecot",
    wrote: |clauses| {
        let with = clauses.with().unwrap_or_default();
        let dovecot = clauses.by_comments().next() == Some(b"Dovecot");
        let ours = clauses.by_comments().next().is_some_and(|text| begins(text, "envelope-from"));
        begins(with, "LMTP") && (dovecot || ours)
    },
    tls: using_tls,
    silence: always_says,
    ..PLAIN_READING
};
