//! Exchange since 2007, Microsoft 365, and the SMTP service of IIS.
//!
//! `from HELO (ADDRESS) by HOST (ADDRESS) with Microsoft SMTP Server (version=TLS1_2, cipher=C) id 15.20.1`; in
//! 2007 to 2013 `Microsoft SMTP Server (TLS) id`. Inside: `with mapi id`, `with HTTPS`, `via Mailbox Transport`.
//! IIS (`Microsoft SMTPSVC`) says `over TLS secured channel`, in some versions only.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Exchange",
    wrote: |clauses| {
        let mut with = clauses.with_words();
        match with.next() {
            Some(b"Microsoft") => true,
            Some(word) => word.eq_ignore_ascii_case(b"mapi"),
            None => false,
        }
    },
    tls: |clauses| {
        let secured = over_secured_channel(clauses);
        clauses.early_comments().find_map(|text| match text {
            b"TLS" => Some(Tls::default()),
            text => Tls::from_pairs(text),
        }).or(secured.then(Tls::default))
    },
    silence: |clauses, peer| {
        let is_server = clauses.with_words().nth(1) == Some(b"SMTP");
        if is_server { always_says(clauses, peer) } else { State::Unknown }
    },
    is_local: |clauses, peer| {
        let with = clauses.with().unwrap_or_default();
        // A client can call itself so too, but then its address stands behind it.
        let picked_up = clauses.client_words().eq([&b"mail"[..], b"pickup", b"service"])
            && clauses.client_comments().next().is_none();
        let inside = clauses.via() == Some(b"Mailbox") && FORMAT.silent(clauses);
        with.eq_ignore_ascii_case(b"mapi") || picked_up || inside || generic_local(clauses, peer)
    },
    ..COMMON
};

impl Format {
    fn silent(&self, clauses: &Clauses) -> bool {
        (self.tls)(clauses).is_none()
    }
}

fn over_secured_channel(clauses: &Clauses) -> bool {
    let mut words = clauses.by_words();
    words.any(|word| word == b"over") && words.take(3).eq([&b"TLS"[..], b"secured", b"channel"])
}

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn each_generation_is_read() {
        reads(&[
("from A.prod.outlook.com (2001:db8::1) by\n B.mail.protection.outlook.com (2001:db8::2) with Microsoft SMTP Server\n (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.3412.21\n via Frontend Transport; Fri, 25 Sep 2020 17:19:07 +0000",
 "Exchange tls TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
("from a.example (192.0.2.1) by b.example (192.0.2.2) with Microsoft SMTP Server (TLS)\n id 15.0.1044.25; Mon", "Exchange tls"),
("from a (192.0.2.1) by b (192.0.2.2) with Microsoft SMTP Server id 8.1.393.1; Mon", "Exchange plain"),
("from a.example ([192.0.2.1]) by b.example with Microsoft SMTPSVC(6.0.3790.4675); Mon", "Exchange unknown"),
("from a.example ([192.0.2.1]) by b.example over TLS secured channel with Microsoft SMTPSVC(8.5.9600.16384);\n\t Mon", "Exchange tls"),
("from mail pickup service by b.example with Microsoft SMTPSVC; Mon", "Exchange local"),
("from a.example (2001:db8::1) by\n b.example (2001:db8::2) with mapi id 15.20.3412.21; Mon", "Exchange local"),
("from a.example (192.0.2.1) by b.example (192.0.2.2) with Microsoft SMTP Server id 15.1.1 via Mailbox Transport; Mon", "Exchange local"),
("from A.PROD.OUTLOOK.COM (2001:db8::1) by B.PROD.OUTLOOK.COM with HTTPS; Mon", "- tls"),
]);
    }
}
