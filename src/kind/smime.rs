//! CMS in a part (RFC 8551, 3): by what is in it, whatever `smime-type` says.

use crate::cms::{self, Layer};
use crate::mime::{self, Encoding, decode};

use super::finding::Finding;
use super::{Kind, Reason, Verdict};

/// Signed layers inside signed layers: a triple wrap has two (RFC 2634, 1.1).
const LAYERS: usize = 4;

/// What judges an entity at a depth of signed layers.
pub(super) type Inner = fn(&[u8], usize) -> Verdict;

/// Judges a part of an S/MIME type or name.
pub(super) fn judge(part: &mime::Part, layers: usize, inner: Inner) -> Finding {
    let decoded = decode(part.body, part.content.encoding);
    if !decoded.is_exact {
        return Finding::readable(Reason::SkippedOctets);
    }
    // Some programs write base64 and do not say so.
    if part.content.encoding == Encoding::Identity && decoded.octets.trim_ascii_start().starts_with(b"MI") {
        let again = decode(part.body, Encoding::Base64);
        return if again.is_exact {
            cms_layer(&again.octets, layers, inner)
        } else {
            Finding::readable(Reason::SkippedOctets)
        };
    }
    cms_layer(&decoded.octets, layers, inner)
}

fn cms_layer(octets: &[u8], layers: usize, inner: Inner) -> Finding {
    match cms::read(octets) {
        Ok(Layer::Enveloped) => Finding::encrypted(Kind::Smime),
        Ok(Layer::Signed(None)) => Finding { is_signed: true, ..Finding::readable(Reason::Readable) },
        Ok(Layer::Signed(Some(_))) if layers >= LAYERS => Finding::readable(Reason::Layers),
        Ok(Layer::Signed(Some(entity))) => inside_signature(inner(&entity, layers + 1)),
        Err(fault) => Finding::readable(Reason::Cms(fault)),
    }
}

/// A signed layer is of the kind of what it holds.
fn inside_signature(verdict: Verdict) -> Finding {
    let finding = match verdict.kind {
        kind if kind.is_encrypted() => Finding::encrypted(kind),
        Kind::Partial => Finding { kind: Some(Kind::Smime), ..Finding::readable(verdict.reason) },
        _ => Finding::readable(Reason::SignedText),
    };
    Finding { is_signed: true, recipients: verdict.recipients, told: verdict.told, ..finding }
}
