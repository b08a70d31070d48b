//! Received fields of real mail: each is judged as its label says.
//!
//! `received.tsv` holds: value (folds as `\n`, tabs as `\t`), who wrote it, state, version, cipher. `a|b` means
//! that either is a fair answer; an empty version or cipher that nobody looked for it.

use selfseal::escape;
use selfseal::trace::Hop;

/// Versions that are not followed: OpenSSL's `TLSv1/SSLv3` names a family of ciphers. Every version from SSLv3
/// to TLS 1.2 uses those, and Sendmail up to 8.15 and Gmail up to 2014 wrote it for all of them.
const NO_VERSION: &str = "TLSv1/SSLv3";

#[test]
fn every_field_is_judged_as_its_label_says() {
    let table = std::fs::read_to_string(crate::corpus().join("received.tsv")).expect("received.tsv");
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert!(rows.len() > 300, "only {} rows", rows.len());
    let mut wrong = String::new();
    for row in rows {
        let columns: Vec<&str> = row.split('\t').collect();
        let body = columns[0].replace("\\n", "\n").replace("\\t", "\t");
        let hop = Hop::read(body.as_bytes());
        let version = hop.tls.version.map_or("", |version| version.as_str());
        let cipher = hop.tls.cipher.map(escape::foreign).unwrap_or_default();
        let (states, stated, suite) = (columns[2], columns[3], columns[4]);
        let version_is_right = match body.contains(NO_VERSION) {
            true => version.is_empty(),
            false => stated.is_empty() || stated == version,
        };
        let is_right = states.split('|').any(|state| state == hop.state.as_str())
            && version_is_right
            && (suite.is_empty() || suite == cipher);
        if !is_right {
            wrong +=
                &format!("{row}\n    judged {} {version} {cipher} {:?}\n", hop.state.as_str(), hop.doubt);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
