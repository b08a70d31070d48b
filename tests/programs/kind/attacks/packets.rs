//! Packets and CMS that only begin as encryption does.

use super::*;

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
    // Of octets without armor nothing shows where the container ends and a sentence begins.
    let raw = [&cut_off[..], b" the launch code is zero"].concat();
    let encoded =
        format!("application/octet-stream\nContent-Transfer-Encoding: base64\n\n{}", base64_lines(&raw, 76));
    let entity = multipart(ENCRYPTED, &[version(), format!("Content-Type: {encoded}")]);
    assert_judged(&entity, "plain", "CutOff");
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
    let with_more = |inside: bool| {
        let more = der(0x0c, &[b"the launch code"]);
        let data = der(0x30, &[&[2, 1, 0], &der(0x31, &[&recipient]), &content(&noise(64))]);
        let (first, second) = if inside { (&more[..], &b""[..]) } else { (&b""[..], &more[..]) };
        der(0x30, &[&oid(3), &der(0xa0, &[&data, first]), second])
    };
    let text = der(0x0c, &[b"the launch code"]);
    let attributes = der(0xa1, &[&der(0x30, &[&oid(1), &der(0x31, &[&der(0x0c, &[b"x"])])])]);
    let good = enveloped(&recipient, &content(&noise(64)));
    let no_content = der(0x30, &[&oid(1), &der(0x30, &[&aes])]);
    for (name, octets, kind, reason) in [
        ("well-formed", good.clone(), "smime", "Enveloped"),
        (
            "attributes behind the content",
            enveloped(&recipient, &[content(&noise(64)), attributes].concat()),
            "smime",
            "Enveloped",
        ),
        (
            "a text behind the content",
            enveloped(&recipient, &[&content(&noise(64))[..], &text].concat()),
            "plain",
            "BehindContent",
        ),
        (
            "octets behind the content",
            enveloped(&recipient, &[&content(&noise(64))[..], b"the launch code"].concat()),
            "plain",
            "BehindContent",
        ),
        (
            "a text beside the encrypted octets",
            enveloped(
                &recipient,
                &der(0x30, &[&oid(1), &der(0x30, &[&aes]), &der(0x80, &[&noise(64)]), &text]),
            ),
            "plain",
            "BehindContent",
        ),
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
        ("a text beside it", with_more(true), "plain", "BehindContent"),
        ("a text beside its type", with_more(false), "plain", "BehindContent"),
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

#[test]
fn two_contents_in_one_signature_are_readable() {
    let der = |tag: u8, parts: &[&[u8]]| {
        let content = parts.concat();
        [&[tag, 0x83][..], &u32::try_from(content.len()).expect("small").to_be_bytes()[1..], &content]
            .concat()
    };
    let oid = |last: u8| [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, last];
    let first = der(0x04, &[pgp_mime().as_bytes()]);
    let second = der(0x04, &[b"\nthe launch code"]);
    let sign = |encapsulated: &[u8], behind: &[u8]| {
        let data = der(0x30, &[&[2, 1, 1], &der(0x31, &[]), encapsulated, behind]);
        let info = der(0x30, &[&oid(2), &der(0xa0, &[&data])]);
        let encoded = base64_lines(&info, 76);
        format!("Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n{encoded}")
    };
    let one = der(0x30, &[&oid(1), &der(0xa0, &[&first])]);
    assert_judged(&sign(&one, &der(0x31, &[])), "pgp-mime", "OpenPgp");
    for (name, encapsulated, behind) in [
        ("in one tag", der(0x30, &[&oid(1), &der(0xa0, &[&first, &second])]), &b""[..]),
        ("in two tags", der(0x30, &[&oid(1), &der(0xa0, &[&first]), &der(0xa0, &[&second])]), b""),
        ("behind it", one.clone(), &second),
    ] {
        let verdict = judge(&sign(&encapsulated, behind));
        assert_eq!(
            (verdict.kind.as_str(), verdict.reason.name().as_str()),
            ("plain", "BehindContent"),
            "{name}"
        );
    }
}
