//! Cyrus' lmtpd: `from HELO (NAME [ADDRESS]) by HOST (Cyrus v2.3.7) with LMTPSA (version=TLSv1.3 cipher=C bits=256/256
//! verify=YES)`, or `([unix socket])` in place of the address.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Cyrus",
    wrote: |clauses| clauses.by_comments().next().is_some_and(|text| begins(text, "Cyrus")),
    silence: always_says,
    ..PLAIN_READING
};
