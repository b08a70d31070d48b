//! Haraka: `from HELO (NAME [ADDRESS]) by HOST (Haraka/3.0.1) with ESMTPS id ID envelope-from <S> tls C`. The cipher
//! stands behind the sender's address, so it is taken only together with the protocol.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Haraka",
    wrote: |clauses| clauses.by_comments().next().is_some_and(|text| begins(text, "Haraka")),
    tls: |clauses| clauses.with().filter(|with| says_tls(with)).and_then(|_| tls_clause(clauses)),
    silence: always_says,
    ..PLAIN_READING
};
