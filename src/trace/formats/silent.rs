//! Writers that never say whether there was TLS: what they write below their names is for reports only.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "other",
    wrote: |clauses| {
        let begins_so = ["Lotus Domino", "IBM Domino", "HCL Domino", "PowerMTA", "MEProxy", "LMTPProxy"];
        begins_so.iter().any(|name| by_comment_begins(clauses, name))
            || by_is_at(clauses, "amazonaws.com") && clauses.by().is_some_and(|by| begins(by, "inbound-smtp."))
    },
    ..PLAIN_READING
};
