//! Ecelerity, SparkPost: `by HOST (envelope-from <S>) (ecelerity 4.7 r()) with ESMTPS (cipher=C) id ID`. The sender's address
//! stands before the protocol. Old ones never say.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Ecelerity",
    wrote: |clauses| by_comment_begins(clauses, "ecelerity"),
    tls: |clauses| {
        let own = clauses.by_comments().skip_while(|text| !begins(text, "ecelerity"));
        clauses.with().filter(|with| says_tls(with)).and_then(|_| own.filter_map(Tls::from_pairs).next())
    },
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn the_senders_address_stands_before_the_protocol() {
        reads(&[
("from [192.0.2.1] ([192.0.2.1:49036] helo=a.example)\n\tby b.example (envelope-from <s@example>)\n\t(ecelerity 2.2.2.39 r()) with ESMTP\n\tid 29/22-24471-DAC212C4; Mon", "Ecelerity unknown"),
("from a.example ([192.0.2.1:49036] helo=a) by b.example (envelope-from <s@example>) (ecelerity 4.7.0.20112 r(Core)) with ESMTPS (cipher=TLS_AES_256_GCM_SHA384) id FA/5C; Mon", "Ecelerity tls TLSv1.3 TLS_AES_256_GCM_SHA384"),
("from a.example ([192.0.2.1]) by b.example (envelope-from <s@example>) (cipher=X) (ecelerity 4.7.0.20112 r(Core)) with ESMTP id FA/5C; Mon", "Ecelerity unknown"),
]);
    }
}
