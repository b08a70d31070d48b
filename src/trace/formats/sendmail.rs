//! Sendmail 8: `from HELO (NAME [ADDRESS]) by HOST (8.17.1/8.17.1) with ESMTPS id ID (version=TLSv1.3 cipher=C
//! bits=256 verify=NOT) for <R>`. It states TLS since 8.11, and before that it had none. `TLSv1/SSLv3`, up to 8.15,
//! names a family of ciphers.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Sendmail",
    wrote: |clauses| clauses.by_comments().any(is_version),
    tls: |clauses| clauses.early_comments().find_map(Tls::from_pairs),
    silence: always_says,
    is_local: |clauses, peer| {
        // `(from user@localhost) by HOST`: submitted by a program.
        let submitted = clauses.from().is_empty() && clauses.leading_comment().is_some_and(|text| begins(text, "from "));
        submitted || generic_local(clauses, peer)
    },
    peer: |clauses, peer| {
        let may_be_forged = |text: &[u8]| memchr::memmem::find(text, b"(may be forged)").is_some();
        peer.is_checked = peer.name.is_some() && !clauses.client_comments().any(may_be_forged);
    },
    ..PLAIN_READING
};

/// `8.17.1/8.17.1`, `8.14.2/8.14.2/Submit`: the versions of the program and of its configuration.
fn is_version(text: &[u8]) -> bool {
    let mut pieces = text.split(|octet| *octet == b'/');
    let is_eight = |piece: Option<&[u8]>| piece.is_some_and(|piece| piece.starts_with(b"8."));
    is_eight(pieces.next()) && is_eight(pieces.next()) && !text.contains(&b'(')
}
