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

/// A name alone, perhaps with a slash before or behind it.
fn is_plain_tag(tag: &[u8]) -> bool {
    let tag = tag.to_ascii_lowercase();
    if tag == b"!doctype html" {
        return true;
    }
    let name = tag.strip_prefix(b"/").or(tag.strip_suffix(b"/")).unwrap_or(&tag).trim_ascii();
    let has_text_of_its_own =
        matches!(name, b"style" | b"script" | b"title" | b"textarea" | b"plaintext" | b"xmp");
    !name.is_empty() && name.iter().all(u8::is_ascii_alphanumeric) && !has_text_of_its_own
}

/// Tags around each line leave blank lines between them, which armor does not have.
fn without_blank_lines(text: &[u8]) -> Vec<u8> {
    let lines = text.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty()).flat_map(|line| [line, b"\n"]).collect::<Vec<_>>().concat()
}
