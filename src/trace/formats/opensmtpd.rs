//! OpenSMTPD: `from HELO (NAME [ADDRESS]) by HOST (OpenSMTPD) with ESMTPS id ID (TLSv1.3:C:256:NO) for <R>`. The last
//! item says whether the client's certificate was verified.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "OpenSMTPD",
    wrote: |clauses| clauses.by_comments().next() == Some(b"OpenSMTPD"),
    tls: |clauses| clauses.early_comments().find_map(Tls::from_colons),
    silence: always_says,
    is_local: |clauses, peer| {
        // Submitted through its socket: `from localhost (HOST [local])`.
        let submitted = clauses.client_comments().any(|text| text.ends_with(b"[local]"));
        submitted || generic_local(clauses, peer)
    },
    ..PLAIN_READING
};
