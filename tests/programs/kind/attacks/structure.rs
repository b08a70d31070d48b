//! Header sections, types, boundaries, parts.

use super::*;

#[test]
fn multipart_encrypted_that_readers_show_as_text_is_readable() {
    let data = data(&armor(&packets()));
    let text = part("text/plain", "the launch code is zero\n");
    let other = "multipart/encrypted; protocol=\"application/x-other\"";
    let twice = "multipart/encrypted; protocol=\"application/pgp-encrypted\"; protocol=\"text/plain\"";
    let continued = "multipart/encrypted; protocol=\"application/pgp-encrypted\"; protocol*0=\"text/plain\"";
    let comment = "multipart/encrypted (x; boundary=c); protocol=\"application/pgp-encrypted\"";
    let open = "multipart/encrypted; x=\"\\\"; protocol=\"application/pgp-encrypted\"";
    for (name, entity, kind, reason) in [
        ("a text as part 1", multipart(ENCRYPTED, &[text.clone(), data.clone()]), "partial", "PartTypes"),
        ("a wrong protocol", multipart(other, &[version(), data.clone()]), "partial", "Protocol"),
        ("no protocol", multipart("multipart/encrypted", &[version(), data.clone()]), "partial", "Protocol"),
        (
            "a third part",
            multipart(ENCRYPTED, &[version(), data.clone(), text.clone()]),
            "partial",
            "PartCount",
        ),
        (
            "an empty third part",
            multipart(ENCRYPTED, &[version(), data.clone(), String::new()]),
            "partial",
            "PartCount",
        ),
        ("one part", multipart(ENCRYPTED, std::slice::from_ref(&data)), "partial", "PartCount"),
        ("protocol twice", multipart(twice, &[version(), data.clone()]), "partial", "ParameterTwice"),
        (
            "protocol twice, once in pieces",
            multipart(continued, &[version(), data.clone()]),
            "partial",
            "ParameterTwice",
        ),
        ("a comment", multipart(comment, &[version(), data.clone()]), "partial", "MalformedContentType"),
        ("an escape", multipart(open, &[version(), data.clone()]), "partial", "MalformedContentType"),
        (
            "a text as part 2",
            multipart(ENCRYPTED, &[version(), text.replace("text/plain", "application/octet-stream")]),
            "plain",
            "Malformed",
        ),
        (
            "a text type as part 2",
            multipart(ENCRYPTED, &[version(), part("text/plain", &armor(&packets()))]),
            "partial",
            "PartTypes",
        ),
        (
            "another version",
            multipart(ENCRYPTED, &[part("application/pgp-encrypted", "Version: 2\n"), data.clone()]),
            "partial",
            "NoVersion",
        ),
        (
            "a version that talks",
            multipart(
                ENCRYPTED,
                &[part("application/pgp-encrypted", "Version: 1\nthe launch code\n"), data.clone()],
            ),
            "partial",
            "NoVersion",
        ),
        (
            "text behind the armor",
            multipart(ENCRYPTED, &[version(), data.clone() + "the launch code\n"]),
            "partial",
            "BehindArmor",
        ),
        (
            "text before the armor",
            multipart(ENCRYPTED, &[version(), data.replacen("\n\n", "\n\nthe launch code\n", 1)]),
            "partial",
            "Malformed",
        ),
    ] {
        let verdict = judge(&entity);
        assert_eq!(
            (verdict.kind.as_str(), verdict.reason.name().as_str()),
            (kind, reason),
            "{name}: {verdict}"
        );
    }
}

#[test]
fn boundary_twice_is_readable() {
    let entity = pgp_mime().replacen("boundary=", "boundary=\"other\"; boundary=", 1);
    assert!(!judge(&entity).kind.is_encrypted());
    let entity = pgp_mime().replacen("boundary=\"enc\"", "boundary=\"enc\"; boundary*=us-ascii''other", 1);
    assert!(!judge(&entity).kind.is_encrypted());
}

#[test]
fn two_content_types_are_readable() {
    for (name, entity) in [
        ("text last", pgp_mime().replacen("\n\n", "\nContent-Type: text/plain\n\n", 1)),
        ("text first", format!("Content-Type: text/plain\n{}", pgp_mime())),
        (
            "the same again",
            pgp_mime().replacen("\n\n", &format!("\nContent-Type: {ENCRYPTED}; boundary=\"enc\"\n\n"), 1),
        ),
        ("in part 2", pgp_mime().replacen("octet-stream\n", "octet-stream\nContent-Type: text/plain\n", 1)),
    ] {
        let verdict = judge(&entity);
        assert!(!verdict.kind.is_encrypted(), "{name}: {verdict}");
    }
}

