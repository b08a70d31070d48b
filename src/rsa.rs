//! RSA's public operation with the padding of PKCS #1 v1.5 (RFC 8017; RFC 9580, 13.1).
//!
//! The OpenPGP library's own goes through 64 bits of a public exponent that has 17, which takes it five times
//! as long, and that is half of what it takes to seal a small message to an RSA key.

use anyhow::{Context, Result};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use rustix::io::retry_on_intr;
use rustix::rand::{GetRandomFlags, getrandom};

/// What is said of numbers that make no key, or one too short.
pub const UNUSABLE: &str = "the RSA key is damaged or too short; renew the certificate";

/// The fewest octets of padding, and the three around them (RFC 8017, 7.2.1 and 9.2).
const SHORTEST_PADDING: usize = 8;
const AROUND_PADDING: usize = 3;

/// A public key.
pub struct PublicKey {
    modulus: BoxedMontyParams,
    exponent: u64,
    /// The octets of the modulus.
    length: usize,
}

impl PublicKey {
    /// The key of these numbers, big-endian; None where they make none.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let modulus = &modulus[modulus.iter().position(|octet| *octet != 0)?..];
        let exponent = exponent.iter().try_fold(0_u64, |sum, octet| {
            sum.checked_mul(1 << 8).map(|shifted| shifted | u64::from(*octet))
        })?;
        if exponent < 3 || exponent % 2 == 0 {
            return None;
        }
        let odd: Option<Odd<BoxedUint>> = Odd::new(BoxedUint::from_be_slice_vartime(modulus)).into();
        Some(PublicKey { modulus: BoxedMontyParams::new_vartime(odd?), exponent, length: modulus.len() })
    }

    /// Whether `signature` is one over a digest, of which `digest_info` is the DER form (RFC 8017, 8.2.2).
    pub fn verifies(&self, digest_info: &[u8], signature: &[u8]) -> bool {
        let padded =
            self.room(digest_info).map(|room| [&[0, 1][..], &vec![0xff; room], &[0], digest_info].concat());
        padded.is_some() && self.power(signature) == padded
    }

    /// What only the owner of the key can read (RFC 8017, 7.2.1).
    ///
    /// # Errors
    /// `plain` is too long for the key; the kernel has no random octets.
    pub fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let room = self.room(plain).context(UNUSABLE)?;
        let padded = [&[0, 2][..], &nonzero(room)?, &[0], plain].concat();
        self.power(&padded).context(UNUSABLE)
    }

    /// How much padding stands before `text`, if it fits.
    fn room(&self, text: &[u8]) -> Option<usize> {
        let room = self.length.checked_sub(text.len() + AROUND_PADDING)?;
        (room >= SHORTEST_PADDING).then_some(room)
    }

    /// `base` to the power of the exponent, in as many octets as the modulus; None where `base` is larger.
    fn power(&self, base: &[u8]) -> Option<Vec<u8>> {
        let base = BoxedUint::from_be_slice(base, self.modulus.bits_precision()).ok()?;
        if base >= *self.modulus.modulus().as_ref() {
            return None;
        }
        let base = BoxedMontyForm::new(base, &self.modulus);
        let mut power = base.clone();
        for bit in (0..self.exponent.ilog2()).rev() {
            power = power.square();
            if self.exponent >> bit & 1 == 1 {
                power = power.mul(&base);
            }
        }
        let octets = power.retrieve().to_be_bytes();
        Some(octets[octets.len() - self.length..].to_vec())
    }
}

/// Random octets, none of them zero, which would end the padding.
fn nonzero(length: usize) -> Result<Vec<u8>> {
    let mut octets = vec![0; length];
    while let Some(first) = octets.iter().position(|octet| *octet == 0) {
        retry_on_intr(|| getrandom(&mut octets[first..], GetRandomFlags::empty()))?;
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 512 bits: the numbers of RFC 8017 need no more.
    const MODULUS: [u8; 64] = [0xf1; 64];

    fn key(exponent: &[u8]) -> Option<PublicKey> {
        PublicKey::new(&MODULUS, exponent)
    }

    #[test]
    fn numbers_that_make_no_key() {
        assert!(key(&[1, 0, 1]).is_some() && key(&[0, 0, 0, 0, 0, 0, 0, 0, 3]).is_some());
        for exponent in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[1; 9]] {
            assert!(key(exponent).is_none(), "{exponent:?}");
        }
        for modulus in [&[][..], &[0, 0], &[0xf0], &[0xf1, 2]] {
            assert!(PublicKey::new(modulus, &[3]).is_none(), "{modulus:?}");
        }
    }

    #[test]
    fn a_power_is_that_of_plain_arithmetic() {
        let modulus: u128 = 0xf123_4567;
        for exponent in [3_u64, 5, 17, 257, 65_537, 0xffff_fffd] {
            let key = PublicKey::new(&modulus.to_be_bytes(), &exponent.to_be_bytes()).unwrap();
            for base in [0, 1, 2, 0xff, 0x1234_5678, modulus - 1] {
                let power = (0..64).rev().fold(1, |power, bit| {
                    let square = power * power % modulus;
                    if exponent >> bit & 1 == 1 { square * base % modulus } else { square }
                });
                let expected = u32::try_from(power).unwrap().to_be_bytes();
                assert_eq!(key.power(&base.to_be_bytes()[12..]).unwrap(), expected, "{base}^{exponent}");
            }
            assert!(key.power(&modulus.to_be_bytes()[12..]).is_none(), "as large as the modulus");
            assert!(key.power(&[1, 0, 0, 0, 0, 0, 0, 0, 0]).is_none(), "longer than the modulus");
        }
    }

    #[test]
    fn padding_has_eight_octets_at_least_and_no_zero() {
        let key = key(&[3]).unwrap();
        assert_eq!(key.encrypt(&[7; 64 - 11]).unwrap().len(), 64);
        assert!(key.encrypt(&[7; 64 - 10]).is_err());
        assert!(!key.verifies(&[7; 64 - 10], &[1]));
        let padding = nonzero(100_000).unwrap();
        assert!((1..=255).all(|octet| padding.contains(&octet)) && !padding.contains(&0));
    }
    /// A certificate is read before anybody asks how long its key is.
    #[test]
    fn keys_and_signatures_of_any_length_are_no_panic() {
        let odd = |length: usize, octet: u8| [vec![octet; length - 1], vec![octet | 1]].concat();
        let small = (1..600_u32).step_by(2).map(|modulus| modulus.to_be_bytes().to_vec());
        let large = [7, 8, 9, 63, 64, 65, 255, 257]
            .into_iter()
            .flat_map(|length| [odd(length, 1), odd(length, 0xff)]);
        for modulus in small.chain(large) {
            let key = PublicKey::new(&modulus, &[1, 0, 1]).unwrap();
            for signature in [&[][..], &[0], &[1], &[0xfe; 9], &modulus, &vec![0xfe; modulus.len() + 1]] {
                assert!(!key.verifies(&[7; 19], signature), "{modulus:?} {signature:?}");
            }
            assert_eq!(key.encrypt(&[5; 3]).is_ok(), key.length >= 14, "{modulus:?}");
        }
    }
}
