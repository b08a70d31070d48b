//! TLS as hosts write it down: version, cipher, key bits, whether the client's certificate was verified.

use super::clauses::begins;
use super::tokens::words;

/// A version of the protocol, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    Ssl2,
    Ssl3,
    Tls1_0,
    Tls1_1,
    Tls1_2,
    Tls1_3,
}

impl Version {
    /// All of them, the oldest first.
    pub const ALL: [Version; 6] =
        [Version::Ssl2, Version::Ssl3, Version::Tls1_0, Version::Tls1_1, Version::Tls1_2, Version::Tls1_3];

    /// `TLSv1.2`, `TLS1.2`, `TLS1_2`, `TLS-1.2`, `TLSv1_2` are one; `TLSv1` is 1.0. OpenSSL's
    /// `TLSv1/SSLv3` is a family of ciphers and no version.
    pub fn read(name: &[u8]) -> Option<Self> {
        let is_tls = begins(name, "TLS");
        let number = name.get(3..).filter(|_| is_tls || begins(name, "SSL"))?;
        let number = number.strip_prefix(b"-").unwrap_or(number);
        let number = number.strip_prefix(b"v").or(number.strip_prefix(b"V")).unwrap_or(number);
        match (is_tls, number) {
            (true, b"1" | b"1.0" | b"1_0") => Some(Version::Tls1_0),
            (true, b"1.1" | b"1_1") => Some(Version::Tls1_1),
            (true, b"1.2" | b"1_2") => Some(Version::Tls1_2),
            (true, b"1.3" | b"1_3") => Some(Version::Tls1_3),
            (false, b"3" | b"3.0") => Some(Version::Ssl3),
            (false, b"2" | b"2.0") => Some(Version::Ssl2),
            _ => None,
        }
    }

    /// As reports and the TLS-Audit field write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Version::Ssl2 => "SSLv2",
            Version::Ssl3 => "SSLv3",
            Version::Tls1_0 => "TLSv1.0",
            Version::Tls1_1 => "TLSv1.1",
            Version::Tls1_2 => "TLSv1.2",
            Version::Tls1_3 => "TLSv1.3",
        }
    }

    /// The version that only a cipher suite of this name belongs to (RFC 8446, B.4; rustls' and LibreSSL's
    /// names for the same).
    fn of_cipher(cipher: &[u8]) -> Option<Self> {
        let is_newest = ["TLS_AES_", "TLS_CHACHA20_POLY1305_", "TLS13_", "AEAD-"];
        is_newest.iter().any(|start| begins(cipher, start)).then_some(Version::Tls1_3)
    }
}

/// What a host says of a connection under TLS. All of it may be missing: `ESMTPS` alone says no more than
/// that there was TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tls<'a> {
    /// Stated, or certain from the cipher's name.
    pub version: Option<Version>,
    /// As the host wrote it: OpenSSL, GnuTLS and IANA have names of their own.
    pub cipher: Option<&'a [u8]>,
    /// Bits of the cipher's key.
    pub bits: Option<u16>,
    /// Whether the client's certificate was verified.
    pub verified: Option<bool>,
}

impl<'a> Tls<'a> {
    /// A connection by these names.
    pub fn of(version: Option<&'a [u8]>, cipher: Option<&'a [u8]>, bits: Option<&'a [u8]>) -> Self {
        let cipher = cipher.filter(|cipher| !cipher.is_empty());
        let version = version.and_then(Version::read).or_else(|| cipher.and_then(Version::of_cipher));
        Tls { version, cipher, bits: bits.and_then(number), verified: None }
    }

    /// `version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256 verify=NOT`, blanks or commas between.
    pub fn from_pairs(text: &'a [u8]) -> Option<Self> {
        let value = |name: &str| {
            words(text).find(|word| begins(word, name)).map(|word| {
                let value = &word[name.len()..];
                value.strip_suffix(b",").unwrap_or(value)
            })
        };
        let (version, cipher) = (value("version="), value("cipher="));
        (version.is_some() || cipher.is_some()).then(|| Tls {
            verified: value("verify=").map(|verify| {
                [&b"OK"[..], b"YES", b"TRUSTED"].iter().any(|word| verify.eq_ignore_ascii_case(word))
            }),
            ..Tls::of(version, cipher, value("bits="))
        })
    }

