use super::*;

#[test]
fn parameters_are_read_as_tolerantly_as_readers_do() {
    let none: Option<Oddity> = None;
    let malformed = Some(Oddity::MalformedContentType);
    let twice = Some(Oddity::ParameterTwice);
    for (text, value, name, expected, oddity) in [
        ("text/plain", "text/plain", "charset", None, none),
        ("Text/PLAIN; CharSet=UTF-8", "text/plain", "charset", Some("UTF-8"), none),
        ("a/b; boundary=\"x y\";", "a/b", "boundary", Some("x y"), none),
        ("a/b;;boundary=x", "a/b", "boundary", Some("x"), none),
        ("a/b; p=application/x=y:z", "a/b", "p", Some("application/x=y:z"), none),
        ("a/b; p='x y'", "a/b", "p", Some("'x y'"), malformed),
        ("a/b; p = x", "a/b", "p", Some("x"), malformed),
        ("a/b; p=\"x", "a/b", "p", Some("x"), malformed),
        ("a/b; p=\"x\\\"y\"", "a/b", "p", Some("x\"y"), malformed),
        ("a/b; p=\"x\"y; q=z", "a/b", "q", Some("z"), malformed),
        ("a/b (c; p=1 (d\\)) e); p=x", "a/b", "p", Some("x"), malformed),
        ("a/b; (c) p=x", "a/b", "p", Some("x"), malformed),
        ("a/b; p; q=x", "a/b", "q", Some("x"), malformed),
        ("a/b; p=x; P=y", "a/b", "p", Some("x"), twice),
        // RFC 2231, 3: by number, up to the first gap.
        ("a/b; p*1=y; p*0=x", "a/b", "p", Some("xy"), none),
        ("a/b; p*0=x; p*2=z", "a/b", "p", Some("x"), malformed),
        ("a/b; p*x=y; p*0=x", "a/b", "p", Some("x"), twice),
        ("a/b; p*x=y", "a/b", "p", Some(""), malformed),
        // What some readers take for blanks belongs to no name.
        ("a/b;\u{b}p=x", "a/b", "\u{b}p", Some("x"), malformed),
        ("a/b; =p=x", "a/b", "", Some("p=x"), malformed),
        ("a/b; p=x\u{b}y", "a/b", "p", Some("x\u{b}y"), malformed),
        ("a/b; p*01=y; p*0=x", "a/b", "p", Some("x"), twice),
        ("a/b; p*0=x; p*0=y", "a/b", "p", Some("x"), twice),
        // RFC 2231, 4 and 4.1: percent-encoded, with a charset in front.
        ("a/b; p*=utf-8'en'%41%2", "a/b", "p", Some("A%2"), none),
        ("a/b; p*0*=us-ascii''x%20; p*1=%41; p*2*=%42'c", "a/b", "p", Some("x %41B'c"), none),
        ("a/b; p=old; p*=utf-8''new", "a/b", "p", Some("new"), twice),
    ] {
        let parameters = Parameters::read(text.as_bytes());
        let shown = String::from_utf8_lossy(&parameters.value).into_owned();
        assert_eq!((shown.as_str(), parameters.oddity), (value, oddity), "{text}");
        assert_eq!(parameters.get(name), expected.map(str::as_bytes), "{text}");
    }
}

#[test]
fn transfer_encodings_come_off_and_tell_what_else_was_there() {
    use Encoding::{Base64, Identity, QuotedPrintable};
    for (encoding, body, octets, is_exact) in [
        (Identity, &b"a=\r\n"[..], &b"a=\r\n"[..], true),
        (Base64, b"aGVsbG8=\n", b"hello", true),
        (Base64, b"aGVs\r\nbG8", b"hello", true),
        (Base64, b"aGVs  \nbG8=\n\n", b"hello", true),
        (Base64, b"aG Vs\nbG8=\n", b"hello", false),
        (Base64, b"aGVs!\nbG8=\n", b"hello", false),
        (Base64, b"aGVsbG8=\nhidden\n", b"hello", false),
        (Base64, b"aGVsb\n", b"hel", false),
        (QuotedPrintable, b"a=20b=\nc  \nd=3d\r\n", b"a bc\nd=\r\n", true),
        (QuotedPrintable, b"=4\n=zz", b"=4\n=zz", true),
    ] {
        let decoded = decode(body, encoding);
        let name = body.escape_ascii();
        assert_eq!(decoded.octets.escape_ascii().to_string(), octets.escape_ascii().to_string(), "{name}");
        assert_eq!(decoded.is_exact, is_exact, "{name}");
    }
}

