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
        let header = Header::read(octets, at)?;
        match header.length {
            Some(Length::Definite(len)) => Ok(Packet::definite(octets, header.tag, header.body, len)),
            Some(Length::Partial(len)) => Packet::partial(octets, header.tag, header.body, len),
            // The format ends with the data: nothing says whether that was all.
            None => {
                let len = octets.len() - header.body;
                let packet = Packet::definite(octets, header.tag, header.body, len);
                Ok(Packet { is_definite: false, ..packet })
            }
        }
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
        let mut chunk = Chunk { end: packet.end, is_last: false };
        while !packet.is_cut_off && !chunk.is_last {
            let Ok((body, next)) = Chunk::read(octets, chunk.end) else {
                packet.is_cut_off = true;
                break;
            };
            packet.is_cut_off = next.end > octets.len();
            packet.end = next.end.min(octets.len());
            packet.len += packet.end - body;
            chunk = next;
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

/// A packet's header (4.2).
pub(super) struct Header {
    pub tag: u8,
    /// None where the body ends with the data.
    pub length: Option<Length>,
    /// Where the body begins: not behind the end of the data.
    pub body: usize,
}

impl Header {
    pub fn read(octets: &Octets, at: usize) -> Result<Self, Fault> {
        let first = octets.at(at).ok_or(Fault::CutOff)?;
        if first & 0x80 == 0 {
            return Err(Fault::Malformed);
        }
        if first & 0x40 == 0 {
            let (length, width) = legacy_length(octets, at + 1, first & 3)?;
            return Ok(Header { tag: first >> 2 & 0xf, length, body: at + 1 + width });
        }
        let (length, width) = length(octets, at + 1)?;
        Ok(Header { tag: first & 0x3f, length: Some(length), body: at + 1 + width })
    }

    /// The first chunk of the body, or all of it; none where it ends with the data.
    pub fn chunk(&self) -> Option<Chunk> {
        self.length.as_ref().map(|length| Chunk::of(length, self.body))
    }
}

/// A piece of a body (4.2.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Where the next piece's length stands, or the next packet's header: perhaps behind the end of the data.
    pub end: usize,
    pub is_last: bool,
}

impl Chunk {
    fn of(length: &Length, body: usize) -> Self {
        match length {
            Length::Definite(len) => Chunk { end: body.saturating_add(*len), is_last: true },
            Length::Partial(len) => Chunk { end: body.saturating_add(*len), is_last: false },
        }
    }

    /// The piece whose length stands at `at`, and where its octets begin. Where lines were let go, the piece that
    /// leads out of them.
    pub fn read(octets: &Octets, at: usize) -> Result<(usize, Self), Fault> {
        if let Some(chunk) = octets.chunk_behind(at) {
            return Ok((at, chunk));
        }
        let (length, width) = length(octets, at)?;
        Ok((at + width, Chunk::of(&length, at + width)))
    }
}

pub(super) enum Length {
    Definite(usize),
    Partial(usize),
}

/// A length of the legacy format, if there is one, and how many octets it takes (4.2.2).
fn legacy_length(octets: &Octets, at: usize, kind: u8) -> Result<(Option<Length>, usize), Fault> {
    let width = match kind {
        3 => return Ok((None, 0)),
        kind => 1 << kind,
    };
    let len = octets.range(at, width).ok_or(Fault::CutOff)?;
    let len = len.iter().fold(0, |len, octet| len << 8 | usize::from(*octet));
    Ok((Some(Length::Definite(len)), width))
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
