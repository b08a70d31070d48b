//! The SEIPD packet of version 1 (RFC 9580, 5.13.1) around data whose length is known.
//!
//! The library's own takes a third of the time of a large message for a SHA-1 that detects collisions,
//! which a modification detection code has no use for, and copies the message through two buffers of 4 MiB
//! to cut it into partial lengths (4.2.1.4), which a known length does not need.

use std::io::{self, Write};

use aes::cipher::inout::InOutBuf;
use aes::{Aes128, Aes192, Aes256};
use anyhow::Result;
use cfb_mode::Encryptor;
use cfb_mode::cipher::consts::U16;
use cfb_mode::cipher::{AsyncStreamCipher, BlockCipher, BlockEncryptMut, KeyIvInit};
use rustix::rand::{GetRandomFlags, getrandom};
use sequoia_openpgp::types::SymmetricAlgorithm;
use sha1::{Digest, Sha1};

/// The octets of a block of AES.
const BLOCK: usize = 16;

/// A block of random octets, its last two again: so a reader sees at once whether its key fits.
const PREFIX: usize = BLOCK + 2;

/// The packet that ends the data: its header, and the SHA-1 of all before.
const CODE_HEADER: [u8; 2] = [0xd3, 20];
const CODE: usize = CODE_HEADER.len() + 20;

/// Packets with the new form of header (4.2.1).
const SEIPD: u8 = 0xc0 | 18;
const LITERAL: u8 = 0xc0 | 11;

/// What stands before the data of a literal packet (5.9): binary, no file name, no date.
const LITERAL_FIELDS: [u8; 6] = [b'b', 0, 0, 0, 0, 0];

/// How much is encrypted at once: whole blocks that stay in the processor's caches.
const PIECE: usize = 32 * 1024;

/// The most octets of data that leave room for the packets around them in a length of four octets.
pub const LONGEST: u32 = u32::MAX - 1024;

/// The header of a literal packet with `length` octets of data, at most `LONGEST`.
pub fn literal_header(length: u32) -> Vec<u8> {
    [header(LITERAL, length + LITERAL_FIELDS.len() as u32).as_slice(), &LITERAL_FIELDS].concat()
}

/// A writer that encrypts what it is given.
pub struct Container<W> {
    out: W,
    cipher: Box<dyn Cfb>,
    hash: Sha1,
    /// What is not yet encrypted.
    plain: Vec<u8>,
    /// What is still to come.
    left: usize,
}

impl<W: Write> Container<W> {
    /// Begins a packet for `length` octets of plain packets.
    ///
    /// # Errors
    /// Those of `out`; the kernel has no random octets.
    pub fn begin(mut out: W, cipher: SymmetricAlgorithm, key: &[u8], length: u32) -> Result<Self> {
        out.write_all(&header(SEIPD, length + (1 + PREFIX + CODE) as u32))?;
        out.write_all(&[1])?;
        let mut prefix = [0; PREFIX];
        getrandom(&mut prefix[..BLOCK], GetRandomFlags::empty())?;
        prefix.copy_within(BLOCK - 2..BLOCK, BLOCK);
        let mut plain = Vec::with_capacity(PIECE);
        plain.extend_from_slice(&prefix);
        let cipher = cfb(cipher, key)?;
        Ok(Container { out, cipher, hash: Sha1::new(), plain, left: length as usize })
    }

    /// Writes what is left, and the modification detection code.
    ///
    /// # Errors
    /// Those of the writer below; fewer octets came than were announced.
    pub fn end(mut self) -> io::Result<()> {
        if self.left > 0 {
            return Err(io::Error::other("the payload is shorter than it was measured"));
        }
        self.plain.extend_from_slice(&CODE_HEADER);
        self.hash.update(&self.plain);
        self.plain.extend_from_slice(&self.hash.finalize());
        self.cipher.last(&mut self.plain);
        self.out.write_all(&self.plain)
    }
}

impl<W: Write> Write for Container<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let taken = &octets[..octets.len().min(PIECE - self.plain.len())];
        self.left = self
            .left
            .checked_sub(taken.len())
            .ok_or_else(|| io::Error::other("the payload is longer than it was measured"))?;
        self.plain.extend_from_slice(taken);
        if self.plain.len() == PIECE {
            self.hash.update(&self.plain);
            self.cipher.blocks(&mut self.plain);
            self.out.write_all(&self.plain)?;
            self.plain.clear();
        }
        Ok(taken.len())
    }

    /// Nothing is written before a piece is full.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A packet's header: its type and its length in five octets (4.2.1.3).
