//! Stalwart: `from HELO (NAME [ADDRESS] (AS64500 N, DE)) (using TLSv1.3 with cipher C) by HOST (Stalwart SMTP) with ESMTPS
//! id ID`.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Stalwart",
    wrote: |clauses| clauses.by_comments().next().is_some_and(|text| begins(text, "Stalwart")),
    tls: using_tls,
    silence: always_says,
    ..PLAIN_READING
};
