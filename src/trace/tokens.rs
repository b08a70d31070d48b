//! A Received field as words and comments (RFC 5322, 3.2.2 and 3.2.4).
//!
//! What a client says (HELO, ident, envelope addresses) stands in the same line as what the host saw, and
//! not every host quotes it. So whatever could make the client's words pass for the host's is a named doubt,
//! and a field in doubt is evidence of nothing.

/// More than any host writes; the distinguished names of certificates are the longest that are met.
const MOST: usize = 200;

/// Why a field is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A comment or a quoted string never ends, or a comment ends that never began.
    Unbalanced,
    /// A comment begins or ends inside a quoted string or angle brackets, as a quoted local part can do.
    Torn,
    /// A comment or a quoted string names a protocol: it hides what the host wrote.
    Hidden,
    /// More words than any host writes.
    TooLong,
    /// Two `by` clauses.
    TwoBy,
    /// Two `with` clauses.
    TwoWith,
    /// Clauses behind the date.
    BehindDate,
    /// Several addresses of the client, which differ.
    TwoAddresses,
}

impl Doubt {
    /// Its name in reports, for ever.
    pub fn name(self) -> &'static str {
        match self {
            Doubt::Unbalanced => "unbalanced",
            Doubt::Torn => "torn",
            Doubt::Hidden => "hidden",
            Doubt::TooLong => "too-long",
            Doubt::TwoBy => "two-by",
            Doubt::TwoWith => "two-with",
            Doubt::BehindDate => "behind-date",
            Doubt::TwoAddresses => "two-addresses",
        }
    }
}

/// A word, a comment, or the semicolon before the date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Octets without blanks; quoted strings in it are whole, quotes included.
    Word(&'a [u8]),
    /// The text between the parentheses, inner comments included.
    Comment(&'a [u8]),
    Semicolon,
}

/// All tokens of a field body.
#[derive(Clone, Debug, Default)]
pub struct Tokens<'a> {
    pub list: Vec<Token<'a>>,
    /// What stands behind the last semicolon.
    pub date: Option<&'a [u8]>,
    pub doubt: Option<Doubt>,
}

impl<'a> Tokens<'a> {
    /// One pass over the octets; folds count as blanks, and so does a bare CR.
    pub fn read(body: &'a [u8]) -> Self {
        let mut tokens = Tokens { list: Vec::with_capacity(24), date: None, doubt: None };
        let mut rest = body;
        loop {
            rest = rest.trim_ascii_start();
            let Some(first) = rest.first() else { return tokens };
            if tokens.list.len() == MOST {
                tokens.doubts(Doubt::TooLong);
                return tokens;
            }
            let length = match first {
                b'(' => tokens.comment(rest),
                b')' => {
                    tokens.doubts(Doubt::Unbalanced);
                    1
                }
                b';' => {
                    tokens.list.push(Token::Semicolon);
                    tokens.date = Some(rest[1..].trim_ascii());
                    1
                }
                _ => tokens.word(rest),
            };
            rest = &rest[length..];
        }
    }

    /// Of several doubts the first is named.
    fn doubts(&mut self, doubt: Doubt) {
        self.doubt.get_or_insert(doubt);
    }

    fn comment(&mut self, rest: &'a [u8]) -> usize {
        let mut depth = 0_usize;
        let mut open_quote = false;
        let mut brackets = 0_isize;
        let mut octets = rest.iter().enumerate();
        while let Some((at, octet)) = octets.next() {
            match octet {
                b'\\' => drop(octets.next()),
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'"' => open_quote = !open_quote,
                b'<' => brackets += 1,
                b'>' => brackets -= 1,
                _ => {}
            }
            if depth == 0 {
                let text = &rest[1..at];
                if open_quote || brackets != 0 {
                    self.doubts(Doubt::Torn);
                }
                self.hides(text);
                self.list.push(Token::Comment(text));
                return at + 1;
            }
        }
        self.doubts(Doubt::Unbalanced);
        rest.len()
    }

