//! Input made to cost time or memory: the answer is "not encrypted", and it comes.

use super::*;

/// What a mail system lets pass.
const LARGE: usize = 25_000_000;

#[test]
fn a_thousand_levels_are_not_encrypted() {
    let mut entity = String::new();
    for level in 0..1_000 {
        entity += &format!("Content-Type: multipart/mixed; boundary=\"{level}x\"\n\n--{level}x\n");
    }
    assert_judged(&(entity + &pgp_mime()), "plain", "TooDeep");
}

#[test]
fn ninety_levels_are_walked() {
    let mut entity = pgp_mime();
    for level in 0..90 {
        entity = multipart_with("multipart/mixed", &format!("{level}x"), &[entity]);
    }
    assert_judged(&entity, "pgp-mime-mangled", "OpenPgp");
}

#[test]
fn a_thousand_forwarded_messages_inside_each_other_are_not_encrypted() {
    let entity = "Content-Type: message/rfc822\n\n".repeat(1_000) + &pgp_mime();
    assert_judged(&entity, "plain", "Forwarded");
}

#[test]
fn ten_thousand_parts_are_not_encrypted() {
    let parts = vec![String::from("\n"); 10_000];
    let entity = multipart("multipart/mixed", &[&parts[..], &[pgp_mime()]].concat());
    assert_judged(&entity, "plain", "TooManyParts");
    let few = multipart("multipart/mixed", &[&parts[..100], &[pgp_mime()]].concat());
    assert_judged(&few, "pgp-mime-mangled", "OpenPgp");
}

#[test]
fn a_header_line_of_a_megabyte_is_read() {
    let long = "x".repeat(1_000_000);
    let entity = format!("X-Long: {long}\n{}", pgp_mime());
    assert_judged(&entity, "pgp-mime", "OpenPgp");
    assert_judged(&format!("Content-Type: {long}\n\nhello\n"), "plain", "MalformedContentType");
    let parameters = "; a=b".repeat(200_000);
    let entity = pgp_mime().replacen("; boundary", &format!("{parameters}; boundary"), 1);
    assert!(!judge(&entity).kind.is_encrypted());
}

#[test]
fn armor_without_an_end_is_not_encrypted() {
    let letters = base64_lines(&noise(LARGE * 3 / 4 / 4), 64);
    let begin = "-----BEGIN PGP MESSAGE-----\n\n";
    assert_judged(&part("text/plain", &format!("{begin}{letters}")), "plain", "Malformed");
    assert_judged(&part("text/plain", &begin.repeat(LARGE / 4 / begin.len())), "plain", "CutOff");
}

#[test]
fn many_lines_that_are_almost_delimiters_are_passed_in_one_go() {
    let mut entity = String::new();
    for level in 0..99 {
        entity += &format!("Content-Type: multipart/mixed; boundary=\"{level:02}\"\n\n--{level:02}\n");
    }
    entity += &"--x\n".repeat(LARGE / 4);
    let verdict = judge(&entity);
    assert!(!verdict.kind.is_encrypted());
    assert_eq!(verdict.parts.len(), 100);
}

/// `--b:` is a delimiter and a field, and so may be all lines behind it.
#[test]
fn delimiters_that_look_like_fields_are_passed_in_one_go() {
    let filler = "a:\n".repeat(LARGE / 12);
    let parts = |count: usize| {
        let delimiters = "--b:\n".repeat(count);
        format!("Content-Type: multipart/mixed; boundary=\"b:\"\n\n{delimiters}{filler}")
    };
    assert_judged(&parts(10_100), "plain", "TooManyParts");
    assert_judged(&parts(10), "plain", "NoEmptyLine");
}

#[test]
fn many_packets_are_passed_in_one_go() {
    let markers = packet(10, b"PGP").repeat(500_000);
    let entity = part("text/plain", &armor(&[markers, packets()].concat()));
    assert_judged(&entity, "pgp-inline", "OpenPgp");
    let keys = session_key().repeat(20_000);
    let entity = part("text/plain", &armor(&[keys, container(90)].concat()));
    assert_judged(&entity, "plain", "SessionKeyVersion");
}

#[test]
fn elements_of_ber_inside_each_other_are_not_opened_for_ever() {
    let nested = [0x30, 0x80].repeat(1_000_000);
    let encoded = base64_lines(&nested, 76);
    let entity =
        format!("Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n{encoded}");
    assert_judged(&entity, "plain", "NoCms");
}

#[test]
fn a_large_encrypted_message_is_judged_like_a_small_one() {
    let octets = [session_key(), container(6_000_000)].concat();
    let entity = multipart(ENCRYPTED, &[version(), data(&armor(&octets))]);
    assert_judged(&entity, "pgp-mime", "OpenPgp");
    let spoilt = entity.replacen("\n--b--", "x y\n--b--", 1);
    assert_eq!(spoilt.len(), entity.len() + 3);
    assert!(!judge(&spoilt).kind.is_encrypted());
}
