//! Hands a message to a mail store by LMTP (RFC 2033) or to a mail host by SMTP (RFC 5321): one recipient,
//! and so one answer.
//!
//! With one recipient the two differ in the first command alone. The answer to the last dot is the server's
//! word that it has the message; only that word is success. An answer of 5yz to the transaction itself is
//! final (status 69). One to the greeting or to the first command says nothing about the mailbox: this is
//! the wrong server, an administrator can mend that, so the mail waits.
//!
//! DATA carries lines that end in CRLF, so a message without a last line end gets one. A CR alone cannot
//! pass (RFC 5321, 2.3.8): a server that takes it for a line end would see a dot behind it as the end and
//! what follows as commands, and made into CRLF it would forge header fields. It becomes a blank, as
//! Postfix has it. NUL and octets above 127 pass as they are, whatever the server offers.

mod reply;
mod text;

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::event::PollFlags;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, addr::SocketAddrArg,
    connect, recv, send, socket_with, sockopt,
};

use self::reply::{Offers, Reply, ReplyLine, Stage};
use self::text::Text;
use super::dest::{Protocol, Server, Socket};
use crate::address::Address;
use crate::deadline::Deadline;
use crate::exit::Unavailable;

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
    let done = session.transact(server.protocol, letter);
    match done {
        // These words go to the sender, who has no use for the place of a socket.
        Err(error) if error.is::<Unavailable>() => Err(error),
        done => done.with_context(|| server.to_string()),
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.socket {
            Socket::Unix(path) => write!(f, "{}:unix:{}", self.protocol, path.display()),
            Socket::Tcp(host, port) if host.contains(':') => write!(f, "{}:[{host}]:{port}", self.protocol),
            Socket::Tcp(host, port) => write!(f, "{}:{host}:{port}", self.protocol),
        }
    }
}

fn reach(server: &Server, deadline: &Deadline) -> Result<OwnedFd> {
    match &server.socket {
        Socket::Unix(path) => connected(AddressFamily::UNIX, &SocketAddrUnix::new(path.as_path())?, deadline),
        Socket::Tcp(host, port) => {
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
    fn transact(&mut self, protocol: Protocol, letter: Letter) -> Result<()> {
        let text = Text::of(letter.message)?;
        self.begin(STEP);
        self.answer(Stage::Greeting)?;
        let hello = Stage::Hello(protocol);
        let offers = Offers(self.command(hello, &format!("{hello} {}", own_name()))?);
        self.command(Stage::Mail, &mail_command(letter, &offers, &text)?)?;
        self.command(Stage::Rcpt, &format!("RCPT TO:<{}>", letter.recipient))?;
        self.command(Stage::Data, "DATA")?;
        self.begin(STEP);
        self.text(&text).with_context(|| Stage::Text.to_string())?;
        self.begin(FINAL);
        self.answer(Stage::Text)?;
        // The server has it; whether it also says goodbye changes nothing.
        let _ = send(&self.socket, b"QUIT\r\n", SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
        Ok(())
    }

    fn begin(&mut self, limit: Duration) {
        self.step = Deadline::after(limit.min(self.deadline.left()));
    }

    fn command(&mut self, stage: Stage, line: &str) -> Result<Reply> {
        self.begin(STEP);
        self.hear_nothing()
            .and_then(|()| self.send(format!("{line}\r\n").as_bytes(), SendFlags::empty()))
            .with_context(|| stage.to_string())?;
        self.answer(stage)
    }

    /// What came while the text was sent is no answer to its last dot.
    fn text(&mut self, text: &Text) -> Result<()> {
        let (lines, end) = text.bytes.split_at(text.bytes.len() - text::END.len());
        self.hear_nothing()?;
        // Held back, so that the end does not travel alone and wait for an acknowledgement.
        self.send(lines, SendFlags::MORE)?;
        self.hear_nothing()?;
        self.send(end, SendFlags::empty())
    }

    /// An answer that came before its question would be taken for that to the last dot, in the end.
    fn hear_nothing(&self) -> Result<()> {
        let mut octet = [0];
        let heard = recv(&self.socket, &mut octet, RecvFlags::PEEK | RecvFlags::DONTWAIT);
        let is_quiet = self.unread.is_empty() && !matches!(heard, Ok((1.., _)));
        ensure!(is_quiet, "the server answers before it is asked");
        Ok(())
    }

    fn send(&mut self, bytes: &[u8], how: SendFlags) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            self.wait(PollFlags::OUT)?;
            match send(&self.socket, rest, how | SendFlags::NOSIGNAL) {
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
        let mut reply = Reply::default();
        loop {
            let line = ReplyLine::parse(&self.line()?).context("the answer is not one of a mail server")?;
            ensure!(reply.lines.is_empty() || line.code == reply.code, "the answer has two codes");
            ensure!(reply.lines.len() < MOST_LINES, "the answer has more than {MOST_LINES} lines");
            reply.code = line.code;
            reply.lines.push(line.text);
            if line.is_last {
                return Ok(reply);
            }
        }
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

/// The name behind LHLO or EHLO.
fn own_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let is_domain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if !name.is_empty() && name.chars().all(is_domain) { name } else { "localhost".to_owned() }
}

#[cfg(test)]
mod tests;
