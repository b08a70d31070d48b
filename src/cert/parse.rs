//! Certificates out of a file: armored or binary, one or several, within bounds.
//!
//! A file of certificates may be written by somebody who wants this host to work for hours, so the bounds
//! are counted while the packets come. What sealing never asks for stays out: secret parts, signatures of
//! others, and subkeys that are not for encryption, so none of their signatures is ever verified.

use anyhow::{Context, Result, ensure};
use sequoia_openpgp::KeyHandle;
use sequoia_openpgp::cert::{Cert, CertParser};
use sequoia_openpgp::crypto::mpi::{MPI, PublicKey};
use sequoia_openpgp::packet::{Packet, Tag};
use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse};
use sequoia_openpgp::types::KeyFlags;

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
    for block in blocks(bytes) {
        read_packets(block, &mut packets)?;
    }
    let had_secret =
        packets.iter().any(|packet| matches!(packet, Packet::SecretKey(_) | Packet::SecretSubkey(_)));
    let packets = needed(packets.into_iter().map(without_secret));
    let mut certificates = Vec::new();
    for certificate in CertParser::from_iter(packets) {
        ensure!(certificates.len() < MOST_CERTIFICATES, "holds more than {MOST_CERTIFICATES} certificates");
        certificates.push(certificate.ok().context("is no OpenPGP certificate")?);
    }
    ensure!(!certificates.is_empty(), "holds no OpenPGP certificate");
    Ok(Parsed { certificates, had_secret })
}

/// The armored blocks of a file, or all of a binary one. The library reads the first block only, but
/// `cat a.asc b.asc` is how people put two certificates into one file.
fn blocks(bytes: &[u8]) -> Vec<&[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN PGP P";
    if bytes.first().is_some_and(|octet| octet & 0x80 != 0) {
        return vec![bytes];
    }
    let mut starts: Vec<usize> = memchr::memmem::find_iter(bytes, BEGIN).collect();
    // Inside a line it is a quotation.
    starts.retain(|start| matches!(bytes[..*start].last(), None | Some(b'\n' | b'\r')));
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts.iter().zip(ends).map(|(start, end)| &bytes[*start..end]).collect()
}

fn read_packets(block: &[u8], packets: &mut Vec<Packet>) -> Result<()> {
    let mut next = PacketParser::from_bytes(block).ok().context("is no OpenPGP certificate")?;
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
