//! Exim 3 and 4: all forms of the default `received_header_text`.
//!
//! `from NAME ([ADDRESS] helo=HELO) by HOST with esmtps (TLS1.3) tls CIPHER (Exim 4.96) (envelope-from <S>) id ID
//! for R`; before 4.93 `(TLSv1.2:CIPHER:256)`, in Exim 3 `(Cipher TLSv1:CIPHER:168)`. The word behind `from` is the
//! name of the address, looked up and back, or the address itself; HELO stands in the comment where it differs.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Exim",
    wrote: |clauses| clauses.by_comments().any(|text| text == b"Exim" || begins(text, "Exim ")),
    tls,
    silence: always_says,
    peer: |clauses, peer| {
        let first = clauses.client_words().next();
        peer.name = first.filter(|word| peer.address.is_some() && !word.starts_with(b"["));
        peer.is_checked = peer.name.is_some();
    },
    ..PLAIN_READING
};

fn tls<'a>(clauses: &Clauses<'a>) -> Option<Tls<'a>> {
    // Behind Exim's own name stands what the sender chose.
    let own = clauses.by_comments().take_while(|text| !begins(text, "Exim"));
    let stated = own.filter_map(|text| {
        let text = text.trim_ascii();
        Tls::from_colons(text.strip_prefix(b"Cipher ").unwrap_or(text))
    });
    let stated = stated.last();
    let clause = tls_clause(clauses);
    let Some(stated) = stated else { return clause };
    // `(verified)` behind a certificate's name, as Debian's own hosts write it.
    let verified = clauses.remarks().any(|text| text == b"verified").then_some(true);
    let cipher = stated.cipher.or(clause.and_then(|clause| clause.cipher));
    Some(Tls { cipher, verified, ..stated })
}
