//! `[no TLS] ` before a Subject: octets as they are, with the encoded words of RFC 2047 left whole.

use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::message::{Field, Lines, line_end};
use crate::mime;

/// A line with an encoded word in it has at most this many characters (RFC 2047, 2).
const LINE: usize = 76;

/// The longest prefix, so that one encoded word holds it.
const LONGEST: usize = 40;

/// What a Subject begins with when its message came in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Default for Prefix {
    fn default() -> Self {
        Prefix("[no TLS]".to_owned())
    }
}

impl Prefix {
    /// # Errors
    /// Nothing can be read of it, or it is too long, or it holds characters that steer a terminal.
    pub fn parse(typed: &str) -> Result<Self> {
        let text = typed.trim();
        let is_good = !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
        ensure!(is_good, "--prefix: give 1 to {LONGEST} octets of text");
        Ok(Prefix(text.to_owned()))
    }

    /// Appends a Subject of its own.
    pub fn be_subject(&self, eol: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"Subject: ");
        out.extend_from_slice(self.word(b"").as_bytes());
        out.extend_from_slice(eol);
    }

    /// Appends the Subject with the prefix before its text, once.
    pub fn put_before(&self, subject: &Field, eol: &[u8], out: &mut Vec<u8>) {
        let unfolded = subject.unfolded();
        if self.begins(subject, &unfolded) {
            return out.extend_from_slice(subject.raw);
        }
        let body = subject.body();
        let first = Lines(body).next().unwrap_or_default();
        let text = first[..first.len() - line_end(first).len()].trim_ascii();
        let name = &subject.raw[..subject.raw.len() - body.len()];
        let word = self.word(&unfolded);
        out.extend_from_slice(name);
        out.push(b' ');
        out.extend_from_slice(word.as_bytes());
        if !text.is_empty() {
            let fits = name.len() + word.len() + text.len() + 2 <= LINE;
            out.extend_from_slice(if fits { b"" } else { eol });
            out.push(b' ');
        }
        // Behind the blanks after the colon, all is as it came.
        let blanks = first.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        out.extend_from_slice(&body[blanks..]);
    }

    /// As it is written before `text`. Blanks between two encoded words are not shown (RFC 2047, 6.2), so an
    /// encoded prefix has its own in itself.
    fn word(&self, text: &[u8]) -> String {
        if self.0.is_ascii() && !self.0.contains("=?") {
            return self.0.clone();
        }
        let blank = if text.starts_with(b"=?") { " " } else { "" };
        format!("=?UTF-8?B?{}?=", STANDARD.encode(format!("{}{blank}", self.0)))
    }

    fn begins(&self, subject: &Field, unfolded: &[u8]) -> bool {
        unfolded.starts_with(self.0.as_bytes())
            || unfolded.starts_with(b"=?") && mime::text(subject).starts_with(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Header;

    fn prefixed(prefix: &str, subject: &str) -> String {
        let prefix = Prefix::parse(prefix).unwrap();
        let field = Header(subject.as_bytes()).fields().next().unwrap();
        let mut out = Vec::new();
        prefix.put_before(&field, b"\n", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_prefix_stands_before_whatever_the_subject_is() {
        let long = "x".repeat(60);
        for (name, subject, expected) in [
            ("plain", "Subject: Lunch\n", "Subject: [no TLS] Lunch\n".to_owned()),
            ("no blank", "subject:Lunch\n", "subject: [no TLS] Lunch\n".to_owned()),
            ("blanks", "Subject : \t Lunch \n", "Subject : [no TLS] Lunch \n".to_owned()),
            (
                "encoded",
                "Subject: =?utf-8?q?M=C3=BCsli?=\n",
                "Subject: [no TLS] =?utf-8?q?M=C3=BCsli?=\n".to_owned(),
            ),
            ("raw", "Subject: M\u{fc}sli\n", "Subject: [no TLS] M\u{fc}sli\n".to_owned()),
            ("folded", "Subject: a\n b\n", "Subject: [no TLS] a\n b\n".to_owned()),
            (
                "folded at once",
                "Subject:\n =?utf-8?q?b?=\n",
                "Subject: [no TLS]\n =?utf-8?q?b?=\n".to_owned(),
            ),
            ("empty", "Subject:\n", "Subject: [no TLS]\n".to_owned()),
            ("blank", "Subject: \n", "Subject: [no TLS]\n".to_owned()),
            ("long", &format!("Subject: {long}\n"), format!("Subject: [no TLS]\n {long}\n")),
            ("no line end", "Subject: a", "Subject: [no TLS] a".to_owned()),
        ] {
            assert_eq!(prefixed("[no TLS] ", subject), expected, "{name}");
        }
    }

    #[test]
    fn a_prefix_that_is_there_is_not_repeated() {
        for subject in [
            "Subject: [no TLS] Lunch\n",
            "Subject:\n [no TLS] Lunch\n",
            // Python's email.header.Header("[no TLS] Müsli", "utf-8")
            "Subject: =?utf-8?q?=5Bno_TLS=5D_M=C3=BCsli?=\n",
            "Subject: =?utf-8?b?W25vIFRMU10gTcO8c2xp?=\n",
        ] {
            assert_eq!(prefixed("[no TLS]", subject), subject);
        }
        assert_eq!(prefixed("[no TLS]", "Subject: Re: [no TLS] a\n"), "Subject: [no TLS] Re: [no TLS] a\n");
    }

    #[test]
    fn a_prefix_beyond_ascii_is_an_encoded_word() {
        // base64 by coreutils
        assert_eq!(prefixed("\u{26a0}", "Subject: a\n"), "Subject: =?UTF-8?B?4pqg?= a\n");
        assert_eq!(
            prefixed("\u{26a0}", "Subject: =?utf-8?q?b?=\n"),
            "Subject: =?UTF-8?B?4pqgIA==?= =?utf-8?q?b?=\n"
        );
    }

    #[test]
    fn what_could_forge_a_line_is_no_prefix() {
        for typed in ["", "  ", "a\nBcc: x", "a\rb", "\u{1b}[2J", &"x".repeat(41)] {
            assert!(Prefix::parse(typed).is_err(), "{typed:?}");
        }
    }
}
