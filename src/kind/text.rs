//! A part that readers show as text: encrypted if all of it is armor.

use crate::mime::{self, Content, decode};
use crate::openpgp::{Armor, Fault, Label, Message, Passage, next_label};

use super::finding::Finding;
use super::{Kind, Reason, State, html};

/// Judges a text that is not blank.
pub(super) fn judge(part: &mime::Part) -> Finding {
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
        (Ok(message), None) => Finding::inline(message),
        (Ok(_), Some(doubt)) => Finding::readable(doubt),
        (Err(Fault::NoArmor), doubt) => {
            let doubt = doubt.filter(|doubt| *doubt == Reason::Html && holds_armor(text));
            beside_armor(text, None, Fault::NoArmor, doubt)
        }
        (Err(fault), doubt) => beside_armor(text, None, fault, doubt),
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

/// The messages of a text that consists of armored ones, with only white space between them, as one.
fn armored_text(text: &[u8]) -> Result<Message, Fault> {
    let mut all = Message::default();
    let mut rest = text;
    loop {
        let armor = Armor::read(rest)?;
        let message = message_in(&armor)?;
        all.recipients.extend(message.recipients);
        all.armor_header += message.armor_header;
        rest = armor.rest;
        if rest.trim_ascii().is_empty() {
            return Ok(all);
        }
        if next_label(rest.trim_ascii_start()).is_none_or(|(at, _)| at > 0) {
            return Err(Fault::BehindArmor);
        }
    }
}

/// A whole message: one that claims more than is there may have text where the rest should be.
fn message_in(armor: &Armor) -> Result<Message, Fault> {
    let message = Message::in_armor(armor)?;
    if message.is_cut_off { Err(Fault::CutOff) } else { Ok(message) }
}

/// A readable text, with what is armored in it; `passage` was let go from it.
pub(super) fn beside_armor(
    text: &[u8],
    passage: Option<Passage>,
    fault: Fault,
    doubt: Option<Reason>,
) -> Finding {
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
                let armored = &rest[at..];
                let passage = passage.and_then(|passage| passage.behind(text.len() - armored.len()));
                let armor = Armor::read_around(armored, passage);
                if let Ok(message) = armor.and_then(|armor| message_in(&armor)) {
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
pub(super) fn has_plain_charset(content: &Content) -> bool {
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
