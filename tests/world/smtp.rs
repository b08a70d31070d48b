//! A client that puts exactly the given octets on the wire (RFC 5321).

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How the octets of a message travel.
#[derive(Clone, Copy, Debug)]
pub enum Transfer {
    /// DATA, with dots doubled; the message ends with a line end.
    Data,
    /// BDAT (RFC 3030): any octets at all.
    Chunk,
}

/// A session that has said EHLO.
pub struct Session {
    stream: BufReader<TcpStream>,
}

impl Session {
    /// None when nobody listens there yet.
    pub fn open(port: u16) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        // For a server that died in the middle.
        stream.set_read_timeout(Some(Duration::from_secs(120))).ok()?;
        let mut session = Session { stream: BufReader::new(stream) };
        session.answer("220").ok()?;
        session.ask(b"EHLO client.example", "250").ok()?;
        Some(session)
    }

    /// Comes from elsewhere, in the eyes of a Postfix that believes this machine's XCLIENT.
    pub fn posing_as(mut self, name: &str, address: &str) -> Self {
        self.ask(format!("XCLIENT NAME={name} ADDR={address}").as_bytes(), "220").expect("XCLIENT");
        self.ask(b"EHLO client.example", "250").expect("EHLO");
        self
    }

    /// Sends one message; the answer is its name in the queue.
    #[track_caller]
    pub fn send(&mut self, sender: &str, recipient: &str, message: &[u8], transfer: Transfer) -> String {
        let answer = self.offer(sender.as_bytes(), recipient.as_bytes(), message, transfer);
        let answer = answer.expect("the server takes it");
        answer.rsplit(' ').next().unwrap_or_default().to_owned()
    }

    /// Offers one message; the answer is the last line that the server says, an error where it refuses.
    pub fn offer(
        &mut self,
        sender: &[u8],
        recipient: &[u8],
        message: &[u8],
        by: Transfer,
    ) -> Result<String, String> {
        self.offer_to(sender, &[recipient], message, by)
    }

    /// The same to several recipients, all of whom the server has to know.
    pub fn offer_to(
        &mut self,
        sender: &[u8],
        recipients: &[&[u8]],
        message: &[u8],
        by: Transfer,
    ) -> Result<String, String> {
        self.ask(&[b"MAIL FROM:<", sender, b"> BODY=8BITMIME"].concat(), "250")?;
        for &recipient in recipients {
            self.ask(&[&b"RCPT TO:<"[..], recipient, b">"].concat(), "250")?;
        }
        match by {
            Transfer::Data => {
                self.ask(b"DATA", "354")?;
                self.write(&stuffed(message));
                self.ask(b".", "250")
            }
            Transfer::Chunk => {
                self.write(format!("BDAT {} LAST\r\n", message.len()).as_bytes());
                self.write(message);
                self.answer("250")
            }
        }
    }

    fn ask(&mut self, line: &[u8], code: &str) -> Result<String, String> {
        self.write(&[line, b"\r\n"].concat());
        self.answer(code)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("the server takes it");
    }

    /// The last line of an answer; an error unless it has this code.
    fn answer(&mut self, code: &str) -> Result<String, String> {
        loop {
            let mut line = Vec::new();
            self.stream.read_until(b'\n', &mut line).expect("an answer");
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if line.as_bytes().get(3) != Some(&b'-') {
                return if line.starts_with(code) { Ok(line) } else { Err(line) };
            }
        }
    }
}

/// A dot at the beginning of a line is doubled (RFC 5321, 4.5.2).
fn stuffed(message: &[u8]) -> Vec<u8> {
    assert!(message.ends_with(b"\r\n"), "DATA carries whole lines only");
    let mut wire = Vec::with_capacity(message.len());
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        wire.extend(line.starts_with(b".").then_some(b'.'));
        wire.extend(line);
    }
    wire
}
