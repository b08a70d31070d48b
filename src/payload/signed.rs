//! A multipart/signed original whose signed part protects its own Subject.
//!
//! Only such a one may be spliced: Thunderbird takes the Subject from the signed part and shows `[...]`
//! where it has none. The walk is strict (RFC 1847, 2.1): what two readers might split differently has no
//! signed part here.

use memchr::memmem;

use super::content_type::ContentType;
use crate::message::{Entity, Field, Header};
use crate::outer::{Extent, is_structural};

/// The Content-Type field of the signed part in `body`, if that part protects its Subject (`v1`) and all
/// that it protects says the same as `header`.
pub fn protected<'a>(header: Header, body: &'a [u8], boundary: &str) -> Option<Field<'a>> {
    let part = Entity::split(first_part(body, boundary)?);
    if part.separator.is_empty() || part.header.all("Subject").count() != 1 {
        return None;
    }
    // Each of its fields is looked for in `header`: of millions that would take hours.
    if Extent::of(part.header) == Extent::Lean {
        return None;
    }
    let agrees = |field: &Field| {
        let mut outer = header.all(std::str::from_utf8(field.name()).unwrap_or_default());
        outer.next().is_some_and(|outer| outer.unfolded() == field.unfolded()) && outer.next().is_none()
    };
    if !part.header.fields().filter(|field| !is_structural(field)).all(|field| agrees(&field)) {
        return None;
    }
    let mut types = part.header.all("Content-Type");
    let (field, None) = (types.next()?, types.next()) else { return None };
    (ContentType::plain(&field)?.parameter("protected-headers") == Some("v1")).then_some(field)
}

/// The first of exactly two parts, where the first delimiter opens the body and every line that begins
/// like a delimiter is one.
fn first_part<'a>(body: &'a [u8], boundary: &str) -> Option<&'a [u8]> {
    let delimiter = format!("--{boundary}");
    let first = after_delimiter(body.strip_prefix(delimiter.as_bytes())?)?;
    let broken = format!("\n{delimiter}");
    let mut found = memmem::find_iter(first, broken.as_bytes());
    let (second, close, None) = (found.next()?, found.next()?, found.next()) else { return None };
    after_delimiter(&first[second + broken.len()..])?;
    after_delimiter(first[close + broken.len()..].strip_prefix(b"--")?)?;
    let part = &first[..second];
    Some(part.strip_suffix(b"\r").unwrap_or(part))
}

/// What follows a delimiter's line, if nothing stands behind the delimiter.
fn after_delimiter(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => Some(rest),
        [] => Some(rest),
        _ => None,
    }
}
