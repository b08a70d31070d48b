//! Sendmail 8: `from HELO (NAME [ADDRESS]) by HOST (8.17.1/8.17.1) with ESMTPS id ID (version=TLSv1.3 cipher=C
//! bits=256 verify=NOT) for <R>`. It states TLS since 8.11, and before that it had none. `TLSv1/SSLv3`, up to 8.15,
//! names a family of ciphers.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Sendmail",
    wrote: |clauses| clauses.by_comments().any(is_version),
    tls: |clauses| clauses.early_comments().find_map(Tls::from_pairs),
    silence: always_says,
    is_local: |clauses, peer| {
        // Submitted by a program: `(from user@localhost) by HOST`, or through a pipe: `from localhost
        // (user@localhost) by HOST`. What comes over a network has its address there.
        let submitted = clauses.from().is_empty() && clauses.leading_comment().is_some_and(|text| begins(text, "from "));
        let piped = peer.address.is_none() && clauses.client_comments().any(is_localhost);
        submitted || piped || generic_local(clauses, peer)
    },
    peer: |clauses, peer| {
        let may_be_forged = |text: &[u8]| memchr::memmem::find(text, b"(may be forged)").is_some();
        peer.is_checked = peer.name.is_some() && !clauses.client_comments().any(may_be_forged);
    },
    ..COMMON
};

/// `localhost`, or a user there.
fn is_localhost(text: &[u8]) -> bool {
    let start = text.iter().rposition(|octet| *octet == b'@').map_or(0, |at| at + 1);
    text[start..].eq_ignore_ascii_case(b"localhost")
}

/// `8.17.1/8.17.1`, `8.14.2/8.14.2/Submit`: the versions of the program and of its configuration.
fn is_version(text: &[u8]) -> bool {
    let mut pieces = text.split(|octet| *octet == b'/');
    let is_eight = |piece: Option<&[u8]>| piece.is_some_and(|piece| piece.starts_with(b"8."));
    is_eight(pieces.next()) && is_eight(pieces.next()) && !text.contains(&b'(')
}

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn the_cipher_family_is_no_version() {
        reads(&[
("from a.example (a.example [192.0.2.1])\n\tby mx.example (8.17.1/8.17.1) with ESMTPS id 29CA9wkA1165787\n\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NOT)\n\tfor <u@example>; Wed, 12 Oct 2022 12:09:58 +0200",
 "Sendmail tls TLSv1.3 TLS_AES_256_GCM_SHA384 256 unverified"),
("from a ([192.0.2.1]) (authenticated bits=0) by mx.example (8.13.6/8.13.6/Debian-1) with ESMTP id 1 (version=TLSv1/SSLv3 cipher=DHE-RSA-AES128-SHA bits=128 verify=OK); Mon", "Sendmail tls DHE-RSA-AES128-SHA 128 verified authenticated"),
("from a.example (a.example [192.0.2.1] (may be forged)) by mx.example (8.11.6/8.11.6) with ESMTP id h2F0c2x31856 for <u@example>; Mon", "Sendmail plain"),
("(from u@localhost) by mx.example (8.17.1/8.17.1/Submit) id 1; Mon", "Sendmail local"),
("from localhost (daemon@localhost) by mx.example (8.9.3/8.9.3) with SMTP id OAA51643; Mon", "Sendmail local"),
("from pps.filterd (m1.ppops.net [127.0.0.1]) by mx0a-1.pphosted.com (8.18.1.2/8.18.1.2) with ESMTP id 1; Mon", "Sendmail local"),
("from a (a.example [192.0.2.1]) by mx.example (8.17.1/8.17.1) with ESMTP id 1 for <u@example> (version=TLSv1.3 cipher=X); Mon", "Sendmail plain"),
]);
    }
}
