//! Gmail and Google's own hosts.
//!
//! `from HELO (NAME. [ADDRESS]) by mx.google.com with ESMTPS id ID.2020.09.25.10.19.07 for <R> (version=TLS1_3
//! cipher=C bits=256/256)`; between its hosts `with SMTPS ... (Google Transport Security)` and fields without `from`.

use super::*;

/// Since this year Gmail is known to write the S.
const STATES_TLS: u16 = 2013;

pub(super) const FORMAT: Format = Format {
    software: "Google",
    wrote: |clauses| by_is_at(clauses, "google.com") || by_is_inside(clauses) && clauses.from().is_empty(),
    tls: |clauses| clauses.by_comments().find_map(Tls::from_pairs),
    silence: |clauses, peer| {
        let year = clauses.id().and_then(year_of);
        if year.is_some_and(|year| year >= STATES_TLS) { always_says(clauses, peer) } else { State::Unknown }
    },
    is_local: |clauses, peer| {
        let inside = clauses.from().is_empty() && clauses.with().is_some_and(|with| !says_tls(with));
        inside || generic_local(clauses, peer)
    },
    peer: checks_names,
    ..PLAIN_READING
};

/// Hosts inside Google write their addresses: 10/8, and 6to4 of it.
fn by_is_inside(clauses: &Clauses) -> bool {
    let by = clauses.by().unwrap_or_default();
    clauses.with() == Some(b"SMTP") && (by.starts_with(b"2002:a") || by.starts_with(b"10."))
}

/// The year in `v11si2241830edr.99.2020.09.25.10.19.07`.
fn year_of(id: &[u8]) -> Option<u16> {
    let year = id.rsplit(|octet| *octet == b'.').nth(5).filter(|year| year.len() == 4)?;
    std::str::from_utf8(year).ok()?.parse().ok()
}
