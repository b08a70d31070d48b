//! The text of a message as DATA carries it (RFC 5321, 4.5.2).

use anyhow::Result;

use crate::input::reserve;
use crate::message::{Lines, line_end};

/// The message as DATA carries it.
pub struct Text {
    /// Lines with CRLF, dots doubled, and the last dot.
    pub bytes: Vec<u8>,
    /// Without the added dots, as SIZE counts (RFC 1870, 3).
    pub size: usize,
}

impl Text {
    /// # Errors
    /// Memory is short.
    pub fn of(message: &[u8]) -> Result<Self> {
        let most = message.len() + 3 * Lines(message).count() + END.len();
        let mut bytes = Vec::new();
        reserve(&mut bytes, most)?;
        let mut dots = 0;
        for line in Lines(message) {
            if line.starts_with(b".") {
                bytes.push(b'.');
                dots += 1;
            }
            let content = &line[..line.len() - line_end(line).len()];
            let start = bytes.len();
            bytes.extend_from_slice(content);
            for octet in bytes[start..].iter_mut().filter(|octet| **octet == b'\r') {
                *octet = b' ';
            }
            bytes.extend_from_slice(b"\r\n");
        }
        let size = bytes.len() - dots;
        bytes.extend_from_slice(END);
        Ok(Text { bytes, size })
    }
}

/// The end of the text.
pub const END: &[u8] = b".\r\n";
