//! Foreign bytes made safe to show: on a terminal, in a log, in a bounce.
//!
//! What comes from a sender may hold escape sequences that drive a terminal, line breaks that forge a
//! log line, and bidirectional controls that turn a file name round. None of it leaves this crate raw.

use std::fmt::Write;

/// The longest piece of foreign text in a report, in characters.
const LONGEST: usize = 80;

/// `bytes` as one line of harmless text, cut at 80 characters.
///
/// UTF-8 passes; C0, C1, DEL, bidirectional and zero-width controls and octets that are no UTF-8 become
/// `\x1b` or `\u{202e}`, a backslash is doubled.
pub fn foreign(bytes: &[u8]) -> String {
    // Four octets a character at most: what is cut off anyway is not looked at.
    cut(&harmless(&bytes[..bytes.len().min(4 * LONGEST + 4)]))
}

/// `bytes` as harmless text of whatever length: for a report that a program reads (JSON).
pub fn harmless(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => shown.push_str("\\\\"),
                c if c.is_ascii_control() => {
                    let _ = write!(shown, "\\x{:02x}", c as u32);
                }
                c if c.is_control() || steers_the_line(c) => {
                    let _ = write!(shown, "\\u{{{:x}}}", c as u32);
                }
                c => shown.push(c),
            }
        }
        for octet in chunk.invalid() {
            let _ = write!(shown, "\\x{octet:02x}");
        }
    }
    shown
}

/// Characters that a terminal does not show but obeys: bidirectional and zero-width controls, line and
/// paragraph separators, the byte order mark.
fn steers_the_line(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_drive_a_terminal() {
        for (name, raw, shown) in [
            ("plain text", &b"report.pdf"[..], "report.pdf"),
            ("an escape sequence", b"\x1b[2Jgone", "\\x1b[2Jgone"),
            ("a line break", b"a\r\nDec 1 forged", "a\\x0d\\x0aDec 1 forged"),
            ("a right-to-left override", "a\u{202e}fdp.exe".as_bytes(), "a\\u{202e}fdp.exe"),
            ("a C1 control", "\u{9b}31m".as_bytes(), "\\u{9b}31m"),
            ("octets that are no UTF-8", b"caf\xe9", "caf\\xe9"),
            ("a backslash", b"a\\x1b", "a\\\\x1b"),
            ("DEL and NUL", b"\x7f\0", "\\x7f\\x00"),
        ] {
            assert_eq!(foreign(raw), shown, "{name}");
        }
    }

    #[test]
    fn long_foreign_text_is_cut() {
        assert_eq!(foreign(&[b'x'; 1000]), "x".repeat(80) + "...");
        assert_eq!(foreign(&[b'x'; 80]), "x".repeat(80));
    }
}
