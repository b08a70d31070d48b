//! GMX, WEB.DE, IONOS: `from HELO ([ADDRESS]) by HOST (mxgmx101 [ADDRESS]) with ESMTPS (Nemesis) id ID`. The protocol
//! alone says it.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Nemesis",
    wrote: |clauses| clauses.by_comments().any(|text| text == b"Nemesis"),
    tls: |_| None,
    silence: always_says,
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn the_protocol_says_it() {
        reads(&[
("from a.example ([192.0.2.1]) by mx-ha.gmx.net\n (mxgmx101 [192.0.2.2]) with ESMTPS (Nemesis) id 1Mr97m-1jC6Y01o86-00oEqk\n for <u@gmx.de>; Mon", "Nemesis tls"),
("from a.example ([192.0.2.1]) by mx-ha.gmx.net (mxgmx101 [192.0.2.2]) with ESMTP (Nemesis) id 1; Mon", "Nemesis plain"),
("from [192.0.2.1] ([192.0.2.1]) by web-mail.gmx.net\n (3c-app-gmx-bap57.server.lan [192.0.2.2]) (via HTTP); Mon", "- unknown"),
]);
    }
}
