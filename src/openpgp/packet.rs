//! Packet headers and lengths (RFC 9580, 4.2).

use super::{Fault, Octets};

/// A packet's header, and its body's place.
pub(super) struct Packet {
    pub tag: u8,
    /// Where the body begins, and all its octets, of partial lengths too.
    pub body: usize,
    pub len: usize,
    /// How many octets of the body stand at its beginning without a length between them.
    pub together: usize,
    /// Whether its length is given at its beginning.
    pub is_definite: bool,
    /// Where the next packet begins: never behind the end of the data.
    pub end: usize,
    pub is_cut_off: bool,
}

impl Packet {
    pub fn read(octets: &Octets, at: usize) -> Result<Self, Fault> {
        let first = octets.at(at).ok_or(Fault::CutOff)?;
        if first & 0x80 == 0 {
            return Err(Fault::Malformed);
        }
        if first & 0x40 == 0 {
            return Packet::legacy(octets, at, first);
        }
        let (length, width) = length(octets, at + 1)?;
        let tag = first & 0x3f;
        match length {
            Length::Definite(len) => Ok(Packet::definite(octets, tag, at + 1 + width, len)),
            Length::Partial(len) => Packet::partial(octets, tag, at + 1 + width, len),
        }
    }

    /// RFC 9580, 4.2.2.
    fn legacy(octets: &Octets, at: usize, first: u8) -> Result<Self, Fault> {
        let tag = first >> 2 & 0xf;
        let width = match first & 3 {
            3 => {
                let body = at + 1;
                let len = octets.len() - body;
                // The format ends with the data: nothing says whether that was all.
                return Ok(Packet { is_definite: false, ..Packet::definite(octets, tag, body, len) });
            }
            width => 1 << width,
        };
        let len = octets.range(at + 1, width).ok_or(Fault::CutOff)?;
        let len = len.iter().fold(0, |len, octet| len << 8 | usize::from(*octet));
        Ok(Packet::definite(octets, tag, at + 1 + width, len))
    }

    fn definite(octets: &Octets, tag: u8, body: usize, len: usize) -> Self {
        let end = body.saturating_add(len);
        let is_cut_off = end > octets.len();
        let end = end.min(octets.len());
        Packet { tag, body, len: end - body, together: end - body, is_definite: true, end, is_cut_off }
    }

    /// Follows partial lengths: the first at least 512, the last one not partial (4.2.1.4).
    fn partial(octets: &Octets, tag: u8, body: usize, first: usize) -> Result<Self, Fault> {
        if first < 512 {
            return Err(Fault::Malformed);
        }
        let mut packet = Packet { is_definite: false, ..Packet::definite(octets, tag, body, first) };
        while !packet.is_cut_off {
            let Ok((length, width)) = length(octets, packet.end) else {
                packet.is_cut_off = true;
                break;
            };
            let (Length::Definite(len) | Length::Partial(len)) = length;
            let next = Packet::definite(octets, tag, packet.end + width, len);
            packet.len += next.len;
            packet.end = next.end;
            packet.is_cut_off = next.is_cut_off;
            if matches!(length, Length::Definite(_)) {
                break;
            }
        }
        Ok(packet)
    }

    /// Whether a reader passes over it: a marker or padding (5.8, 5.14).
    pub fn is_filling(&self, octets: &Octets) -> Result<(), Fault> {
        let is_marker =
            || self.tag == 10 && octets.range(self.body, self.len.min(4)).is_some_and(|body| body == b"PGP");
        if self.is_definite && !self.is_cut_off && (self.tag == 21 || is_marker()) {
            return Ok(());
        }
        Err(Fault::Malformed)
    }
}

enum Length {
    Definite(usize),
    Partial(usize),
}

/// A length of the OpenPGP format and how many octets it takes (4.2.1).
fn length(octets: &Octets, at: usize) -> Result<(Length, usize), Fault> {
    let octet = |n: usize| octets.at(at + n).map(usize::from).ok_or(Fault::CutOff);
    let first = octet(0)?;
    Ok(match first {
        0..192 => (Length::Definite(first), 1),
        192..224 => (Length::Definite(((first - 192) << 8) + octet(1)? + 192), 2),
        255 => (Length::Definite(octet(1)? << 24 | octet(2)? << 16 | octet(3)? << 8 | octet(4)?), 5),
        _ => (Length::Partial(1 << (first & 31)), 1),
    })
}
