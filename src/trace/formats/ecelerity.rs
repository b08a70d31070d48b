//! Ecelerity, SparkPost: `by HOST (envelope-from <S>) (ecelerity 4.7 r()) with ESMTPS (cipher=C) id ID`. The sender's address
//! stands before the protocol. Old ones never say.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Ecelerity",
    wrote: |clauses| by_comment_begins(clauses, "ecelerity"),
    tls: |clauses| {
        let own = clauses.by_comments().skip_while(|text| !begins(text, "ecelerity"));
        clauses.with().filter(|with| says_tls(with)).and_then(|_| own.filter_map(Tls::from_pairs).next())
    },
    ..PLAIN_READING
};
