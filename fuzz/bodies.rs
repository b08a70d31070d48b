//! What has to hold for any input: the bodies of the fuzz targets, run by `cargo test` as well.
#![allow(dead_code, reason = "each target uses its own")]

use selfseal::kind::{Passing, Verdict};
use selfseal::message::{Arrival, Entity};
use selfseal::openpgp::{Armor, Octets};
use selfseal::trace::{self, Hop, Ours, State};
use selfseal::{audit, cms, kind, mime, openpgp};

/// A verdict is in itself consistent, and what is said of a beginning holds for the whole.
pub fn kind(input: &[u8]) {
    let message = Arrival::read(input).message;
    let verdict = kind::of(message);
    let states: Vec<&str> = verdict.parts.iter().map(|part| part.state.as_str()).collect();
    assert!(verdict.part < verdict.parts.len(), "the part that decided");
    if verdict.kind.is_encrypted() {
        assert!(states.contains(&"encrypted") && !states.contains(&"readable"), "{states:?}");
        for end in (0..message.len()).step_by(1 + message.len() / 16) {
            assert!(!kind::begins_readable(&message[..end]), "the first {end} octets");
        }
        let with_text = [message, b"\nThis can be read.\n"].concat();
        assert!(!kind::of(&with_text).kind.is_encrypted(), "with a sentence behind it");
    }
    assert_eq!(verdict.to_string().lines().count(), 1);
    for beginning in [input.len() / 3, input.len() / 2] {
        if let Some((while_read, _)) = while_read(input, beginning) {
            assert_eq!(while_read, verdict, "{beginning} octets came first");
        }
    }
}

/// The verdict on what arrives in two pieces, where not all of it has to be kept, and how much is let go.
pub fn while_read(input: &[u8], beginning: usize) -> Option<(Verdict, usize)> {
    let mut passing = Passing::begin(&input[..beginning])?;
    let (at, mut kept) = (passing.at(), input.to_vec());
    let (let_go, _) = passing.pass(&kept[at..]);
    kept.drain(at..at + let_go);
    Some((passing.verdict(&kept), let_go))
}

/// The parts lie inside the message and inside each other, and every transfer encoding comes off.
pub fn mime(input: &[u8]) {
    let tree = mime::walk(input);
    assert!(tree.parts.len() <= 10_000);
    let whole = input.as_ptr_range();
    for (index, part) in tree.parts.iter().enumerate() {
        let body = part.body.as_ptr_range();
        assert!(part.body.is_empty() || whole.start <= body.start && body.end <= whole.end);
        if let Some(parent) = part.parent {
            assert!(parent < index && part.body.len() <= tree.parts[parent].body.len());
        }
        let decoded = mime::decode(part.body, part.content.encoding);
        assert!(decoded.octets.len() <= part.body.len());
    }
    for field in Entity::split(input).header.fields() {
        mime::Parameters::read(&field.unfolded());
    }
}

/// Packets are judged alike whether they come plain or in any base64.
pub fn openpgp(input: &[u8]) {
    let _ = Armor::read(input).map(|armor| openpgp::message(&armor.octets));
    let plain = openpgp::message(&Octets::plain(input));
    let letters = letters(input);
    let text = letters.trim_end_matches('=').as_bytes();
    let encoded = openpgp::message(&Octets::base64(text, text.len(), text.len(), text.len()));
    assert_eq!(plain, encoded);
    let armor = format!("-----BEGIN PGP MESSAGE-----\n\n{}-----END PGP MESSAGE-----\n", in_lines(&letters));
    if let Ok(armor) = Armor::read(armor.as_bytes()) {
        assert_eq!(plain, openpgp::message(&armor.octets));
    }
}

/// An envelope that is cut short is none, and one with text behind it is none.
pub fn cms(input: &[u8]) {
    if cms::read(input) == Ok(cms::Layer::Enveloped) {
        assert_ne!(cms::read(&[input, b"text"].concat()), Ok(cms::Layer::Enveloped));
        let end = input.iter().rposition(|octet| !octet.is_ascii_whitespace() && *octet != 0);
        assert!(cms::read(&input[..end.unwrap_or(0)]).is_err());
    }
    cms::is_signature(input);
}

/// A field in doubt proves nothing, the short way to the verdict leads where the long one does, nothing below
/// the border moves it, and the annotated message differs by its own field alone.
pub fn trace(input: &[u8]) {
    let arrival = Arrival::read(input);
    let entity = Entity::split(arrival.message);
    let ours = Ours::default();
    let judgement = trace::judge(entity.header, &ours);
    assert_eq!(trace::arrival(entity.header, &ours).0, judgement.verdict);
    assert!(judgement.hops.iter().all(|hop| hop.doubt.is_none() || hop.state == State::Unknown));
    assert!(judgement.proven <= judgement.hops.len());
    if let Some(border) = judgement.border {
        let end = entity.header.all("Received").nth(border).map(|field| field.raw.as_ptr_range().end);
        let above = end.map_or(0, |end| end as usize - entity.header.0.as_ptr() as usize);
        let cut = trace::judge(selfseal::message::Header(&entity.header.0[..above]), &ours);
        assert_eq!((cut.verdict, cut.border), (judgement.verdict, judgement.border));
    }
    let field = audit::field("host.example", judgement.verdict, judgement.border_hop());
    assert!(field.is_ascii() && field.matches("border=").count() == 1);
    let annotated = audit::annotate(&arrival, &field, None);
    let whole = [annotated.head.as_slice(), annotated.rest].concat();
    let after = Entity::split(Arrival::read(&whole).message);
    assert_eq!(after.header.all(audit::FIELD).count(), 1);
    assert_eq!(after.body, entity.body);
    assert_eq!(trace::judge(after.header, &ours).verdict, judgement.verdict);
    audit::table(&judgement);
    audit::json(&judgement);
    Hop::read(input);
}

fn letters(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut letters = String::new();
    for three in octets.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - three.len()));
        for n in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * n) & 63) as usize];
            letters.push(if n <= three.len() { letter as char } else { '=' });
        }
    }
    letters
}

fn in_lines(letters: &str) -> String {
    let mut text = String::new();
    for (n, letter) in letters.chars().enumerate() {
        text.push(letter);
        if n % 64 == 63 {
            text.push('\n');
        }
    }
    text + "\n"
}
