//! Certificates out of a file: armored or binary, one or several, within bounds.
//!
//! A file of certificates may be written by somebody who wants this host to work for hours, so the bounds
//! are counted while the packets come. What sealing never asks for stays out: secret parts, signatures of
//! others, and subkeys that are not for encryption, so none of their signatures is ever verified.

use std::borrow::Cow;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sequoia_openpgp::KeyHandle;
use sequoia_openpgp::cert::{Cert, CertParser};
use sequoia_openpgp::crypto::mpi::{MPI, PublicKey};
use sequoia_openpgp::packet::{Packet, Tag};
use sequoia_openpgp::parse::{Dearmor, PacketParserBuilder, PacketParserResult, Parse};
use sequoia_openpgp::types::KeyFlags;

use super::verified;
use crate::message::Lines;

/// How many certificates may be given.
pub const MOST_CERTIFICATES: usize = 8;

/// How many packets one file may hold.
const MOST_PACKETS: usize = 2_000;

/// RSA: the longest modulus and the longest public exponent, in bits. A check of one signature takes time
/// that grows with both.
const LONGEST_MODULUS: usize = 8_192;
const LONGEST_EXPONENT: usize = 32;

/// What a file holds.
pub struct Parsed {
    /// Its certificates, never with a secret part.
    pub certificates: Vec<Cert>,
    /// Whether secret parts stood there: a mistake to be named, since they do not belong on this machine.
    pub had_secret: bool,
}

/// # Errors
/// There is no certificate, something that is none, or more than a bound allows.
pub fn certificates(bytes: &[u8]) -> Result<Parsed> {
    let mut packets = Vec::new();
    for block in blocks(bytes)? {
        read_packets(&block, &mut packets)?;
    }
    let had_secret =
        packets.iter().any(|packet| matches!(packet, Packet::SecretKey(_) | Packet::SecretSubkey(_)));
    let packets = needed(packets.into_iter().map(without_secret));
    // Before any signature is verified.
    let keys = packets.iter().filter(|packet| packet.tag() == Tag::PublicKey).count();
    ensure!(keys <= MOST_CERTIFICATES, "holds more than {MOST_CERTIFICATES} certificates");
    verified::remember(&packets);
    let certificates: Result<Vec<Cert>> = CertParser::from_iter(packets).collect();
    let certificates = certificates.ok().context("is no OpenPGP certificate")?;
    ensure!(!certificates.is_empty(), "holds no OpenPGP certificate");
    Ok(Parsed { certificates, had_secret })
}

/// The packets of each armored block of a file, or all of a binary one. `cat a.asc b.asc` is how people put
/// two certificates into one file.
///
/// Not the library's reader of armor: it takes the first block only, and a tenth of the time of sealing a
/// small message.
fn blocks(bytes: &[u8]) -> Result<Vec<Cow<'_, [u8]>>> {
    const BEGIN: &[u8] = b"-----BEGIN PGP P";
    if bytes.first().is_some_and(|octet| octet & 0x80 != 0) {
        return Ok(vec![bytes.into()]);
    }
    let mut starts: Vec<usize> = memchr::memmem::find_iter(bytes, BEGIN).collect();
    // Inside a line it is a quotation.
    starts.retain(|start| matches!(bytes[..*start].last(), None | Some(b'\n' | b'\r')));
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts.iter().zip(ends).map(|(start, end)| dearmored(&bytes[*start..end]).map(Cow::from)).collect()
}

/// RFC 9580, 6.2: a header line, `Key: Value` lines, a blank one, base64, perhaps a checksum (6.1: an
/// object MUST NOT be refused for that), a tail line.
fn dearmored(block: &[u8]) -> Result<Vec<u8>> {
    let lines = Lines(block).skip(1).map(<[u8]>::trim_ascii).skip_while(|line| line.contains(&b':'));
    let text: Vec<u8> =
        lines.take_while(|line| !matches!(line.first(), Some(b'=' | b'-'))).flatten().copied().collect();
    STANDARD.decode(text).ok().context("is damaged: its armor is no base64")
}

fn read_packets(block: &[u8], packets: &mut Vec<Packet>) -> Result<()> {
    let parser = PacketParserBuilder::from_bytes(block).map(|parser| parser.dearmor(Dearmor::Disabled));
    let parser = parser.and_then(PacketParserBuilder::build);
    let mut next = parser.ok().context("is no OpenPGP certificate")?;
    while let PacketParserResult::Some(parser) = next {
        ensure!(packets.len() < MOST_PACKETS, "holds more than {MOST_PACKETS} packets");
        let (packet, rest) = parser.next().ok().context("is damaged: a packet ends too early")?;
        bounded(&packet)?;
        packets.push(packet);
        next = rest;
    }
    Ok(())
}

