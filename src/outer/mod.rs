//! What stands outside: the fields of the original that servers, stores and thread views may see.
//!
//! An allow-list, since any other field may repeat the Subject (Thread-Topic, X-Original-Subject). A
//! policy is RFC 9788's `hcp(name, value)`: the field as it came, another text, or nothing. The outer
//! message and the `HP-Outer` lines of the payload are written from the same list, so they agree.

mod clean;
mod shy;

use crate::message::{Field, Header, Lines, line_end};

/// Above these a header section is cut to what a reader needs (threats: 10 MB of tiny fields grew
/// sixfold, beyond the host's file size limit, and were deferred for ever).
const LARGEST_SECTION: usize = 64 * 1024;
const MOST_FIELDS: usize = 1000;

/// What of a large header section may stand outside, in octets.
const LEAN_ROOM: usize = 32 * 1024;

/// Fields that stores, threads and filters need.
const ALLOWED: [&str; 21] = [
    "Return-Path",
    "Delivered-To",
    "X-Original-To",
    "Received",
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "List-Id",
    "List-Post",
    "Precedence",
    "Auto-Submitted",
    "Authentication-Results",
    "TLS-Audit",
    "X-Spam-Flag",
    "Subject",
];

/// Fields of which a message has one (RFC 5322, 3.6): of more only the first counts.
const ONCE: [&str; 12] = [
    "Return-Path",
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
];

/// All that a large header section shows.
const LEAN: [&str; 11] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "List-Id",
];

/// What stands for the Subject.
const HIDDEN: &[u8] = b" [...]";

/// Header confidentiality policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Everything as it came, 8-bit characters too: a server goes on finding subjects.
    Keep,
    /// RFC 9788's hcp_baseline as an allow-list: `Subject: [...]`.
    Baseline,
    /// RFC 9788's hcp_shy: also no display names, and the Date in UTC.
    Shy,
}

/// What the recipient lets stand outside.
#[derive(Clone, Debug)]
pub struct Outside {
    /// The policy for all fields.
    pub policy: Policy,
    /// Names of further fields that stay as they came.
    pub kept: Vec<String>,
}

/// How much of a header section is repeated outside and in copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Whatever the policy allows.
    Full,
    /// The fields that a reader cannot do without, within a bound.
    Lean,
}

impl Extent {
    /// Lean for a header section above 64 KiB or 1,000 fields.
    pub fn of(header: Header) -> Self {
        let canonical = header.0.len() + memchr::memchr_iter(b'\n', header.0).count();
        let large = canonical > LARGEST_SECTION || header.fields().nth(MOST_FIELDS).is_some();
        if large { Extent::Lean } else { Extent::Full }
    }
}

/// A field as it is written: the text behind the name and the colon, folds as LF, no last line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OuterField {
    /// The name as the sender spelled it.
    pub name: Vec<u8>,
    /// What follows the colon, the blank included.
    pub text: Vec<u8>,
}

impl OuterField {
    /// Whether an `HP-Outer` line can carry it: its syntax knows printable ASCII only (RFC 9788, 2.2).
    pub fn is_clean(&self) -> bool {
        clean::is_clean(self)
    }

