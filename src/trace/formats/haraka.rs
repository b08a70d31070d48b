//! Haraka: `from HELO (NAME [ADDRESS]) by HOST (Haraka/3.0.1) with ESMTPS id ID envelope-from <S> tls C`. The cipher
//! stands behind the sender's address, so it is taken only together with the protocol.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Haraka",
    wrote: |clauses| clauses.by_comments().next().is_some_and(|text| begins(text, "Haraka")),
    tls: |clauses| clauses.with().filter(|with| says_tls(with)).and_then(|_| tls_clause(clauses)),
    silence: always_says,
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn the_clause_counts_beside_the_protocol_only() {
        reads(&[
("from a.example (a.example [192.0.2.1])\n\tby mx.example (Haraka/3.0.1) with ESMTPS id UUID.1\n\tenvelope-from <s@example>\n\ttls TLS_AES_256_GCM_SHA384;\n\tMon", "Haraka tls TLSv1.3 TLS_AES_256_GCM_SHA384"),
("from a (a.example [192.0.2.1]) by mx.example (Haraka/3.0.1) with ESMTP id UUID.1 envelope-from <s@example>; Mon", "Haraka plain"),
("from a (a.example [192.0.2.1]) by mx.example (Haraka/3.0.1) with ESMTP id UUID.1 envelope-from <s@example> tls X; Mon", "Haraka plain"),
]);
    }
}
