//! Postini: `from source ([ADDRESS]) (using TLSv1) by HOST ([ADDRESS]) with SMTP`.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Postini",
    wrote: |clauses| by_is_at(clauses, "postini.com"),
    tls: using_tls,
    ..PLAIN_READING
};
