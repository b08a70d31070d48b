//! May lines be put into the original itself, so that readers show no difference at all? Only where every
//! reader is sure to read the result as it read the original; each reason against it has its name here.

use memchr::{memchr_iter, memmem};

use super::content_type::ContentType;
use super::lines::LineEnds;
use super::signed;
use super::{MARK, OUR_FIELD};
use crate::message::{Entity, Field, Header, Lines};

/// Why an original is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// LF, CRLF and bare CR stand side by side, so the canonical form would not lead back.
    MixedLineEnds,
    /// Above 64 KiB or 1,000 fields.
    LargeHeader,
    /// The canonical line ends would make it grow too much.
    ManyLines,
    /// No empty line ends the header section.
    OpenHeader,
    /// A blank before a colon, a fold of blanks only, or a NUL.
    IllFormedHeader,
    /// Two of a field that readers take one of, each its own.
    RepeatedField,
    /// A field that only the sealer may write.
    OurField,
    /// The header section contains the line that is to be put in.
    TwinLine,
    /// No Content-Type over a body that is not ASCII: the added one would say us-ascii.
    UntypedOctets,
    /// A Content-Type that readers read differently.
    ObscureType,
    /// A Content-Type with a header protection parameter of the sender's.
    MarkedType,
    /// A type that readers unwrap by themselves; the Subject is lost then.
    UnwrappedType,
    /// A signed part that does not protect the Subject itself.
    UnprotectedSignature,
    /// `Content-Disposition: inline` on a single part: KMail reads its body as header fields.
    InlinePart,
    /// Header protection's words somewhere in the original: readers might take them for ours.
    ForeignMark,
    /// The way back did not lead to the original.
    NoWayBack,
}

/// Fields of which readers take one, not all the same one.
const SINGLE: [&str; 6] =
    ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version", "From", "Subject"];

/// What a reader of header protection looks for.
const FOREIGN_MARKS: [&str; 2] = ["protected-headers", "hp-legacy-display"];

/// The first reason against splicing, or the Content-Type field that takes the line, if there is one.
pub fn type_field<'a>(entity: &Entity<'a>, ends: LineEnds) -> Result<Option<Field<'a>>, Reason> {
    let header = entity.header;
    let has_cr = || [entity.header.0, entity.separator, entity.body].iter().any(|text| text.contains(&b'\r'));
    first_of([
        (ends == LineEnds::AsIs && has_cr(), Reason::MixedLineEnds),
        (ends == LineEnds::AsIs, Reason::ManyLines),
    ])?;
    well_formed(entity)?;
    match header.all("Content-Type").next() {
        Some(field) => {
            typed(entity, &field)?;
            Ok(Some(field))
        }
        None if !entity.body.is_ascii() => Err(Reason::UntypedOctets),
        None => {
            let inline = inline(header);
            first_of([(inline, Reason::InlinePart), (foreign_mark(entity, None), Reason::ForeignMark)])?;
            Ok(None)
        }
    }
}

fn first_of<const N: usize>(reasons: [(bool, Reason); N]) -> Result<(), Reason> {
    reasons.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, reason)| Err(reason))
}

fn well_formed(entity: &Entity) -> Result<(), Reason> {
    let header = entity.header;
    first_of([
        (entity.separator.is_empty(), Reason::OpenHeader),
        (header.fields().any(|field| field.has_blank_before_colon()), Reason::IllFormedHeader),
        (Lines(header.0).any(|line| line.trim_ascii().is_empty()), Reason::IllFormedHeader),
        (header.0.contains(&0), Reason::IllFormedHeader),
        (SINGLE.iter().any(|name| header.all(name).nth(1).is_some()), Reason::RepeatedField),
        (header.fields().any(|field| field.is("HP-Outer") || field.is(OUR_FIELD)), Reason::OurField),
        (memmem::find(header.0, MARK.as_bytes()).is_some(), Reason::TwinLine),
    ])
}

fn typed(entity: &Entity, field: &Field) -> Result<(), Reason> {
    let content_type = ContentType::plain(field).ok_or(Reason::ObscureType)?;
    let marked = ["hp", "protected-headers", "hp-legacy-display"];
    let single = !content_type.essence.starts_with("multipart/");
    first_of([
        (marked.iter().any(|name| content_type.parameter(name).is_some()), Reason::MarkedType),
        (is_unwrapped(&content_type, entity), Reason::UnwrappedType),
        (single && inline(entity.header), Reason::InlinePart),
    ])?;
    let signed_type = if content_type.essence == "multipart/signed" {
        let boundary = content_type.parameter("boundary").filter(|boundary| !boundary.is_empty());
        let part = boundary.and_then(|boundary| signed::protected(entity.header, entity.body, boundary));
        Some(part.ok_or(Reason::UnprotectedSignature)?)
    } else {
        None
    };
    first_of([(foreign_mark(entity, signed_type), Reason::ForeignMark)])
}

/// `multipart/encrypted` and `application/pkcs7-mime` lose the Subject in notmuch, the others were seen to
/// lose it in one reader or another.
fn is_unwrapped(content_type: &ContentType, entity: &Entity) -> bool {
    let essence = content_type.essence.as_str();
    match essence {
        "multipart/encrypted" | "application/pkcs7-mime" | "application/x-pkcs7-mime" | "application/pgp" => {
            true
        }
        "application/octet-stream" => is_named_cms(content_type, entity.header),
        "multipart/mixed" => occurrences(entity.body, &["pgp-encrypted"]).next().is_some(),
        _ => essence.starts_with("message/") || essence.starts_with("application/pgp-"),
    }
}

/// A name that ends `.p7m`, `.p7s`, `.p7c` or `.p7z`, or might: `%` (RFC 2231, 4), an encoded word and a
/// backslash can spell any octet.
fn is_named_cms(content_type: &ContentType, header: Header) -> bool {
    let may_be = |text: &[u8]| {
        text.iter().any(|octet| matches!(octet, b'%' | b'?' | b'\\'))
            || text.to_ascii_lowercase().windows(2).any(|pair| pair == b"p7")
    };
    content_type.parameters.iter().any(|(_, value)| may_be(value.as_bytes()))
        || header.all("Content-Disposition").any(|field| may_be(field.body()))
}

fn inline(header: Header) -> bool {
    header.all("Content-Disposition").any(|field| {
        let text = field.unfolded();
        text.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"inline"))
    })
}

/// Whether the words of header protection occur anywhere but in `allowed`, a field of a signed part.
fn foreign_mark(entity: &Entity, allowed: Option<Field>) -> bool {
    // Spans of one buffer: an address tells whether a word lies in the allowed field.
    let allowed = allowed.map_or(&[][..], |field| field.raw).as_ptr_range();
    let mut found =
        [entity.header.0, entity.body].into_iter().flat_map(|text| occurrences(text, &FOREIGN_MARKS));
    found.any(|found| !allowed.contains(&found.as_ptr()))
}

/// Where one of `words`, each with a dash, stands in `text`, whatever its letters' case. Dashes are rare in
/// base64 and text, so this is one fast scan.
fn occurrences<'a>(text: &'a [u8], words: &'static [&'static str]) -> impl Iterator<Item = &'a [u8]> {
    memchr_iter(b'-', text).filter_map(move |at| {
        words.iter().find_map(|word| {
            let start = at.checked_sub(word.find('-')?)?;
            let found = text.get(start..)?.get(..word.len())?;
            found.eq_ignore_ascii_case(word.as_bytes()).then_some(found)
        })
    })
}
