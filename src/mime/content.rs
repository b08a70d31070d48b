//! What a header section says about its body: type, parameters, transfer encoding, names.

use crate::message::{Entity, Header, Lines, line_end};

use super::parameters::is_token;
use super::{Encoding, Oddity, Parameters};

/// The Content-* fields of one part, as far as a verdict needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// `type/subtype` in lower case; `text/plain` where nothing usable is said (RFC 2045, 5.2).
    pub media: String,
    /// The parameters of the first Content-Type.
    pub parameters: Parameters,
    /// The transfer encoding.
    pub encoding: Encoding,
    /// Every file name that a reader may show: of Content-Disposition and of Content-Type.
    pub names: Vec<Vec<u8>>,
    /// Whether the disposition is `attachment`.
    pub is_attachment: bool,
    /// The first oddity of the header section.
    pub oddity: Option<Oddity>,
}

impl Content {
    /// Reads the header section of `entity`; `default` is the type where it names none.
    pub fn read(entity: &Entity, default: &str) -> Self {
        let header = entity.header;
        let mut oddity = oddity_of(entity);
        let (media, parameters) = media(header, default, &mut oddity);
        let encoding = encoding(header, &mut oddity);
        let mut all_names = Vec::new();
        let mut is_attachment = false;
        for field in header.all("Content-Disposition") {
            let disposition = Parameters::read(&field.unfolded());
            all_names.extend(names(&disposition).map(<[u8]>::to_vec));
            is_attachment |= disposition.value == b"attachment";
        }
        all_names.extend(parameters.get("name").map(<[u8]>::to_vec));
        Content {
            media,
            encoding,
            names: all_names,
            is_attachment,
            oddity: oddity.or(parameters.oddity),
            parameters,
        }
    }

    /// Whether this is a multipart of any kind.
    pub fn is_multipart(&self) -> bool {
        self.media.starts_with("multipart/")
    }

    /// Whether a whole message of its own stands in the body (RFC 2046, 5.2.1; RFC 6532, 3.7).
    pub fn is_message(&self) -> bool {
        matches!(self.media.as_str(), "message/rfc822" | "message/global" | "message/news")
    }
}

/// The file names in a disposition. Where readers may read it otherwise, one of them is unknown.
fn names(disposition: &Parameters) -> impl Iterator<Item = &[u8]> {
    let unknown = disposition.oddity.is_some().then_some(b"".as_slice());
    disposition.get("filename").into_iter().chain(unknown)
}

fn media(header: Header, default: &str, oddity: &mut Option<Oddity>) -> (String, Parameters) {
    let mut fields = header.all("Content-Type");
    let Some(field) = fields.next() else {
        return (default.to_owned(), Parameters::default());
    };
    if fields.next().is_some() {
        *oddity = oddity.or(Some(Oddity::TwoContentTypes));
    }
    let parameters = Parameters::read(&field.unfolded());
    if is_media(&parameters.value) {
        return (String::from_utf8_lossy(&parameters.value).into_owned(), parameters);
    }
    *oddity = oddity.or(Some(Oddity::MalformedContentType));
    ("text/plain".to_owned(), parameters)
}

/// `token "/" token` (RFC 2045, 5.1).
fn is_media(value: &[u8]) -> bool {
    let mut parts = value.split(|octet| *octet == b'/');
    parts.next().is_some_and(is_token) && parts.next().is_some_and(is_token) && parts.next().is_none()
}

fn encoding(header: Header, oddity: &mut Option<Oddity>) -> Encoding {
    let mut fields = header.all("Content-Transfer-Encoding");
    let Some(field) = fields.next() else {
        return Encoding::Identity;
    };
    if fields.next().is_some() {
        *oddity = oddity.or(Some(Oddity::TwoEncodings));
    }
    Encoding::named(&field.unfolded()).unwrap_or_else(|| {
        *oddity = oddity.or(Some(Oddity::UnknownEncoding));
        Encoding::Identity
    })
}

/// What makes readers disagree about the header section itself.
fn oddity_of(entity: &Entity) -> Option<Oddity> {
    let header = entity.header;
    // A part without anything in it is one that nobody wrote.
    if entity.separator.is_empty() && !(header.0.is_empty() && entity.body.is_empty()) {
        return Some(Oddity::NoEmptyLine);
    }
    if header.fields().any(|field| field.has_blank_before_colon()) {
        return Some(Oddity::BlankBeforeColon);
    }
    for line in Lines(header.0) {
        if line.trim_ascii().is_empty() {
            return Some(Oddity::FoldOfBlanks);
        }
        let text = &line[..line.len() - line_end(line).len()];
        if memchr::memchr2(0, b'\r', text).is_some() {
            return Some(Oddity::ControlInHeader);
        }
    }
    None
}
