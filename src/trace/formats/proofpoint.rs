//! Proofpoint: `from HELO (NAME [ADDRESS]) by HOST (PPS) with ESMTPS id ID (version=TLSv1.2 cipher=C bits=256 verify=NOT)`.
//! Built on Sendmail, but whether silence means that there was none is not known.

use super::*;

pub(super) const FORMAT: Format = Format {
    software: "Proofpoint",
    wrote: |clauses| by_comment_begins(clauses, "PPS"),
    tls: |clauses| clauses.early_comments().find_map(Tls::from_pairs),
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn the_comment_says_it_without_the_s_too() {
        reads(&[
("from a.example (a.example [192.0.2.1])\n\tby mx0a-1.pphosted.com (PPS) with ESMTPS id 3nmtfj9pra-1\n\t(version=TLSv1.2 cipher=ECDHE-RSA-AES256-GCM-SHA384 bits=256 verify=NOT); Mon", "Proofpoint tls TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 256 unverified"),
("from a.example (a.example [192.0.2.1]) by mx0a-1.pphosted.com (PPS) with ESMTP id 1 (version=TLSv1.2 cipher=X bits=256 verify=NOT); Mon", "Proofpoint tls TLSv1.2 X 256 unverified"),
("from a.example (a.example [192.0.2.1]) by mx0a-1.pphosted.com (PPS) with ESMTP id 1; Mon", "Proofpoint unknown"),
]);
    }
}
