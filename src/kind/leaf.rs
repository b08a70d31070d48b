//! One part that holds no others: encrypted, readable or empty.

use crate::cms::{self, Layer};
use crate::mime::{self, Content, Encoding, beginning, decode};
use crate::openpgp::{self, Armor, Fault, Label, Lines, Message, Octets, Recipient, next_label};

use super::judge::{self, LAYERS};
use super::{Kind, Reason, State, html};

/// What was found out about one part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    pub state: State,
    pub reason: Reason,
    /// The kind of what is encrypted in it, beside something readable or not.
    pub kind: Option<Kind>,
    /// Whether it is signed.
    pub is_signed: bool,
    pub recipients: Vec<Recipient>,
}

impl Finding {
    pub fn new(state: State, reason: Reason) -> Self {
        Finding { state, reason, kind: None, is_signed: false, recipients: Vec::new() }
    }

    pub fn readable(reason: Reason) -> Self {
        Finding::new(State::Readable, reason)
    }

    pub fn structure() -> Self {
        Finding::new(State::Structure, Reason::Structure)
    }

    pub fn encrypted(kind: Kind) -> Self {
        let reason = if kind == Kind::Smime { Reason::Enveloped } else { Reason::OpenPgp };
        Finding { kind: Some(kind), ..Finding::new(State::Encrypted, reason) }
    }

    fn inline(recipients: Vec<Recipient>) -> Self {
        Finding { recipients, ..Finding::encrypted(Kind::PgpInline) }
    }
}

