use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::*;

#[test]
fn the_text_has_crlf_and_doubled_dots_and_ends_in_a_dot() {
    for (name, message, text, size) in [
        ("LF", &b"A: b\n\nbody\n"[..], &b"A: b\r\n\r\nbody\r\n.\r\n"[..], 14),
        ("CRLF", b"A: b\r\n\r\nbody\r\n", b"A: b\r\n\r\nbody\r\n.\r\n", 14),
        ("no last line end", b"A: b\n\nbody", b"A: b\r\n\r\nbody\r\n.\r\n", 14),
        ("dots", b".\n..\n.a\n a.\n", b"..\r\n...\r\n..a\r\n a.\r\n.\r\n", 16),
        ("octets above 127, and NUL", b"\xe9\0\n", b"\xe9\0\r\n.\r\n", 4),
        ("a CR that could smuggle an end", b"a\r.\r\nQUIT\n", b"a .\r\nQUIT\r\n.\r\n", 11),
        ("a CR before CRLF makes no empty line", b"A: b\r\r\nC: d\n", b"A: b \r\nC: d\r\n.\r\n", 13),
        ("a CR that could forge a field", b"A: b\rFrom: c\n", b"A: b From: c\r\n.\r\n", 14),
        ("a CR at the end", b"a\r", b"a \r\n.\r\n", 4),
    ] {
        let made = Text::of(message).unwrap();
        assert_eq!(made.bytes.escape_ascii().to_string(), text.escape_ascii().to_string(), "{name}");
        assert_eq!(made.size, size, "{name}");
    }
}

proptest::proptest! {
    /// A server that knows nothing of the writer: lines end in CRLF, a line of one dot ends the text, of
    /// other lines that begin with a dot it takes that one away.
    #[test]
    fn no_message_can_end_its_own_text(message in "(\\.|\r|\n|\r\n|x|\0|QUIT){0,40}") {
        let text = Text::of(message.as_bytes()).unwrap();
        let text = String::from_utf8(text.bytes).unwrap();
        let mut lines: Vec<&str> = text.split("\r\n").collect();
        proptest::prop_assert_eq!(lines.pop(), Some(""));
        proptest::prop_assert_eq!(lines.pop(), Some("."));
        proptest::prop_assert!(lines.iter().all(|line| *line != "." && !line.contains(['\r', '\n'])));
        let read: Vec<&str> = lines.iter().map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
        let mut expected: Vec<String> = message.split('\n').map(str::to_owned).collect();
        let last = expected.len() - 1;
        for (at, line) in expected.iter_mut().enumerate() {
            // The CR of a CRLF belongs to the line end; one behind which nothing stands does not.
            if at < last && line.ends_with('\r') {
                line.pop();
            }
            *line = line.replace('\r', " ");
        }
        if expected.last().is_some_and(String::is_empty) {
            expected.pop();
        }
        proptest::prop_assert_eq!(read, expected);
    }
}

#[test]
fn the_senders_words_begin_with_a_permanent_code() {
    for (lines, words) in [
        (&["5.1.1 <a@x> is unknown"][..], "5.1.1 <a@x> is unknown"),
        (&["5.2.2 mailbox", "5.2.2 is full"], "5.2.2 mailbox is full"),
        (&["no such user"], "5.0.0 no such user"),
        (&[""], "5.0.0 "),
        (&["4.2.2 says one thing and the other"], "5.0.0 4.2.2 says one thing and the other"),
        (&["5.1.1.1 no code"], "5.0.0 5.1.1.1 no code"),
        (&["5.1.1\x1b[2J x"], "5.0.0 5.1.1\\x1b[2J x"),
    ] {
        let lines = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        assert_eq!(Reply { code: *b"550", lines }.words_for_the_sender(), words);
    }
    let endless = Reply { code: *b"550", lines: vec!["\u{202e}".repeat(1000).into_bytes(); 90] };
    assert!(endless.words_for_the_sender().len() < 410);
}

