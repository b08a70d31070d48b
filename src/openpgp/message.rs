//! The grammar of an encrypted message (RFC 9580, 10.3).

use super::packet::Packet;
use super::{Armor, Fault, Label, Octets};

/// More session keys than this are an attack.
const MOST_KEYS: usize = 10_000;

/// What an encrypted message tells about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Those whose key opens it, in order; passwords are none.
    pub recipients: Vec<Recipient>,
    /// Whether its container claims more than there is.
    pub is_cut_off: bool,
    /// How many octets the armor header lines around it have, which anybody can read.
    pub armor_header: usize,
}

impl Message {
    /// The encrypted message in armor.
    ///
    /// # Errors
    /// It is something else.
    pub fn in_armor(armor: &Armor) -> Result<Self, Fault> {
        if armor.label != Label::Message {
            return Err(Fault::OtherLabel);
        }
        Ok(Message { armor_header: armor.header, ..message(&armor.octets)? })
    }
}

/// Whose key opens a message, as the session key packet says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A key ID (version 3).
    KeyId([u8; 8]),
    /// A fingerprint (version 6).
    Fingerprint(Vec<u8>),
    /// A wildcard (5.1.8).
    Hidden,
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let octets: &[u8] = match self {
            Recipient::KeyId(id) => id,
            Recipient::Fingerprint(fingerprint) => fingerprint,
            Recipient::Hidden => return f.write_str("hidden"),
        };
        octets.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

/// Which session keys and which containers belong together (10.3.2.1).
#[derive(Clone, Copy, PartialEq)]
enum Generation {
    /// PKESK 2 and 3, SKESK 4: SEIPD v1, SED.
    Three,
    /// SKESK 5: LibrePGP's packet 20, which PKESK 3 and SKESK 4 open as well.
    Five,
    /// PKESK 6, SKESK 6: SEIPD v2.
    Six,
}

/// Follows the packets of an encrypted message to the end of the data.
///
/// # Errors
/// The first thing that makes it something else.
pub fn message(octets: &Octets) -> Result<Message, Fault> {
    let mut message = Message::default();
    let mut generations = Vec::new();
    let mut at = 0;
    loop {
        let packet = Packet::read(octets, at)?;
        match packet.tag {
            1 | 3 => {
                let session_key = session_key(octets, &packet)?;
                generations.extend(session_key.0);
                message.recipients.extend(session_key.1);
                if generations.len() > MOST_KEYS || message.recipients.len() > MOST_KEYS {
                    return Err(Fault::SessionKeyVersion);
                }
            }
            9 | 18 | 20 if generations.is_empty() => return Err(Fault::NoSessionKey),
            9 | 18 | 20 => {
                let fits = container(octets, &packet)?;
                if !generations.iter().any(|generation| fits.contains(generation)) {
                    return Err(Fault::SessionKeyVersion);
                }
                message.is_cut_off = packet.is_cut_off;
                only_filling(octets, packet.end)?;
                return Ok(message);
            }
            10 | 21 => packet.is_filling(octets)?,
            _ if generations.is_empty() => return Err(Fault::NoSessionKey),
            _ => return Err(Fault::NoContainer),
        }
        at = packet.end;
    }
}

/// Whether an encrypted message can begin with this octet: a session key, a marker or padding.
pub fn may_begin_with(first: u8) -> bool {
    let tag = if first & 0x40 == 0 { first >> 2 & 0xf } else { first & 0x3f };
    first & 0x80 != 0 && matches!(tag, 1 | 3 | 10 | 21)
}

/// A PKESK or SKESK: its generation where the version is known, its recipient where it names one.
fn session_key(octets: &Octets, packet: &Packet) -> Result<(Option<Generation>, Option<Recipient>), Fault> {
    if !packet.is_definite || packet.is_cut_off {
        return Err(Fault::Malformed);
    }
    let version = octets.at(packet.body).filter(|_| packet.len > 0).ok_or(Fault::SessionKeyTooShort)?;
    match (packet.tag, version) {
        (1, 2 | 3) => {
            // Key ID, algorithm, and the smallest encrypted session key that any algorithm makes.
            let id = octets.range(packet.body + 1, 8).filter(|_| packet.len >= 1 + 8 + 1 + 16);
            let id: [u8; 8] = id.and_then(|id| id.try_into().ok()).ok_or(Fault::SessionKeyTooShort)?;
            let recipient = if id == [0; 8] { Recipient::Hidden } else { Recipient::KeyId(id) };
            Ok((Some(Generation::Three), Some(recipient)))
        }
        (1, 6) => Ok((Some(Generation::Six), Some(pkesk_6(octets, packet)?))),
        (3, 4..=6) => Ok((Some(skesk(octets, packet, version)?), None)),
        // A future version beside one that is known. Alone it opens nothing.
        _ => Ok((None, None)),
    }
}

