//! Ways to make readable mail pass as encrypted, and the rule that answers each.

use super::*;

/// The entity of an inline message with this text.
fn text(body: &str) -> String {
    part("text/plain", body)
}

// Text parts

#[test]
fn prose_passed_as_armor_by_a_charset_is_readable() {
    for charset in
        ["utf-7", "utf-16", "utf-16le", "iso-2022-jp", "unicode-1-1-utf-7", "x-user-defined", "\"\""]
    {
        let media = format!("text/plain; charset={charset}");
        assert_judged(&part(&media, &armor(&packets())), "plain", "Charset");
    }
    for charset in ["us-ascii", "UTF-8", "iso-8859-1", "ISO-8859-15", "windows-1252"] {
        let media = format!("text/plain; charset={charset}");
        assert_judged(&part(&media, &armor(&packets())), "pgp-inline", "OpenPgp");
    }
}

#[test]
fn raw_packets_in_a_text_are_readable() {
    let raw = [HEADER.as_bytes(), b"Content-Type: text/plain; charset=iso-8859-1\n\n", &packets()].concat();
    let verdict = kind::of(&raw);
    assert_eq!((verdict.kind.as_str(), verdict.reason.name().as_str()), ("plain", "Readable"));
}

#[test]
fn raw_packets_in_a_type_that_is_shown_are_readable() {
    for media in ["image/png", "audio/mpeg", "video/mp4", "message/partial", "application/pdf", "font/woff"] {
        let encoded = base64_lines(&packets(), 76);
        let entity = format!("Content-Type: {media}\nContent-Transfer-Encoding: base64\n\n{encoded}");
        assert_judged(&entity, "plain", "OtherType");
        assert_judged(&part(media, &armor(&packets())), "plain", "OtherType");
    }
}

#[test]
fn words_as_base64_are_readable() {
    let armor = armor(&packets());
    let (begin, rest) = armor.split_at("-----BEGIN PGP MESSAGE-----\n\n".len());
    for (name, body, reason) in [
        ("with blanks between them", rest.replacen("\n", " the launch code is zero\n", 1), "ArmorText"),
        ("on a line of their own", format!("ThisIsReadable\n{rest}"), "ArmorLines"),
        ("one below the other", base64_lines(&packets(), 4), "ArmorLines"),
        ("in a line of a thousand", base64_lines(&noise(750), 1000), "ArmorLines"),
        ("before a tab", rest.replacen('\n', "\tx\n", 1), "ArmorText"),
        ("behind the padding", rest.replace("==\n", "==hello\n").replace("=\n", "=hello\n"), "ArmorText"),
    ] {
        let verdict = judge(&text(&format!("{begin}{body}")));
        assert_eq!((verdict.kind.as_str(), verdict.reason.name().as_str()), ("plain", reason), "{name}");
    }
}

#[test]
fn pages_in_armor_header_lines_are_readable() {
    let with = |lines: &str| text(&armor(&packets()).replacen("-\n\n", &format!("-\n{lines}\n"), 1));
    assert_judged(&with(&format!("Comment: {}\n", "x".repeat(400))), "pgp-inline", "OpenPgp");
    assert_judged(&with(&format!("Comment: {}\n", "x".repeat(600))), "plain", "ArmorHeader");
    assert_judged(&with(&"Comment: a word\n".repeat(8)), "pgp-inline", "OpenPgp");
    assert_judged(&with(&"Comment: a word\n".repeat(9)), "plain", "ArmorHeader");
    assert_judged(&with("Secret: the launch code\n"), "plain", "ArmorHeader");
    assert_judged(&with("the launch code is zero\n"), "plain", "ArmorText");
    assert_judged(
        &multipart(
            ENCRYPTED,
            &[
                version(),
                with(&"Comment: a word\n".repeat(9)).replace("text/plain", "application/octet-stream"),
            ],
        ),
        "plain",
        "ArmorHeader",
    );
}

