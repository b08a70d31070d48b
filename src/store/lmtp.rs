//! Hands a message to the LMTP server of a mail store (RFC 2033): one recipient, one answer.
//!
//! The answer to the last dot is the store's word that it has the message; only that word is success. An
//! answer of 5yz to the transaction itself is final (status 69). One to the greeting or to LHLO says
//! nothing about the mailbox: this is no LMTP server, an administrator can mend that, so the mail waits.
//!
//! DATA carries lines that end in CRLF, so a message without a last line end gets one. A CR alone cannot
//! pass (RFC 5321, 2.3.8): a server that takes it for a line end would see a dot behind it as the end and
//! what follows as commands, and made into CRLF it would forge header fields. It becomes a blank, as
//! Postfix has it. NUL and octets above 127 pass as they are, whatever the server offers.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use rustix::event::PollFlags;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, addr::SocketAddrArg,
    connect, recv, send, socket_with, sockopt,
};

use super::dest::Server;
use crate::address::Address;
use crate::deadline::Deadline;
use crate::escape;
use crate::exit::Unavailable;
use crate::input::reserve;
use crate::message::{Lines, line_end};

/// How long one step may take. RFC 5321, 4.5.3.2 asks for 2 to 5 minutes, which together is more than
/// OpenSMTPD gives a whole delivery.
const STEP: Duration = Duration::from_secs(60);

/// How long the answer to the last dot may take; the delivery's own deadline cuts it.
const FINAL: Duration = Duration::from_secs(240);

/// The longest line of an answer: 512 octets say RFC 5321, 4.5.3.1.5, and servers exceed it.
const LONGEST_LINE: usize = 4096;

/// The most lines of one answer.
const MOST_LINES: usize = 100;

/// A message and its envelope.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// None is the null sender.
    pub sender: Option<&'a Address>,
    pub recipient: &'a Address,
    pub message: &'a [u8],
}

/// Hands `letter` to `server`.
///
/// # Errors
/// [`Unavailable`] if the server refuses for good. Anything else: it cannot be reached, refuses for now,
/// breaks the protocol or takes too long; it may have stored the message only if the last answer is what
/// is missing.
pub fn deliver(server: &Server, letter: Letter, deadline: &Deadline) -> Result<()> {
    let socket = reach(server, deadline).with_context(|| server.to_string())?;
    let mut session = Session { socket, unread: Vec::new(), step: *deadline, deadline };
    let done = session.transact(letter);
    match done {
        // These words go to the sender, who has no use for the place of a socket.
        Err(error) if error.is::<Unavailable>() => Err(error),
        done => done.with_context(|| server.to_string()),
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Server::Unix(path) => write!(f, "lmtp:unix:{}", path.display()),
            Server::Tcp(host, port) if host.contains(':') => write!(f, "lmtp:[{host}]:{port}"),
            Server::Tcp(host, port) => write!(f, "lmtp:{host}:{port}"),
        }
    }
}

fn reach(server: &Server, deadline: &Deadline) -> Result<OwnedFd> {
    match server {
        Server::Unix(path) => connected(AddressFamily::UNIX, &SocketAddrUnix::new(path.as_path())?, deadline),
        Server::Tcp(host, port) => {
            let mut last = anyhow!("has no address");
            for address in (host.as_str(), *port).to_socket_addrs()? {
                let family = match address {
                    SocketAddr::V4(_) => AddressFamily::INET,
                    SocketAddr::V6(_) => AddressFamily::INET6,
                };
                match connected(family, &address, deadline) {
                    Ok(socket) => return Ok(socket),
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
    }
}

fn connected(family: AddressFamily, address: &impl SocketAddrArg, deadline: &Deadline) -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    match connect(&socket, address) {
        Err(Errno::INPROGRESS | Errno::INTR) => {
            wait(&socket, PollFlags::OUT, &Deadline::after(STEP.min(deadline.left())))?;
            sockopt::socket_error(&socket)??;
        }
        // A UNIX socket whose queue is full (connect(2)).
        Err(Errno::AGAIN) => bail!("is too busy to answer"),
        other => other?,
    }
    Ok(socket)
}

/// What the server's answers are about, for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    Lhlo,
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
        !matches!(self, Stage::Greeting | Stage::Lhlo)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Stage::Greeting => "greeting",
            Stage::Lhlo => "LHLO",
            Stage::Mail => "MAIL",
            Stage::Rcpt => "RCPT",
            Stage::Data => "DATA",
            Stage::Text => "message",
        })
    }
}

/// One connection.
struct Session<'a> {
    socket: OwnedFd,
    /// What was received and is not yet looked at.
    unread: Vec<u8>,
    /// The end of the step that runs.
    step: Deadline,
    deadline: &'a Deadline,
}