/// Each part as `type body`, indented by its depth, and its oddity.
fn outline(message: &str) -> Vec<String> {
    let tree = walk(message.as_bytes());
    let depth = |part: &Part| std::iter::successors(part.parent, |above| tree.parts[*above].parent).count();
    let line = |part: &Part| {
        let body =
            if part.children.is_empty() { part.body.escape_ascii().to_string() } else { String::new() };
        let oddity = part.oddity.map(|oddity| format!(" {oddity:?}")).unwrap_or_default();
        format!("{}{} {body}{oddity}", "  ".repeat(depth(part)), part.content.media)
    };
    tree.parts.iter().map(line).collect()
}

#[test]
fn parts_are_cut_where_readers_cut_them() {
    const HEAD: &str = "Content-Type: multipart/mixed; boundary=b\n\n";
    for (name, body, parts) in [
        ("two parts", "--b\n\none\n--b\n\ntwo\n--b--\n", &["text/plain one", "text/plain two"][..]),
        ("CRLF", "--b\r\n\r\none\r\n--b--\r\n", &["text/plain one"]),
        ("blanks behind a delimiter", "--b \t\n\none\n--b-- \n", &["text/plain one"]),
        ("an empty part", "--b\n\n--b\n--b--", &["text/plain ", "text/plain "]),
        ("no close delimiter", "--b\n\none", &["text/plain one"]),
        ("a blank before a delimiter", "--b\n\none\n --b\ntwo\n--b--", &["text/plain one\\n --b\\ntwo"]),
        ("a part with a field", "--b\nContent-Type: text/html\n\none\n--b--", &["text/html one"]),
        ("an empty line that is a line break", "--b\nContent-Type: text/html\n\n--b--", &["text/html "]),
        (
            "a delimiter in a header section",
            "--b\nX: 1\n--b\n\none\n--b--",
            &["text/plain  NoEmptyLine", "text/plain one"],
        ),
        ("a part without an empty line", "--b\none\n--b--", &["text/plain one NoEmptyLine"]),
    ] {
        let found = outline(&format!("{HEAD}{body}"));
        let inside: Vec<&str> = found[1..].iter().map(|line| line.trim_start()).collect();
        assert_eq!(inside, parts, "{name}");
    }
}

#[test]
fn an_outer_delimiter_ends_all_that_is_inside() {
    let message = "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\
        Content-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c\nContent-Type: message/rfc822\n\n\
        Subject: x\n\ntwo\n--b\n\nthree\n--c\nfour\n--b--\nepilogue\n";
    assert_eq!(
        outline(message),
        [
            "multipart/mixed ",
            "  multipart/alternative ",
            "    text/plain one",
            "    message/rfc822 ",
            "      text/plain two",
            "  text/plain three\\n--c\\nfour",
        ]
    );
    let tree = walk(message.as_bytes());
    assert_eq!(tree.parts[0].preamble, b"preamble");
    assert_eq!(tree.parts[0].epilogue, b"epilogue\n");
}

#[test]
fn places_where_readers_differ_are_named() {
    for (message, oddity) in [
        ("Content-Type: multipart/mixed; boundary=b\n\n--bX\n--b\n\n--b--\n", Oddity::AmbiguousDelimiter),
        ("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b--\n--b\n", Oddity::AmbiguousDelimiter),
        ("Content-Type: multipart/mixed\n\nx\n", Oddity::NoBoundary),
        ("Content-Type: multipart/mixed; boundary=\" b\"\n\nx\n", Oddity::OddBoundary),
        (
            "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\nx\n",
            Oddity::EncodedStructure,
        ),
        ("Content-Type: text/plain\nContent-Transfer-Encoding: x-yenc\n\nx\n", Oddity::UnknownEncoding),
        (
            "Content-Type: text/plain\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\nx\n",
            Oddity::TwoEncodings,
        ),
        ("Content-Type: text\n\nx\n", Oddity::MalformedContentType),
        ("Content-Type: a/b\nContent-Type: a/b\n\nx\n", Oddity::TwoContentTypes),
        ("Content-Type : a/b\n\nx\n", Oddity::BlankBeforeColon),
        ("X: 1\n \n\nx\n", Oddity::FoldOfBlanks),
        ("X: 1\0\n\nx\n", Oddity::ControlInHeader),
        ("X: 1\nx\n", Oddity::NoEmptyLine),
    ] {
        assert_eq!(walk(message.as_bytes()).parts[0].oddity, Some(oddity), "{message}");
    }
}

#[test]
fn a_letter_of_base64_is_known_wherever_it_stands() {
    let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    for len in 0..70 {
        assert!(is_base64(&vec![b'a'; len]), "{len}");
        for at in 0..len {
            for octet in 0..=u8::MAX {
                let mut line = vec![b'Z'; len];
                line[at] = octet;
                assert_eq!(is_base64(&line), is_letter(octet), "{octet} at {at} of {len}");
                assert_eq!(are_base64([b"+/09".as_slice(), &line, b"az"]), is_letter(octet));
            }
        }
    }
}