#[test]
fn a_sentence_in_the_last_line_of_armor_is_readable() {
    let body =
        armor(&packets()).replace("-----END PGP MESSAGE-----", "-----END PGP launch code is zero-----");
    assert_judged(&text(&body), "partial", "BehindArmor");
}

#[test]
fn html_that_shows_more_than_armor_is_readable() {
    let armor = armor(&packets());
    for (name, html, reason) in [
        ("an attribute", format!("<pre title=\"launch code\">{armor}</pre>"), "Html"),
        ("a comment", format!("<pre><!-- launch code -->{armor}</pre>"), "Html"),
        ("a style", format!("<style>b{{}}</style><pre>{armor}</pre>"), "Html"),
        ("a script", format!("<script>x</script><pre>{armor}</pre>"), "Html"),
        ("a title", format!("<title>x</title><pre>{armor}</pre>"), "Html"),
        ("a picture", format!("<pre>{armor}</pre><img src=x>"), "Html"),
        ("a character reference", format!("<pre>{armor}</pre>&#104;&#105;"), "Html"),
        ("a tag that does not end", format!("<pre>{armor}</pre><{}", "b".repeat(50)), "Html"),
        ("a greeting", format!("<p>Hello</p><pre>{armor}</pre>"), "BehindArmor"),
        (
            "a word between the lines",
            format!("<pre>{}</pre>", armor.replacen("\n-----END", "\n<b>hi there</b>\n-----END", 1)),
            "ArmorText",
        ),
    ] {
        let verdict = judge(&part("text/html", &html));
        assert!(!verdict.kind.is_encrypted(), "{name}");
        assert_eq!(verdict.reason.name(), reason, "{name}");
    }
    assert_judged(&part("text/html", &format!("<html><pre>{armor}</pre></html>")), "pgp-inline", "OpenPgp");
}

#[test]
fn armor_in_another_text_type_is_readable() {
    for media in ["text/enriched", "text/calendar", "text/x-diff"] {
        assert_judged(&part(media, &armor(&packets())), "plain", "TextType");
    }
}

#[test]
fn cms_in_another_type_is_readable() {
    let der = crate::world::fixture("kind/smime_enveloped.eml");
    let body = String::from_utf8(der).expect("ASCII");
    let (_, body) = body.split_once("\n\n").expect("a body");
    for (media, kind) in [
        ("text/plain", "plain"),
        ("application/octet-stream", "plain"),
        ("application/octet-stream; name=smime.pdf", "plain"),
        ("application/octet-stream; name=smime.p7m", "smime"),
        ("application/pkcs7-mime", "smime"),
    ] {
        let verdict = judge(&format!("Content-Type: {media}\nContent-Transfer-Encoding: base64\n\n{body}"));
        assert_eq!(verdict.kind.as_str(), kind, "{media}: {verdict}");
    }
}

/// A picture that is a valid OpenPGP message too is opened by its name.
#[test]
fn packets_named_as_something_else_are_readable() {
    for (name, kind) in
        [("a.zip", "plain"), ("a.pgp.html", "plain"), ("a.pgp", "pgp-inline"), ("A.GPG", "pgp-inline")]
    {
        let encoded = base64_lines(&packets(), 76);
        let media = format!("application/octet-stream; name=\"{name}\"\nContent-Transfer-Encoding: base64");
        let verdict = judge(&format!("Content-Type: {media}\n\n{encoded}"));
        assert_eq!(verdict.kind.as_str(), kind, "{name}: {verdict}");
    }
    let two_names = "application/octet-stream; name=a.pgp\nContent-Disposition: attachment; filename=a.html";
    assert_judged(&part(two_names, &armor(&packets())), "plain", "OtherName");
}

