//! The text of HTML, if it is so plain that every reader shows that text and no other.

/// The text between the tags, a line break for each of them; none if there is a comment, an attribute, a
/// style, a script or a character reference other than a no-break space.
pub(super) fn text(html: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = memchr::memchr2(b'<', b'&', rest) {
        text.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix(b"&nbsp;") {
            text.push(b' ');
            rest = behind;
            continue;
        }
        if rest.starts_with(b"&") {
            return None;
        }
        let end = memchr::memchr(b'>', &rest[..rest.len().min(40)])?;
        if !is_plain_tag(&rest[1..end]) {
            return None;
        }
        text.push(b'\n');
        rest = &rest[end + 1..];
    }
    text.extend_from_slice(rest);
    Some(without_blank_lines(&text))
}

/// What programs put around armor. Any other name may be a word, and readers show `< word >` as text.
const PLAIN: [&[u8]; 14] = [
    b"html",
    b"head",
    b"body",
    b"pre",
    b"p",
    b"br",
    b"div",
    b"span",
    b"tt",
    b"code",
    b"font",
    b"b",
    b"i",
    b"blockquote",
];

/// A name alone, perhaps with a slash before or behind it.
fn is_plain_tag(tag: &[u8]) -> bool {
    let tag = tag.to_ascii_lowercase();
    let name = match (tag.strip_prefix(b"/"), tag.strip_suffix(b"/")) {
        (Some(name), _) => name,
        (None, Some(name)) => name.trim_ascii_end(),
        (None, None) => &tag,
    };
    tag == b"!doctype html" || PLAIN.contains(&name)
}

/// Tags around each line leave blank lines between them, which armor does not have.
fn without_blank_lines(text: &[u8]) -> Vec<u8> {
    let lines = text.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii);
    let mut kept = Vec::with_capacity(text.len() + 1);
    for line in lines.filter(|line| !line.is_empty()) {
        kept.extend_from_slice(line);
        kept.push(b'\n');
    }
    kept
}
