//! A checked mail address: Mailbox of RFC 5321, 4.1.2, with the UTF-8 of RFC 6531, 3.3.
//!
//! Addresses are chosen by senders and end up in SMTP commands, `From ` lines and names of files. Nothing
//! but [`Address::parse`] makes one, and nothing is repaired: what does not parse is no address.

use std::fmt;

/// The longest Path is 256 octets, its angle brackets included (RFC 5321, 4.5.3.1.3).
const LONGEST: usize = 254;

/// The longest label of a domain (RFC 1035, 2.3.4).
const LONGEST_LABEL: usize = 63;

/// `local@domain`, without angle brackets: no control character, no NUL, and outside of a quoted local part
/// no blank, `<` or `>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    at: usize,
}

impl Address {
    /// The address that all of `bytes` are, or nothing.
    ///
    /// The 64 octets of RFC 5321, 4.5.3.1.1 for a local part are not asked for: the envelope senders of
    /// mailing services (VERP) exceed them every day.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LONGEST)?;
        // A domain has no @, a quoted local part may.
        let at = text.rfind('@')?;
        let (local, domain) = (&text[..at], &text[at + 1..]);
        let is_address = (is_dot_string(local) || is_quoted_string(local)) && is_domain(domain);
        is_address.then(|| Address { text: text.to_owned(), at })
    }

    /// The whole address as it came.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the @, quotes included.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// What stands behind the @: a host name, or a literal in brackets.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Dot-string = Atom *("." Atom)
fn is_dot_string(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_visible_beyond_ascii(c)
}

/// Quoted-string = DQUOTE *QcontentSMTP DQUOTE
fn is_quoted_string(local: &str) -> bool {
    let Some(content) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    let mut rest = content.chars();
    while let Some(c) = rest.next() {
        let is_allowed = match c {
            '"' => false,
            '\\' => rest.next().is_some_and(is_printable_ascii),
            c => is_printable_ascii(c) || is_visible_beyond_ascii(c),
        };
        if !is_allowed {
            return false;
        }
    }
    true
}

fn is_printable_ascii(c: char) -> bool {
    matches!(c, ' '..='~')
}

/// Letters of other scripts, but none of the blanks and controls beyond ASCII.
fn is_visible_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace()
}

fn is_domain(domain: &str) -> bool {
    match domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => is_literal(literal),
        None => domain.split('.').all(is_label),
    }
}

/// sub-domain = Let-dig [Ldh-str]
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LONGEST_LABEL
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || is_visible_beyond_ascii(c))
}

/// address-literal = "[" 1*dcontent "]"
fn is_literal(literal: &str) -> bool {
    !literal.is_empty() && literal.chars().all(|c| matches!(c, '!'..='Z' | '^'..='~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_local_part_and_domain() {
        for (text, local, domain) in [
            ("alice@example.org", "alice", "example.org"),
            ("a.b+tag@x", "a.b+tag", "x"),
            ("#!$%&'*/=?^_`{|}~-@a-b.example", "#!$%&'*/=?^_`{|}~-", "a-b.example"),
            ("\"a b\"@example.org", "\"a b\"", "example.org"),
            ("\"a@b\"@example.org", "\"a@b\"", "example.org"),
            ("\"a\\\"<>b\"@example.org", "\"a\\\"<>b\"", "example.org"),
            ("jos\u{e9}@b\u{fc}cher.example", "jos\u{e9}", "b\u{fc}cher.example"),
            ("a@[192.0.2.1]", "a", "[192.0.2.1]"),
            ("a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]"),
        ] {
            let address = Address::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text:?}"));
            assert_eq!((address.as_str(), address.local(), address.domain()), (text, local, domain));
        }
    }

    #[test]
    fn what_could_forge_a_command_or_a_line_is_no_address() {
        for (name, bytes) in [
            ("nothing", &b""[..]),
            ("the null sender", b"<>"),
            ("no domain", b"MAILER-DAEMON"),
            ("an empty domain", b"a@"),
            ("an empty local part", b"@x"),
            ("brackets around it", b"<a@x>"),
            ("a stray bracket", b"a>b@x"),
            ("an injected command", b"a@x> SIZE=1\r\nDATA"),
            ("a line break", b"a\nb@x"),
            ("a line break at the end", b"a@x\n"),
            ("a carriage return", b"a\r@x"),
            ("a NUL", b"a\0b@x"),
            ("a NUL in the domain", b"a@x\0.example"),
            ("a blank", b"a b@x"),
            ("a blank in the domain", b"a@x y"),
            ("a tab", b"a\tb@x"),
            ("a no-break space", "a\u{a0}b@x".as_bytes()),
            ("a C1 control", "a\u{9b}b@x".as_bytes()),
            ("a line separator", "a\u{2028}b@x".as_bytes()),
            ("octets that are no UTF-8", b"caf\xe9@x"),
            ("two dots", b"a..b@x"),
            ("a leading dot", b".a@x"),
            ("a path upwards", b"../../etc/passwd@x"),
            ("a domain of dots", b"a@.."),
            ("a domain with a slash", b"a@x/y"),
            ("a domain that begins with a hyphen", b"a@-x"),
            ("an open quote", b"\"a@x"),
            ("a quote inside", b"\"a\"b\"@x"),
            ("a backslash at the end", b"\"a\\\"@x"),
            ("a line break in quotes", b"\"a\nb\"@x"),
            ("an empty literal", b"a@[]"),
            ("an open literal", b"a@[192.0.2.1"),
            ("a bracket in a literal", b"a@[1]2]"),
        ] {
            assert_eq!(Address::parse(bytes), None, "{name}");
        }
    }

    #[test]
    fn an_address_ends_at_254_octets() {
        let of = |length: usize| [vec![b'a'; length - 4], b"@x.y".to_vec()].concat();
        assert!(Address::parse(&of(254)).is_some());
        assert!(Address::parse(&of(255)).is_none());
        assert!(Address::parse(&[b"a@", &[b'x'; 64][..]].concat()).is_none(), "a label of 64 octets");
    }
}
