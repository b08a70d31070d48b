//! What a server answers (RFC 5321, 4.2; RFC 2034), and what it means to the mail.

use std::fmt;

use anyhow::{Error, Result, bail};

use super::super::dest::Protocol;
use crate::escape;
use crate::exit::Unavailable;

/// What the server's answers are about, for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    /// The first command.
    Hello(Protocol),
    Mail,
    Rcpt,
    Data,
    Text,
}

impl Stage {
    /// The first digit of the answer that goes on.
    fn success(self) -> u8 {
        if self == Stage::Data { b'3' } else { b'2' }
    }

    /// Whether a refusal concerns this message or its mailbox.
    fn is_transaction(self) -> bool {
        !matches!(self, Stage::Greeting | Stage::Hello(_))
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Stage::Greeting => "greeting",
            Stage::Hello(Protocol::Lmtp) => "LHLO",
            Stage::Hello(Protocol::Smtp) => "EHLO",
            Stage::Mail => "MAIL",
            Stage::Rcpt => "RCPT",
            Stage::Data => "DATA",
            Stage::Text => "message",
        })
    }
}

/// One answer, of one or more lines.
#[derive(Debug, Default)]
pub struct Reply {
    /// Its three digits, the same in each line.
    pub code: [u8; 3],
    /// The text of each line.
    pub lines: Vec<Vec<u8>>,
}

impl Reply {
    /// # Errors
    /// It is not the one that goes on: [`Unavailable`] if it is final.
    pub fn judge(&self, stage: Stage) -> Result<()> {
        let code = String::from_utf8_lossy(&self.code);
        match self.code[0] {
            first if first == stage.success() => Ok(()),
            b'5' if stage.is_transaction() => Err(Error::new(Unavailable(self.words_for_the_sender()))),
            _ => bail!("{stage}: the server answers {code} {}", escape::foreign(&self.words())),
        }
    }

    /// All its text in one line. Servers repeat the enhanced code in each line (RFC 2034, 4).
    fn words(&self) -> Vec<u8> {
        let mut lines = self.lines.iter();
        let mut words = lines.next().cloned().unwrap_or_default();
        let code = enhanced_code(&words).unwrap_or_default().to_vec();
        for line in lines {
            let rest = if code.is_empty() { None } else { line.strip_prefix(code.as_slice()) };
            words.push(b' ');
            words.extend_from_slice(rest.unwrap_or(line).trim_ascii());
        }
        words
    }

    /// What stands in the bounce. It has to begin with a permanent enhanced code, since Postfix believes
    /// that code more than the status.
    pub fn words_for_the_sender(&self) -> String {
        let words = self.words();
        let mut shown = escape::harmless(&words[..words.len().min(LONGEST_REFUSAL)]);
        shown.truncate(shown.floor_char_boundary(LONGEST_REFUSAL));
        match enhanced_code(&words) {
            Some(code) if code.starts_with(b"5.") => shown,
            _ => format!("5.0.0 {shown}"),
        }
    }
}

/// The longest text in a bounce: of more than 500 octets hosts show a part.
const LONGEST_REFUSAL: usize = 400;

/// The enhanced status code at the beginning (RFC 3463): class, subject, detail.
fn enhanced_code(text: &[u8]) -> Option<&[u8]> {
    let code = text.split(|octet| octet.is_ascii_whitespace()).next()?;
    let mut numbers = code.split(|octet| *octet == b'.');
    let is_class = numbers.next().is_some_and(|class| matches!(class, b"2" | b"4" | b"5"));
    let is_number = |number: &[u8]| matches!(number.len(), 1..=3) && number.iter().all(u8::is_ascii_digit);
    let is_code = is_class
        && numbers.next().is_some_and(is_number)
        && numbers.next().is_some_and(is_number)
        && numbers.next().is_none();
    is_code.then_some(code)
}

/// One line of an answer.
pub struct ReplyLine {
    /// Its three digits.
    pub code: [u8; 3],
    /// Whether no other line of the same answer follows.
    pub is_last: bool,
    /// What stands behind the code.
    pub text: Vec<u8>,
}

impl ReplyLine {
    /// `250-text` or `250 text`, or `250` alone (RFC 5321, 4.2).
    pub fn parse(line: &[u8]) -> Option<Self> {
        let line = line.trim_ascii_end();
        let (code, rest) = line.split_first_chunk::<3>()?;
        let is_code = matches!(code, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9']);
        let (is_last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return None,
        };
        is_code.then(|| ReplyLine { code: *code, is_last, text: text.to_vec() })
    }
}

/// The answer to the first command: a greeting, then one extension a line.
pub struct Offers(pub Reply);

impl Offers {
    /// Whether an extension is offered.
    pub fn has(&self, keyword: &str) -> bool {
        self.0.lines.iter().skip(1).any(|line| {
            let word = line.split(|octet| *octet == b' ').next().unwrap_or_default();
            word.eq_ignore_ascii_case(keyword.as_bytes())
        })
    }
}
