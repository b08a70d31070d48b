//! Which hosts are the recipient's own: by name, by address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::hop::{Hop, Passage};
use super::peer::Peer;

/// The recipient's own hosts. By default these are loopback addresses and the host that wrote the topmost
/// field; nobody else's private addresses, since behind NAT or a container bridge every stranger has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ours {
    names: Vec<String>,
    networks: Vec<Network>,
}

/// What was given is neither the name of a host, nor an address, nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoHost;

impl Ours {
    /// Adds what was typed: `mx.example` (and all hosts below it), `192.0.2.1`, `192.0.2.0/24`, `private`.
    ///
    /// # Errors
    /// It is none of these.
    pub fn add(&mut self, typed: &str) -> Result<(), NoHost> {
        if typed.eq_ignore_ascii_case("private") {
            self.networks.extend(PRIVATE);
        } else if let Some(network) = Network::parse(typed) {
            self.networks.push(network);
        } else {
            let name = typed.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase();
            let is_name = !name.is_empty()
                && name.split('.').all(|label| !label.is_empty())
                && name
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet) || octet >= 128)
                && !name.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
            if !is_name {
                return Err(NoHost);
            }
            self.names.push(name);
        }
        Ok(())
    }

    /// Whether `hop` was written by a host of ours; `here` is the one that wrote the topmost field.
    pub(super) fn wrote(&self, hop: &Hop, here: Option<&[u8]>) -> bool {
        let Some(by) = hop.by else { return matches!(hop.passage, Passage::Program | Passage::Note) };
        let literal = by.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(by);
        let address = std::str::from_utf8(literal).ok().and_then(|text| text.parse::<IpAddr>().ok());
        match address {
            Some(address) => self.has_address(address) || self.has_name(by, here),
            None => by.eq_ignore_ascii_case(b"localhost") || self.has_name(by, here),
        }
    }

    /// Whether a message came from a host of ours. A name counts only if the writer looked back from it to
    /// the address: anybody can give a host of his a name of ours, in HELO and in the DNS.
    pub(super) fn sent(&self, peer: &Peer, here: Option<&[u8]>) -> bool {
        peer.is_loopback()
            || peer.address.is_some_and(|address| self.has_address(address))
            || peer.is_checked && peer.name.is_some_and(|name| self.has_name(name, here))
    }

    fn has_name(&self, name: &[u8], here: Option<&[u8]>) -> bool {
        here.is_some_and(|here| here.eq_ignore_ascii_case(name))
            || self.names.iter().any(|own| is_at_or_below(name, own.as_bytes()))
    }

    fn has_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.networks.iter().any(|network| network.holds(address))
    }
}

/// Whether `name` is the host `own`, or one below that domain.
pub(super) fn is_at_or_below(name: &[u8], own: &[u8]) -> bool {
    let Some(start) = name.len().checked_sub(own.len()) else { return false };
    name[start..].eq_ignore_ascii_case(own) && (start == 0 || name[start - 1] == b'.')
}

/// An address and how many of its bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    /// IPv4 in its IPv6 form, so there is one comparison.
    start: u128,
    bits: u32,
}

impl Network {
    const fn v4(a: u8, b: u8, bits: u32) -> Self {
        Network { start: Ipv4Addr::new(a, b, 0, 0).to_ipv6_mapped().to_bits(), bits: 96 + bits }
    }

    const fn v6(first: u16, bits: u32) -> Self {
        Network { start: Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0).to_bits(), bits }
    }

    fn parse(typed: &str) -> Option<Self> {
        let (address, length) = match typed.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (typed, None),
        };
        let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(most);
        (length <= most).then(|| Network { start: bits_of(address), bits: 128 - most + length })
    }

    fn holds(&self, address: IpAddr) -> bool {
        let differ = self.start ^ bits_of(address);
        // A shift by all 128 bits is none.
        differ.checked_shr(128 - self.bits).unwrap_or(0) == 0
    }
}

fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// RFC 1918, RFC 3927, RFC 6598, RFC 4193, RFC 4291 (link-local).
const PRIVATE: [Network; 7] = [
    Network::v4(10, 0, 8),
    Network::v4(172, 16, 12),
    Network::v4(192, 168, 16),
    Network::v4(169, 254, 16),
    Network::v4(100, 64, 10),
    Network::v6(0xfc00, 7),
    Network::v6(0xfe80, 10),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn given(words: &[&str]) -> Ours {
        let mut ours = Ours::default();
        for word in words {
            ours.add(word).unwrap_or_else(|_| panic!("{word}"));
        }
        ours
    }

    #[test]
    fn a_name_covers_the_hosts_below_it_and_no_look_alike() {
        let ours = given(&["Example.org", "*.example.net", ".example.com"]);
        for (name, is_ours) in [
            ("example.org", true),
            ("MX.EXAMPLE.ORG", true),
            ("a.b.example.net", true),
            ("mx.example.com", true),
            ("badexample.org", false),
            ("example.org.evil", false),
            ("org", false),
            ("", false),
        ] {
            assert_eq!(ours.has_name(name.as_bytes(), None), is_ours, "{name}");
        }
        assert!(given(&[]).has_name(b"mx.example", Some(b"MX.example")));
    }

    #[test]
    fn an_address_covers_itself_and_a_network_its_addresses() {
        let ours = given(&["192.0.2.1", "198.51.100.0/24", "2001:db8::/32", "[2001:db9::1]"]);
        for (address, is_ours) in [
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("198.51.100.255", true),
            ("198.51.101.0", false),
            ("::ffff:198.51.100.7", true),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", true),
            ("2001:db9::2", false),
            ("127.0.0.1", true),
            ("::1", true),
            ("10.0.0.1", false),
            ("fd00::1", false),
        ] {
            assert_eq!(ours.has_address(address.parse().unwrap()), is_ours, "{address}");
        }
        assert!(given(&["0.0.0.0/0"]).has_address("192.0.2.77".parse().unwrap()));
        assert!(given(&["::/0"]).has_address("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn private_is_one_word() {
        let ours = given(&["private"]);
        for (address, is_ours) in [
            ("10.255.0.1", true),
            ("172.16.0.1", true),
            ("172.31.255.255", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("169.254.1.1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("fd12::1", true),
            ("fe80::1", true),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(ours.has_address(address.parse().unwrap()), is_ours, "{address}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for typed in
            ["", ".", "a b", "192.0.2.1/33", "192.0.2", "192.0.2.256", "::1/129", "a..b", "a@b", "-/-"]
        {
            assert_eq!(Ours::default().add(typed), Err(NoHost), "{typed:?}");
        }
    }
}
