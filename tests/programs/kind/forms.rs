//! Each form in which encrypted mail is met, and those that only look like it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use selfseal::kind;
use selfseal::openpgp::Recipient;

use crate::world::fixture;

use super::*;

#[test]
fn every_fixture_is_judged_as_its_index_says() {
    let index = String::from_utf8(fixture("kind/INDEX.tsv")).expect("UTF-8");
    let mut listed = BTreeSet::new();
    for row in index.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [file, kind, reason, point] = columns[..] else { panic!("four columns: {row:?}") };
        let verdict = kind::of(&fixture(&format!("kind/{file}")));
        let judged = (verdict.kind.as_str(), verdict.reason.name());
        assert_eq!(judged, (kind, reason.to_owned()), "{file}: {point}: {verdict}");
        assert!(listed.insert(file.to_owned()), "{file} is listed twice");
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kind");
    let present: BTreeSet<String> = fs::read_dir(directory)
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .filter(|name| name.ends_with(".eml"))
        .collect();
    assert_eq!(listed, present, "the index and the files");
}

/// What the tests of attacks build on is encrypted before anything is done to it.
#[test]
fn the_messages_that_attacks_start_from_are_encrypted() {
    assert_judged(&pgp_mime(), "pgp-mime", "OpenPgp");
    assert_judged(&part("text/plain", &armor(&packets())), "pgp-inline", "OpenPgp");
}

#[test]
fn recipients_are_told_in_order() {
    let fingerprint = [0xfe; 32];
    let keys = [
        session_key(),
        packet(1, &[&[3, 0, 0, 0, 0, 0, 0, 0, 0, 1][..], &noise(64)].concat()),
        packet(1, &[&[6, 33, 6][..], &fingerprint, &[25], &noise(60)].concat()),
        packet(1, &[&[6, 0, 25][..], &noise(60)].concat()),
    ];
    let verdict = judge(&part("text/plain", &armor(&[keys.concat(), container(99)].concat())));
    let expected = [
        Recipient::KeyId([1, 2, 3, 4, 5, 6, 7, 8]),
        Recipient::Hidden,
        Recipient::Fingerprint(fingerprint.to_vec()),
        Recipient::Hidden,
    ];
    assert_eq!(verdict.recipients, expected);
    assert_eq!(verdict.recipients[0].to_string(), "0102030405060708");
}

/// A reader with a newer or an older library opens all of these.
#[test]
fn every_version_of_session_key_and_container_is_recognised() {
    let salt = noise(32);
    let pkesk_6 = packet(1, &[&[6, 21, 4][..], &[7; 20], &[25], &noise(60)].concat());
    let skesk_4 = packet(3, &[4, 9, 3, 8, 1, 2, 3, 4, 5, 6, 7, 8, 96]);
    let skesk_5 = packet(3, &[&[5, 9, 2, 3, 8][..], &noise(9), &noise(15), &noise(48)].concat());
    let skesk_6 = packet(3, &[&[6, 30, 9, 2, 11, 3, 8][..], &noise(9), &noise(15), &noise(48)].concat());
    let seipd_2 = packet(18, &[&[2, 9, 2, 6][..], &salt, &noise(60)].concat());
    let librepgp = packet(20, &[&[1, 9, 2, 10][..], &noise(15), &noise(60)].concat());
    let sed = packet(9, &noise(60));
    for (name, packets) in [
        ("PKESK 6, SEIPD 2", [pkesk_6.clone(), seipd_2.clone()]),
        ("SKESK 6, SEIPD 2", [skesk_6, seipd_2]),
        ("SKESK 4, SEIPD 1", [skesk_4, container(80)]),
        ("PKESK 3, SED", [session_key(), sed]),
        ("PKESK 3, LibrePGP 20", [session_key(), librepgp.clone()]),
        ("SKESK 5, LibrePGP 20", [skesk_5, librepgp]),
    ] {
        let verdict = judge(&part("text/plain", &armor(&packets.concat())));
        assert_eq!(verdict.kind.as_str(), "pgp-inline", "{name}: {verdict}");
    }
}

#[test]
fn every_kind_of_length_is_followed_to_its_end() {
    let body = [&[1][..], &noise(1023)].concat();
    let partial =
        [&[0xd2, 0xe9][..], &body[..512], &[0xe8], &body[512..768], &[192, 64], &body[768..]].concat();
    let two_octets = [&[0xd2, 195, 64][..], &body].concat();
    let legacy_key = [&[0x84, 50][..], &session_key()[6..]].concat();
    let legacy_end = [&[0xa7][..], &noise(90)].concat();
    for (name, packets) in [
        ("partial lengths", [session_key(), partial]),
        ("a length of two octets", [session_key(), two_octets]),
        ("a length in the legacy format", [legacy_key, container(90)]),
        ("to the end of the data", [session_key(), legacy_end]),
    ] {
        let verdict = judge(&part("text/plain", &armor(&packets.concat())));
        assert_eq!(verdict.kind.as_str(), "pgp-inline", "{name}: {verdict}");
    }
}

/// Markers and padding stand anywhere (RFC 9580, 5.8 and 5.14).
#[test]
fn markers_and_padding_are_passed_over() {
    let marker = packet(10, b"PGP");
    let padding = packet(21, &noise(20));
    let all =
        [marker.clone(), padding.clone(), session_key(), marker.clone(), container(90), padding, marker];
    assert_judged(&part("text/plain", &armor(&all.concat())), "pgp-inline", "OpenPgp");
}

/// The shortcut for large mail: what it says of a beginning holds for every message that begins so.
#[test]
fn a_beginning_that_is_readable_is_never_of_an_encrypted_message() {
    let mut answers = 0;
    for row in String::from_utf8(fixture("kind/INDEX.tsv")).expect("UTF-8").lines().skip(1) {
        let (file, _) = row.split_once('\t').expect("columns");
        let message = fixture(&format!("kind/{file}"));
        let is_encrypted = kind::of(&message).kind.is_encrypted();
        for end in 0..message.len() {
            let is_readable = kind::begins_readable(&message[..end]);
            assert!(!(is_readable && is_encrypted), "{file}, the first {end} octets");
            answers += usize::from(is_readable);
        }
    }
    assert!(answers > 1_000, "only {answers} beginnings are called readable");
}
