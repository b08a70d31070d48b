//! Real certificates, each with its oddity (`tests/fixtures/keys/README.md`), looked up as the programs do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sequoia_openpgp::types::PublicKeyAlgorithm::{self, ECDH, MLKEM768_X25519, RSAEncryptSign, X25519};
use sequoia_openpgp::types::SymmetricAlgorithm::AES256;

use super::*;

/// 2027-01-01 00:00:00 UTC: all fixtures exist, one has expired.
fn new_year_2027() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_798_761_600)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(name)
}

fn one_file(name: &str) -> Sources {
    Sources { files: vec![fixture(name)], ..Sources::default() }
}

fn readers_of(sources: &Sources) -> Result<Readers, String> {
    readers_for(sources, None)
}

fn readers_for(sources: &Sources, recipient: Option<&str>) -> Result<Readers, String> {
    let recipient = recipient.map(|text| Address::parse(text.as_bytes()).unwrap());
    match find(sources, recipient.as_ref(), Expired::Defer, Subkeys::Strongest, new_year_2027()) {
        Ok(Some(readers)) => Ok(readers),
        Ok(None) => Err("none".into()),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn algorithms(readers: &Readers) -> Vec<PublicKeyAlgorithm> {
    readers.subkeys.iter().map(Key::pk_algo).collect()
}

#[test]
fn certificates_of_all_kinds_are_sealed_to() {
    for (name, algorithm, reads_seipd_v2) in [
        ("alice.asc", ECDH, false),
        ("rosa.asc", RSAEncryptSign, false),
        ("rsa4096.asc", RSAEncryptSign, false),
        ("rsa4096.gpg", RSAEncryptSign, false),
        ("v4-seipd2.asc", ECDH, true),
        ("v6.asc", X25519, true),
        ("v6-pq.asc", MLKEM768_X25519, true),
        ("v4-pq-and-classical.asc", MLKEM768_X25519, true),
        ("expires-2036.asc", ECDH, false),
        ("subkey-revoked-and-new.asc", ECDH, false),
    ] {
        let readers = readers_of(&one_file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(algorithms(&readers), [algorithm], "{name}");
        assert_eq!(readers.all_read_seipd_v2, reads_seipd_v2, "{name}");
        assert_eq!(readers.cipher, AES256, "{name}");
    }
}

#[test]
fn a_certificate_that_cannot_be_used_defers_and_says_why() {
    for (name, words) in [
        ("expired.asc", "expired on 2025-01-01; extend it, or give --expired=seal"),
        ("revoked.asc", "is revoked"),
        ("subkey-revoked.asc", "no usable subkey for encryption (revoked)"),
        ("rsa1024-subkey.asc", "RSA of 1024 bits, fewer than 2048"),
        ("rsa1024-primary.asc", "no self-signature that holds today"),
        ("elgamal.asc", "ElGamal, which must not be used any more"),
        ("sign-only.asc", "has no subkey for encryption; add one"),
        ("subkeys-17.asc", "17 subkeys for encryption are more than 16"),
    ] {
        let said = readers_of(&one_file(name)).unwrap_err();
        assert!(
            said.contains(words) && said.contains(name) || name == "subkeys-17.asc" && said == words,
            "{said}"
        );
    }
    assert_eq!(readers_of(&one_file("subkeys-16.asc")).unwrap().subkeys.len(), 16);
}

#[test]
fn expired_seal_waives_expiry_alone() {
    let sealed = |name: &str| {
        let found = find(&one_file(name), None, Expired::Seal, Subkeys::Strongest, new_year_2027());
        found.map(|readers| readers.unwrap().subkeys.len()).map_err(|error| format!("{error:#}"))
    };
    assert_eq!(sealed("expired.asc"), Ok(1));
    assert_eq!(sealed("alice.asc"), Ok(1));
    for name in ["revoked.asc", "subkey-revoked.asc", "rsa1024-subkey.asc", "elgamal.asc", "sign-only.asc"] {
        assert!(sealed(name).is_err(), "{name}");
    }
}

#[test]
fn a_certificate_of_the_future_is_not_used() {
    let new_year_2025 = UNIX_EPOCH + Duration::from_secs(1_735_689_600);
    let found = find(&one_file("v6.asc"), None, Expired::Seal, Subkeys::All, new_year_2025);
    assert!(found.unwrap_err().to_string().contains("no self-signature that holds today"));
}

#[test]
fn a_classical_subkey_beside_a_post_quantum_one_is_used_only_on_request() {
    let of = |subkeys| {
        let found =
            find(&one_file("v4-pq-and-classical.asc"), None, Expired::Defer, subkeys, new_year_2027());
        algorithms(&found.unwrap().unwrap())
    };
    assert_eq!(of(Subkeys::Strongest), [MLKEM768_X25519]);
    assert_eq!(of(Subkeys::All), [ECDH, MLKEM768_X25519]);
}

#[test]
fn several_certificates_are_several_readers() {
    let both = readers_of(&one_file("alice-and-rosa.asc")).unwrap();
    assert_eq!(algorithms(&both), [ECDH, RSAEncryptSign]);
    let files = vec![fixture("v6.asc"), fixture("alice.asc"), fixture("alice.asc")];
    let readers = readers_of(&Sources { files, ..Sources::default() }).unwrap();
    assert_eq!(algorithms(&readers), [X25519, ECDH], "each subkey once");
    assert!(!readers.all_read_seipd_v2, "one of them cannot");
}

#[test]
fn a_reader_who_cannot_be_sealed_to_is_never_left_out_in_silence() {
    let files = vec![fixture("alice.asc"), fixture("revoked.asc")];
    assert!(readers_of(&Sources { files, ..Sources::default() }).unwrap_err().contains("is revoked"));
    let files = vec![fixture("alice.asc"), fixture("missing.asc")];
    assert!(readers_of(&Sources { files, ..Sources::default() }).unwrap_err().contains("no such file"));
    assert_eq!(readers_of(&one_file("missing.asc")).unwrap_err(), "none");
}

#[test]
fn a_secret_key_in_the_file_works_and_its_secret_is_dropped() {
    let found = find::look(&one_file("alice.key"), None).unwrap().unwrap();
    let (file, certificate) = found.certificates().next().unwrap();
    assert!(file.parsed.had_secret);
    assert!(!certificate.is_tsk());
    assert_eq!(readers_of(&one_file("alice.key")).unwrap().subkeys.len(), 1);
}

#[test]
fn a_day_is_written_as_the_calendar_has_it() {
    for (seconds, day) in [
        (0, "1970-01-01"),
        (86_399, "1970-01-01"),
        (951_782_400, "2000-02-29"),
        (951_868_800, "2000-03-01"),
        (1_798_761_599, "2026-12-31"),
        (1_798_761_600, "2027-01-01"),
        (4_107_542_400, "2100-03-01"),
    ] {
        assert_eq!(date(UNIX_EPOCH + Duration::from_secs(seconds)), day);
    }
}
