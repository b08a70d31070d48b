//! Postini: `from source ([ADDRESS]) (using TLSv1) by HOST ([ADDRESS]) with SMTP`.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Postini",
    wrote: |clauses| by_is_at(clauses, "postini.com"),
    tls: using_tls,
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn the_remark_stands_behind_the_address() {
        reads(&[
("from source ([192.0.2.1]) (using TLSv1) by eu1sys200aob110.postini.com ([192.0.2.2]) with SMTP\n\tID DSNKTODdXnF0LEMxKFzys6wWldAszZ; Mon", "Postini tls TLSv1.0"),
("from source ([192.0.2.1]) by eu1sys200aob110.postini.com ([192.0.2.2]) with SMTP; Mon", "Postini unknown"),
]);
    }
}
