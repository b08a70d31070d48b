//! Writers that never say whether there was TLS: what they write below their names is for reports only.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "other",
    wrote: |clauses| {
        let begins_so = ["Lotus Domino", "IBM Domino", "HCL Domino", "PowerMTA", "MEProxy", "LMTPProxy"];
        begins_so.iter().any(|name| by_comment_begins(clauses, name))
            || by_is_at(clauses, "amazonaws.com") && clauses.by().is_some_and(|by| begins(by, "inbound-smtp."))
    },
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn they_never_say_it() {
        reads(&[
("from a.example ([192.0.2.1])\n          by b.example (Lotus Domino Release 8.5.3FP6)\n          with ESMTP id 2019050615032991-10027949 ;\n          Mon, 6 May 2019 15:03:29 +0800", "other unknown"),
("from a.example (a.example [192.0.2.1])\n by inbound-smtp.us-east-1.amazonaws.com with SMTP id e519c8\n for u@example; Mon", "other unknown"),
("from a (192.0.2.1) by b.example (PowerMTA(TM) v3.5r15) id h13ska0ko6cn for <u@example>; Mon (envelope-from <s@example>)", "other unknown"),
("from mailfrontend2 ([10.202.2.163])\n  by compute3.internal (MEProxy); Mon", "other unknown"),
("from mx.example (LHLO mx.example) (192.0.2.1) by\n mbox.example with LMTP; Mon", "- unknown"),
("from a.example ([192.0.2.1]:51782\n\t\"EHLO b.example\" rhost-flags-OK-OK-OK-OK)\n\tby vger.kernel.org with ESMTP id S932513Ab0KOTHI (ORCPT\n\t<rfc822;list@example>); Mon", "- unknown"),
("from a.example (a.example [192.0.2.1])\n by b.example (Oracle Communications Messaging Server 8.1.0.1.20190704 64bit (built Jul  4\n 2019)) with ESMTPS id <0Q6L@host> for\n u@example; Mon", "- tls"),
("from a.example (192.0.2.1 [192.0.2.1])\n\tby mx.zohomail.com with SMTPS id 1739900216177414.7839071442543; Mon", "- tls"),
("by mx.zohomail.com with SMTPS id 1739900216177414.7839071442543; Mon", "- tls"),
]);
    }
}
