//! A client that puts exactly the given octets on the wire (RFC 5321).

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

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
        let mut session = Session { stream: BufReader::new(stream) };
        session.expect("220");
        session.command("EHLO client.example", "250");
        Some(session)
    }

    /// Sends one message; the answer is its name in the queue.
    #[track_caller]
    pub fn send(&mut self, sender: &str, recipient: &str, message: &[u8], transfer: Transfer) -> String {
        self.command(&format!("MAIL FROM:<{sender}> BODY=8BITMIME"), "250");
        self.command(&format!("RCPT TO:<{recipient}>"), "250");
        let answer = match transfer {
            Transfer::Data => {
                self.command("DATA", "354");
                self.write(&stuffed(message));
                self.command(".", "250")
            }
            Transfer::Chunk => {
                self.write(format!("BDAT {} LAST\r\n", message.len()).as_bytes());
                self.write(message);
                self.expect("250")
            }
        };
        answer.rsplit(' ').next().unwrap_or_default().to_owned()
    }

    #[track_caller]
    fn command(&mut self, line: &str, code: &str) -> String {
        self.write(format!("{line}\r\n").as_bytes());
        self.expect(code)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("the server takes it");
    }

    /// The last line of an answer, which must have this code.
    #[track_caller]
    fn expect(&mut self, code: &str) -> String {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("an answer");
            assert!(line.starts_with(code), "{code} expected: {line:?}");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
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
