//! What counts as encrypted: fixtures of each form, attacks, bounds, and a model.

mod attacks;
mod bounds;
mod forms;
mod model;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use selfseal::kind::{self, Verdict};

/// The header section of all messages that these tests make, up to its Content-Type.
const HEADER: &str =
    "From: Bob <bob@example.org>\nTo: alice@example.org\nSubject: hello\nMIME-Version: 1.0\n";

/// One packet in the OpenPGP format with a length of five octets.
fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("a small body");
    [&[0xc0 | tag, 0xff][..], &len.to_be_bytes(), body].concat()
}

/// Octets that look like ciphertext, the same ones each time.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let octets = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    });
    octets.take(len).collect()
}

/// A session key of version 3 for the key ID 0102030405060708.
fn session_key() -> Vec<u8> {
    packet(1, &[&[3, 1, 2, 3, 4, 5, 6, 7, 8, 18][..], &noise(40)].concat())
}

/// An encryption container of version 1 with so many octets of data.
fn container(len: usize) -> Vec<u8> {
    packet(18, &[&[1][..], &noise(len)].concat())
}

/// An encrypted message.
fn packets() -> Vec<u8> {
    [session_key(), container(200)].concat()
}

/// Base64 in lines of `line` letters.
fn base64_lines(octets: &[u8], line: usize) -> String {
    let letters = STANDARD.encode(octets);
    let lines = letters.as_bytes().chunks(line).map(|line| std::str::from_utf8(line).expect("ASCII"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// An armored message.
fn armor(octets: &[u8]) -> String {
    format!("-----BEGIN PGP MESSAGE-----\n\n{}-----END PGP MESSAGE-----\n", base64_lines(octets, 64))
}

/// A part of this type.
fn part(media: &str, body: &str) -> String {
    format!("Content-Type: {media}\n\n{body}")
}

/// A multipart of this type with the boundary `b`.
fn multipart(media: &str, parts: &[String]) -> String {
    multipart_with(media, "b", parts)
}

fn multipart_with(media: &str, boundary: &str, parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--{boundary}\n{part}\n")).collect();
    format!("Content-Type: {media}; boundary=\"{boundary}\"\n\n{parts}--{boundary}--\n")
}

const ENCRYPTED: &str = "multipart/encrypted; protocol=\"application/pgp-encrypted\"";

fn version() -> String {
    part("application/pgp-encrypted", "Version: 1\n")
}

fn data(body: &str) -> String {
    part("application/octet-stream", body)
}

/// The entity of a PGP/MIME message.
fn pgp_mime() -> String {
    multipart_with(ENCRYPTED, "enc", &[version(), data(&armor(&packets()))])
}

/// The verdict over a message with this entity.
fn judge(entity: &str) -> Verdict {
    kind::of(format!("{HEADER}{entity}").as_bytes())
}

/// Asserts kind and reason, and shows the message where they differ.
#[track_caller]
fn assert_judged(entity: &str, kind: &str, reason: &str) {
    let verdict = judge(entity);
    let shown: String = entity.chars().take(2000).collect();
    assert_eq!((verdict.kind.as_str(), verdict.reason.name().as_str()), (kind, reason), "{verdict}\n{shown}");
}
