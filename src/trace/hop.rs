//! One Received field as a hop: who handed the message to whom, and how.

use mail_parser::DateTime;

use super::clauses::Clauses;
use super::formats::{self, Format};
use super::peer::Peer;
use super::tls::Tls;
use super::tokens::Doubt;

/// How a message came over a hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Under TLS: the field says so.
    Tls,
    /// In the clear: its writer states TLS when there is any, and states none.
    Plain,
    /// It never crossed a network.
    Local,
    /// A network hop that does not say, or a field that cannot be read.
    Unknown,
}

impl State {
    /// All of them.
    pub const ALL: [State; 4] = [State::Tls, State::Plain, State::Local, State::Unknown];

    /// Its name in reports and in the TLS-Audit field, for ever.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Tls => "tls",
            State::Plain => "plain",
            State::Local => "local",
            State::Unknown => "unknown",
        }
    }
}

/// What a field stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// From one host to another, or to itself.
    Hop,
    /// From a program on the host, in a field without a `by`: qmail's `(qmail 5 invoked by uid 9)`.
    Program,
    /// A remark that the field below tells of a network: qmail's `(qmail 5 invoked from network)`.
    Note,
    /// The recipient fetched it from a mailbox elsewhere (POP3, IMAP).
    Fetched,
}

/// A Received field that was read.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    /// How the message came.
    pub state: State,
    /// What the field stands for.
    pub passage: Passage,
    /// Why the field is not believed, if so; its state is then unknown.
    pub doubt: Option<Doubt>,
    /// What the field says of TLS; a local hop may have had it too. Empty for a field in doubt.
    pub tls: Tls<'a>,
    /// Whether the client gave a password or the like.
    pub authenticated: bool,
    /// Which software wrote it, when its form tells.
    pub software: Option<&'static str>,
    /// Who handed the message over.
    pub from: Peer<'a>,
    /// Who took it.
    pub by: Option<&'a [u8]>,
    /// The protocol, the first word behind `with`.
    pub with: Option<&'a [u8]>,
    /// The writer's name for the message.
    pub id: Option<&'a [u8]>,
    /// The recipient, as it stands behind `for`.
    pub recipient: Option<&'a [u8]>,
    /// When, as it was written.
    pub date: Option<&'a [u8]>,
}

impl<'a> Hop<'a> {
    /// Reads the body of a Received field, folds and all.
    pub fn read(body: &'a [u8]) -> Self {
        let mut clauses = Clauses::read(body);
        let peer = Peer::read(&clauses);
        if peer.is_none() {
            clauses.doubts(Doubt::TwoAddresses);
        }
        let peer = peer.unwrap_or_default();
        let format = formats::of(&clauses);
        Hop::written(&clauses, peer, format)
    }

    fn written(clauses: &Clauses<'a>, mut peer: Peer<'a>, format: &Format) -> Self {
        let with = clauses.with();
        // A field in doubt says nothing, not even in part.
        let tls = (format.tls)(clauses).filter(|_| clauses.doubt.is_none());
        let tls = tls.or_else(|| with.is_some_and(formats::says_tls).then(Tls::default));
        (format.peer)(clauses, &mut peer);
        let state = match (clauses.doubt, &tls) {
            (Some(_), _) => State::Unknown,
            (None, _) if (format.is_local)(clauses, &peer) => State::Local,
            (None, Some(tls)) if tls.is_null() => State::Plain,
            (None, Some(_)) => State::Tls,
            (None, None) => (format.silence)(clauses, &peer),
        };
        Hop {
            state,
            passage: (format.passage)(clauses),
            doubt: clauses.doubt,
            tls: tls.unwrap_or_default(),
            authenticated: formats::says_authenticated(clauses),
            software: (!format.software.is_empty()).then_some(format.software),
            from: peer,
            by: clauses.by(),
            with,
            id: clauses.id(),
            recipient: clauses.recipient(),
            date: clauses.date,
        }
    }

    /// When the message came, in seconds since 1970; none if the date is none.
    pub fn seconds(&self) -> Option<i64> {
        let text = std::str::from_utf8(self.date?.get(..80).or(self.date)?).ok()?;
        DateTime::parse_rfc822(text).filter(DateTime::is_valid).map(|date| date.to_timestamp())
    }
}
