//! GMX, WEB.DE, IONOS: `from HELO ([ADDRESS]) by HOST (mxgmx101 [ADDRESS]) with ESMTPS (Nemesis) id ID`. The protocol
//! alone says it.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Nemesis",
    wrote: |clauses| clauses.by_comments().any(|text| text == b"Nemesis"),
    tls: |_| None,
    silence: always_says,
    ..PLAIN_READING
};
