//! Received fields of real mail: each is judged as its label says.
//!
//! `received.tsv` holds: value (folds as `\n`, tabs as `\t`), who wrote it, state, version, cipher. `a|b` means
//! that either is a fair answer; an empty version or cipher that nobody looked for it.

use selfseal::message::{Arrival, Entity};
use selfseal::trace::{Hop, Ours, judge};
use selfseal::{audit, escape};

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

#[test]
fn every_message_gets_its_field_and_stays_as_it_is() {
    let corpus = crate::corpus();
    let rows = crate::index(&corpus);
    let mut verdicts = std::collections::BTreeMap::<&str, usize>::new();
    for (path, _) in &rows {
        let bytes = std::fs::read(corpus.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let arrived = Arrival::read(&bytes);
        let judgement = judge(Entity::split(arrived.message).header, &Ours::default());
        *verdicts.entry(judgement.verdict.as_str()).or_default() += 1;
        let field = audit::field("mx.example", judgement.verdict, judgement.border_hop());
        let annotated = audit::annotate(&arrived, &field, None);
        let ends = [&b"\n"[..], b"\r\n"]
            .map(|eol| field.replace('\n', &String::from_utf8_lossy(eol)) + &String::from_utf8_lossy(eol));
        let own = annotated.head.strip_prefix(arrived.frame).expect("the frame first");
        let rest =
            ends.iter().find_map(|own_field| own.strip_prefix(own_field.as_bytes())).expect("the field");
        let whole = [rest, annotated.rest].concat();
        // A text without any field gets an empty line before it.
        let text = whole.strip_prefix(b"\r\n").or(whole.strip_prefix(b"\n")).unwrap_or_default();
        assert!(whole == arrived.message || text == arrived.message, "{path}");
    }
    assert!(verdicts.len() == 4, "{verdicts:?}");
    println!("{verdicts:?}");
}
