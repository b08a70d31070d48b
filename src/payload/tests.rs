//! Each reason against splicing has a row with its attack; the way back is checked by lines of this file
//! that share nothing with the program.

use proptest::prelude::*;

use super::*;
use crate::message::Header;
use crate::outer::{Outside, Policy, fields};

#[path = "../../tests/world/manual.rs"]
mod manual;

fn outer(original: &[u8]) -> Vec<OuterField> {
    let header: Header = Entity::split(original).header;
    fields(header, &Outside { policy: Policy::Baseline, kept: Vec::new() }, Extent::of(header))
}

/// The form, and the payload as a whole.
struct Whole {
    form: Form,
    bytes: Vec<u8>,
}

fn payload(original: &[u8]) -> Whole {
    let payload = Payload::of(original, &outer(original))
        .unwrap_or_else(|error| panic!("{}: {error}", original.escape_ascii()));
    let mut bytes = Vec::new();
    payload.write_to(&mut bytes).unwrap();
    Whole { form: payload.form, bytes }
}

/// What the program itself restores, from pieces of `size` octets.
fn undone(payload: &[u8], size: usize) -> io::Result<Vec<u8>> {
    let mut undo = Undo::into(Vec::new());
    payload.chunks(size).try_for_each(|piece| undo.write_all(piece))?;
    undo.finish()
}

#[test]
fn ordinary_mail_is_spliced_and_says_what_stands_outside() {
    let original = b"From: Bob <bob@example.org>\nSubject: lunch\nContent-Type: text/plain;\n charset=utf-8\nX-Note: a\n\nhi\n";
    let payload = payload(original);
    assert_eq!(payload.form, Form::Spliced);
    let expected = "Selfseal: form=spliced; lines=lf; added=2\r\n\
        HP-Outer: From: Bob <bob@example.org>\r\n\
        HP-Outer: Subject: [...]\r\n\
        From: Bob <bob@example.org>\r\n\
        Subject: lunch\r\n\
        Content-Type: text/plain;\r\n charset=utf-8\r\n ; protected-headers=\"v1\"; hp=\"cipher\"\r\n\
        X-Note: a\r\n\r\nhi\r\n";
    assert_eq!(String::from_utf8(payload.bytes).unwrap(), expected);
}

#[test]
fn mail_without_a_type_gets_one() {
    let payload = payload(b"To: a@example.org\r\n\r\nhi");
    let expected = "Selfseal: form=spliced; lines=crlf; added=2\r\n\
        HP-Outer: To: a@example.org\r\n\
        Content-Type: text/plain; protected-headers=\"v1\"; hp=\"cipher\"\r\n\
        To: a@example.org\r\n\r\nhi";
    assert_eq!(String::from_utf8(payload.bytes).unwrap(), expected);
}

#[test]
fn a_wrapped_original_stands_verbatim_below_copies_of_its_fields() {
    let original = b"Received: by mx\nFrom: a@example.org\nSubject: one\nSubject: two\nHP-Outer: Subject: forged\nX-Mailer: y\n\nhi";
    let payload = payload(original);
    assert_eq!(payload.form, Form::Wrapped(Reason::RepeatedField));
    let text = String::from_utf8(payload.bytes).unwrap();
    let boundary = text.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(boundary.len(), 32);
    let expected = format!(
        "Selfseal: form=wrapped; lines=lf; added=3\r\n\
        HP-Outer: Received: by mx\r\n\
        HP-Outer: From: a@example.org\r\n\
        HP-Outer: Subject: [...]\r\n\
        From: a@example.org\r\nSubject: one\r\nX-Mailer: y\r\n\
        Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n ; protected-headers=\"v1\"; hp=\"cipher\"\r\n\r\n\
        --{boundary}\r\n{}\r\n--{boundary}--\r\n",
        String::from_utf8(original.to_vec()).unwrap().replace('\n', "\r\n")
    );
    assert_eq!(text, expected);
}

