//! The clauses of a Received field (RFC 5321, 4.4): `from`, `by`, `via`, `with`, `id`, `for`, `tls`.
//!
//! What stands before `by` is about the client and partly its own words; only what stands behind is the
//! writer's. A second `by` or `with` means that a client's words pass for clauses, so the field is in doubt.

use std::ops::Range;

use super::tokens::{Doubt, Token, Tokens};

/// A field body, divided. Indices are those of tokens.
#[derive(Clone, Debug, Default)]
pub struct Clauses<'a> {
    tokens: Vec<Token<'a>>,
    /// Behind `from` and before `by`.
    from: Range<usize>,
    /// Behind `by` and before the first semicolon.
    by: Range<usize>,
    with: Option<usize>,
    id: Option<usize>,
    recipient: Option<usize>,
    via: Option<usize>,
    tls: Option<usize>,
    /// What stands behind the last semicolon.
    pub date: Option<&'a [u8]>,
    pub doubt: Option<Doubt>,
}

impl<'a> Clauses<'a> {
    /// Reads a field body, in linear time and bounded memory.
    pub fn read(body: &'a [u8]) -> Self {
        let Tokens { list, date, doubt } = Tokens::read(body);
        let mut clauses = Clauses { tokens: list, date, doubt, ..Clauses::default() };
        clauses.divide();
        clauses
    }

    fn divide(&mut self) {
        let head = self.tokens.iter().position(|token| *token == Token::Semicolon);
        let head = head.unwrap_or(self.tokens.len());
        self.from = 0..0;
        self.by = head..head;
        let mut has_from = false;
        let mut at = 0;
        while at < head {
            let keyword = self.word_at(at).and_then(Keyword::read);
            let has_by = self.by.start < head;
            at += 1;
            match keyword {
                // The word behind `from` is the client's own, whatever it is: `HELO by`.
                Some(Keyword::From) if !has_from && !has_by => {
                    has_from = true;
                    self.from = at..head;
                    at += usize::from(self.word_at(at).is_some());
                }
                Some(Keyword::By) if !has_by => {
                    self.from.end = at - 1;
                    self.by.start = at;
                    at += 1;
                }
                Some(keyword) if has_by => at += self.clause(keyword, at),
                _ => {}
            }
        }
        let is_clause = |token: &Token| matches!(token, Token::Word(word) if matches!(Keyword::read(word), Some(Keyword::By | Keyword::With)));
        if self.tokens[head..].iter().any(is_clause) {
            self.doubts(Doubt::BehindDate);
        }
    }

    /// Notes the clause whose value stands at `at`; the number of tokens it takes.
    fn clause(&mut self, keyword: Keyword, at: usize) -> usize {
        let value = self.word_at(at).unwrap_or_default();
        match keyword {
            // Exim: `id 1NC032-0000td-2v by authid <a@example> with cram_md5`
            Keyword::By if self.id.is_some() && value == b"authid" => {
                let has_mechanism = self.word_at(at + 2).and_then(Keyword::read) == Some(Keyword::With);
                return if has_mechanism { 4 } else { 2 };
            }
            // qmail-scanner: `by host by uid 502 with qmail-scanner-1.12`
            Keyword::By if value == b"uid" => {}
            Keyword::By => self.doubts(Doubt::TwoBy),
            Keyword::With => match self.with {
                None => self.with = Some(at),
                // Mimecast: `with ESMTP with STARTTLS`
                Some(with) if at == with + 2 && value == b"STARTTLS" => {}
                Some(_) => self.doubts(Doubt::TwoWith),
            },
            Keyword::Id => self.id = self.id.or(Some(at)),
            Keyword::For => self.recipient = self.recipient.or(Some(at)),
            Keyword::Via => self.via = self.via.or(Some(at)),
            Keyword::Tls => self.tls = self.tls.or(Some(at)),
            Keyword::From => {}
        }
        usize::from(!value.is_empty())
    }

    /// Of several doubts the first is named.
    pub fn doubts(&mut self, doubt: Doubt) {
        self.doubt.get_or_insert(doubt);
    }

    fn word_at(&self, at: usize) -> Option<&'a [u8]> {
        match self.tokens.get(at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// What stands before the first clause, as in `(qmail 5 invoked by uid 9)`.
    pub fn leading_comment(&self) -> Option<&'a [u8]> {
        match self.tokens.first() {
            Some(Token::Comment(text)) => Some(text),
            _ => None,
        }
    }

    /// The tokens behind `from` and before `by`.
    pub fn from(&self) -> &[Token<'a>] {
        &self.tokens[self.from.clone()]
    }

