//! fetchmail, getmail, fdm: the recipient fetched the message from a mailbox elsewhere. The provider's own field stands
//! below. Only fdm says whether the fetch had TLS: `with imaps (version=TLSv1.3 C 256 bits)`, or `(unencrypted)`.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "fetcher",
    wrote: |clauses| {
        let names = ["fetchmail-", "fdm ", "getmail"];
        names.iter().any(|name| by_comment_begins(clauses, name)) || clauses.by_words().any(|word| begins(word, "getmail6"))
    },
    tls: |clauses| {
        let text = clauses.by_comments().find(|text| begins(text, "version="))?;
        let mut words = super::super::tokens::words(text);
        let version = words.next().map(|word| &word["version=".len()..]);
        Some(Tls::of(version, words.next(), words.next()))
    },
    silence: |clauses, _| {
        let is_clear = clauses.by_comments().any(|text| text == b"unencrypted");
        if is_clear { State::Plain } else { State::Unknown }
    },
    passage: |_| Passage::Fetched,
    ..PLAIN_READING
};