/// mutt and notmuch drop such a line from a part, and show it in a message.
#[test]
fn a_line_that_ends_the_header_section_becomes_the_first_of_the_body() {
    for (original, part) in [
        ("Subject: s\nfirst\nsecond\n", "Subject: s\r\n\r\nfirst\r\nsecond\r\n"),
        ("first\n", "\r\nfirst\r\n"),
        ("Subject: s\n", "Subject: s\r\n"),
        ("Subject: s\nbroken\nTo: a@x\n\nhi\n", "Subject: s\r\nbroken\r\nTo: a@x\r\n\r\nhi\r\n"),
    ] {
        let text = String::from_utf8(payload(original.as_bytes()).bytes).unwrap();
        assert_eq!(text.starts_with("Selfseal: form=divided;"), part.contains("first"), "{text}");
        let (_, behind) = text.split_once("\r\n\r\n--").unwrap();
        let (boundary, behind) = behind.split_once("\r\n").unwrap();
        assert_eq!(behind, format!("{part}\r\n--{boundary}--\r\n"));
    }
}

const SIGNED: &str = "Subject: s\nContent-Type: multipart/signed; boundary=b\n\n--b\nSubject: s\n\
    Content-Type: text/plain; protected-headers=\"v1\"\n\nhi\n--b\nContent-Type: application/pgp-signature\n\nx\n--b--\n";

