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
    ..COMMON
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

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn gmail_and_its_insides_are_read() {
        reads(&[
("from a.example (a.example. [192.0.2.1])\n        by mx.google.com with ESMTPS id v11si2241830edr.99.2020.09.25.10.19.07\n        for <u@gmail.com>\n        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\n        Fri, 25 Sep 2020 10:19:07 -0700 (PDT)",
 "Google tls TLSv1.3 TLS_AES_256_GCM_SHA384 256"),
("from a ([192.0.2.1]) by mx.google.com with ESMTPS id 1.2.2011.02.13.17.30.06 (version=TLSv1/SSLv3 cipher=OTHER); Mon", "Google tls OTHER"),
("from a ([192.0.2.1]) by mx.google.com with SMTPS id s18sor.25.2020.05.18.09.23.25 for <u@gmail.com> (Google Transport Security); Mon", "Google tls"),
("from a ([192.0.2.1]) by mx.google.com with ESMTP id a6si11272839ybo.18.2020.09.22.00.30.54; Mon", "Google plain"),
("from a ([192.0.2.1]) by mx.google.com with ESMTP id a6si11272839ybo.18.2010.09.22.00.30.54; Mon", "Google unknown"),
("by mail-sor-f41.google.com with SMTP id a1; Mon", "Google local"),
("by 2002:a05:6638:101c:: with SMTP id r28mr3059870jab.84; Mon", "Google local"),
("by 10.58.13.104 with SMTP id g8csp68965vec; Mon", "Google local"),
("by 203.0.113.9 with SMTP id g8csp68965vec; Mon", "- unknown"),
("from a ([192.0.2.1]) by mx.google.com.evil.example with ESMTP id 1.2020.09.22.00.30.54; Mon", "- unknown"),
]);
    }
}