/// Judges a part without oddities.
pub(super) fn judge(part: &mime::Part, layers: usize) -> Finding {
    let media = part.content.media.as_str();
    if is_blank(part) {
        return Finding::new(State::Empty, Reason::Empty);
    }
    match media {
        _ if media.starts_with("text/") => text(part),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => smime(part, layers),
        "application/octet-stream" if has_names(&part.content, &[".p7m"]) => smime(part, layers),
        "application/pgp-encrypted" if is_version(part) => Finding::new(State::Empty, Reason::Version),
        _ => data(part),
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
pub(super) fn openpgp(part: &mime::Part, lines: Lines) -> Result<Message, Reason> {
    let decoded = decode(part.body, part.content.encoding);
    if !decoded.is_exact {
        return Err(Reason::SkippedOctets);
    }
    match Armor::read(&decoded.octets, lines) {
        Err(Fault::NoArmor) => {
            let message = openpgp::message(&Octets::plain(&*decoded.octets)).map_err(Reason::Pgp)?;
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
    if armor.label != Label::Message {
        return Err(Fault::OtherLabel);
    }
    let message = openpgp::message(&armor.octets)?;
    if !armor.rest.trim_ascii().is_empty() {
        return Err(Fault::BehindArmor);
    }
    Ok(message)
}

/// A text: encrypted if all of it is armor.
fn text(part: &mime::Part) -> Finding {
    let content = &part.content;
    let decoded = decode(part.body, content.encoding);
    let is_html = content.media == "text/html";
    let stripped = if is_html { html::text(&decoded.octets) } else { None };
    let text = stripped.as_deref().unwrap_or(&decoded.octets);
    let doubt = if !decoded.is_exact {
        Some(Reason::SkippedOctets)
    } else if !has_plain_charset(content) {
        Some(Reason::Charset)
    } else if is_html && stripped.is_none() {
        Some(Reason::Html)
    } else if !is_html && content.media != "text/plain" {
        Some(Reason::TextType)
    } else {
        None
    };
    if doubt.is_none() && is_customary(text) {
        return Finding::new(State::Empty, Reason::Empty);
    }
    match (armored_text(text), doubt) {
        (Ok(recipients), None) => Finding::inline(recipients),
        (Ok(_), Some(doubt)) => Finding::readable(doubt),
        (Err(Fault::NoArmor), doubt) => {
            let doubt = doubt.filter(|doubt| *doubt == Reason::Html && holds_armor(text));
            beside_armor(text, Fault::NoArmor, doubt)
        }
        (Err(fault), doubt) => beside_armor(text, fault, doubt),
    }
}

/// Whether armor begins somewhere in it, behind a tag perhaps.
fn holds_armor(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"-----BEGIN PGP MESSAGE").is_some()
}

/// What Exchange, Proton and Google leave where nobody wrote anything.
fn is_customary(text: &[u8]) -> bool {
    matches!(text.trim_ascii(), b"" | b"--" | b"Empty Message")
}

/// The recipients of a text that consists of armored messages, with only white space between them.
fn armored_text(text: &[u8]) -> Result<Vec<Recipient>, Fault> {
    let mut recipients = Vec::new();
    let mut rest = text;
    loop {
        let armor = Armor::read(rest, Lines::Uniform)?;
        recipients.extend(message_in(&armor)?.recipients);
        rest = armor.rest;
        if rest.trim_ascii().is_empty() {
            return Ok(recipients);
        }
        if openpgp::next_label(rest.trim_ascii_start()).is_none_or(|(at, _)| at > 0) {
            return Err(Fault::BehindArmor);
        }
    }
}

/// A whole message: one that claims more than is there may have text where the rest should be.
fn message_in(armor: &Armor) -> Result<Message, Fault> {
    if armor.label != Label::Message {
        return Err(Fault::OtherLabel);
    }
    let message = openpgp::message(&armor.octets)?;
    if message.is_cut_off { Err(Fault::CutOff) } else { Ok(message) }
}

/// A readable text, with what is armored in it.
fn beside_armor(text: &[u8], fault: Fault, doubt: Option<Reason>) -> Finding {
    let begins_with_armor = next_label(text.trim_ascii_start()).is_some_and(|(at, _)| at == 0);
    let reason = if begins_with_armor { Reason::Pgp(fault) } else { Reason::Readable };
    let mut finding = Finding::readable(doubt.unwrap_or(reason));
    let mut rest = text;
    while let Some((at, label)) = next_label(rest) {
        match label {
            Label::SignedText => {
                finding.is_signed = true;
                finding.reason = Reason::SignedText;
            }
            Label::Message => {
                if let Ok(message) =
                    Armor::read(&rest[at..], Lines::Uniform).and_then(|armor| message_in(&armor))
                {
                    finding.kind = Some(Kind::PgpInline);
                    if finding.reason == Reason::Readable {
                        finding.reason = Reason::Pgp(Fault::BehindArmor);
                    }
                    finding.recipients.extend(message.recipients);
                }
            }
            Label::Signature | Label::Other => {}
        }
        rest = &rest[at + 1..];
    }
    finding
}

/// Absent, US-ASCII, UTF-8, ISO 8859 or Windows: where the letters of armor mean themselves. In UTF-7 or
/// UTF-16 they are a text.
fn has_plain_charset(content: &Content) -> bool {
    let Some(charset) = content.parameters.get("charset") else {
        return true;
    };
    let charset = charset.to_ascii_lowercase();
    let numbered = |prefix: &[u8], most: usize| {
        charset
            .strip_prefix(prefix)
            .is_some_and(|n| (1..=most).contains(&n.len()) && n.iter().all(u8::is_ascii_digit))
    };
    matches!(charset.as_slice(), b"us-ascii" | b"utf-8")
        || numbered(b"iso-8859-", 2)
        || numbered(b"windows-125", 1)
}

/// Data: encrypted if it is OpenPGP, in a type that no other program opens.
fn data(part: &mime::Part) -> Finding {
    let is_signed = judge::is_signature_type(part);
    let first = beginning(part.body, part.content.encoding);
    let first_label = next_label(&first).map(|(_, label)| label);
    let may_be_armor = first_label.is_some();
    let may_be_packets = first.first().is_some_and(|octet| openpgp::may_begin_with(*octet));
    if !may_be_armor && !may_be_packets {
        return Finding { is_signed, ..Finding::readable(Reason::Readable) };
    }
    match openpgp(part, Lines::Uniform) {
        Ok(message) if message.is_cut_off => Finding::readable(Reason::Pgp(Fault::CutOff)),
        Ok(_) if !is_data(&part.content.media) => Finding::readable(Reason::OtherType),
        Ok(_) if !has_own_name(&part.content) => Finding::readable(Reason::OtherName),
        Ok(message) => Finding::inline(message.recipients),
        Err(Reason::Pgp(fault)) if may_be_armor => {
            let decoded = decode(part.body, part.content.encoding);
            let is_signed = is_signed || first_label == Some(Label::Signature);
            Finding { is_signed, ..beside_armor(&decoded.octets, fault, None) }
        }
        Err(reason) => Finding { is_signed, ..Finding::readable(reason) },
    }
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

/// CMS (RFC 8551, 3): by what is in it, whatever `smime-type` says.
fn smime(part: &mime::Part, layers: usize) -> Finding {
    let decoded = decode(part.body, part.content.encoding);
    if !decoded.is_exact {
        return Finding::readable(Reason::SkippedOctets);
    }
    // Some programs write base64 and do not say so.
    if part.content.encoding == Encoding::Identity && decoded.octets.trim_ascii_start().starts_with(b"MI") {
        let again = decode(part.body, Encoding::Base64);
        return if again.is_exact {
            cms_layer(&again.octets, layers)
        } else {
            Finding::readable(Reason::SkippedOctets)
        };
    }
    cms_layer(&decoded.octets, layers)
}

fn cms_layer(octets: &[u8], layers: usize) -> Finding {
    match cms::read(octets) {
        Ok(Layer::Enveloped) => Finding::encrypted(Kind::Smime),
        Ok(Layer::Signed(None)) => Finding { is_signed: true, ..Finding::readable(Reason::Readable) },
        Ok(Layer::Signed(Some(_))) if layers >= LAYERS => Finding::readable(Reason::Layers),
        Ok(Layer::Signed(Some(entity))) => inside_signature(&entity, layers + 1),
        Err(fault) => Finding::readable(Reason::Cms(fault)),
    }
}

/// A signed layer is of the kind of what it holds.
fn inside_signature(entity: &[u8], layers: usize) -> Finding {
    let verdict = judge::judge(entity, layers);
    let finding = match verdict.kind {
        kind if kind.is_encrypted() => Finding::encrypted(kind),
        Kind::Partial => Finding { kind: Some(Kind::Smime), ..Finding::readable(verdict.reason) },
        _ => Finding::readable(Reason::SignedText),
    };
    Finding { is_signed: true, recipients: verdict.recipients, ..finding }
}
