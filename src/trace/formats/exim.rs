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
    ..COMMON
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

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn each_form_of_the_default_string_is_read() {
        reads(&[
("from a.example ([192.0.2.1])\n\tby mx.example with esmtps  (TLS1.3) tls TLS_AES_256_GCM_SHA384\n\t(Exim 4.96)\n\t(envelope-from <s@example>)\n\tid 1mwjc6-0003hM-2K\n\tfor u@example; Mon, 13 Dec 2021 12:35:26 +0100",
 "Exim tls TLSv1.3 TLS_AES_256_GCM_SHA384"),
("from a.example ([192.0.2.1] helo=b)\n\tby mx.example with esmtpsa (TLSv1.2:ECDHE-RSA-AES256-GCM-SHA384:256)\n\t(Exim 4.84)\n\tid 1; Mon", "Exim tls TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 256 authenticated"),
("from a.example ([192.0.2.1])\n\tby mx.example with esmtps (TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256)\n\t(Exim 4.89)\n\tid 1; Mon", "Exim tls TLSv1.2 ECDHE_RSA_AES_256_GCM_SHA384 256"),
("from a.example ([2001:db8::1])\n\tfrom C=NA,ST=NA,L=Ankh Morpork,O=Debian SMTP,CN=a.example (verified)\n\tby mx.example with esmtps (TLS1.2:X:256)\n\t(Exim 4.89)\n\tid 1; Mon", "Exim tls TLSv1.2 X 256 verified"),
("from a.example [192.0.2.1] by mx.example with esmtp (Cipher TLSv1:DES-CBC3-SHA:168) (Exim 3.31 #1 (Debian)) id 1; Mon", "Exim tls TLSv1.0 DES-CBC3-SHA 168"),
("from [192.0.2.1] (port=27040 helo=a.example)\n\tby mx.example with esmtp (Exim 4.96)\n\t(envelope-from <s@example>) id 1; Mon", "Exim plain"),
("from a.example ([192.0.2.1] helo=b ident=c)\n\tby mx.example with smtp (Exim 4.52) id 1K0HMV-00087e-HY; Mon", "Exim plain"),
("from u by mx.example with local (Exim 4.72)\n\t(envelope-from <u@mx.example>) id 1; Mon", "Exim local"),
("from u by mx.example with local-esmtps (TLS1.3) tls TLS_AES_128_GCM_SHA256 (Exim 4.98) id 1; Mon", "Exim local TLSv1.3 TLS_AES_128_GCM_SHA256"),
("from p ([192.0.2.1])\n\tby mx.example \n\twith esmtpsa \n\t(Cipher TLS-1.0:RSA_AES_256_CBC_SHA1:32) (Exim 4.63 #1)\n\tid 1NC032-0000td-2v by authid <s@example> with cram_md5; Mon", "Exim tls TLSv1.0 RSA_AES_256_CBC_SHA1 32 authenticated"),
("from a ([192.0.2.1]) by mx.example with esmtp (Exim 4.96) (TLS1.3:X:256) id 1; Mon", "Exim plain"),
]);
    }
}
