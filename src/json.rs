//! JSON, as much of it as a report needs (RFC 8259).

use std::fmt::Write;

use crate::escape;

/// `bytes` as a JSON string, quotes included: harmless like all foreign text here, so a terminal that
/// shows the report obeys nothing in it.
pub fn string(bytes: &[u8]) -> String {
    let mut quoted = String::from('"');
    for c in escape::harmless(bytes).chars() {
        match c {
            '"' | '\\' => {
                let _ = write!(quoted, "\\{c}");
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A value that is JSON already, or null.
pub fn or_null(value: Option<String>) -> String {
    value.unwrap_or_else(|| "null".to_owned())
}

/// Values that are JSON already, as an array.
pub fn array(values: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", values.into_iter().collect::<Vec<_>>().join(","))
}

/// Names and values that are JSON already, as an object.
pub fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("{}:{value}", string(name.as_bytes()))).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_inside_its_string() {
        for (name, raw, quoted) in [
            ("plain", &b"a.csv"[..], r#""a.csv""#),
            ("quotes", b"\",\"encrypted\":true,\"", r#""\",\"encrypted\":true,\"""#),
            ("a line break", b"a\nb", r#""a\\x0ab""#),
            ("a backslash", b"a\\", r#""a\\\\""#),
            ("octets that are no UTF-8", b"\xe9", r#""\\xe9""#),
        ] {
            assert_eq!(string(raw), quoted, "{name}");
        }
    }
}