    /// The words behind `from`.
    pub fn client_words(&self) -> impl Iterator<Item = &'a [u8]> {
        words(self.from())
    }

    /// The comments behind `from` and before `by`.
    pub fn client_comments(&self) -> impl Iterator<Item = &'a [u8]> {
        comments(self.from())
    }

    /// The writer's remarks on the connection: the comments behind the last one that tells who the client is.
    /// Before that one they could be the client's own words.
    pub fn remarks(&self) -> impl Iterator<Item = &'a [u8]> {
        let is_peer = |token: &Token| matches!(token, Token::Comment(text) if !is_remark(text));
        let from = self.from();
        let start = from.iter().rposition(is_peer).map_or(from.len(), |at| at + 1);
        comments(&from[start..])
    }

    /// The name of the host that claims to have written the field.
    pub fn by(&self) -> Option<&'a [u8]> {
        self.word_at(self.by.start).filter(|_| !self.by.is_empty())
    }

    /// The comments of the writer.
    pub fn by_comments(&self) -> impl Iterator<Item = &'a [u8]> {
        comments(&self.tokens[self.by.clone()])
    }

    /// The words of the writer, keywords and the host's name included.
    pub fn by_words(&self) -> impl Iterator<Item = &'a [u8]> {
        words(&self.tokens[self.by.clone()])
    }

    /// The comments of the writer that stand before any address of the sender or a recipient.
    pub fn early_comments(&self) -> impl Iterator<Item = &'a [u8]> {
        let end = self.recipient.unwrap_or(self.by.end);
        comments(&self.tokens[self.by.start..end.max(self.by.start)])
            .take_while(|text| !begins(text, "envelope-"))
    }

    /// The first word behind `with`.
    pub fn with(&self) -> Option<&'a [u8]> {
        self.with_words().next()
    }

    /// The words behind `with`, up to the next clause. qpsmtpd writes a comment before the first.
    pub fn with_words(&self) -> impl Iterator<Item = &'a [u8]> {
        let start = self.with.unwrap_or(self.by.end);
        let is_comment = |token: &&Token| matches!(token, Token::Comment(_));
        let comment = usize::from(self.tokens.get(start).as_ref().is_some_and(is_comment));
        self.tokens[(start + comment).min(self.by.end)..self.by.end]
            .iter()
            .map_while(|token| match token {
                Token::Word(word) => Some(*word),
                _ => None,
            })
            .take_while(|word| Keyword::read(word).is_none())
    }

    /// Whether a `with` clause is followed by `with STARTTLS`.
    pub fn has_starttls(&self) -> bool {
        self.with.is_some_and(|with| {
            self.word_at(with + 1).and_then(Keyword::read) == Some(Keyword::With)
                && self.word_at(with + 2) == Some(b"STARTTLS")
        })
    }

    /// The word behind `id`.
    pub fn id(&self) -> Option<&'a [u8]> {
        self.word_at(self.id?)
    }

    /// The word behind `for`.
    pub fn recipient(&self) -> Option<&'a [u8]> {
        self.word_at(self.recipient?)
    }

    /// The word behind `via`.
    pub fn via(&self) -> Option<&'a [u8]> {
        self.word_at(self.via?)
    }

    /// The word behind `tls` (RFC 8314, 4.3).
    pub fn tls(&self) -> Option<&'a [u8]> {
        self.word_at(self.tls?)
    }

    /// The words behind the first semicolon.
    pub fn tail(&self) -> impl Iterator<Item = &'a [u8]> {
        words(&self.tokens[self.by.end..])
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keyword {
    From,
    By,
    Via,
    With,
    Id,
    For,
    Tls,
}

impl Keyword {
    fn read(word: &[u8]) -> Option<Self> {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        // Most words are longer than any of these.
        match word.len() {
            2 if is("by") => Some(Keyword::By),
            2 if is("id") => Some(Keyword::Id),
            3 if is("for") => Some(Keyword::For),
            3 if is("via") => Some(Keyword::Via),
            3 if is("tls") => Some(Keyword::Tls),
            4 if is("from") => Some(Keyword::From),
            4 if is("with") => Some(Keyword::With),
            _ => None,
        }
    }
}

/// Comments of the writer that tell of the connection, not of the client's name and address.
pub fn is_remark(comment: &[u8]) -> bool {
    let starts =
        ["using ", "TLS:", "Client ", "No client ", "Authenticated sender", "authenticated ", "verified"];
    starts.iter().any(|start| begins(comment, start))
}

fn words<'a>(tokens: &[Token<'a>]) -> impl Iterator<Item = &'a [u8]> {
    tokens.iter().filter_map(|token| match token {
        Token::Word(word) => Some(*word),
        _ => None,
    })
}

fn comments<'a>(tokens: &[Token<'a>]) -> impl Iterator<Item = &'a [u8]> {
    tokens.iter().filter_map(|token| match token {
        Token::Comment(text) => Some(*text),
        _ => None,
    })
}

/// Whether `text` begins with `start`, whatever the letters' case.
pub fn begins(text: &[u8], start: &str) -> bool {
    text.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start.as_bytes()))
}