#[test]
fn text_between_the_letters_of_a_transfer_encoding_is_readable() {
    let encoded = base64_lines(armor(&packets()).as_bytes(), 76);
    let entity =
        |body: &str| format!("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{body}");
    assert_judged(&entity(&encoded), "pgp-inline", "OpenPgp");
    for (name, body) in [
        ("octets outside the alphabet", encoded.replacen('\n', "\n[launch-code!]\n", 1)),
        ("a line behind the padding", format!("{}=\nthe launch code\n", encoded.trim_end())),
        ("blanks inside a line", encoded.replacen('\n', " x x\n", 1)),
    ] {
        let verdict = judge(&entity(&body));
        assert!(!verdict.kind.is_encrypted(), "{name}: {verdict}");
    }
}

// Structure

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
    // Not in portions either.
    let mut entity = with(&"x".repeat(100));
    for level in ["c", "d", "e"] {
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
}

// Packets

#[test]
fn packets_that_a_reader_prints_are_not_encryption() {
    let literal = packet(11, b"b\0\0\0\0\0the launch code");
    let short_key = packet(1, &[3, 1, 2, 3, 4, 5, 6, 7, 8, 18, 0]);
    let seipd_2 = |cipher: u8, mode: u8| packet(18, &[&[2, cipher, mode, 6][..], &noise(90)].concat());
    let pkesk_6 = packet(1, &[&[6, 0, 25][..], &noise(60)].concat());
    let skesk = |cipher: u8| packet(3, &[4, cipher, 3, 8, 1, 2, 3, 4, 5, 6, 7, 8, 96]);
    let too_short_chunk = [&[0xd2, 0xe8][..], &noise(256), &[90], &noise(90)].concat();
    let cut_off = container(200)[..150].to_vec();
    let future_key = packet(1, &[&[9][..], &noise(60)].concat());
    for (name, packets, reason) in [
        ("a literal behind a session key", [session_key(), literal.clone()], "NoContainer"),
        (
            "a literal behind the container",
            [[session_key(), container(90)].concat(), literal.clone()],
            "BehindContainer",
        ),
        ("a second container", [[session_key(), container(90)].concat(), container(90)], "BehindContainer"),
        (
            "text behind the container",
            [[session_key(), container(90)].concat(), b"hello".to_vec()],
            "BehindContainer",
        ),
        (
            "a literal before the session key",
            [literal.clone(), [session_key(), container(90)].concat()],
            "NoSessionKey",
        ),
        ("no session key", [container(90), Vec::new()], "NoSessionKey"),
        ("a compressed packet", [packet(8, &noise(90)), Vec::new()], "NoSessionKey"),
        (
            "a private packet in front",
            [packet(60, b"the launch code"), [session_key(), container(90)].concat()],
            "NoSessionKey",
        ),
        (
            "a marker that talks",
            [packet(10, b"the launch code"), [session_key(), container(90)].concat()],
            "Malformed",
        ),
        ("a session key that is too short", [short_key, container(90)], "SessionKeyTooShort"),
        ("a session key of the future alone", [future_key, container(90)], "NoSessionKey"),
        ("cipher 0 in a password's session key", [skesk(0), container(90)], "Cipher"),
        ("an unknown cipher in it", [skesk(99), container(90)], "Cipher"),
        ("cipher 0 in SEIPD v2", [pkesk_6.clone(), seipd_2(0, 2)], "Cipher"),
        ("an unknown cipher in SEIPD v2", [pkesk_6.clone(), seipd_2(99, 2)], "Cipher"),
        ("an unknown mode in SEIPD v2", [pkesk_6.clone(), seipd_2(9, 0)], "Cipher"),
        ("a session key that does not fit", [pkesk_6.clone(), container(90)], "SessionKeyVersion"),
        ("an empty container", [session_key(), container(0)], "ContainerTooShort"),
        ("a container below the minimum", [session_key(), container(20)], "ContainerTooShort"),
        ("a first partial length below 512", [session_key(), too_short_chunk], "Malformed"),
        ("a container that claims more than is there", [session_key(), cut_off], "CutOff"),
        ("a session key alone", [session_key(), Vec::new()], "CutOff"),
    ] {
        let verdict = judge(&text(&armor(&packets.concat())));
        assert_eq!(
            (verdict.kind.as_str(), verdict.reason.name().as_str()),
            ("plain", reason),
            "{name}: {verdict}"
        );
    }
}