fn pkesk_6(octets: &Octets, packet: &Packet) -> Result<Recipient, Fault> {
    let len = usize::from(octets.at(packet.body + 1).ok_or(Fault::SessionKeyTooShort)?);
    if packet.len < 1 + 1 + len + 1 + 16 {
        return Err(Fault::SessionKeyTooShort);
    }
    match (len, octets.at(packet.body + 2)) {
        (0, _) => Ok(Recipient::Hidden),
        (21, Some(4)) | (33, Some(6)) => octets
            .range(packet.body + 3, len - 1)
            .map(Recipient::Fingerprint)
            .ok_or(Fault::SessionKeyTooShort),
        _ => Err(Fault::Malformed),
    }
}

/// RFC 9580, 5.3; LibrePGP, 5.3.
fn skesk(octets: &Octets, packet: &Packet, version: u8) -> Result<Generation, Fault> {
    let (cipher, shortest, generation) = match version {
        4 => (1, 4, Generation::Three),
        5 => (1, 4 + 2 + 15 + 16, Generation::Five),
        _ => (2, 6 + 2 + 12 + 16, Generation::Six),
    };
    if packet.len < shortest {
        return Err(Fault::SessionKeyTooShort);
    }
    if !octets.at(packet.body + cipher).is_some_and(is_cipher) {
        return Err(Fault::Cipher);
    }
    Ok(generation)
}

/// Which session keys open a container, if it is one (5.7, 5.13; LibrePGP, 5.14).
fn container(octets: &Octets, packet: &Packet) -> Result<&'static [Generation], Fault> {
    if packet.len < 1 {
        return Err(Fault::ContainerTooShort);
    }
    let octet =
        |n: usize| octets.at(packet.body + n).filter(|_| n < packet.together).ok_or(Fault::ContainerTooShort);
    let (shortest, generations): (usize, &[Generation]) = match (packet.tag, octet(0)?) {
        // A random block with two octets again, and the shortest packet in it.
        (9, _) => (8 + 2 + 2, &[Generation::Three]),
        // The same behind the version, and the modification detection code.
        (18, 1) => (1 + 8 + 2 + 2 + 22, &[Generation::Three]),
        // Four octets, salt, one chunk with its tag, the last tag.
        (18, 2) => (4 + 32 + 2 + 16 + 16, &[Generation::Six]),
        (20, 1) => (4 + 12 + 2 + 16 + 16, &[Generation::Three, Generation::Five]),
        _ => return Err(Fault::Malformed),
    };
    // Of one that is cut off there may be less.
    if packet.len < shortest && !packet.is_cut_off {
        return Err(Fault::ContainerTooShort);
    }
    let names_cipher = !matches!((packet.tag, octet(0)?), (9, _) | (18, 1));
    if names_cipher {
        let (cipher, mode, chunk) = (octet(1)?, octet(2)?, octet(3)?);
        if !is_cipher(cipher) || !matches!(mode, 1..=3) || chunk > 56 {
            return Err(Fault::Cipher);
        }
    }
    Ok(generations)
}

/// The ciphers of RFC 9580, 9.3. Number 0 is plain text.
fn is_cipher(number: u8) -> bool {
    matches!(number, 1..=4 | 7..=13)
}

/// Behind the container only markers, padding and white space may stand: gpg prints what else does.
fn only_filling(octets: &Octets, mut at: usize) -> Result<(), Fault> {
    while let Some(octet) = octets.at(at) {
        if octet.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let packet = Packet::read(octets, at).map_err(|_| Fault::BehindContainer)?;
        packet.is_filling(octets).map_err(|_| Fault::BehindContainer)?;
        at = packet.end;
    }
    Ok(())
}
