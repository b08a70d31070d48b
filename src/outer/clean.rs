//! Fields in the only form that may be written: printable ASCII in well-formed folds, lines within 998.

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::{OuterField, verbatim};
use crate::message::{Field, Lines, line_end};
use crate::mime;

/// RFC 5322, 2.1.1: octets in a line, without its end.
const LINE: usize = 998;

/// What stands before the name in the payload: it counts for the length of the line.
const HP_OUTER: usize = "HP-Outer: ".len();

/// What is left of a field that cannot be read, in octets.
const REMAINS: usize = 200;

/// Whether the field is printable ASCII in well-formed folds and fits its lines, `HP-Outer` included.
pub fn is_clean(field: &OuterField) -> bool {
    Lines(&field.text).enumerate().all(|(index, line)| {
        let text = &line[..line.len() - line_end(line).len()];
        let before = if index == 0 { HP_OUTER + field.name.len() + 1 } else { 0 };
        // A line of blanks only is no fold that may be written (RFC 5322, 3.2.2).
        let folded = index == 0 || !text.trim_ascii().is_empty();
        folded && before + text.len() <= LINE && text.iter().all(|octet| matches!(octet, b'\t' | 32..=126))
    })
}

/// Whether a field that may hold any characters can be written at all: nothing in it might be taken for the
/// end of a line or of the header section, and no line is so long that a host would break it.
pub fn is_harmless(field: &OuterField) -> bool {
    Lines(&field.text).enumerate().all(|(index, line)| {
        let text = &line[..line.len() - line_end(line).len()];
        let before = if index == 0 { field.name.len() + 1 } else { 0 };
        let folded = index == 0 || !text.trim_ascii().is_empty();
        folded && before + text.len() <= LINE && !text.iter().any(|octet| matches!(octet, 0 | b'\r'))
    })
}

/// From and Date stand outside even when they are not clean, since stores sort and readers list by them:
/// the address alone, the date in its proper form, or what is printable of it.
pub fn mended(field: &Field) -> Option<OuterField> {
    let text = match () {
        () if field.is("From") => addresses(field).and_then(|found| found.into_iter().next()),
        () if field.is("Date") => mime::date(field).map(|date| date.to_rfc822()),
        () => return None,
    };
    let written = |text: &[u8]| OuterField { name: field.name().to_vec(), text: [b" ", text].concat() };
    let mended = text.map(|text| written(text.as_bytes())).filter(is_clean);
    Some(mended.unwrap_or_else(|| written(&printable(&field.unfolded()))))
}

/// The field for a header section of ours: octets of any charset, but no fold of blanks, and a blank for
/// NUL and a bare CR, which some reader might take for a line end.
pub fn copy(field: &Field) -> OuterField {
    let mut outer = verbatim(field);
    let mut text = Vec::with_capacity(outer.text.len());
    for (index, line) in Lines(&outer.text).enumerate() {
        if index == 0 || !line.trim_ascii().is_empty() {
            text.extend(line.iter().map(|octet| if matches!(octet, 0 | b'\r') { b' ' } else { *octet }));
        }
    }
    if text.ends_with(b"\n") {
        text.pop();
    }
    outer.text = text;
    outer
}

/// The addr-specs of a mailbox or a mailbox-list, where every one is plainly written; no groups.
pub fn addresses(field: &Field) -> Option<Vec<String>> {
    let text = [field.unfolded(), b"\n".to_vec()].concat();
    let HeaderValue::Address(list) = MessageStream::new(&text).parse_address() else { return None };
    let list = list.as_list()?;
    let plain = |address: &str| {
        address.bytes().filter(|octet| *octet == b'@').count() == 1
            && !address.starts_with('@')
            && !address.ends_with('@')
            && address.bytes().all(|octet| octet.is_ascii_graphic() && !b"\"(),:;<>[\\]".contains(&octet))
    };
    list.iter().map(|one| one.address().filter(|address| plain(address)).map(str::to_owned)).collect()
}

fn printable(text: &[u8]) -> Vec<u8> {
    text.iter().take(REMAINS).map(|octet| if matches!(octet, 32..=126) { *octet } else { b'?' }).collect()
}
