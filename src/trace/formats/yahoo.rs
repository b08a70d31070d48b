//! Yahoo: `from ADDRESS (EHLO HELO) (ADDRESS) by HOST with SMTPs`, webmail `via HTTP`. The protocol alone says it, and
//! whether its absence means that there was none is not known.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Yahoo",
    wrote: |clauses| by_is_at(clauses, "yahoo.com"),
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn the_protocol_says_it() {
        reads(&[
("from 192.0.2.1  (EHLO a.example) (192.0.2.1)\n  by mta4277.mail.ne1.yahoo.com with SMTPS; Mon", "Yahoo tls"),
("from 192.0.2.1 (EHLO a.example)\n by atlas125.free.mail.bf1.yahoo.com with SMTPs; Mon", "Yahoo tls"),
("from 192.0.2.1 (EHLO a.example)\n by atlas125.free.mail.bf1.yahoo.com with SMTPs\n (version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256); Mon", "Yahoo tls TLSv1.3 TLS_AES_128_GCM_SHA256"),
("from 127.0.0.1  (EHLO a.example) (192.0.2.1) by mta4277.mail.ne1.yahoo.com with SMTP; Mon", "Yahoo unknown"),
("from 127.0.0.1 (EHLO a.example) by mta4277.mail.ne1.yahoo.com with SMTP; Mon", "Yahoo unknown"),
("from [192.0.2.1] by web1.mail.mud.yahoo.com via HTTP; Mon", "Yahoo unknown"),
]);
    }
}