impl Session<'_> {
    fn transact(&mut self, letter: Letter) -> Result<()> {
        let text = Text::of(letter.message)?;
        self.begin(STEP);
        self.answer(Stage::Greeting)?;
        let offers = Offers(self.command(Stage::Lhlo, &format!("LHLO {}", own_name()))?);
        self.command(Stage::Mail, &mail_command(letter, &offers, &text)?)?;
        self.command(Stage::Rcpt, &format!("RCPT TO:<{}>", letter.recipient))?;
        self.command(Stage::Data, "DATA")?;
        self.begin(STEP);
        self.send(&text.bytes).with_context(|| Stage::Text.to_string())?;
        self.begin(FINAL);
        self.answer(Stage::Text)?;
        // The store has it; whether it also says goodbye changes nothing.
        let _ = send(&self.socket, b"QUIT\r\n", SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
        Ok(())
    }

    fn begin(&mut self, limit: Duration) {
        self.step = Deadline::after(limit.min(self.deadline.left()));
    }

    fn command(&mut self, stage: Stage, line: &str) -> Result<Reply> {
        self.begin(STEP);
        self.send(format!("{line}\r\n").as_bytes()).with_context(|| stage.to_string())?;
        self.answer(stage)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            self.wait(PollFlags::OUT)?;
            match send(&self.socket, rest, SendFlags::NOSIGNAL) {
                Ok(sent) => {
                    rest = &rest[sent..];
                    // A large message may take longer than one step, as long as it goes on.
                    self.begin(STEP);
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(errno).context("the connection broke"),
            }
        }
        Ok(())
    }

    /// Reads the answer, and judges it.
    fn answer(&mut self, stage: Stage) -> Result<Reply> {
        let reply = self.reply().with_context(|| match stage {
            Stage::Text => "the message may come twice".to_owned(),
            stage => stage.to_string(),
        })?;
        reply.judge(stage)?;
        Ok(reply)
    }

    fn reply(&mut self) -> Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let line = ReplyLine::parse(&self.line()?).context("the answer is not one of LMTP")?;
            let is_last = line.is_last;
            lines.push(line);
            if is_last {
                break;
            }
            ensure!(lines.len() < MOST_LINES, "the answer has more than {MOST_LINES} lines");
        }
        let code = lines[0].code;
        ensure!(lines.iter().all(|line| line.code == code), "the answer has two codes");
        Ok(Reply { code, lines: lines.into_iter().map(|line| line.text).collect() })
    }

    fn line(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(end) = self.unread.iter().position(|octet| *octet == b'\n') {
                let rest = self.unread.split_off(end + 1);
                return Ok(std::mem::replace(&mut self.unread, rest));
            }
            ensure!(self.unread.len() < LONGEST_LINE, "the answer has a line without end");
            self.wait(PollFlags::IN)?;
            let mut octets = [0; LONGEST_LINE];
            match recv(&self.socket, &mut octets, RecvFlags::empty()) {
                Ok((0, _)) => bail!("the server hung up"),
                Ok((length, _)) => self.unread.extend_from_slice(&octets[..length]),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(errno).context("the connection broke"),
            }
        }
    }

    fn wait(&self, events: PollFlags) -> Result<()> {
        wait(&self.socket, events, &self.step)
    }
}

fn wait(socket: &OwnedFd, events: PollFlags, step: &Deadline) -> Result<()> {
    match step.wait(socket, events) {
        Err(_) if step.left().is_zero() => bail!("the server does not answer in time"),
        waited => waited,
    }
}

/// One answer, of one or more lines.
#[derive(Debug, PartialEq, Eq)]
struct Reply {
    code: [u8; 3],
    lines: Vec<Vec<u8>>,
}

impl Reply {
    fn judge(&self, stage: Stage) -> Result<()> {
        let code = String::from_utf8_lossy(&self.code);
        match self.code[0] {
            first if first == stage.success() => Ok(()),
            b'5' if stage.is_transaction() => Err(Error::new(Unavailable(self.words_for_the_sender()))),
            _ => bail!("{stage}: the server answers {code} {}", escape::foreign(&self.words())),
        }
    }

    /// All its text in one line. Servers repeat the enhanced code in each line (RFC 2034, 4).
    fn words(&self) -> Vec<u8> {
        let mut words = self.lines[0].clone();
        let code = enhanced_code(&words).unwrap_or_default().to_vec();
        for line in &self.lines[1..] {
            let rest = if code.is_empty() { None } else { line.strip_prefix(code.as_slice()) };
            words.push(b' ');
            words.extend_from_slice(rest.unwrap_or(line).trim_ascii());
        }
        words
    }

    /// What stands in the bounce. It has to begin with a permanent enhanced code, since Postfix believes
    /// that code more than the status.
    fn words_for_the_sender(&self) -> String {
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
struct ReplyLine {
    code: [u8; 3],
    is_last: bool,
    text: Vec<u8>,
}

impl ReplyLine {
    /// `250-text` or `250 text`, or `250` alone (RFC 5321, 4.2).
    fn parse(line: &[u8]) -> Option<Self> {
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

/// The answer to LHLO: a greeting, then one extension a line.
struct Offers(Reply);

impl Offers {
    fn has(&self, keyword: &str) -> bool {
        self.0.lines.iter().skip(1).any(|line| {
            let word = line.split(|octet| *octet == b' ').next().unwrap_or_default();
            word.eq_ignore_ascii_case(keyword.as_bytes())
        })
    }
}

fn mail_command(letter: Letter, offers: &Offers, text: &Text) -> Result<String> {
    let sender = letter.sender.map_or("", Address::as_str);
    let mut command = format!("MAIL FROM:<{sender}>");
    if offers.has("SIZE") {
        command += &format!(" SIZE={}", text.size);
    }
    if offers.has("8BITMIME") && !letter.message.is_ascii() {
        command += " BODY=8BITMIME";
    }
    if !sender.is_ascii() || !letter.recipient.as_str().is_ascii() {
        ensure!(offers.has("SMTPUTF8"), "the server takes no address beyond ASCII (SMTPUTF8)");
        command += " SMTPUTF8";
    }
    Ok(command)
}

/// The name behind LHLO.
fn own_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let is_domain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if !name.is_empty() && name.chars().all(is_domain) { name } else { "localhost".to_owned() }
}

/// The message as DATA carries it.
struct Text {
    /// Lines with CRLF, dots doubled, and the last dot.
    bytes: Vec<u8>,
    /// Without the added dots, as SIZE counts (RFC 1870, 3).
    size: usize,
}

impl Text {
    fn of(message: &[u8]) -> Result<Self> {
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
const END: &[u8] = b".\r\n";

#[cfg(test)]
mod tests;