/// What the fake server does in place of the answer of one stage.
#[derive(Clone, Copy)]
enum Answer {
    Says(&'static [u8]),
    HangsUp,
    SaysWithoutEnd(&'static [u8]),
    IsSilent,
}

/// A server that behaves well up to `stage`, on a port of its own. Its thread ends with the bytes it read.
fn server((protocol, stage): (Protocol, Stage), answer: Answer) -> (Server, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        serve(socket, Stage::Hello(protocol), stage, answer)
    });
    (on_port(protocol, port), thread)
}

fn on_port(protocol: Protocol, port: u16) -> Server {
    Server { protocol, socket: Socket::Tcp("127.0.0.1".to_owned(), port) }
}

fn serve(mut socket: TcpStream, hello: Stage, bad: Stage, answer: Answer) -> Vec<u8> {
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    let mut heard = Vec::new();
    for (stage, good) in [
        (Stage::Greeting, &b"220 fake\r\n"[..]),
        (hello, b"250-fake\r\n250-SIZE 1000\r\n250 8BITMIME\r\n"),
        (Stage::Mail, b"250 2.1.0 ok\r\n"),
        (Stage::Rcpt, b"250 2.1.5 ok\r\n"),
        (Stage::Data, b"354 go on\r\n"),
        (Stage::Text, b"250 2.0.0 stored\r\n"),
    ] {
        hear(&mut reader, stage, &mut heard);
        if stage != bad {
            socket.write_all(good).unwrap();
            continue;
        }
        match answer {
            Answer::Says(bytes) => socket.write_all(bytes).unwrap(),
            Answer::HangsUp => return heard,
            Answer::SaysWithoutEnd(bytes) => while socket.write_all(bytes).is_ok() {},
            Answer::IsSilent => {}
        }
        break;
    }
    // Until the other side goes away; that may be with a reset.
    let _ = reader.read_to_end(&mut heard);
    heard
}

/// Reads the command of `stage`, or the text up to the last dot.
fn hear(reader: &mut impl BufRead, stage: Stage, heard: &mut Vec<u8>) {
    if stage == Stage::Greeting {
        return;
    }
    loop {
        let start = heard.len();
        reader.read_until(b'\n', heard).unwrap();
        if stage != Stage::Text || heard[start..] == *b".\r\n" || heard.len() == start {
            return;
        }
    }
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Lmtp, Protocol::Smtp];

/// Each stage of each protocol.
fn stages() -> impl Iterator<Item = (Protocol, Stage)> {
    PROTOCOLS.into_iter().flat_map(|protocol| {
        let hello = Stage::Hello(protocol);
        [Stage::Greeting, hello, Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Text]
            .map(|stage| (protocol, stage))
    })
}

fn delivered(server: &Server, limit: Duration) -> Result<()> {
    let recipient = Address::parse(b"b@example.org").unwrap();
    let letter = Letter { sender: None, recipient: &recipient, message: b"A: b\n\n.\n" };
    deliver(server, letter, &Deadline::after(limit))
}

const ENOUGH: Duration = Duration::from_secs(60);

