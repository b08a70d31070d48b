//! One part that holds no others: encrypted, readable or empty.

use crate::mime::{self, Content, beginning, decode};
use crate::openpgp::{self, Armor, Fault, Label, Message, Octets, Passage, next_label};

use super::finding::Finding;
use super::smime::{self, Inner};
use super::{Reason, State, text};

/// The types of a detached signature (RFC 8551, 3.5.3.1).
pub(super) const SMIME_SIGNATURES: [&str; 2] =
    ["application/pkcs7-signature", "application/x-pkcs7-signature"];

/// Judges a part without oddities. From the message `passage` was let go; `inner` judges what a signed layer in
/// the part holds.
pub(super) fn judge(part: &mime::Part, passage: Option<Passage>, layers: usize, inner: Inner) -> Finding {
    let media = part.content.media.as_str();
    if is_blank(part) {
        return Finding::new(State::Empty, Reason::Empty);
    }
    match media {
        _ if media.starts_with("text/") => text::judge(part),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => smime::judge(part, layers, inner),
        "application/octet-stream" if has_names(&part.content, &[".p7m"]) => {
            smime::judge(part, layers, inner)
        }
        "application/pgp-encrypted" if is_version(part) => Finding::new(State::Empty, Reason::Version),
        _ => data(part, passage),
    }
}

/// Whether a part is a text that begins with neither armor nor what customarily stands for nothing. The
/// part may be cut off anywhere: its first letter decides. HTML is not looked at: tags come first in it.
pub(super) fn begins_readable(part: &mime::Part) -> bool {
    let content = &part.content;
    let beginning = beginning(part.body, content.encoding);
    let text = beginning.trim_ascii_start();
    let may_be_armor = text.is_empty() || text.starts_with(b"-") || text.starts_with(b"\xef");
    let is_text = content.media.starts_with("text/") && content.media != "text/html";
    let is_cut_off = part.oddity == Some(mime::Oddity::NoEmptyLine);
    is_text && !is_cut_off && !may_be_armor && !text.starts_with(b"E")
}

/// Whether there is nothing but white space in it. Most parts show the contrary in their first octets.
fn is_blank(part: &mime::Part) -> bool {
    let encoding = part.content.encoding;
    // In UTF-16 blanks are letters.
    if part.content.media.starts_with("text/") && !text::has_plain_charset(&part.content) {
        return part.body.is_empty();
    }
    if !beginning(part.body, encoding).trim_ascii().is_empty() {
        return false;
    }
    let decoded = decode(part.body, encoding);
    decoded.is_exact && decoded.octets.trim_ascii().is_empty()
}

/// Whether a version part says `Version: 1` and nothing else (RFC 3156, 4).
pub(super) fn is_version(part: &mime::Part) -> bool {
    if part.body.len() > 1000 {
        return false;
    }
    let decoded = decode(part.body, part.content.encoding);
    decoded.is_exact && decoded.octets.trim_ascii() == b"Version: 1"
}

/// A part that is an encrypted OpenPGP message and nothing else, armored or binary: the data of PGP/MIME.
pub(super) fn openpgp(part: &mime::Part, passage: Option<Passage>) -> Result<Message, Reason> {
    let decoded = decode(part.body, part.content.encoding);
    if !decoded.is_exact {
        return Err(Reason::SkippedOctets);
    }
    match Armor::read_around(&decoded.octets, in_part(passage, part)) {
        Err(Fault::NoArmor) => {
            let message = openpgp::message(&Octets::plain(&*decoded.octets)).map_err(Reason::Pgp)?;
            // Nothing but armor tells where a sentence that was put behind it begins.
            if message.is_cut_off {
                return Err(Reason::Pgp(Fault::CutOff));
            }
            // Octets can be a message and a picture at the same time, armor cannot.
            if !has_own_name(&part.content) {
                return Err(Reason::OtherName);
            }
            Ok(message)
        }
        Err(fault) => Err(Reason::Pgp(fault)),
        Ok(armor) => whole_armor(&armor).map_err(Reason::Pgp),
    }
}

/// The message in armor that nothing follows.
fn whole_armor(armor: &Armor) -> Result<Message, Fault> {
    let message = Message::in_armor(armor)?;
    if !armor.rest.trim_ascii().is_empty() {
        return Err(Fault::BehindArmor);
    }
    Ok(message)
}

/// Data: encrypted if it is OpenPGP, in a type that no other program opens.
fn data(part: &mime::Part, passage: Option<Passage>) -> Finding {
    let is_signed = is_signature_type(part);
    let first = beginning(part.body, part.content.encoding);
    let first_label = next_label(&first).map(|(_, label)| label);
    let may_be_armor = first_label.is_some();
    let may_be_packets = first.first().is_some_and(|octet| openpgp::may_begin_with(*octet));
    if !may_be_armor && !may_be_packets {
        return Finding { is_signed, ..Finding::readable(Reason::Readable) };
    }
    match openpgp(part, passage) {
        Ok(message) if message.is_cut_off => Finding::readable(Reason::Pgp(Fault::CutOff)),
        Ok(_) if !is_data(&part.content.media) => Finding::readable(Reason::OtherType),
        Ok(_) if !has_own_name(&part.content) => Finding::readable(Reason::OtherName),
        Ok(message) => Finding::inline(message),
        Err(Reason::Pgp(fault)) if may_be_armor => {
            let decoded = decode(part.body, part.content.encoding);
            let is_signed = is_signed || first_label == Some(Label::Signature);
            let passage = in_part(passage, part);
            Finding { is_signed, ..text::beside_armor(&decoded.octets, passage, fault, None) }
        }
        Err(reason) => Finding { is_signed, ..Finding::readable(reason) },
    }
}

/// `passage` as seen in the body of `part`, if it was let go there. Only bodies without a transfer encoding let any go.
fn in_part(passage: Option<Passage>, part: &mime::Part) -> Option<Passage> {
    passage.and_then(|passage| passage.within(part.at, part.body.len()))
}

fn is_data(media: &str) -> bool {
    matches!(
        media,
        "application/octet-stream"
            | "application/pgp"
            | "application/x-pgp"
            | "application/pgp-encrypted"
            | "application/x-pgp-encrypted"
    )
}

/// Whether every name that it has is one of OpenPGP.
fn has_own_name(content: &Content) -> bool {
    content.names.is_empty() || has_names(content, &[".pgp", ".gpg", ".asc"])
}

/// Whether it has names, and all of them end like this.
fn has_names(content: &Content, endings: &[&str]) -> bool {
    let ends = |name: &[u8], ending: &str| {
        name.len()
            .checked_sub(ending.len())
            .is_some_and(|at| name[at..].eq_ignore_ascii_case(ending.as_bytes()))
    };
    !content.names.is_empty()
        && content.names.iter().all(|name| endings.iter().any(|ending| ends(name, ending)))
}

/// Whether a part says that it is a signature, which makes readable mail `signed`.
pub(super) fn is_signature_type(part: &mime::Part) -> bool {
    let media = part.content.media.as_str();
    media == "application/pgp-signature" || SMIME_SIGNATURES.contains(&media)
}
