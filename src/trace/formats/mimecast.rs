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
    ..PLAIN_READING
};
