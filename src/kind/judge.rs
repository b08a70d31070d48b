//! From the parts to the verdict.

use crate::cms;
use crate::message::Lines;
use crate::mime::{self, Tree, decode};
use crate::openpgp::{self, Armor, Message, Passage};

use super::finding::{Finding, Told};
use super::leaf::{self, SMIME_SIGNATURES, is_signature_type};
use super::{Kind, Part, Reason, State, Verdict};

/// The longest header section of a part inside something encrypted; Exchange writes some 500 octets.
const PART_HEADER: usize = 4096;

/// Judges one entity: the message, from which `passage` was let go, or what a signed layer holds.
pub(super) fn judge(entity: &[u8], layers: usize, passage: Option<Passage>) -> Verdict {
    let tree = mime::walk(entity);
    let mut judge = Judge { findings: vec![None; tree.parts.len()], tree: &tree, layers, passage };
    for index in 0..tree.parts.len() {
        judge.part(index);
    }
    judge.verdict()
}

struct Judge<'t, 'a> {
    tree: &'t Tree<'a>,
    /// What was found out about each part.
    findings: Vec<Option<Finding>>,
    layers: usize,
    passage: Option<Passage>,
}

impl<'a> Judge<'_, 'a> {
    fn part(&mut self, index: usize) {
        if self.findings[index].is_some() {
            return;
        }
        let part = &self.tree.parts[index];
        let finding = if let Some(doubt) = self.doubt(index) {
            // What it holds is judged all the same: "partial" says more than "plain".
            Finding { is_signed: is_signature_type(part), ..Finding::readable(doubt) }
        } else if part.content.is_message() {
            Finding::readable(Reason::Forwarded)
        } else {
            match part.content.media.as_str() {
                "multipart/encrypted" => self.encrypted(index),
                "multipart/signed" => self.signed(index),
                _ if part.content.is_multipart() => Finding::structure(),
                _ => {
                    leaf::judge(part, self.passage, self.layers, |entity, layers| judge(entity, layers, None))
                }
            }
        };
        self.findings[index] = Some(finding);
    }

    /// What makes a part readable whatever is in it.
    fn doubt(&self, index: usize) -> Option<Reason> {
        let part = &self.tree.parts[index];
        if let Some(oddity) = part.oddity {
            return Some(Reason::Mime(oddity));
        }
        // Readers show a multipart without parts as a text.
        let is_shown = part.children.is_empty() || may_hold_parts(part.preamble);
        if is_shown && !part.preamble.trim_ascii().is_empty() {
            return Some(Reason::Preamble);
        }
        if !part.epilogue.trim_ascii().is_empty() {
            return Some(Reason::Epilogue);
        }
        self.is_told_by_header(index).then_some(Reason::PartHeader)
    }

    /// Whether a header section below the outermost one, which is there for all to read and stays so, holds
    /// more than MIME needs. A Subject that a signature protects is shown by readers.
    fn is_told_by_header(&self, index: usize) -> bool {
        let part = &self.tree.parts[index];
        let is_signed_content = match part.parent {
            Some(parent) => {
                let parent = &self.tree.parts[parent];
                parent.content.media == "multipart/signed" && parent.children.first() == Some(&index)
            }
            None => self.layers > 0,
        };
        self.part_header(part) > PART_HEADER
            || is_signed_content && !part.header.fields().all(|field| is_mime(field.name()))
    }

    /// How many octets the header section of `part` has, unless it is the outermost one.
    fn part_header(&self, part: &mime::Part) -> usize {
        let is_part = part.parent.is_some() || self.layers > 0;
        if is_part { part.header.0.len() } else { 0 }
    }

    /// What can be read around what is in `part`.
    fn told(&self, part: &mime::Part) -> Told {
        let preambles = part.preamble.trim_ascii().len();
        Told { preambles, part_headers: self.part_header(part), armor_headers: 0 }
    }

    /// RFC 3156, 4.
    fn encrypted(&mut self, index: usize) -> Finding {
        match self.pgp_mime(index) {
            Ok(message) => {
                let [version, data] = self.two(index).unwrap_or_default();
                self.findings[version] = Some(Finding::new(State::Empty, Reason::Version));
                self.findings[data] = Some(Finding::openpgp(Kind::PgpMime, message));
                Finding::structure()
            }
            Err(reason) => Finding::readable(reason),
        }
    }

    fn pgp_mime(&self, index: usize) -> Result<Message, Reason> {
        let content = &self.tree.parts[index].content;
        let protocol = content.parameters.get("protocol").unwrap_or_default();
        if !protocol.eq_ignore_ascii_case(b"application/pgp-encrypted") {
            return Err(Reason::Protocol);
        }
        let [version, data] = self.two(index).ok_or(Reason::PartCount)?;
        let media = |index: usize| self.tree.parts[index].content.media.as_str();
        if (media(version), media(data)) != ("application/pgp-encrypted", "application/octet-stream") {
            return Err(Reason::PartTypes);
        }
        if let Some(doubt) = self.doubt(version).or_else(|| self.doubt(data)) {
            return Err(doubt);
        }
        if !leaf::is_version(&self.tree.parts[version]) {
            return Err(Reason::NoVersion);
        }
        leaf::openpgp(&self.tree.parts[data], self.passage)
    }

    /// The two parts of a part that has exactly two.
    fn two(&self, index: usize) -> Option<[usize; 2]> {
        self.tree.parts[index].children.as_slice().try_into().ok()
    }

    /// RFC 1847, 2.1: transparent for what it signs, if the second part is nothing but a signature.
    fn signed(&mut self, index: usize) -> Finding {
        let signature =
            self.two(index).and_then(|[_, second]| Some((second, self.signature(index, second)?)));
        let Some((second, signature)) = signature else {
            return Finding::readable(Reason::NoSignature);
        };
        self.findings[second] = Some(signature);
        Finding::structure()
    }

    fn signature(&self, index: usize, second: usize) -> Option<Finding> {
        let part = &self.tree.parts[second];
        let media = part.content.media.as_str();
        let protocol = self.tree.parts[index].content.parameters.get("protocol")?;
        if !protocol.eq_ignore_ascii_case(media.as_bytes()) || self.doubt(second).is_some() {
            return None;
        }
        let decoded = decode(part.body, part.content.encoding);
        let armor_headers = match media {
            "application/pgp-signature" => pgp_signature(&decoded.octets)?.header,
            _ if SMIME_SIGNATURES.contains(&media) && cms::is_signature(&decoded.octets) => 0,
            _ => return None,
        };
        let told = Told { armor_headers, ..Told::default() };
        let finding = Finding { is_signed: true, told, ..Finding::new(State::Signature, Reason::Signature) };
        decoded.is_exact.then_some(finding)
    }

    fn verdict(self) -> Verdict {
        let around: Told = self.tree.parts.iter().map(|part| self.told(part)).sum();
        let findings: Vec<Finding> = self.findings.into_iter().flatten().collect();
        let told: Told = findings.iter().map(|finding| finding.told).chain([around]).sum();
        let bound = self.tree.bound.map(Reason::Mime).or(told.excess());
        let readable = findings.iter().position(|finding| finding.state == State::Readable);
        let encrypted = findings.iter().position(|finding| finding.kind.is_some());
        let is_signed = findings.iter().any(|finding| finding.is_signed);
        let kind = match encrypted {
            Some(_) if readable.is_some() || bound.is_some() => Kind::Partial,
            Some(first) => self.tree.kind_of(&findings, first),
            None if is_signed => Kind::Signed,
            None => Kind::Plain,
        };
        let part = if kind.is_encrypted() { encrypted } else { readable }.unwrap_or(0);
        let reason = match bound {
            Some(bound) if readable.is_none() => bound,
            _ => findings.get(part).map_or(Reason::Empty, |finding| finding.reason),
        };
        let recipients = findings.iter().flat_map(|finding| finding.recipients.clone()).collect();
        let parts =
            self.tree.parts.iter().zip(findings).map(|(part, finding)| report(part, &finding)).collect();
        Verdict { kind, reason, part, parts, recipients, told }
    }
}