#[test]
fn each_reason_against_splicing_has_its_name() {
    let large = format!("Subject: s\n{}\nhi", "X: y\n".repeat(1001));
    let long = format!("Subject: s\nX: {}\n\nhi", " y\n".repeat(30_000));
    let many = format!("Subject: s\n\n{}", "\n".repeat(10_000));
    // As many as fit would be looked for in the outer header section one by one.
    let field = "X: a field as it stands outside\n";
    let signed_repeatedly =
        field.to_owned() + &SIGNED.replace("--b\nSubject", &format!("--b\n{}Subject", field.repeat(1001)));
    for (name, original, reason) in [
        ("LF and CRLF", &b"Subject: s\r\n\nhi\n"[..], Reason::MixedLineEnds),
        ("a bare CR", b"Subject: s\n\nhi\rho\n", Reason::MixedLineEnds),
        ("a CR at the very end", b"Subject: s\n\nhi\r", Reason::MixedLineEnds),
        ("a thousand fields", large.as_bytes(), Reason::LargeHeader),
        ("a header section of 90 kB", long.as_bytes(), Reason::LargeHeader),
        ("ten thousand empty lines", many.as_bytes(), Reason::ManyLines),
        ("no body", b"Subject: s\n", Reason::OpenHeader),
        ("no header section", b"hi\n", Reason::OpenHeader),
        ("a line that is no field", b"Subject: s\nhi\n\n", Reason::OpenHeader),
        ("a blank before the colon", b"Subject : s\n\nhi", Reason::IllFormedHeader),
        ("a fold of blanks", b"Subject: s\n \n t\n\nhi", Reason::IllFormedHeader),
        ("NUL in the header section", b"Subject: s\0\n\nhi", Reason::IllFormedHeader),
        ("two Subjects", b"Subject: s\nSUBJECT: t\n\nhi", Reason::RepeatedField),
        ("two Content-Types", b"Content-Type: a/b\nContent-Type: a/b\n\nhi", Reason::RepeatedField),
        ("two From", b"From: a\nFrom: b\n\nhi", Reason::RepeatedField),
        ("incoming HP-Outer", b"HP-Outer: Subject: forged\n\nhi", Reason::OurField),
        ("incoming Selfseal", b"selfseal: form=wrapped; lines=lf; added=0\n\nhi", Reason::OurField),
        (
            "the twin of the line",
            b"X: y\n ; protected-headers=\"v1\"; hp=\"cipher\"\nContent-Type: a/b\n\nhi",
            Reason::TwinLine,
        ),
        ("8-bit text without a type", b"Subject: s\n\ncaf\xe9", Reason::UntypedOctets),
        ("a comment in the type", b"Content-Type: text/plain (x)\n\nhi", Reason::ObscureType),
        ("a semicolon at the end", b"Content-Type: text/plain;\n\nhi", Reason::ObscureType),
        ("a parameter twice", b"Content-Type: text/plain; a=b; a=c\n\nhi", Reason::ObscureType),
        ("incoming hp", b"Content-Type: text/plain; HP=clear\n\nhi", Reason::MarkedType),
        ("incoming hp, RFC 2231", b"Content-Type: text/plain; hp*0=cipher\n\nhi", Reason::MarkedType),
        ("protected-headers, RFC 2231", b"Content-Type: a/b; protected-headers*=''v1\n\nhi", Reason::MarkedType),
        ("hp-legacy-display", b"Content-Type: a/b; hp-legacy-display=1\n\nhi", Reason::MarkedType),
        ("multipart/encrypted", b"Content-Type: multipart/encrypted; boundary=b\n\n--b--", Reason::UnwrappedType),
        ("pkcs7-mime", b"Content-Type: application/x-pkcs7-mime\n\nMI", Reason::UnwrappedType),
        ("pgp", b"Content-Type: application/pgp\n\nx", Reason::UnwrappedType),
        ("pgp-encrypted", b"Content-Type: application/pgp-encrypted\n\nx", Reason::UnwrappedType),
        ("a forwarded message", b"Content-Type: message/rfc822\n\nSubject: t\n\n", Reason::UnwrappedType),
        (".p7m", b"Content-Type: application/octet-stream; name=smime.P7M\n\nx", Reason::UnwrappedType),
        (
            ".p7m as an encoded word",
            b"Content-Type: application/octet-stream; name=\"=?utf-8?q?smime=2Ep=37m?=\"\n\nx",
            Reason::UnwrappedType,
        ),
        (
            ".p7m with a backslash in it",
            b"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"a.p\\7m\"\n\nx",
            Reason::UnwrappedType,
        ),
        ("a parameter without a name", b"Content-Type: text/plain; *=x\n\nhi", Reason::ObscureType),
        (
            ".p7m in the disposition",
            b"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=smime.p7m\n\nx",
            Reason::UnwrappedType,
        ),
        (
            "a mangled pgp-encrypted child",
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/PGP-encrypted\n\n\n--b--",
            Reason::UnwrappedType,
        ),
        ("inline", b"Content-Type: text/plain\nContent-Disposition: Inline\n\nhi", Reason::InlinePart),
        ("inline without a type", b"Content-Disposition: inline\n\nhi", Reason::InlinePart),
        (
            "the mark in a part",
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; Protected-Headers=\"v1\"\n\n\n--b--",
            Reason::ForeignMark,
        ),
        ("the mark in a text", b"Subject: s\n\nhp-legacy-display", Reason::ForeignMark),
        ("no signed Subject", SIGNED.replace("--b\nSubject: s\n", "--b\n").as_bytes(), Reason::UnprotectedSignature),
        ("another signed Subject", SIGNED.replace("--b\nSubject: s", "--b\nSubject: t").as_bytes(), Reason::UnprotectedSignature),
        ("an unmarked signed part", SIGNED.replace("; protected-headers=\"v1\"", "").as_bytes(), Reason::UnprotectedSignature),
        ("a signed From that differs", SIGNED.replace("--b\nSub", "--b\nFrom: x\nSub").as_bytes(), Reason::UnprotectedSignature),
        ("text before the signed part", SIGNED.replacen("\n\n--b", "\n\nx\n--b", 1).as_bytes(), Reason::UnprotectedSignature),
        ("a third part", SIGNED.replace("--b--", "--b\n\nz\n--b--").as_bytes(), Reason::UnprotectedSignature),
        ("a look-alike delimiter", SIGNED.replace("hi\n", "hi\n--bX\n").as_bytes(), Reason::UnprotectedSignature),
        ("a thousand signed fields", signed_repeatedly.as_bytes(), Reason::UnprotectedSignature),
        ("the mark beside the signed part", SIGNED.replace("hi", "protected-headers").as_bytes(), Reason::ForeignMark),
    ] {
        let payload = payload(original);
        assert_eq!(payload.form, Form::Wrapped(reason), "{name}");
        assert_eq!(manual::original(&payload.bytes), original, "{name}");
    }
}