/// A reader says "cut off" there, and has nothing else to show.
#[test]
fn a_container_that_claims_more_counts_in_pgp_mime_only() {
    let cut_off = [session_key(), container(200)[..150].to_vec()].concat();
    assert_judged(&multipart(ENCRYPTED, &[version(), data(&armor(&cut_off))]), "pgp-mime", "OpenPgp");
    assert_judged(&data(&armor(&cut_off)), "plain", "CutOff");
    let mangled = [part("text/plain", "\n"), version(), data(&armor(&cut_off))];
    assert_judged(&multipart("multipart/mixed", &mangled), "plain", "CutOff");
}

#[test]
fn cms_for_nobody_is_not_encryption() {
    let der = |tag: u8, parts: &[&[u8]]| {
        let content = parts.concat();
        [&[tag, 0x82][..], &u16::try_from(content.len()).expect("small").to_be_bytes(), &content].concat()
    };
    let oid = |last: u8| [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, last];
    let aes = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
    let recipient = der(0x30, &[&noise(100)]);
    let content = |text: &[u8]| der(0x30, &[&oid(1), &der(0x30, &[&aes]), &der(0x80, &[text])]);
    let enveloped = |recipients: &[u8], content: &[u8]| {
        let data = der(0x30, &[&[2, 1, 0], &der(0x31, &[recipients]), content]);
        der(0x30, &[&oid(3), &der(0xa0, &[&data])])
    };
    let good = enveloped(&recipient, &content(&noise(64)));
    let no_content = der(0x30, &[&oid(1), &der(0x30, &[&aes])]);
    for (name, octets, kind, reason) in [
        ("well-formed", good.clone(), "smime", "Enveloped"),
        ("no recipient", enveloped(&[], &content(&noise(64))), "plain", "NoRecipient"),
        (
            "a text as recipient",
            enveloped(&der(0x0c, &[b"the launch code"]), &content(&noise(64))),
            "plain",
            "NoRecipient",
        ),
        ("no content", enveloped(&recipient, &no_content), "plain", "NoContent"),
        ("too little content", enveloped(&recipient, &content(b"hello")), "plain", "NoContent"),
        ("text behind it", [&good[..], b"the launch code"].concat(), "plain", "BehindContent"),
        ("cut off", good[..good.len() - 20].to_vec(), "plain", "NoCms"),
    ] {
        let encoded = base64_lines(&octets, 76);
        let verdict = judge(&format!(
            "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n{encoded}"
        ));
        assert_eq!(
            (verdict.kind.as_str(), verdict.reason.name().as_str()),
            (kind, reason),
            "{name}: {verdict}"
        );
    }
}

#[test]
fn a_text_in_five_signatures_is_not_opened_for_ever() {
    let der = |tag: u8, content: &[u8]| {
        [&[tag, 0x83][..], &u32::try_from(content.len()).expect("small").to_be_bytes()[1..], content].concat()
    };
    let oid = |last: u8| [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, last];
    let sign = |entity: &str| {
        let text = der(0xa0, &der(0x04, entity.as_bytes()));
        let data = [&[2, 1, 1][..], &der(0x31, &[]), &der(0x30, &[&oid(1)[..], &text].concat())].concat();
        let info = der(0x30, &[&oid(2)[..], &der(0xa0, &der(0x30, &data))].concat());
        format!(
            "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n{}",
            base64_lines(&info, 76)
        )
    };
    let mut entity = pgp_mime();
    for _ in 0..4 {
        entity = sign(&entity);
    }
    assert_judged(&entity, "pgp-mime", "OpenPgp");
    assert_judged(&sign(&entity), "signed", "SignedText");
    assert_judged(&sign(&format!("Subject: the launch code\n{}", pgp_mime())), "partial", "PartHeader");
}