#[test]
fn a_header_section_that_is_not_well_formed_is_readable() {
    for (name, header, reason) in [
        ("a line that is no field", "X: 1\nno field\n", "NoEmptyLine"),
        ("a blank before a colon", "X-Subject : hello\n", "BlankBeforeColon"),
        ("a line of blanks", "X-1: a\n \t\n b\n", "FoldOfBlanks"),
        ("a bare CR", "X-1: a\r\n b\rc\n", "ControlInHeader"),
        ("NUL", "X-1: a\0b\n", "ControlInHeader"),
    ] {
        let message = format!("{HEADER}{}{}", header, pgp_mime());
        let verdict = kind::of(message.as_bytes());
        assert!(!verdict.kind.is_encrypted(), "{name}");
        // What follows a line that is no field is a text like any other.
        let judged =
            if name == "a line that is no field" { "NoEmptyLine".to_owned() } else { verdict.reason.name() };
        assert_eq!(judged, reason, "{name}");
    }
    let no_empty_line = pgp_mime().replacen("\n\n", "\n", 1);
    assert!(!judge(&no_empty_line).kind.is_encrypted());
}

#[test]
fn pages_before_the_first_part_are_readable() {
    let with = |preamble: &str| pgp_mime().replacen("\n\n--enc", &format!("\n\n{preamble}\n--enc"), 1);
    assert_judged(
        &with("This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)"),
        "pgp-mime",
        "OpenPgp",
    );
    assert_judged(&with(&"x".repeat(200)), "pgp-mime", "OpenPgp");
    assert_judged(&with(&"x".repeat(201)), "partial", "Preamble");
    // Some readers end a line at a bare CR, and find a part there.
    assert_judged(&with("\r--enc\r\rthe launch code"), "partial", "Preamble");
    // And some may take another boundary than the others.
    assert_judged(&with("--us-ascii''enc\n\nthe launch code"), "partial", "Preamble");
    // Not in portions either.
    let mut entity = with(&"x".repeat(100));
    for level in ["c", "d", "f"] {
        let outer = multipart_with("multipart/mixed", level, &[entity]);
        entity = outer.replacen("\n\n", &format!("\n\n{}\n", "x".repeat(100)), 1);
    }
    assert_judged(&entity, "partial", "Preamble");
}

#[test]
fn text_behind_the_last_part_is_readable() {
    assert_judged(&(pgp_mime() + " \n\t\n"), "pgp-mime", "OpenPgp");
    assert_judged(&(pgp_mime() + "the launch code\n"), "partial", "Epilogue");
}

#[test]
fn a_multipart_without_parts_is_readable() {
    let entity = multipart(
        "multipart/mixed",
        &[pgp_mime(), "Content-Type: multipart/mixed; boundary=none\n\nhello\n".to_owned()],
    );
    assert_judged(&entity, "partial", "Preamble");
    let entity =
        multipart("multipart/mixed", &[pgp_mime(), "Content-Type: multipart/mixed\n\nhello\n".to_owned()]);
    assert_judged(&entity, "partial", "NoBoundary");
}

#[test]
fn a_boundary_that_readers_cut_differently_is_readable() {
    for (name, entity, reason) in [
        (
            "a line that only begins as the boundary",
            pgp_mime().replacen("--enc\n", "--encX\n--enc\n", 1),
            "AmbiguousDelimiter",
        ),
        (
            "text behind the close delimiter",
            pgp_mime().replacen("--enc--\n", "--enc--x\n--enc--\n", 1),
            "AmbiguousDelimiter",
        ),
        ("a delimiter behind the last one", pgp_mime() + "--enc\n", "AmbiguousDelimiter"),
        (
            "a boundary inside a boundary",
            multipart_with("multipart/mixed", "en", &[pgp_mime()]),
            "NestedBoundary",
        ),
        (
            "the same boundary twice",
            multipart_with("multipart/mixed", "enc", &[pgp_mime()]),
            "NestedBoundary",
        ),
        (
            "a boundary of octets that are not allowed",
            pgp_mime().replace("enc", "e;c").replace("e;crypted", "encrypted"),
            "OddBoundary",
        ),
        ("a blank at its end", pgp_mime().replace("\"enc\"", "\"enc \""), "OddBoundary"),
    ] {
        let verdict = judge(&entity);
        assert!(!verdict.kind.is_encrypted(), "{name}: {verdict}");
        assert!(verdict.parts.iter().any(|part| part.reason.name() == reason), "{name}: {:?}", verdict.parts);
    }
}

#[test]
fn a_structure_inside_a_transfer_encoding_is_readable() {
    let encoded = base64_lines(pgp_mime().as_bytes(), 76);
    let media = "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n";
    assert_judged(&format!("{media}{encoded}"), "plain", "EncodedStructure");
    let entity = pgp_mime().replacen("\n\n", "\nContent-Transfer-Encoding: x-uuencode\n\n", 1);
    assert!(!judge(&entity).kind.is_encrypted());
}

