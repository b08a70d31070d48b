//! fetchmail, getmail, mpop, fdm: the recipient fetched the message from a mailbox elsewhere. The provider's own field
//! stands below. Only fdm says whether the fetch had TLS: `with imaps (version=TLSv1.3 C 256 bits)`, or `(unencrypted)`.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "fetcher",
    // The protocol decides: no host that takes mail by SMTP writes it, whatever a sender's words are.
    wrote: |clauses| {
        let with = clauses.with().unwrap_or_default();
        let names = ["fetchmail-", "mpop-", "fdm ", "getmail"];
        (begins(with, "POP3") || begins(with, "IMAP"))
            && (names.iter().any(|name| by_comment_begins(clauses, name))
                || clauses.by_words().any(|word| begins(word, "getmail")))
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
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn only_fdm_says_it() {
        reads(&[
("from pop.example [192.0.2.1]\n\tby localhost with POP3 (fetchmail-6.4.37)\n\tfor <u@localhost> (single-drop); Mon", "fetcher unknown"),
("from localhost [127.0.0.1]\n\tby localhost with IMAP (fetchmail-6.4.37); Mon", "fetcher local"),
("from pop.example by host.example with POP3 getmail6 for <u@example>; Mon", "fetcher unknown"),
("from pop.example (pop.example [192.0.2.1])\n\tby host.example (mpop-1.4.18) with POP3\n\tfor <u@host.example>; Mon", "fetcher unknown"),
("by host.example (fdm 2.0, account \"x\") \n\twith imaps (version=TLSv1.3 TLS_AES_256_GCM_SHA384 256 bits)\n\tMon", "fetcher tls TLSv1.3 TLS_AES_256_GCM_SHA384 256"),
("by host.example (fdm 2.0, account \"x\") \n\twith pop3 (unencrypted)\n\tMon", "fetcher plain"),
]);
    }
}
