//! Stalwart: `from HELO (NAME [ADDRESS] (AS64500 N, DE)) (using TLSv1.3 with cipher C) by HOST (Stalwart SMTP) with ESMTPS
//! id ID`.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Stalwart",
    wrote: |clauses| clauses.by_comments().next().is_some_and(|text| begins(text, "Stalwart")),
    tls: using_tls,
    silence: always_says,
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn the_remark_stands_behind_the_address() {
        reads(&[
("from a.example (a.example [192.0.2.1] (AS64500 NAME, DE))\n\t(using TLSv1.3 with cipher TLS13_AES_256_GCM_SHA384)\n\tby mx.example (Stalwart SMTP) with ESMTPS id 2F3A1;\n\tMon", "Stalwart tls TLSv1.3 TLS13_AES_256_GCM_SHA384"),
("from a.example (a.example [192.0.2.1] (AS64500 NAME, DE)) by mx.example (Stalwart SMTP) with ESMTP id 2F3A1; Mon", "Stalwart plain"),
("from x (y) (using TLSv1.3 with cipher X) (a.example [192.0.2.1]) by mx.example (Stalwart SMTP) with ESMTP id 2F3A1; Mon", "Stalwart plain"),
]);
    }
}