#[test]
fn a_text_as_the_signature_around_encrypted_data_is_readable() {
    let signed = |protocol: &str, second: String| {
        multipart_with(&format!("multipart/signed; protocol=\"{protocol}\""), "sig", &[pgp_mime(), second])
    };
    let packet = packet(2, &[&[4, 0, 22, 10, 0, 2, 1, 1, 0, 0, 9, 9][..], &noise(66)].concat());
    let signature = armor(&packet).replace("MESSAGE", "SIGNATURE");
    let good = part("application/pgp-signature", &signature);
    assert_judged(&signed("application/pgp-signature", good.clone()), "pgp-mime", "OpenPgp");
    for (name, entity) in [
        ("text/plain", signed("text/plain", part("text/plain", "the launch code\n"))),
        (
            "text called signature",
            signed("application/pgp-signature", part("application/pgp-signature", "the launch code\n")),
        ),
        (
            "text behind the signature",
            signed("application/pgp-signature", good.clone() + "the launch code\n"),
        ),
        ("another type than declared", signed("application/pkcs7-signature", good.clone())),
        (
            "a packet that is no signature",
            signed(
                "application/pgp-signature",
                part(
                    "application/pgp-signature",
                    &armor(&super::packet(11, b"b\0\0\0\0\0the launch code")).replace("MESSAGE", "SIGNATURE"),
                ),
            ),
        ),
        (
            "a third part",
            signed(
                "application/pgp-signature",
                good.clone() + "\n--sig\nContent-Type: text/plain\n\nhello\n",
            ),
        ),
        (
            "text called a CMS signature",
            signed("application/pkcs7-signature", part("application/pkcs7-signature", "the launch code\n")),
        ),
    ] {
        let verdict = judge(&entity);
        assert_eq!(verdict.kind.as_str(), "partial", "{name}: {verdict}");
    }
}

#[test]
fn a_subject_in_a_signed_part_is_readable() {
    let packet = packet(2, &[&[4, 0, 22, 10, 0, 2, 1, 1, 0, 0, 9, 9][..], &noise(66)].concat());
    let signature = part("application/pgp-signature", &armor(&packet).replace("MESSAGE", "SIGNATURE"));
    let parts = [format!("Subject: the launch code\n{}", pgp_mime()), signature];
    let entity = multipart_with("multipart/signed; protocol=\"application/pgp-signature\"", "sig", &parts);
    assert_judged(&entity, "partial", "PartHeader");
}

#[test]
fn pages_in_the_header_section_of_a_part_are_readable() {
    let pages = format!("octet-stream\nContent-Description: {}\n", "the launch code\n ".repeat(300));
    assert!(!judge(&pgp_mime().replacen("octet-stream\n", &pages, 1)).kind.is_encrypted());
    // Not in portions either: readers show descriptions and names of parts in which there is nothing.
    let with = |field: &str, count: usize| {
        let empty = format!("{field}\nContent-Type: text/plain\n\n\n");
        multipart("multipart/mixed", &[vec![empty; count], vec![pgp_mime()]].concat())
    };
    for field in ["Content-Description: the launch code", "Content-Disposition: attachment; filename=code"] {
        assert_judged(&with(field, 20), "pgp-mime-mangled", "OpenPgp");
        assert_judged(&with(field, 200), "partial", "PartHeader");
    }
}

#[test]
fn pages_in_portions_inside_signatures_are_readable() {
    let signed = |entity: &str| {
        let length = |octets: &[u8]| u32::try_from(octets.len()).expect("small").to_be_bytes();
        let der = |tag: u8, octets: &[u8]| [&[tag, 0x84][..], &length(octets), octets].concat();
        let oid = |last: u8| [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, last];
        let text = der(0xa0, &der(0x04, entity.as_bytes()));
        let data = [&[2, 1, 1][..], &der(0x31, &[]), &der(0x30, &[&oid(1)[..], &text].concat())].concat();
        let info = der(0x30, &[&oid(2)[..], &der(0xa0, &der(0x30, &data))].concat());
        let encoded = base64_lines(&info, 76);
        format!("Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n{encoded}")
    };
    let preamble = pgp_mime().replacen("\n\n--enc", &format!("\n\n{}\n--enc", "x".repeat(150)), 1);
    let header = format!("Content-Description: {}\n{}", "x".repeat(3000), pgp_mime());
    for (entity, reason) in [(preamble, "Preamble"), (header, "PartHeader")] {
        let of = |count: usize| multipart("multipart/mixed", &vec![signed(&entity); count]);
        assert_judged(&of(1), "pgp-mime-mangled", "OpenPgp");
        assert_judged(&of(3), "partial", reason);
    }
}
