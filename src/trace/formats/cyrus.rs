//! Cyrus' lmtpd: `from HELO (NAME [ADDRESS]) by HOST (Cyrus v2.3.7) with LMTPSA (version=TLSv1.3 cipher=C bits=256/256
//! verify=YES)`, or `([unix socket])` in place of the address.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Cyrus",
    wrote: |clauses| clauses.by_comments().next().is_some_and(|text| begins(text, "Cyrus")),
    silence: always_says,
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn a_socket_is_local_and_a_network_says_it() {
        reads(&[
("from murder (a.example [192.0.2.1])\n\tby b.example (Cyrus v2.3.7) with LMTPSA\n\t(version=TLSv1.2 cipher=AES256-SHA bits=256/256 verify=YES); Mon", "Cyrus tls TLSv1.2 AES256-SHA 256 verified authenticated"),
("from murder (a.example [192.0.2.1]) by b.example (Cyrus v2.3.7) with LMTPA; Mon", "Cyrus plain authenticated"),
("from a ([unix socket])\n\t by b.example (Cyrus v2.2.12) with LMTPA; Mon", "Cyrus local authenticated"),
]);
    }
}
