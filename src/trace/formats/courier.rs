//! Courier: `from HELO (NAME [ADDRESS]) (TLS: TLSv1.3,256bits,C) by HOST with ESMTPS; DATE id X.Y.Z`, the id behind the
//! date. Trellix writes the same comment behind `with smtp`.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Courier",
    wrote: |clauses| tls(clauses).is_some() || has_id(clauses),
    tls,
    silence: always_says,
    ..COMMON
};

fn tls<'a>(clauses: &Clauses<'a>) -> Option<Tls<'a>> {
    clauses.remarks().chain(clauses.early_comments().take(1)).find_map(|text| {
        let list = text.strip_prefix(b"TLS:")?.trim_ascii();
        let mut items = list.split(|octet| *octet == b',');
        let (version, bits) = (items.next(), items.next());
        Some(Tls::of(version, items.next(), bits))
    })
}

/// Behind the date: `id 00000000005A1C77.000000005E75464C.00004771`.
fn has_id(clauses: &Clauses) -> bool {
    let mut tail = clauses.tail().skip_while(|word| *word != b"id").skip(1);
    tail.next().is_some_and(|id| {
        let lengths = id.split(|octet| *octet == b'.').map(<[u8]>::len);
        lengths.eq([16, 16, 8]) && id.iter().all(|octet| octet.is_ascii_hexdigit() || *octet == b'.')
    })
}

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn the_remark_says_it_and_the_id_tells_the_writer() {
        reads(&[
("from a.example (a.example [::ffff:192.0.2.1])\n  (TLS: TLSv1.3,256bits,TLS_AES_256_GCM_SHA384)\n  by mx.example with ESMTPS; Sat, 21 Mar 2020 00:40:12 +0200\n  id 00000000005A1C77.000000005E75464C.00004771", "Courier tls TLSv1.3 TLS_AES_256_GCM_SHA384 256"),
("from a.example (a.example [192.0.2.1]) (IDENT: list)\n  by mx.example with ESMTP; Sat, 21 Mar 2020 00:40:12 +0200\n  id 00000000005A1C77.000000005E75464C.00004771", "Courier plain"),
("from a.example ([192.0.2.1]) by mx.example with smtp\n\t(TLS: TLSv1/SSLv3,256bits,ECDHE-RSA-AES256-GCM-SHA384)\n\t id 1; Mon", "Courier tls ECDHE-RSA-AES256-GCM-SHA384 256"),
("from a.example (TLS: TLSv1.3,256bits,X) (a.example [192.0.2.1]) by mx.example with ESMTP; Sat\n  id 00000000005A1C77.000000005E75464C.00004771", "Courier plain"),
]);
    }
}