#[test]
fn a_large_message_comes_back_across_the_pieces() {
    for line in ["", "x"] {
        let line = format!("{}{line}\n", "0123456789abcdef".repeat(3));
        for original in [format!("Subject: s\n\n{}", line.repeat(4000)), line.repeat(4000)] {
            for original in [original.replace('\n', "\r\n"), original.clone(), original.replace('x', "\r")] {
                let payload = payload(original.as_bytes()).bytes;
                assert!(undone(&payload, 4096).unwrap() == original.as_bytes());
                assert!(manual::original(&payload) == original.as_bytes());
            }
        }
    }
}

#[test]
fn a_signature_that_protects_its_subject_is_spliced() {
    assert_eq!(payload(SIGNED.as_bytes()).form, Form::Spliced);
    assert_eq!(manual::original(&payload(SIGNED.as_bytes()).bytes), SIGNED.as_bytes());
}

#[test]
fn a_payload_of_nobody_claims_nothing() {
    for text in [
        &b""[..],
        b"Subject: s\r\n\r\nhi",
        b"Selfseal: form=spliced; lines=lf; added=x\r\n\r\n",
        b"Selfseal: form=other; lines=lf; added=0\r\n\r\n",
        b"Selfseal: form=wrapped; lines=lf; added=0\r\n\r\n",
        b"Selfseal: form=wrapped; lines=lf; added=0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
        b"Selfseal: form=spliced; lines=lf; added=0\n\n",
    ] {
        assert!(undone(text, 7).is_err(), "{}", text.escape_ascii());
    }
}

/// Mail as a hostile generator writes it: pieces that matter to the parser, in any order.
fn mail() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"Subject: s",
        b"Content-Type: text/plain",
        b"Content-Type: multipart/signed; boundary=b",
        b"\n",
        b"\r\n",
        b"\r",
        b"\n\n",
        b"\r\n\r\n",
        b" ; protected-headers=\"v1\"; hp=\"cipher\"",
        b"Selfseal: form=wrapped; lines=asis; added=1",
        b"HP-Outer: Subject: x",
        b"--b",
        b"--b--",
        b" ",
        b"\t",
        b"From x y",
        b"text",
        b"\0",
        b"\xe9",
        b":",
    ];
    proptest::collection::vec(proptest::sample::select(pieces), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn every_message_comes_back(original in mail(), size in 1_usize..40) {
        let payload = payload(&original).bytes;
        prop_assert_eq!(undone(&payload, size).unwrap(), &original[..]);
        prop_assert_eq!(manual::original(&payload), original);
    }

    #[test]
    fn any_octets_come_back(original in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(manual::original(&payload(&original).bytes), original);
    }

    #[test]
    fn a_hostile_payload_is_read_without_a_panic(payload in mail()) {
        let hostile = [b"Selfseal: form=spliced; lines=lf; added=2\r\n".as_slice(), &payload].concat();
        let whole = undone(&hostile, usize::MAX).ok();
        prop_assert_eq!(undone(&hostile, 1).ok(), whole);
        let _ = undone(&payload, 3);
    }
}

#[test]
fn a_payload_that_does_not_lead_back_is_found_out() {
    let original = b"Subject: s\nContent-Type: text/plain\n\nhi\n";
    let good = || Payload::of(original, &outer(original)).unwrap();
    assert!(good().write_to(&mut io::sink()).is_ok());
    let [before, _] = good().spans;
    for payload in [
        Payload { spans: [before, b"\nho\n"], ..good() },
        Payload { spans: [before, b"\nhi\n\n"], ..good() },
        Payload { spans: [before, b"\nhi"], ..good() },
        Payload { between: " ; hp=\"cipher\"\r\n", ..good() },
        Payload { ends: LineEnds::AsIs, ..good() },
        Payload { head: Vec::new(), ..good() },
        Payload { tail: "x".to_owned(), ..good() },
    ] {
        let error = payload.write_to(&mut io::sink()).expect_err("found out");
        assert!(error.to_string().contains("would not lead back"), "{payload:?}: {error}");
    }
}
