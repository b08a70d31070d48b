//! Amavis: `from HELO ([ADDRESS]) by localhost (HOST [127.0.0.1]) (amavisd-new, port 10024) with ESMTP`. It never says.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Amavis",
    wrote: |clauses| by_comment_begins(clauses, "amavis"),
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn it_stands_on_the_host_itself() {
        reads(&[
("from a.example ([127.0.0.1])\n\tby localhost (mx.example [127.0.0.1]) (amavisd-new, port 10024)\n\twith ESMTP id tw1iDvWYNGRC; Mon", "Amavis local"),
("from a.example ([192.0.2.1]) by localhost (mx.example [127.0.0.1]) (amavis, port 10024) with ESMTP id 1; Mon", "Amavis unknown"),
]);
    }
}
