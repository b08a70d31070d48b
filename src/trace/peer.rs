//! The other side of a hop: what the client said of itself, and what the writer saw.
//!
//! Only the writer's comment behind the HELO name tells the address. A HELO name may be `localhost` or
//! `[127.0.0.1]`, so it is never taken for what was seen.

use std::net::IpAddr;

use super::clauses::{Clauses, begins, is_remark};
use super::tokens::words;

/// Who handed the message over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer<'a> {
    /// What the client called itself.
    pub helo: Option<&'a [u8]>,
    /// The name of its address, as the writer looked it up.
    pub name: Option<&'a [u8]>,
    /// Whether the writer looked back from the name to the address. Without that the name is the client's
    /// choice, as HELO is.
    pub is_checked: bool,
    /// Its address, as the writer saw it.
    pub address: Option<IpAddr>,
    /// Whether the writer names a Unix socket instead of an address.
    pub is_socket: bool,
}

impl<'a> Peer<'a> {
    /// What the `from` clause tells. None: several addresses that differ, so somebody added one.
    pub fn read(clauses: &Clauses<'a>) -> Option<Self> {
        let mut peer = Peer { helo: clauses.client_words().next(), ..Peer::default() };
        let mut names_helo = false;
        for comment in clauses.client_comments() {
            if let Some(helo) = helo_of(comment) {
                peer.name = peer.name.or(clauses.client_words().next());
                peer.helo = Some(helo);
                names_helo = true;
            } else if !is_remark(comment) && !peer.sees(comment, &mut names_helo) {
                return None;
            }
        }
        if peer.address.is_none() {
            peer.address = peer.address_among_words(clauses, names_helo);
        }
        Some(peer)
    }

    /// Takes what a comment tells; false when it contradicts what was told before.
    fn sees(&mut self, comment: &'a [u8], names_helo: &mut bool) -> bool {
        let mut before: Option<&[u8]> = None;
        for word in words(comment) {
            if let Some(helo) = word.strip_prefix(b"helo=") {
                self.helo = Some(helo);
                *names_helo = true;
            } else if begins(word, "port=") || begins(word, "ident=") {
                *names_helo = true;
            } else if let Some((user, address)) = literal(word).or_else(|| bare(word).map(|ip| (None, ip))) {
                if self.address.is_some_and(|seen| seen != address) {
                    return false;
                }
                self.address = Some(address);
                self.name = self.name.or(before.filter(|_| user.is_none()).and_then(host_name));
            } else if word == b"[unix" {
                self.is_socket = true;
            }
            before = Some(word);
        }
        true
    }

    /// An address without a comment of its own: `from mx.example [192.0.2.1] by`, and Exim's, CommuniGate's
    /// and Yahoo's `from [192.0.2.1] (HELO mx.example)`.
    fn address_among_words(&self, clauses: &Clauses, names_helo: bool) -> Option<IpAddr> {
        let mut from = clauses.client_words();
        let first = from.next()?;
        if let Some((_, address)) = from.next().and_then(literal) {
            return Some(address);
        }
        if !names_helo {
            return None;
        }
        // Yahoo's own relays write 127.0.0.1 there for clients that are far away.
        literal(first).map(|(_, ip)| ip).or_else(|| bare(first).filter(|address| !address.is_loopback()))
    }

    /// Whether it is this very host.
    pub fn is_loopback(&self) -> bool {
        match self.address {
            Some(address) => address.is_loopback(),
            None => self.is_socket,
        }
    }
}

/// `HELO mx.example`, as qmail and its kin write it.
fn helo_of(comment: &[u8]) -> Option<&[u8]> {
    let mut words = words(comment);
    let verb = words.next()?;
    let is_helo = ["HELO", "EHLO", "LHLO"].iter().any(|name| verb.eq_ignore_ascii_case(name.as_bytes()));
    words.next().filter(|_| is_helo)
}