fn bounded(packet: &Packet) -> Result<()> {
    let numbers = match packet {
        Packet::PublicKey(key) => key.mpis(),
        Packet::PublicSubkey(key) => key.mpis(),
        Packet::SecretKey(key) => key.mpis(),
        Packet::SecretSubkey(key) => key.mpis(),
        _ => return Ok(()),
    };
    match numbers {
        PublicKey::RSA { e, n } => {
            modulus_bounded(n)?;
            ensure!(
                e.bits() <= LONGEST_EXPONENT,
                "RSA exponent of {} bits: more than {LONGEST_EXPONENT}",
                e.bits()
            );
        }
        PublicKey::DSA { p, .. } | PublicKey::ElGamal { p, .. } => modulus_bounded(p)?,
        _ => {}
    }
    Ok(())
}

fn modulus_bounded(modulus: &MPI) -> Result<()> {
    let bits = modulus.bits();
    ensure!(bits <= LONGEST_MODULUS, "key of {bits} bits: more than {LONGEST_MODULUS}");
    Ok(())
}

fn without_secret(packet: Packet) -> Packet {
    match packet {
        Packet::SecretKey(key) => key.take_secret().0.into(),
        Packet::SecretSubkey(key) => key.take_secret().0.into(),
        other => other,
    }
}

/// The packets that decide how to encrypt: components, each with the signatures behind it.
fn needed(packets: impl Iterator<Item = Packet>) -> Vec<Packet> {
    // GnuPG's own files have trust packets between a component and its signatures.
    let is_content = |packet: &Packet| !matches!(packet.tag(), Tag::Trust | Tag::Marker | Tag::Padding);
    let mut packets = packets.filter(is_content).peekable();
    let mut needed = Vec::new();
    let mut primary = None;
    while let Some(component) = packets.next() {
        if let Packet::PublicKey(key) = &component {
            primary = Some(key.key_handle());
        }
        let mut signatures = Vec::new();
        while let Some(packet) = packets.next_if(|packet| packet.tag() == Tag::Signature) {
            signatures.extend(primary.as_ref().is_none_or(|key| is_by(&packet, key)).then_some(packet));
        }
        if is_needed(&component, &signatures) {
            needed.push(component);
            needed.append(&mut signatures);
        }
    }
    needed
}

/// Whether `signature` may be by `primary`: it says so, or it does not say.
fn is_by(signature: &Packet, primary: &KeyHandle) -> bool {
    let Packet::Signature(signature) = signature else { return false };
    let issuers = signature.get_issuers();
    issuers.is_empty() || issuers.iter().any(|issuer| issuer.aliases(primary))
}

fn is_needed(component: &Packet, signatures: &[Packet]) -> bool {
    match component.tag() {
        Tag::UserAttribute => false,
        Tag::PublicSubkey => signatures.iter().any(|packet| match packet {
            Packet::Signature(signature) => {
                signature.key_flags().is_none_or(|flags| is_for_encryption(&flags))
            }
            _ => false,
        }),
        _ => true,
    }
}

