//! Amavis: `from HELO ([ADDRESS]) by localhost (HOST [127.0.0.1]) (amavisd-new, port 10024) with ESMTP`. It never says.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Amavis",
    wrote: |clauses| by_comment_begins(clauses, "amavis"),
    ..PLAIN_READING
};
