//! Fields whose text somebody reads, with the tolerance of readers.

use mail_parser::DateTime;
use mail_parser::parsers::MessageStream;

use crate::message::Field;

/// The longest text that is read, in octets.
const LONGEST: usize = 64 * 1024;

/// The text of a field as readers show it: unfolded, encoded words read (RFC 2047), blanks at the ends off.
pub fn text(field: &Field) -> String {
    let mut line = field.unfolded();
    line.truncate(LONGEST);
    if !line.windows(2).any(|pair| pair == b"=?") {
        return String::from_utf8_lossy(&line).into_owned();
    }
    line.push(b'\n');
    let decoded = MessageStream::new(&line).parse_unstructured();
    decoded.as_text().map_or_else(|| String::from_utf8_lossy(&line).trim().to_owned(), str::to_owned)
}

/// The date-time of a Date field; None where it names none.
pub fn date(field: &Field) -> Option<DateTime> {
    let text = String::from_utf8(field.unfolded()).ok()?;
    DateTime::parse_rfc822(&(text + "\n")).filter(DateTime::is_valid)
}