#[test]
fn a_temporary_answer_defers_at_every_stage() {
    for (protocol, stage) in stages() {
        for answer in
            [&b"421 4.3.2 going down\r\n"[..], b"451 4.3.0 later\r\n", b"452-4.2.2 full\r\n452 4.2.2 up\r\n"]
        {
            let (server, thread) = server((protocol, stage), Answer::Says(answer));
            let error = delivered(&server, ENOUGH).unwrap_err();
            assert!(!error.is::<Unavailable>(), "{stage}: {error:#}");
            assert!(format!("{error:#}").contains(": the server answers 4"), "{stage}: {error:#}");
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_permanent_answer_to_the_transaction_is_final_and_any_other_defers() {
    for (protocol, stage) in stages() {
        let (server, thread) =
            server((protocol, stage), Answer::Says(b"550-5.1.1 no\r\n550 5.1.1 such user\r\n"));
        let error = delivered(&server, ENOUGH).unwrap_err();
        let words = error.downcast_ref::<Unavailable>().map(|unavailable| unavailable.0.as_str());
        let is_final = !matches!(stage, Stage::Greeting | Stage::Hello(_));
        assert_eq!(words, is_final.then_some("5.1.1 no such user"), "{stage}: {error:#}");
        thread.join().unwrap();
    }
}

#[test]
fn a_server_that_breaks_the_protocol_defers_at_every_stage() {
    for (protocol, stage) in stages() {
        for (answer, words) in [
            (Answer::HangsUp, "hung up"),
            (Answer::Says(b"HTTP/1.1 200 OK\r\n"), "not one of a mail server"),
            (Answer::Says(b"\0\x1b[2J\xff\n"), "not one of a mail server"),
            (Answer::Says(b"250-a\r\n550 b\r\n"), "two codes"),
            (Answer::Says(b"100 a\r\n"), "not one of a mail server"),
            (Answer::Says(b"\r\n"), "not one of a mail server"),
            (Answer::SaysWithoutEnd(b"250 xxxxxxxxxxxxxxxxxxxxxxxx"), "a line without end"),
            (Answer::SaysWithoutEnd(b"250-x\r\n"), "more than 100 lines"),
        ] {
            let (server, thread) = server((protocol, stage), answer);
            let error = delivered(&server, ENOUGH).unwrap_err();
            assert!(!error.is::<Unavailable>(), "{stage}: {error:#}");
            // Whoever hangs up with our bytes unread resets the connection.
            let said = format!("{error:#}");
            assert!(said.contains(words) || said.contains("the connection broke"), "{stage}: {said}");
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_positive_answer_to_the_wrong_question_is_no_success() {
    for (stage, answer) in
        [(Stage::Data, &b"250 ok\r\n"[..]), (Stage::Text, b"354 more\r\n"), (Stage::Mail, b"354 x\r\n")]
    {
        let (server, thread) = server((Protocol::Smtp, stage), Answer::Says(answer));
        let error = delivered(&server, ENOUGH).unwrap_err();
        assert!(!error.is::<Unavailable>(), "{stage}: {error:#}");
        thread.join().unwrap();
    }
}

#[test]
fn a_server_that_answers_before_it_is_asked_has_not_stored_the_message() {
    for (protocol, stage) in stages().filter(|(_, stage)| *stage != Stage::Text) {
        let early: &'static str = match stage {
            Stage::Greeting => "220 fake\r\n250 early\r\n",
            Stage::Data => "354 go on\r\n250 early\r\n",
            _ => "250 ok\r\n250 early\r\n",
        };
        let (server, thread) = server((protocol, stage), Answer::Says(early.as_bytes()));
        let error = delivered(&server, ENOUGH).unwrap_err();
        assert!(
            format!("{error:#}").ends_with("the server answers before it is asked"),
            "{stage}: {error:#}"
        );
        thread.join().unwrap();
    }
}

/// As a proxy does that has counted one answer too many: the true one comes behind it.
#[test]
fn an_answer_in_the_middle_of_the_text_is_not_taken_for_that_to_the_last_dot() {
    for protocol in PROTOCOLS {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = on_port(protocol, listener.local_addr().unwrap().port());
        let thread = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(socket.try_clone().unwrap());
            let mut heard = Vec::new();
            for answer in ["220 a\r\n", "250 b\r\n", "250 c\r\n", "250 d\r\n", "354 e\r\n"] {
                socket.write_all(answer.as_bytes()).unwrap();
                reader.read_until(b'\n', &mut heard).unwrap();
            }
            socket.write_all(b"250 early\r\n").unwrap();
            while !heard.ends_with(b"\r\n.\r\n") && reader.read_until(b'\n', &mut heard).unwrap_or(0) > 0 {}
            let _ = socket.write_all(b"452 4.3.1 disk full\r\n");
            heard
        });
        let recipient = Address::parse(b"b@example.org").unwrap();
        // More than the kernel holds between the two: its end leaves only when the server has read on.
        let message = [b"A: b\n\n", &b"x".repeat(30_000_000)[..]].concat();
        let letter = Letter { sender: None, recipient: &recipient, message: &message };
        let said = format!("{:#}", deliver(&server, letter, &Deadline::after(ENOUGH)).unwrap_err());
        assert!(said.ends_with("message: the server answers before it is asked"), "{said}");
        assert!(!thread.join().unwrap().ends_with(b"\r\n.\r\n"), "the last dot was sent");
    }
}

#[test]
fn a_silent_server_defers_at_every_stage() {
    for (protocol, stage) in stages() {
        let (server, thread) = server((protocol, stage), Answer::IsSilent);
        let error = delivered(&server, Duration::from_millis(300)).unwrap_err();
        assert!(!error.is::<Unavailable>(), "{stage}: {error:#}");
        assert!(format!("{error:#}").contains("does not answer in time"), "{stage}: {error:#}");
        thread.join().unwrap();
    }
}

#[test]
fn a_server_that_reads_nothing_defers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = on_port(Protocol::Smtp, listener.local_addr().unwrap().port());
    let recipient = Address::parse(b"b@example.org").unwrap();
    let message = b"x".repeat(50_000_000);
    let letter = Letter { sender: None, recipient: &recipient, message: &message };
    let thread = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
        // On a busy machine the time may run out before the text begins.
        for answer in ["220 a\r\n", "250 b\r\n", "250 c\r\n", "250 d\r\n", "354 e\r\n"] {
            let _ = socket.write_all(answer.as_bytes());
            let _ = (!answer.starts_with('3')).then(|| lines.next());
        }
        socket
    });
    let error = deliver(&server, letter, &Deadline::after(Duration::from_secs(1))).unwrap_err();
    assert!(format!("{error:#}").contains("does not answer in time"), "{error:#}");
    drop(thread.join().unwrap());
}