impl Tree<'_> {
    /// The kind of a message in which nothing is readable.
    fn kind_of(&self, findings: &[Finding], first: usize) -> Kind {
        let kinds = || findings.iter().filter_map(|finding| finding.kind);
        let has_version = findings.iter().any(|finding| finding.reason == Reason::Version);
        match findings[first].kind {
            // PGP/MIME is the message itself, or all of what is signed; elsewhere somebody rearranged it.
            Some(Kind::PgpMime) if kinds().count() == 1 && self.is_all_but_signatures(first) => Kind::PgpMime,
            Some(kind) if kinds().all(|other| other == kind) && kind == Kind::Smime => Kind::Smime,
            _ if has_version || kinds().any(|kind| matches!(kind, Kind::PgpMime | Kind::PgpMimeMangled)) => {
                Kind::PgpMimeMangled
            }
            _ => Kind::PgpInline,
        }
    }

    /// Whether the parts above `index` are a multipart/encrypted and signatures around it.
    fn is_all_but_signatures(&self, index: usize) -> bool {
        let mut above = self.parts[index].parent;
        while let Some(index) = above {
            let part = &self.parts[index];
            if !matches!(part.content.media.as_str(), "multipart/encrypted" | "multipart/signed") {
                return false;
            }
            above = part.parent;
        }
        true
    }
}

fn report(part: &mime::Part, finding: &Finding) -> Part {
    Part {
        media: part.content.media.clone(),
        name: part.content.names.first().cloned(),
        is_attachment: part.content.is_attachment,
        state: finding.state,
        reason: finding.reason,
    }
}

/// Whether some reader may find parts in what others pass over: where it ends a line at a bare CR, or takes
/// another boundary.
fn may_hold_parts(preamble: &[u8]) -> bool {
    let is_bare = |at: usize| preamble.get(at + 1) != Some(&b'\n');
    memchr::memchr_iter(b'\r', preamble).any(is_bare) || Lines(preamble).any(|line| line.starts_with(b"--"))
}

/// Whether a field of this name says how to read the body, and nothing to a person.
fn is_mime(name: &[u8]) -> bool {
    let begins =
        |prefix: &[u8]| name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
    begins(b"Content-") || begins(b"X-") || name.eq_ignore_ascii_case(b"MIME-Version")
}

/// Armor of signatures alone. Old PGP/MIME labels it as a message (RFC 3156, 5).
fn pgp_signature(text: &[u8]) -> Option<Armor<'_>> {
    let armor = Armor::read(text).ok()?;
    (armor.rest.trim_ascii().is_empty() && openpgp::is_signature(&armor.octets)).then_some(armor)
}
