//! Text, and what is shown as text.

use super::*;

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

/// Readers differ in what they take for a blank, a name or a gap.
#[test]
fn a_charset_that_only_some_readers_see_is_readable() {
    for parameters in [
        ";\u{b}charset=utf-7",
        ";\u{b}charset*=us-ascii''utf-7",
        "; \u{a0}charset=utf-7",
        "; =charset=utf-7",
        "; charset*0=utf-8; charset*2=-7",
        "; charset*x=utf-7",
        "; x=\u{c}charset=utf-7",
    ] {
        let media = format!("text/plain{parameters}");
        assert_judged(&part(&media, &armor(&packets())), "plain", "MalformedContentType");
    }
}

/// Blanks and line breaks are letters of some script there.
#[test]
fn a_text_of_blanks_in_a_wide_charset_is_readable() {
    let with = |charset: &str| {
        let blanks = part(&format!("text/plain; charset={charset}"), " \t\t \n\n \n");
        multipart("multipart/mixed", &[blanks, pgp_mime()])
    };
    assert_judged(&with("utf-16be"), "partial", "Readable");
    assert_judged(&with("utf-8"), "pgp-mime-mangled", "OpenPgp");
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
        let entity = multipart(ENCRYPTED, &[version(), data(&format!("{begin}{body}"))]);
        assert_eq!(judge(&entity).reason.name(), reason, "{name}, as the data of PGP/MIME");
    }
}

#[test]
fn pages_in_armor_header_lines_are_readable() {
    let with = |lines: &str| text(&armor(&packets()).replacen("-\n\n", &format!("-\n{lines}\n"), 1));
    assert_judged(&with(&format!("Comment: {}\n", "x".repeat(400))), "pgp-inline", "OpenPgp");
    assert_judged(&with(&format!("Comment: {}\n", "x".repeat(600))), "plain", "ArmorHeader");
    assert_judged(&with(&"Comment: a word\n".repeat(8)), "pgp-inline", "OpenPgp");
    assert_judged(&with(&"Comment: a word\n".repeat(9)), "plain", "ArmorHeader");
    assert_judged(&with("Comment: a\r--b\r\rthe launch code\n"), "plain", "ArmorHeader");
    // Not in portions either.
    let comment = format!("Comment: {}\n", "x".repeat(400));
    let many = |count: usize| {
        let one = armor(&packets()).replacen("-\n\n", &format!("-\n{comment}\n"), 1);
        text(&one.repeat(count))
    };
    assert_judged(&many(2), "pgp-inline", "OpenPgp");
    assert_judged(&many(3), "partial", "ArmorHeader");
    for media in ["text/plain", "application/octet-stream"] {
        let parts = |count: usize| vec![many(1).replace("text/plain", media); count];
        assert_judged(&multipart("multipart/mixed", &parts(2)), "pgp-inline", "OpenPgp");
        assert_judged(&multipart("multipart/mixed", &parts(3)), "partial", "ArmorHeader");
    }
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
        ("words as tags", format!("<pre><the><launch><code>{armor}</pre>"), "Html"),
        ("words in tags", format!("<pre>< the >< launch >< code >{armor}</pre>"), "Html"),
        ("words behind slashes", format!("<pre></1the></1launch></1code>{armor}</pre>"), "Html"),
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
    // What one reader takes for the name is another one for the next.
    for disposition in [
        "attachment; filename=\"a.html\\\".asc\"",
        "attachment; filename*0=a.asc; filename*2=.html",
        "attachment; filename=a.asc; filename=a.html",
        "attachment;\u{b}filename=a.html",
    ] {
        let encoded = base64_lines(&packets(), 76);
        let fields = format!("Content-Disposition: {disposition}\nContent-Transfer-Encoding: base64");
        let verdict = judge(&format!("Content-Type: application/octet-stream\n{fields}\n\n{encoded}"));
        assert_eq!(
            (verdict.kind.as_str(), verdict.reason.name().as_str()),
            ("plain", "OtherName"),
            "{disposition}"
        );
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
