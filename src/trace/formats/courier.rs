//! Courier: `from HELO (NAME [ADDRESS]) (TLS: TLSv1.3,256bits,C) by HOST with ESMTPS; DATE id X.Y.Z`, the id behind the
//! date. Trellix writes the same comment behind `with smtp`.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Courier",
    wrote: |clauses| tls(clauses).is_some() || has_id(clauses),
    tls,
    silence: always_says,
    ..PLAIN_READING
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
