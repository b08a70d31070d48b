//! Yahoo: `from ADDRESS (EHLO HELO) (ADDRESS) by HOST with SMTPs`, webmail `via HTTP`. The protocol alone says it, and
//! whether its absence means that there was none is not known.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Yahoo",
    wrote: |clauses| by_is_at(clauses, "yahoo.com"),
    ..PLAIN_READING
};