fn header(packet: u8, length: u32) -> [u8; 6] {
    let [a, b, c, d] = length.to_be_bytes();
    [packet, 0xff, a, b, c, d]
}

/// Cipher feedback (12.9), in place.
trait Cfb: Send + Sync {
    /// Whole blocks.
    fn blocks(&mut self, octets: &mut [u8]);
    /// The last octets, however many.
    fn last(self: Box<Self>, octets: &mut [u8]);
}

impl<C> Cfb for Encryptor<C>
where
    C: BlockEncryptMut + BlockCipher<BlockSize = U16> + Send + Sync,
{
    fn blocks(&mut self, octets: &mut [u8]) {
        let (blocks, _) = InOutBuf::from(octets).into_chunks();
        self.encrypt_blocks_inout_mut(blocks);
    }

    fn last(self: Box<Self>, octets: &mut [u8]) {
        self.encrypt(octets);
    }
}

/// The cipher with `key`, and no block before the first: the random prefix stands for one. Of other ciphers
/// than AES no key has the length.
fn cfb(cipher: SymmetricAlgorithm, key: &[u8]) -> Result<Box<dyn Cfb>> {
    let none = [0; BLOCK];
    let cfb: Result<Box<dyn Cfb>, _> = match cipher {
        SymmetricAlgorithm::AES128 => Encryptor::<Aes128>::new_from_slices(key, &none).map(boxed),
        SymmetricAlgorithm::AES192 => Encryptor::<Aes192>::new_from_slices(key, &none).map(boxed),
        _ => Encryptor::<Aes256>::new_from_slices(key, &none).map(boxed),
    };
    Ok(cfb?)
}

fn boxed(cfb: impl Cfb + 'static) -> Box<dyn Cfb> {
    Box::new(cfb)
}

#[cfg(test)]
mod tests {
    use sequoia_openpgp::Packet;
    use sequoia_openpgp::crypto::SessionKey;
    use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse};

    use super::*;

    fn container(cipher: SymmetricAlgorithm, key: &[u8], data: &[u8], size: usize) -> Vec<u8> {
        let header = literal_header(data.len() as u32);
        let mut out = Vec::new();
        let mut container =
            Container::begin(&mut out, cipher, key, (header.len() + data.len()) as u32).unwrap();
        container.write_all(&header).unwrap();
        data.chunks(size).for_each(|piece| container.write_all(piece).unwrap());
        container.end().unwrap();
        out
    }

    /// What the library reads: the data, and whether the modification detection code is right.
    fn opened(packets: &[u8], cipher: SymmetricAlgorithm, key: &[u8]) -> (Vec<u8>, bool) {
        let (mut data, mut is_whole) = (Vec::new(), false);
        let mut next = PacketParser::from_bytes(packets).unwrap();
        while let PacketParserResult::Some(mut packet) = next {
            match &packet.packet {
                Packet::SEIP(_) => packet.decrypt(Some(cipher), &SessionKey::from(key)).unwrap(),
                Packet::Literal(_) => data = packet.buffer_unread_content().unwrap().to_vec(),
                #[allow(deprecated)]
                Packet::MDC(code) => is_whole = code.valid(),
                other => panic!("{other:?}"),
            }
            next = packet.recurse().unwrap().1;
        }
        (data, is_whole)
    }

    #[test]
    fn the_library_opens_it_whatever_its_length() {
        use SymmetricAlgorithm::{AES128, AES192, AES256};
        let data: Vec<u8> = (0..3 * PIECE as u32).map(|n| (n % 251) as u8).collect();
        let around = |length: usize| length.saturating_sub(40)..length + 40;
        for length in around(0).chain(around(PIECE)).chain(around(2 * PIECE)) {
            for (cipher, key) in [(AES128, 16), (AES192, 24), (AES256, 32)] {
                let key = vec![7; key];
                let packets = container(cipher, &key, &data[..length], 1000);
                assert_eq!(opened(&packets, cipher, &key), (data[..length].to_vec(), true), "{length}");
            }
        }
    }

    #[test]
    fn another_length_than_announced_is_an_error() {
        for (announced, written) in [(10, 9), (10, 11)] {
            let mut container =
                Container::begin(Vec::new(), SymmetricAlgorithm::AES256, &[7; 32], announced).unwrap();
            let whole = container.write_all(&vec![b'x'; written]).and_then(|()| container.end());
            assert!(whole.is_err(), "{announced} {written}");
        }
    }
}
