//! unseal(seal(m)) = m for every m: generated mail through the whole of sealing, opened and restored by
//! the rule on the manual page.

use std::path::PathBuf;
use std::time::SystemTime;

use proptest::prelude::*;
use selfseal::cert::{self, Expired, Readers, Sources, Subkeys};
use selfseal::outer::{Outside, Policy};
use selfseal::seal::{Compression, Manner, seal};

use crate::world::manual;
use crate::world::opened::opened;

fn readers(name: &str) -> Readers {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/keys/{name}.asc"));
    let sources = Sources { files: vec![file], ..Sources::default() };
    let found = cert::find(&sources, None, Expired::Defer, Subkeys::Strongest, SystemTime::now());
    found.unwrap().expect("a certificate")
}

fn manner(policy: Policy) -> Manner {
    Manner { outside: Outside { policy, kept: Vec::new() }, compression: Compression::None }
}

fn field() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(
        &[
            "Subject",
            "From",
            "To",
            "Date",
            "Content-Type",
            "Content-Transfer-Encoding",
            "MIME-Version",
            "Received",
            "X-Y",
            "HP-Outer",
            "Selfseal",
            "Content-Disposition",
            "References",
        ][..],
    );
    let body = prop_oneof![
        "[ -~]{0,60}",
        "\\PC{0,20}",
        Just("text/html; charset=utf-8".to_owned()),
        Just("multipart/mixed; boundary=\"b\"".to_owned()),
        Just("multipart/signed;\n boundary=b; protocol=\"application/pgp-signature\"".to_owned()),
        Just("Bob <bob@example.org>,\n\tAnn <ann@example.org>".to_owned()),
        Just("inline; filename=a".to_owned()),
        Just("message/rfc822".to_owned()),
    ];
    (name, body).prop_map(|(name, body)| format!("{name}: {body}\n"))
}

fn mail() -> impl Strategy<Value = Vec<u8>> {
    let header = proptest::collection::vec(field(), 0..8).prop_map(|fields| fields.concat());
    let body =
        prop_oneof!["[ -~\n]{0,400}", "(\\PC|\n){0,80}", Just("--b\n\nhi\n--b\nX: y\n\n--b--\n".to_owned())];
    let ends = proptest::sample::select(&["\n", "\r\n", "\r"][..]);
    (header, proptest::sample::select(&["\n", "", "\r\n"][..]), body, ends).prop_map(
        |(header, separator, body, end)| [&header, separator, &body].concat().replace('\n', end).into_bytes(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn generated_mail_comes_back(message in mail(), policy in proptest::sample::select(&[Policy::Keep, Policy::Baseline, Policy::Shy][..])) {
        prop_assume!(!message.is_empty() && !message.starts_with(b"From "));
        let mut sealed = Vec::new();
        seal(&message, &manner(policy), &readers("alice"), &mut sealed).unwrap();
        prop_assert_eq!(manual::original(&opened(manual::armor(&sealed), "alice")), message);
    }

    #[test]
    fn any_octets_come_back(message in proptest::collection::vec(any::<u8>(), 1..2000)) {
        prop_assume!(!message.starts_with(b"From "));
        let mut sealed = Vec::new();
        seal(&message, &manner(Policy::Baseline), &readers("rosa"), &mut sealed).unwrap();
        prop_assert_eq!(manual::original(&opened(manual::armor(&sealed), "rosa")), message);
    }
}
