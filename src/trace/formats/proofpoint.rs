//! Proofpoint: `from HELO (NAME [ADDRESS]) by HOST (PPS) with ESMTPS id ID (version=TLSv1.2 cipher=C bits=256 verify=NOT)`.
//! Built on Sendmail, but whether silence means that there was none is not known.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Proofpoint",
    wrote: |clauses| by_comment_begins(clauses, "PPS"),
    tls: |clauses| clauses.early_comments().find_map(Tls::from_pairs),
    ..PLAIN_READING
};
