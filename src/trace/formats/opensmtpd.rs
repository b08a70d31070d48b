//! OpenSMTPD: `from HELO (NAME [ADDRESS]) by HOST (OpenSMTPD) with ESMTPS id ID (TLSv1.3:C:256:NO) for <R>`. The last
//! item says whether the client's certificate was verified.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "OpenSMTPD",
    wrote: |clauses| clauses.by_comments().next() == Some(b"OpenSMTPD"),
    tls: |clauses| clauses.early_comments().find_map(Tls::from_colons),
    silence: always_says,
    is_local: |clauses, peer| {
        // Submitted through its socket: `from localhost (HOST [local])`.
        let submitted =
            peer.address.is_none() && clauses.client_comments().any(|text| text.ends_with(b"[local]"));
        submitted || generic_local(clauses, peer)
    },
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn the_last_item_tells_of_the_certificate() {
        reads(&[
("from a.example (a.example [192.0.2.1])\n\tby mx.example (OpenSMTPD) with ESMTPS id 048528c1 (TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO)\n\tfor <u@example>;\n\tTue, 23 Jun 2026 07:47:54 +0200 (CEST)",
 "OpenSMTPD tls TLSv1.3 TLS_AES_256_GCM_SHA384 256 unverified"),
("from a (a.example [192.0.2.1]) by mx.example (OpenSMTPD) with ESMTPSA id 1 (TLSv1.3:X:256:YES) auth=yes user=u; Mon", "OpenSMTPD tls TLSv1.3 X 256 verified authenticated"),
("from a (a.example [192.0.2.1]) by mx.example (OpenSMTPD) with ESMTP id 1\n\tfor <u@example>; Mon", "OpenSMTPD plain"),
("from localhost (mx.example [local]) by mx.example (OpenSMTPD) with ESMTPA id 1; Mon", "OpenSMTPD local authenticated"),
]);
    }
}
