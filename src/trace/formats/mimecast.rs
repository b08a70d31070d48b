//! Mimecast: `from HELO (NAME [ADDRESS]) by relay.mimecast.com with ESMTP with STARTTLS (version=TLSv1.3, cipher=C) id ID`;
//! older `(Using TLS) by`. Whether silence means that there was none is not known.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Mimecast",
    wrote: |clauses| by_is_at(clauses, "mimecast.com"),
    tls: |clauses| {
        let stated = clauses.early_comments().find_map(Tls::from_pairs);
        let using = clauses.remarks().any(|text| text == b"Using TLS");
        stated.or((clauses.has_starttls() || using).then(Tls::default))
    },
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn starttls_is_a_second_with() {
        reads(&[
("from a.example (a.example [192.0.2.1]) by relay.mimecast.com\n with ESMTP with STARTTLS (version=TLSv1.3,\n cipher=TLS_AES_256_GCM_SHA384) id us-mta-182-mm-1; Mon", "Mimecast tls TLSv1.3 TLS_AES_256_GCM_SHA384"),
("from a.example (a.example [192.0.2.1]) (Using TLS) by relay.mimecast.com with ESMTP id us-mta-1; Mon", "Mimecast tls"),
("from a.example (a.example [192.0.2.1]) by relay.mimecast.com with ESMTP id us-mta-1; Mon", "Mimecast unknown"),
("from x (Using TLS) (a.example [192.0.2.1]) by relay.mimecast.com with ESMTP id us-mta-1; Mon", "Mimecast unknown"),
]);
    }
}
