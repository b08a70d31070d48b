//! Is it an enveloped CMS message? By the object identifiers and the structure around them (RFC 5652, 5083).
//!
//! BER, not only DER: OpenSSL's `-stream`, NSS and Exchange write indefinite lengths and strings in pieces.
//! Signed layers are opened for what they hold; nothing is decrypted or verified here.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod ber;

use std::borrow::Cow;

use ber::{Ber, OCTET_STRING, PIECES};

/// The least encrypted content: one block of the smallest block cipher.
const LEAST: usize = 8;

const SIGNED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const ENVELOPED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
const SIGNED_AND_ENVELOPED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x04";
const AUTH_ENVELOPED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17";
const PREFIX: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01";

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// The outermost layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer<'a> {
    /// Encrypted for at least one recipient.
    Enveloped,
    /// Signed: the content that everybody can read, where it is inside.
    Signed(Option<Cow<'a, [u8]>>),
}

/// Why something is not an enveloped CMS message that can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not begin as a ContentInfo does.
    NoCms,
    /// A content type that is not encrypted for anybody: data, digested, compressed, authenticated.
    OtherContent,
    /// It is malformed or ends too early.
    Broken,
    /// No RecipientInfo.
    NoRecipient,
    /// No encrypted content, or too little to be any.
    NoContent,
    /// Something behind its end.
    BehindContent,
}

impl Fault {
    /// What is so, said of the part.
    pub fn words(self) -> &'static str {
        match self {
            Fault::NoCms => "is readable",
            Fault::OtherContent => "is CMS, but not encrypted",
            Fault::Broken => "is malformed CMS",
            Fault::NoRecipient => "is enveloped for nobody",
            Fault::NoContent => "is an envelope with no content",
            Fault::BehindContent => "has something behind its end",
        }
    }
}

/// Reads the outermost layer.
///
/// # Errors
/// What is so that it is neither enveloped nor signed.
pub fn read(octets: &[u8]) -> Result<Layer<'_>, Fault> {
    let mut outside = Ber::of(octets);
    let mut info = outside.constructed(SEQUENCE).ok_or(Fault::NoCms)?;
    let kind = info.primitive(OBJECT_IDENTIFIER).ok_or(Fault::NoCms)?;
    let is_known = matches!(kind, ENVELOPED | SIGNED_AND_ENVELOPED | AUTH_ENVELOPED | SIGNED);
    if !is_known {
        return Err(if kind.starts_with(PREFIX) { Fault::OtherContent } else { Fault::NoCms });
    }
    let mut explicit = info.constructed(0xa0).ok_or(Fault::Broken)?;
    let content = explicit.constructed(SEQUENCE).ok_or(Fault::Broken)?;
    let layer = match kind {
        SIGNED => signed(content)?,
        _ => enveloped(content, kind)?,
    };
    if explicit.element().is_some() || info.element().is_some() {
        return Err(Fault::BehindContent);
    }
    // The line end of a text around it, and the zeros that some makers fill up with.
    let rest = outside.behind(octets).ok_or(Fault::Broken)?;
    if rest.iter().all(|octet| octet.is_ascii_whitespace() || *octet == 0) {
        return Ok(layer);
    }
    Err(Fault::BehindContent)
}

/// Whether this is a detached signature of at least one signer.
pub fn is_signature(octets: &[u8]) -> bool {
    matches!(read(octets), Ok(Layer::Signed(None))) && signers(octets).is_some_and(|signers| signers > 0)
}

/// The number of signers of SignedData.
fn signers(octets: &[u8]) -> Option<usize> {
    let mut info = Ber::of(octets).constructed(SEQUENCE)?;
    info.primitive(OBJECT_IDENTIFIER)?;
    let mut content = info.constructed(0xa0)?.constructed(SEQUENCE)?;
    content.primitive(INTEGER)?;
    content.constructed(SET)?;
    content.constructed(SEQUENCE)?;
    content.skip_if(0xa0);
    content.skip_if(0xa1);
    content.constructed(SET)?.count(|tag| tag == SEQUENCE)
}

/// EnvelopedData, AuthEnvelopedData (RFC 5652, 6.1; RFC 5083, 2.1) or the envelope of PKCS #7 that is
/// signed too (RFC 2315, 11.1).
fn enveloped<'a>(mut content: Ber, kind: &[u8]) -> Result<Layer<'a>, Fault> {
    content.primitive(INTEGER).ok_or(Fault::Broken)?;
    content.skip_if(0xa0);
    let mut recipients = content.constructed(SET).ok_or(Fault::NoRecipient)?;
    if recipients.count(|tag| matches!(tag, SEQUENCE | 0xa1..=0xa4)).unwrap_or(0) == 0 {
        return Err(Fault::NoRecipient);
    }
    if kind == SIGNED_AND_ENVELOPED {
        content.constructed(SET).ok_or(Fault::Broken)?;
    }
    let mut encrypted = content.constructed(SEQUENCE).ok_or(Fault::NoContent)?;
    encrypted.primitive(OBJECT_IDENTIFIER).ok_or(Fault::NoContent)?;
    let mut algorithm = encrypted.constructed(SEQUENCE).ok_or(Fault::NoContent)?;
    algorithm.primitive(OBJECT_IDENTIFIER).ok_or(Fault::NoContent)?;
    let text = encrypted.element().ok_or(Fault::NoContent)?;
    let len = match text.tag {
        0x80 => text.content.len(),
        0xa0 => {
            text.inside().pieces().map(|pieces| pieces.iter().map(|piece| piece.len()).sum()).unwrap_or(0)
        }
        _ => 0,
    };
    if len < LEAST {
        return Err(Fault::NoContent);
    }
    // Attributes; the authentication code; the signers.
    let behind: &[u8] = match kind {
        AUTH_ENVELOPED => &[0xa1, OCTET_STRING, 0xa2],
        SIGNED_AND_ENVELOPED => &[0xa0, 0xa1, SET],
        _ => &[0xa1],
    };
    if encrypted.is_only(&[]) && content.is_only(behind) {
        Ok(Layer::Enveloped)
    } else {
        Err(Fault::BehindContent)
    }
}

/// SignedData (RFC 5652, 5.1 and 5.2).
fn signed(mut content: Ber<'_>) -> Result<Layer<'_>, Fault> {
    content.primitive(INTEGER).ok_or(Fault::Broken)?;
    content.constructed(SET).ok_or(Fault::Broken)?;
    let mut encapsulated = content.constructed(SEQUENCE).ok_or(Fault::Broken)?;
    encapsulated.primitive(OBJECT_IDENTIFIER).ok_or(Fault::Broken)?;
    let Some(mut explicit) = encapsulated.constructed(0xa0) else {
        return Ok(Layer::Signed(None));
    };
    let string = explicit.element().ok_or(Fault::Broken)?;
    // Of two contents readers could take either.
    if !explicit.is_only(&[]) || !encapsulated.is_only(&[]) || !content.is_only(&[0xa0, 0xa1, SET]) {
        return Err(Fault::BehindContent);
    }
    match string.tag {
        OCTET_STRING => Ok(Layer::Signed(Some(Cow::Borrowed(string.content)))),
        PIECES => {
            let pieces = string.inside().pieces().ok_or(Fault::Broken)?;
            Ok(Layer::Signed(Some(Cow::Owned(pieces.concat()))))
        }
        _ => Err(Fault::Broken),
    }
}