/// `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `[192.0.2.1]:25`, `user@[192.0.2.1]`: the user and the address.
fn literal(word: &[u8]) -> Option<(Option<&[u8]>, IpAddr)> {
    let open = word.iter().position(|octet| *octet == b'[')?;
    let user = match open {
        0 => None,
        open if word[open - 1] == b'@' => Some(&word[..open - 1]),
        _ => return None,
    };
    let inside = &word[open + 1..];
    let close = inside.iter().position(|octet| *octet == b']')?;
    let text = &inside[..close];
    let text = if begins(text, "IPv6:") { &text[5..] } else { text };
    Some((user, address(text)?))
}

/// An address without brackets.
fn bare(word: &[u8]) -> Option<IpAddr> {
    word.first().filter(|octet| octet.is_ascii_hexdigit() || **octet == b':').and_then(|_| address(word))
}

/// An address; `::ffff:192.0.2.1` is 192.0.2.1, as Courier writes it.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() < 46)?;
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A name that was looked up: without Gmail's last dot and an ident user; `unknown` is none.
fn host_name(word: &[u8]) -> Option<&[u8]> {
    let start = word.iter().rposition(|octet| *octet == b'@').map_or(0, |at| at + 1);
    let name = word[start..].strip_suffix(b".").unwrap_or(&word[start..]);
    (!name.is_empty() && !name.eq_ignore_ascii_case(b"unknown") && !name.contains(&b'=')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<[String; 3]> {
        let clauses = Clauses::read(body.as_bytes());
        let text = |bytes: Option<&[u8]>| bytes.unwrap_or_default().escape_ascii().to_string();
        let peer = Peer::read(&clauses)?;
        let address = peer.address.map(|address| address.to_string()).unwrap_or_default();
        Some([text(peer.helo), text(peer.name), address])
    }

    #[test]
    fn what_the_writer_saw_is_told_from_what_the_client_said() {
        for (body, expected) in [
            ("from a (b.example [192.0.2.1]) by c", ["a", "b.example", "192.0.2.1"]),
            ("from [127.0.0.1] (b.example [192.0.2.1]) by c", ["[127.0.0.1]", "b.example", "192.0.2.1"]),
            ("from a (unknown [IPv6:2001:db8::1]) by c", ["a", "", "2001:db8::1"]),
            ("from a (b.example. [192.0.2.1]) by c", ["a", "b.example", "192.0.2.1"]),
            ("from a (u@b.example [192.0.2.1] (may be forged)) by c", ["a", "b.example", "192.0.2.1"]),
            ("from a ([::ffff:192.0.2.1]) by c", ["a", "", "192.0.2.1"]),
            ("from a (192.0.2.1) by c", ["a", "", "192.0.2.1"]),
            ("from 192.0.2.1 (192.0.2.2) by c", ["192.0.2.1", "", "192.0.2.2"]),
            ("from a ([192.0.2.1]:4711 helo=[127.0.0.1]) by c", ["[127.0.0.1]", "", "192.0.2.1"]),
            ("from [192.0.2.1] (port=4711 helo=b) by c", ["b", "", "192.0.2.1"]),
            ("from [192.0.2.1] (HELO b) by c", ["b", "[192.0.2.1]", "192.0.2.1"]),
            ("from a (HELO b) (u@[192.0.2.1]) by c", ["b", "a", "192.0.2.1"]),
            ("from 127.0.0.1 (EHLO b) (192.0.2.1) by c", ["b", "127.0.0.1", "192.0.2.1"]),
            ("from 127.0.0.1 (EHLO b) by c", ["b", "127.0.0.1", ""]),
            ("from a [192.0.2.1] by c", ["a", "", "192.0.2.1"]),
            ("from 192.0.2.1 by c", ["192.0.2.1", "", ""]),
            ("from [127.0.0.1] by c", ["[127.0.0.1]", "", ""]),
        ] {
            assert_eq!(read(body), Some(expected.map(str::to_owned)), "{body}");
        }
    }

    #[test]
    fn addresses_that_differ_are_no_address() {
        for body in
            ["from x (y [127.0.0.1]) (b.example [192.0.2.1]) by c", "from x (127.0.0.1 [192.0.2.1]) by c"]
        {
            assert_eq!(read(body), None, "{body}");
        }
    }
}