    fn word(&mut self, rest: &'a [u8]) -> usize {
        let mut is_quoted = false;
        let mut octets = rest.iter().enumerate();
        let mut end = rest.len();
        while let Some((at, octet)) = octets.next() {
            match octet {
                b'\\' if is_quoted => drop(octets.next()),
                b'"' => is_quoted = !is_quoted,
                b'(' | b')' | b';' if !is_quoted => end = at,
                octet if octet.is_ascii_whitespace() && !is_quoted => end = at,
                _ => {}
            }
            if end < rest.len() {
                break;
            }
        }
        if is_quoted {
            self.doubts(Doubt::Unbalanced);
        }
        let word = &rest[..end];
        if word.contains(&b'"') {
            self.hides(word);
        }
        self.list.push(Token::Word(word));
        end
    }

    fn hides(&mut self, text: &[u8]) {
        let follows_with = |at: usize| words(&text[at + 4..]).next().is_some_and(is_protocol);
        if memchr::memmem::find_iter(text, b"with").any(follows_with) {
            self.doubts(Doubt::Hidden);
        }
    }
}

/// The words of a comment: what stands between blanks and parentheses.
pub fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|octet| octet.is_ascii_whitespace() || matches!(octet, b'(' | b')'))
        .filter(|word| !word.is_empty())
}

/// Whether `word` is what hosts write behind `with`: RFC 3848, RFC 6531, and what is met besides.
pub fn is_protocol(word: &[u8]) -> bool {
    let begins =
        |with: &str| word.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()));
    ["smtp", "esmtp", "lmtp", "utf8", "local", "http", "microsoft", "mapi", "pop3", "imap", "bsmtp", "qmqp"]
        .iter()
        .any(|name| begins(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> String {
        let tokens = Tokens::read(body.as_bytes());
        let shown = tokens.list.iter().map(|token| match token {
            Token::Word(word) => word.escape_ascii().to_string(),
            Token::Comment(text) => format!("({})", text.escape_ascii()),
            Token::Semicolon => ";".to_owned(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_field_is_words_and_comments() {
        for (name, body, tokens) in [
            ("folds are blanks", "from a\r\n\tby b\n ; x", "from a by b ; x"),
            ("no blank before a comment", "from a([192.0.2.1])by b", "from a ([192.0.2.1]) by b"),
            ("nested", "(a (b \\) c) d) e", "(a (b \\\\) c) d) e"),
            ("quoted", "for <\"a b;(\"@c> d", "for <\\\"a b;(\\\"@c> d"),
            ("nothing", " \r\n", ""),
        ] {
            assert_eq!(read(body), tokens, "{name}");
        }
    }

    #[test]
    fn whatever_could_hide_the_hosts_words_is_in_doubt() {
        for (body, doubt) in [
            ("from a (b [192.0.2.1]) by c with ESMTP", None),
            ("from a (using TLSv1.3 with cipher X) by c", None),
            ("from a ( (b) by c", Some(Doubt::Unbalanced)),
            ("from a) by c", Some(Doubt::Unbalanced)),
            ("from \" by c", Some(Doubt::Unbalanced)),
            ("by c (envelope-from <\"a) with ESMTPS (\"@b>)", Some(Doubt::Torn)),
            ("by c (by d with esmtp id 1)", Some(Doubt::Hidden)),
            ("by c for <\"x with ESMTP y\"@z>", Some(Doubt::Hidden)),
        ] {
            assert_eq!(Tokens::read(body.as_bytes()).doubt, doubt, "{body}");
        }
        let long = "a ".repeat(1_000_000);
        assert_eq!(Tokens::read(long.as_bytes()).doubt, Some(Doubt::TooLong));
        assert_eq!(Tokens::read(&[b'('; 1 << 20]).doubt, Some(Doubt::Unbalanced));
        assert_eq!(Tokens::read(&[b'"'; 1 << 20]).doubt, None);
    }

    #[test]
    fn the_date_stands_behind_the_last_semicolon() {
        let tokens = Tokens::read(b"by b; (5.65) id 1; Wed, 19 Jun 1996 18:11:27 +0200\n");
        assert_eq!(tokens.date, Some(&b"Wed, 19 Jun 1996 18:11:27 +0200"[..]));
    }
}
