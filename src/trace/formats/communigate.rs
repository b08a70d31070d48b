//! CommuniGate Pro: `from [ADDRESS] (HELO HELO) by HOST (CommuniGate Pro SMTP 5.4.2) with ESMTPS id ID`; older
//! `with ESMTP-TLS`. Whether silence means that there was none is not known.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "CommuniGate",
    wrote: |clauses| by_comment_begins(clauses, "CommuniGate"),
    tls: |_| None,
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn two_names_of_one_protocol() {
        reads(&[
("from [192.0.2.1] (HELO a)\n  by b.example (CommuniGate Pro SMTP 5.4.2)\n  with ESMTP id 197561; Mon", "CommuniGate unknown"),
("from [192.0.2.1] (HELO a) by b.example (CommuniGate Pro SMTP 5.4.2) with ESMTPS id 1; Mon", "CommuniGate tls"),
("from [192.0.2.1] (HELO a) by b.example (CommuniGate Pro SMTP 4.2) with ESMTP-TLS id 1; Mon", "CommuniGate tls"),
]);
    }
}