/// Mail at rest is both: communication that was stored. RFC 9580, 5.2.3.29 leaves the difference to us.
pub fn is_for_encryption(flags: &KeyFlags) -> bool {
    flags.for_transport_encryption() || flags.for_storage_encryption()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn fixture(name: &str) -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn said(bytes: &[u8]) -> String {
        certificates(bytes).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    /// A packet in the OpenPGP format with a length of four octets (RFC 9580, 4.2.1).
    fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[0xc0 | kind, 255], &length[..], body].concat()
    }

    /// A version 4 RSA public key packet of so many bits, odd, with all bits set.
    fn rsa_key(modulus: u16, exponent: u16) -> Vec<u8> {
        let number = |bits: u16| {
            let mut octets = vec![0xff; usize::from(bits).div_ceil(8)];
            octets[0] >>= (8 - bits % 8) % 8;
            [&bits.to_be_bytes()[..], &octets].concat()
        };
        packet(6, &[&[4, 0, 0, 0, 1, 1][..], &number(modulus), &number(exponent)].concat())
    }

    #[test]
    fn what_is_no_certificate_is_called_so() {
        for (name, bytes, words) in [
            ("nothing", &b""[..], "holds no OpenPGP certificate"),
            ("text", b"Plan: work\n", "holds no OpenPGP certificate"),
            ("a quoted block", b"> -----BEGIN PGP PUBLIC KEY BLOCK-----\n", "holds no OpenPGP certificate"),
            (
                "a block without data",
                b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
                "holds no OpenPGP certificate",
            ),
            ("a block of words", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nhello, you\n", "is no base64"),
            ("octets", b"\xff\xfe\xfd", "is damaged"),
            ("a literal packet", &packet(11, b"b\0\0\0\0\0hi"), "is no OpenPGP certificate"),
        ] {
            assert!(said(bytes).contains(words), "{name}: {}", said(bytes));
        }
    }

    #[test]
    fn text_before_the_block_is_a_finger_plan() {
        let plan = [b"Plan: sleep\n\n", &fixture("alice.asc")[..], b"\nbye\n"].concat();
        assert_eq!(certificates(&plan).unwrap().certificates.len(), 1);
    }

    #[test]
    fn armor_is_read_in_all_its_forms() {
        let plain = String::from_utf8(fixture("alice.asc")).unwrap();
        let (head, body) = plain.split_once("\n\n").unwrap();
        let no_checksum: String =
            plain.lines().filter(|line| !line.starts_with('=')).map(|line| format!("{line}\n")).collect();
        for (name, armor) in [
            ("CRLF", plain.replace('\n', "\r\n")),
            ("blanks at the ends of lines", plain.replace('\n', " \t\n")),
            ("header lines", format!("{head}\nVersion: GnuPG v2\nComment: https://example.org\n\n{body}")),
            ("no empty line", format!("{head}\n{body}")),
            ("no checksum", no_checksum),
            ("a wrong checksum", plain.replace("\n=", "\n=AAAA")),
            ("no tail", plain.replace("-----END PGP PUBLIC KEY BLOCK-----\n", "")),
        ] {
            let parsed = certificates(armor.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error:#}"));
            assert_eq!(parsed.certificates.len(), 1, "{name}");
        }
    }

    #[test]
    fn a_certificate_cut_in_the_middle_is_refused() {
        let whole = fixture("rsa4096.gpg");
        for length in [1, 10, 100, whole.len() / 2, whole.len() - 1] {
            assert!(certificates(&whole[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn nine_certificates_are_refused_by_their_bound() {
        let eight = fixture("alice.asc").repeat(8);
        assert_eq!(certificates(&eight).unwrap().certificates.len(), 8);
        let nine = fixture("rsa4096.gpg").repeat(9);
        assert_eq!(said(&nine), "holds more than 8 certificates");
    }

    #[test]
    fn packet_2001_is_refused_by_its_bound() {
        let user_id = packet(13, b"x");
        let of = |packets: usize| [rsa_key(2048, 17), user_id.repeat(packets - 1)].concat();
        assert_eq!(said(&of(2_000)), "");
        assert_eq!(said(&of(2_001)), "holds more than 2000 packets");
    }

    #[test]
    fn rsa_16384_is_refused_by_its_bound() {
        assert_eq!(said(&rsa_key(8_192, 17)), "");
        assert_eq!(said(&rsa_key(8_193, 17)), "key of 8193 bits: more than 8192");
        assert_eq!(said(&rsa_key(16_384, 17)), "key of 16384 bits: more than 8192");
        let subkey = [rsa_key(2_048, 17), rsa_key(16_384, 17)].concat();
        assert_eq!(said(&subkey), "key of 16384 bits: more than 8192");
    }

    #[test]
    fn an_exponent_over_32_bits_is_refused_by_its_bound() {
        assert_eq!(said(&rsa_key(2_048, 32)), "");
        assert_eq!(said(&rsa_key(2_048, 33)), "RSA exponent of 33 bits: more than 32");
    }

    #[test]
    fn signatures_of_others_and_subkeys_for_signing_are_never_looked_at() {
        let parsed = certificates(&fixture("v6.asc")).unwrap();
        let certificate = &parsed.certificates[0];
        assert_eq!(certificate.keys().count(), 2, "the signing subkey is gone");
        let certified = certificates(&fixture("certified.asc")).unwrap();
        assert_eq!(certified.certificates[0].userids().count(), 1);
        let user_id = certified.certificates[0].userids().next().unwrap();
        assert_eq!(user_id.certifications().count(), 0);
        assert_eq!(user_id.self_signatures().count(), 1);
    }
}
