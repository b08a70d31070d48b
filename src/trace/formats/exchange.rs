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
        let picked_up = clauses.client_words().take(3).eq([&b"mail"[..], b"pickup", b"service"]);
        let inside = clauses.via() == Some(b"Mailbox") && FORMAT.silent(clauses);
        with.eq_ignore_ascii_case(b"mapi") || picked_up || inside || generic_local(clauses, peer)
    },
    ..PLAIN_READING
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
