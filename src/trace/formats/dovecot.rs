//! Dovecot's LMTP server: `from HELO ([ADDRESS]) (using TLSv1.3 with cipher C (256/256 bits)) by HOST with LMTPS id ID`;
//! through a Unix socket there is no address. 2.2 writes `(Dovecot)`.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Dovecot",
    wrote: |clauses| {
        let with = clauses.with().unwrap_or_default();
        let dovecot = clauses.by_comments().next() == Some(b"Dovecot");
        let ours = clauses.by_comments().next().is_some_and(|text| begins(text, "envelope-from"));
        begins(with, "LMTP") && (dovecot || ours)
    },
    tls: using_tls,
    silence: always_says,
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn a_socket_is_local_and_a_network_says_it() {
        reads(&[
("from mx.example ([192.0.2.1])\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n\tby store.example with LMTPS\n\tid X\n\t(envelope-from <s@example>)\n\tfor <u@example>; Mon", "Dovecot tls TLSv1.3 TLS_AES_256_GCM_SHA384 256"),
("from mx.example ([192.0.2.1])\n\tby store.example with LMTP\n\tid X\n\t(envelope-from <s@example>)\n\tfor <u@example>; Mon", "Dovecot plain"),
("from mx.example\n\tby store.example with LMTP\n\tid IF/+LHrTFGEQBQAAPzvFDg\n\t(envelope-from <>)\n\tfor <u@example>; Mon", "Dovecot local"),
("from mx.example by store.example (Dovecot) with LMTP id Ye02K6PB5F43cQAAPzvFDg for <u@example>; Mon", "Dovecot local"),
]);
    }
}
