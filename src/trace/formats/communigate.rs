//! CommuniGate Pro: `from [ADDRESS] (HELO HELO) by HOST (CommuniGate Pro SMTP 5.4.2) with ESMTPS id ID`; older
//! `with ESMTP-TLS`. Whether silence means that there was none is not known.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "CommuniGate",
    wrote: |clauses| by_comment_begins(clauses, "CommuniGate"),
    tls: |_| None,
    ..PLAIN_READING
};
