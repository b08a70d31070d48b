//! A Content-Type field that is plainly written: every reader reads it alike.
//!
//! Tokens and quoted strings only (RFC 2045, 5.1): no comment, no folded or 8-bit quoted string, no empty
//! or repeated parameter, no semicolon at the end. Anything else is not read here but wrapped, because a
//! parameter that is added behind it might be lost on one reader and not on another.

use crate::message::Field;

/// Type, subtype and parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    /// `type/subtype`, in lower case.
    pub essence: String,
    /// Names in lower case, up to the first `*` of RFC 2231, with their unquoted values.
    pub parameters: Vec<(String, String)>,
}

impl ContentType {
    /// Reads the field's body; nothing where it is not plainly written or names a parameter twice.
    pub fn plain(field: &Field) -> Option<Self> {
        let mut rest = Scanner(field.body().trim_ascii());
        let essence = [rest.token()?, "/", rest.after(b'/')?.token()?].concat().to_ascii_lowercase();
        let mut parameters: Vec<(String, String)> = Vec::new();
        while !rest.blanks().0.is_empty() {
            let name = rest.after(b';')?.blanks().token()?.to_ascii_lowercase();
            let value = rest.blanks().after(b'=')?.blanks().value()?;
            let name = base(&name)?.to_owned();
            if parameters.iter().any(|(known, _)| *known == name) {
                return None;
            }
            parameters.push((name, value));
        }
        Some(ContentType { essence, parameters })
    }

    /// The value of the parameter `name`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A parameter's name without what RFC 2231 puts behind it: `*`, `*N`, `*N*`. In any other place a `*` makes
/// some readers drop the parameters that follow.
fn base(name: &str) -> Option<&str> {
    let Some((base, rest)) = name.split_once('*') else { return Some(name) };
    let number = rest.strip_suffix('*').unwrap_or(rest);
    let is_numbered = !number.is_empty() && number.bytes().all(|octet| octet.is_ascii_digit());
    (!base.is_empty() && (rest.is_empty() || is_numbered)).then_some(base)
}

struct Scanner<'a>(&'a [u8]);

impl<'a> Scanner<'a> {
    /// Blanks and folds.
    fn blanks(&mut self) -> &mut Self {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.0 {
            self.0 = rest;
        }
        self
    }

    fn after(&mut self, octet: u8) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(&[octet])?;
        Some(self)
    }

    fn token(&mut self) -> Option<&'a str> {
        let end = self.0.iter().position(|octet| !is_token(*octet)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        if token.is_empty() { None } else { std::str::from_utf8(token).ok() }
    }

    fn value(&mut self) -> Option<String> {
        if self.0.first() == Some(&b'"') { self.quoted_string() } else { self.token().map(str::to_owned) }
    }

    fn quoted_string(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut rest = self.after(b'"')?.0;
        loop {
            rest = match rest {
                [b'"', rest @ ..] => {
                    self.0 = rest;
                    return Some(value);
                }
                [b'\\', octet @ 32..=126, rest @ ..] | [octet @ 32..=126, rest @ ..] => {
                    value.push(char::from(*octet));
                    rest
                }
                _ => return None,
            };
        }
    }
}

/// RFC 2045, 5.1: printable ASCII but for blanks and tspecials.
fn is_token(octet: u8) -> bool {
    octet.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Header;

    fn plain(body: &str) -> Option<ContentType> {
        let raw = format!("Content-Type:{body}\n");
        ContentType::plain(&Header(raw.as_bytes()).fields().next()?)
    }

    #[test]
    fn plainly_written_types_are_read() {
        for (body, essence, parameters) in [
            (" text/plain", "text/plain", &[][..]),
            (" TEXT/Plain; charset=utf-8", "text/plain", &[("charset", "utf-8")]),
            (" a/b;\n\tname=\"x; \\\"y\\\"\" ; c = d", "a/b", &[("name", "x; \"y\""), ("c", "d")]),
            (" a/b; name*0=x", "a/b", &[("name", "x")]),
            (" a/b; n*=utf-8''x", "a/b", &[("n", "utf-8''x")]),
        ] {
            let parameters = parameters.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
            assert_eq!(
                plain(body),
                Some(ContentType { essence: essence.to_owned(), parameters }),
                "{body:?}"
            );
        }
    }

    #[test]
    fn what_two_readers_might_read_differently_is_not_plain() {
        for body in [
            "",
            " text",
            " text/",
            " text/plain;",
            " text/plain; charset=utf-8;",
            " text/plain;; a=b",
            " text/plain (comment)",
            " text/plain; a=(x)b",
            " text/plain; a=b; A=c",
            " text/plain; name*0=a; name*1=b",
            " text/plain; name=a; name*=utf-8''b",
            " text/plain; a",
            " text/plain; a=",
            " text/plain; a=\"b",
            " text/plain; a=\"b\"c",
            " text/plain; a=b/c",
            " text/plain; a=caf\u{e9}",
            " text/plain; a=\"caf\u{e9}\"",
            " text /plain",
            " text/plain; *=x",
            " text/plain; *0=x",
            " text/plain; *0*=x",
            " text/plain; a*b=x",
            " text/plain; a*-1=x",
            " text/plain; a**=x",
            " text/plain; a=\"b\rc\"",
            " text/plain; a=\"b\n c\"",
        ] {
            assert_eq!(plain(body), None, "{body:?}");
        }
    }
}
