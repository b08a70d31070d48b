//! What a User ID says of its owner's address (RFC 9580, 5.11).

use sequoia_openpgp::packet::UserID;

use crate::address::Address;

/// The address of `Name (comment) <local@domain>`, or of nothing but an address, as everybody writes it.
///
/// Not by the library, which takes a regular expression for it: to build that takes a millisecond, half of what it
/// takes to seal a small message, and its tables of Unicode were half of what the program relocated at its start.
pub fn address(user_id: &UserID) -> Option<Address> {
    let text = user_id.value();
    let address = match text.strip_suffix(b">") {
        Some(named) => {
            let (name, address) = named.split_at(memchr::memchr(b'<', named)?);
            // Where programs could see another address than this one there is none.
            let is_odd = |octet: &u8| octet.is_ascii_control() || *octet == b'>';
            if name.iter().any(is_odd) || std::str::from_utf8(name).is_err() {
                return None;
            }
            &address[1..]
        }
        None => text,
    };
    Address::parse(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_one_that_the_library_sees() {
        for (user_id, expected) in [
            ("Alice <alice@example.org>", Some("alice@example.org")),
            ("Alice (at home) <Alice.B+tag@example.org>", Some("Alice.B+tag@example.org")),
            ("  Alice   <alice@example.org>", Some("alice@example.org")),
            ("Alice<alice@example.org>", Some("alice@example.org")),
            ("<alice@example.org>", Some("alice@example.org")),
            ("alice@example.org", Some("alice@example.org")),
            ("bob@example.net <alice@example.org>", Some("alice@example.org")),
            ("Smith, \"A.\" [x]; Dr. <alice@example.org>", Some("alice@example.org")),
            ("Dörte <dörte@sörensen.example>", Some("dörte@sörensen.example")),
            ("Alice", None),
            ("Alice (alice@example.org)", None),
            ("Alice <alice>", None),
            ("Alice <alice@example.org> (at home)", None),
            ("Alice <alice@example.org", None),
            ("Alice <alice@example.org> ", None),
            ("Alice < alice@example.org>", None),
            ("Alice <bob@example.net> <alice@example.org>", None),
            ("Alice <bob@example.net <alice@example.org>", None),
            ("Alice > <alice@example.org>", None),
            ("Alice\n<alice@example.org>", None),
            ("Alice\0 <alice@example.org>", None),
            ("Alice <a@b@example.org>", None),
            ("Alice <.alice@example.org>", None),
            ("https://example.org/alice@example.org", None),
            ("", None),
            ("<>", None),
        ] {
            let user_id = UserID::from(user_id);
            let ours = address(&user_id);
            assert_eq!(ours.as_ref().map(Address::as_str), expected, "{user_id:?}");
            assert_eq!(ours.as_ref().map(Address::as_str), user_id.email().ok().flatten(), "{user_id:?}");
        }
        for odd in [&b"\xff <alice@example.org>"[..], b"<alice@\xff.example>", b"\xff"] {
            assert_eq!(address(&UserID::from(odd)), None, "{odd:?}");
        }
    }
}