    /// `TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO`, or the version alone.
    pub fn from_colons(text: &'a [u8]) -> Option<Self> {
        let mut items = text.trim_ascii().split(|octet| *octet == b':');
        let version = items.next().filter(|word| begins(word, "TLS") || begins(word, "SSL"))?;
        let (cipher, bits) = (items.next(), items.next());
        let verified = items.next().and_then(|word| match word {
            b"YES" => Some(true),
            b"NO" => Some(false),
            _ => None,
        });
        Some(Tls { verified, ..Tls::of(Some(version), cipher, bits) })
    }

    /// `using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)`, or `using TLSv1`.
    pub fn from_sentence(text: &'a [u8]) -> Option<Self> {
        let mut words = words(text);
        let using = words.next().filter(|word| word.eq_ignore_ascii_case(b"using"));
        let version = using.and(words.next()).filter(|word| begins(word, "TLS") || begins(word, "SSL"))?;
        let cipher = words.next().filter(|word| *word == b"with").and(words.nth(1));
        let bits = cipher.and(words.next());
        Some(Tls::of(Some(version), cipher, bits))
    }

    /// Whether nothing was encrypted after all: a NULL cipher.
    pub fn is_null(&self) -> bool {
        self.cipher.is_some_and(|cipher| {
            cipher
                .split(|octet| matches!(octet, b'-' | b'_'))
                .any(|piece| piece.eq_ignore_ascii_case(b"NULL"))
        })
    }
}

/// The digits at the beginning: `256/256`, `256bits`.
fn number(text: &[u8]) -> Option<u16> {
    let digits = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_of_a_version_is_one() {
        for (names, version) in [
            (&["TLSv1.3", "TLS1.3", "TLS1_3", "TLS-1.3", "TLSv1_3", "tlsv1.3"][..], Some(Version::Tls1_3)),
            (&["TLSv1.2", "TLS1.2", "TLS1_2"], Some(Version::Tls1_2)),
            (&["TLSv1.1", "TLS1_1"], Some(Version::Tls1_1)),
            (&["TLSv1", "TLS1.0", "TLS-1.0", "TLS1_0"], Some(Version::Tls1_0)),
            (&["SSLv3", "SSL3.0"], Some(Version::Ssl3)),
            (&["SSLv2"], Some(Version::Ssl2)),
            (&["TLSv1/SSLv3", "TLS", "TLSv1.4", "TLSv1.33", "SSLv1", "1.2", "", "TL"], None),
        ] {
            for name in names {
                assert_eq!(Version::read(name.as_bytes()), version, "{name}");
            }
        }
    }

    #[test]
    fn the_newest_version_follows_from_the_ciphers_name() {
        for (cipher, version) in [
            ("TLS_AES_256_GCM_SHA384", Some(Version::Tls1_3)),
            ("TLS13_AES_256_GCM_SHA384", Some(Version::Tls1_3)),
            ("AEAD-AES128-GCM-SHA256", Some(Version::Tls1_3)),
            ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", None),
            ("ECDHE-RSA-AES256-GCM-SHA384", None),
        ] {
            assert_eq!(Tls::of(None, Some(cipher.as_bytes()), None).version, version, "{cipher}");
        }
    }

    #[test]
    fn a_null_cipher_is_no_encryption() {
        for (cipher, is_null) in
            [("NULL-SHA256", true), ("TLS_RSA_WITH_NULL_SHA", true), ("AECDH-AES256-SHA", false)]
        {
            assert_eq!(Tls::of(None, Some(cipher.as_bytes()), None).is_null(), is_null, "{cipher}");
        }
    }

    #[test]
    fn three_grammars_are_read() {
        let tls = Tls::from_pairs(b"version=TLS1_2, cipher=X bits=128/128 verify=NOT").unwrap();
        assert_eq!((tls.version, tls.cipher, tls.bits), (Some(Version::Tls1_2), Some(&b"X"[..]), Some(128)));
        assert_eq!(tls.verified, Some(false));
        let tls = Tls::from_colons(b"TLSv1.3:X:256:YES").unwrap();
        assert_eq!((tls.version, tls.cipher, tls.bits), (Some(Version::Tls1_3), Some(&b"X"[..]), Some(256)));
        assert_eq!(tls.verified, Some(true));
        let tls = Tls::from_sentence(b"using TLSv1.2 with cipher X (256/256 bits)\n key-exchange Y").unwrap();
        assert_eq!((tls.version, tls.cipher, tls.bits), (Some(Version::Tls1_2), Some(&b"X"[..]), Some(256)));
        assert_eq!(Tls::from_pairs(b"envelope-from <a@b>"), None);
        assert_eq!(Tls::from_colons(b"Exim 4.96"), None);
        assert_eq!(Tls::from_sentence(b"using a mouse"), None);
    }
}