#[test]
fn what_the_server_hears_is_the_envelope_and_the_text() {
    for (protocol, hello) in [(Protocol::Lmtp, "LHLO"), (Protocol::Smtp, "EHLO")] {
        let (server, thread) = server((protocol, Stage::Text), Answer::Says(b"250 2.0.0 stored\r\n"));
        let (sender, recipient) =
            (Address::parse(b"a@example.org"), Address::parse(b"b@example.org").unwrap());
        let letter = Letter { sender: sender.as_ref(), recipient: &recipient, message: b"A: \xe9\n\n.\n" };
        deliver(&server, letter, &Deadline::after(ENOUGH)).unwrap();
        let expected = format!(
            "{hello} {}\\r\\nMAIL FROM:<a@example.org> SIZE=11 BODY=8BITMIME\\r\\n\
             RCPT TO:<b@example.org>\\r\\nDATA\\r\\nA: \\xe9\\r\\n\\r\\n..\\r\\n.\\r\\nQUIT\\r\\n",
            own_name()
        );
        assert_eq!(thread.join().unwrap().escape_ascii().to_string(), expected);
    }
}

#[test]
fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let recipient = Address::parse("jos\u{e9}@example.org".as_bytes()).unwrap();
    let letter = Letter { sender: None, recipient: &recipient, message: b"A: b\n" };
    let text = Text::of(letter.message).unwrap();
    let offers = |keyword: &str| {
        Offers(Reply { code: *b"250", lines: vec![b"host".to_vec(), keyword.as_bytes().to_vec()] })
    };
    assert!(mail_command(letter, &offers("SIZE"), &text).is_err());
    assert_eq!(mail_command(letter, &offers("smtputf8"), &text).unwrap(), "MAIL FROM:<> SMTPUTF8");
}

#[test]
fn nobody_listens_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for protocol in PROTOCOLS {
        let said = format!("{:#}", delivered(&on_port(protocol, port), ENOUGH).unwrap_err());
        let expected = format!("{protocol}:127.0.0.1:{port}: Connection refused");
        assert!(said.starts_with(&expected), "{said}");
        let nowhere = Server { protocol, socket: Socket::Unix("/nowhere/socket".into()) };
        let said = format!("{:#}", delivered(&nowhere, ENOUGH).unwrap_err());
        assert!(said.starts_with(&format!("{protocol}:unix:/nowhere/socket: No such file")), "{said}");
    }
}