    /// Whether a file with this field is mail at all: notmuch passes over one that has none of them, and a
    /// header section that ends early at a broken line has none.
    fn tells_mail(&self) -> bool {
        ["From", "To", "Subject"].iter().any(|name| self.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Appends the field to `out`, `prefix` before its name, with `eol` after every line.
    pub fn write(&self, out: &mut Vec<u8>, prefix: &[u8], eol: &[u8]) {
        out.extend_from_slice(prefix);
        out.extend_from_slice(&self.name);
        out.push(b':');
        for line in Lines(&self.text) {
            let end = line_end(line).len();
            out.extend_from_slice(&line[..line.len() - end]);
            if end > 0 {
                out.extend_from_slice(eol);
            }
        }
        out.extend_from_slice(eol);
    }
}

/// The fields of `header` that stand outside, in their order (RFC 5322, 3.6: never reordered).
pub fn fields(header: Header, outside: &Outside, extent: Extent) -> Vec<OuterField> {
    let mut shown = Vec::new();
    let mut once = Once::default();
    let mut room = Room::of(extent);
    for field in header.fields() {
        if outside.allows(&field) && extent.allows(&field) && once.admits(&field) {
            shown.extend(outside.shown(&field).filter(|outer| room.holds(outer)));
        }
    }
    if !shown.iter().any(OuterField::tells_mail) {
        shown.push(OuterField { name: b"Subject".to_vec(), text: HIDDEN.to_vec() });
    }
    shown
}

/// Copies of the fields that a reader shows or acts on, for the header section around a wrapped
/// original: neither structure nor traces nor seals of other hosts, nothing that could pass for ours.
pub fn copies(header: Header, extent: Extent) -> Vec<OuterField> {
    let mut shown = Vec::new();
    let mut once = Once::default();
    let mut room = Room::of(extent);
    for field in header.fields() {
        if !is_structural(&field) && !is_trace_or_seal(&field) && extent.allows(&field) && once.admits(&field)
        {
            shown.extend(Some(clean::copy(&field)).filter(|outer| room.holds(outer)));
        }
    }
    shown
}

/// MIME-Version and Content-*: they describe the body, so they move with it (RFC 9787, 1.1.1).
pub fn is_structural(field: &Field) -> bool {
    field.is("MIME-Version")
        || field.name().get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"Content-"))
}

/// Whether the field is a statement that only the sealer may make.
fn is_ours(field: &Field) -> bool {
    field.is("HP-Outer") || field.is("Selfseal")
}

fn is_trace_or_seal(field: &Field) -> bool {
    let name = field.name().to_ascii_lowercase();
    is_ours(field)
        || matches!(
            name.as_slice(),
            b"received" | b"return-path" | b"dkim-signature" | b"domainkey-signature"
        )
        || name.starts_with(b"arc-")
}

impl Outside {
    fn allows(&self, field: &Field) -> bool {
        if is_structural(field) || is_ours(field) {
            return false;
        }
        self.policy == Policy::Keep || is_in(&ALLOWED, field) || self.keeps(field)
    }

    fn keeps(&self, field: &Field) -> bool {
        self.kept.iter().any(|name| field.is(name))
    }

    /// The field as the policy shows it; nothing where it cannot be shown safely.
    fn shown(&self, field: &Field) -> Option<OuterField> {
        let outer = verbatim(field);
        if self.policy == Policy::Keep {
            return if clean::is_harmless(&outer) { Some(outer) } else { clean::mended(field) };
        }
        if field.is("Subject") && !self.keeps(field) {
            // An ellipsis in ASCII needs no encoding (RFC 9788, 3.2.1).
            return Some(OuterField { text: HIDDEN.to_vec(), ..outer });
        }
        let outer = if outer.is_clean() { Some(outer) } else { clean::mended(field) };
        match self.policy {
            Policy::Shy => outer.map(|outer| shy::shown(field, outer)),
            _ => outer,
        }
    }
}

impl Extent {
    fn allows(self, field: &Field) -> bool {
        self == Extent::Full || is_in(&LEAN, field)
    }
}

/// Which of the fields that may stand once have been seen.
#[derive(Default)]
struct Once([bool; ONCE.len()]);

impl Once {
    fn admits(&mut self, field: &Field) -> bool {
        match ONCE.iter().position(|name| field.is(name)) {
            Some(index) => !std::mem::replace(&mut self.0[index], true),
            None => true,
        }
    }
}

/// How many octets may still be shown.
struct Room(usize);

impl Room {
    fn of(extent: Extent) -> Self {
        Room(if extent == Extent::Lean { LEAN_ROOM } else { usize::MAX })
    }

    fn holds(&mut self, field: &OuterField) -> bool {
        match self.0.checked_sub(field.name.len() + field.text.len()) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

fn is_in(names: &[&str], field: &Field) -> bool {
    names.iter().any(|name| field.is(name))
}

/// The field's own text, with LF between its lines and none behind the last.
fn verbatim(field: &Field) -> OuterField {
    let mut text = Vec::with_capacity(field.body().len());
    for line in Lines(field.body()) {
        text.extend_from_slice(&line[..line.len() - line_end(line).len()]);
        text.push(b'\n');
    }
    text.pop();
    OuterField { name: field.name().to_vec(), text }
}

#[cfg(test)]
mod tests;
