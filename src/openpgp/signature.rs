//! A signature that stands beside what it signs (RFC 9580, 10.4).

use super::Octets;
use super::packet::Packet;

/// Whether the octets are one or more signatures and nothing else.
pub fn is_signature(octets: &Octets) -> bool {
    let mut at = 0;
    let mut signatures = 0;
    while at < octets.len() {
        match Packet::read(octets, at) {
            Ok(packet) if packet.tag == 2 && is_plain_signature(octets, &packet) => {
                signatures += 1;
                at = packet.end;
            }
            Ok(packet) if packet.is_filling(octets).is_ok() => at = packet.end,
            _ => return false,
        }
    }
    signatures > 0
}

/// Whether the areas of a signature packet lie inside it (5.2.2, 5.2.3).
fn is_plain_signature(octets: &Octets, packet: &Packet) -> bool {
    let number = |at: usize, width: usize| {
        let number = octets.range(packet.body + at, width)?;
        Some(number.iter().fold(0, |number, octet| number << 8 | usize::from(*octet)))
    };
    let areas = |width: usize| {
        let hashed = number(4, width)?;
        let unhashed = number(4 + width + hashed, width)?;
        Some(4 + width + hashed + width + unhashed)
    };
    let least = match octets.at(packet.body) {
        Some(2 | 3) if number(1, 1) == Some(5) => Some(19),
        Some(4 | 5) => areas(2).map(|end| end + 2),
        Some(6) => areas(4).map(|end| end + 2 + 1 + 16),
        _ => None,
    };
    packet.is_definite && !packet.is_cut_off && least.is_some_and(|least| least < packet.len)
}
