//! `deliver` by LMTP and SMTP: statuses and words. What servers can do wrong is tested in `store::smtp`, real
//! servers in `tests/hosts` and `tests/recipes`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::chown;
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

use crate::world::World;

const MAIL: &[u8] = b"Subject: hello\n\nbody\n";

/// A server on the socket `socket` in the world that says these lines, one before each command and the last
/// after the text. Its thread ends with what it read.
fn server(world: &World, answers: &'static [&'static str]) -> JoinHandle<Vec<String>> {
    let listener = UnixListener::bind(world.path("socket")).unwrap();
    chown(world.path("socket"), Some(65_534), None).unwrap();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
        let mut heard = Vec::new();
        for answer in answers {
            let is_text = answer.starts_with("354");
            socket.write_all(format!("{answer}\r\n").as_bytes()).unwrap();
            while let Some(Ok(line)) = lines.next() {
                heard.push(line);
                if !is_text || heard.last().is_some_and(|line| line == ".") {
                    break;
                }
            }
        }
        heard
    })
}

const TAKES: &[&str] = &["220 x", "250 x", "250 x", "250 x", "354 x", "250 x"];

/// What is typed, and the first command that the server hears.
const PROTOCOLS: [(&str, &str); 2] = [("lmtp", "LHLO"), ("smtp", "EHLO")];

#[test]
fn a_message_goes_to_the_recipient_without_the_hosts_from_line() {
    for (protocol, hello) in PROTOCOLS {
        let world = World::unprivileged();
        let thread = server(&world, TAKES);
        let framed = [b"From a@b  Mon Jan  1 00:00:00 2026\n", MAIL].concat();
        let socket = format!("{protocol}:unix:~/socket");
        let arguments = ["--sender=a@example.org", "--recipient=b@example.org", &socket];
        world.program("deliver").args(arguments).input(&framed).run().succeeds();
        let heard = thread.join().unwrap();
        assert!(heard[0].starts_with(&format!("{hello} ")), "{heard:?}");
        assert_eq!(
            heard[1..],
            [
                "MAIL FROM:<a@example.org>",
                "RCPT TO:<b@example.org>",
                "DATA",
                "Subject: hello",
                "",
                "body",
                ".",
                "QUIT"
            ]
        );
    }
}

#[test]
fn the_envelope_comes_from_the_environment() {
    for (protocol, _) in PROTOCOLS {
        let world = World::unprivileged();
        let thread = server(&world, TAKES);
        let run = world.program("deliver").arg(format!("{protocol}:unix:socket"));
        run.env("RECIPIENT", "b@example.org").env("SENDER", "").input(MAIL).run().succeeds();
        assert_eq!(thread.join().unwrap()[1..3], ["MAIL FROM:<>", "RCPT TO:<b@example.org>"]);
    }
}

#[test]
fn a_refusal_for_good_is_69_with_the_servers_words_first() {
    for (answers, said) in [
        (
            &["220 x", "250 x", "250 x", "550 5.1.1 <b@example.org> is unknown"][..],
            "5.1.1 <b@example.org> is unknown\n",
        ),
        (&["220 x", "250 x", "552 quota"], "5.0.0 quota\n"),
        (
            &["220 x", "250 x", "250 x", "250 x", "354 x", "554 5.6.0 no\x1b[2J\u{202e}"],
            "5.6.0 no\\x1b[2J\\u{202e}\n",
        ),
    ] {
        for (protocol, _) in PROTOCOLS {
            let world = World::unprivileged();
            let thread = server(&world, answers);
            let socket = format!("{protocol}:unix:socket");
            let arguments = ["--recipient=b@example.org", &socket];
            let run = world.program("deliver").args(arguments).input(MAIL).run();
            assert_eq!((run.status(), run.stderr().as_str(), run.stdout()), (69, said, &b""[..]));
            thread.join().unwrap();
        }
    }
}

#[test]
fn every_other_answer_defers_and_no_line_begins_with_a_code() {
    for (protocol, hello) in PROTOCOLS {
        for (answers, words) in [
            (&["220 x", "250 x", "250 x", "450 4.2.0 busy"][..], "RCPT: the server answers 450 4.2.0 busy"),
            (&["554 5.3.2 no"], "greeting: the server answers 554 5.3.2 no"),
            (&["220 x", "502 5.5.2 what?"], &format!("{hello}: the server answers 502 5.5.2 what?")),
            (&["220 x", "250 x", "250 x", "250 x", "354 x"], "the message may come twice: "),
        ] {
            let world = World::unprivileged();
            let thread = server(&world, answers);
            let socket = format!("{protocol}:unix:socket");
            let run = world.program("deliver").args(["--recipient=b@example.org", &socket]).input(MAIL).run();
            run.defers(&format!("deliver: {socket}: {words}"));
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_command_injected_through_an_address_reaches_no_server() {
    let world = World::unprivileged();
    let deliver = |arguments: &[&str]| world.program("deliver").args(arguments).input(MAIL);
    for recipient in ["b@x>\r\nRCPT TO:<c@x", "b@x\nDATA", "b@x> SIZE=0", "b c@x", "<b@x>", "b"] {
        let option = format!("--recipient={recipient}");
        deliver(&[&option, "smtp:unix:socket"]).run().defers("is no mail address");
        deliver(&["smtp:unix:socket"]).env("RECIPIENT", recipient).run().defers("is no mail address");
    }
    deliver(&["smtp:unix:socket"]).run().defers("no recipient: give --recipient=ADDRESS");
    deliver(&["smtp:unix:socket"]).env("RECIPIENT", "a_b@x").run().defers("give --recipient=ADDRESS");

    let thread = server(&world, TAKES);
    deliver(&["--recipient=b@x", "--sender=a@x>\r\nRCPT TO:<c@x", "smtp:unix:socket"]).run().succeeds();
    assert_eq!(thread.join().unwrap()[1..3], ["MAIL FROM:<>", "RCPT TO:<b@x>"]);
}

#[test]
fn nobody_at_the_socket_defers() {
    let world = World::unprivileged();
    let deliver = |server: &str| world.program("deliver").args(["--recipient=b@x", server]).input(MAIL).run();
    for (protocol, _) in PROTOCOLS {
        let socket = format!("{protocol}:unix:socket");
        deliver(&socket).defers(&format!("{socket}: no such file or directory"));
        world.write("socket", b"");
        deliver(&socket).defers(&format!("{socket}: connection refused"));
        fs::remove_file(world.path("socket")).unwrap();
        let long = format!("{protocol}:unix:/{}", "x".repeat(200));
        deliver(&long).defers("xxx: ");
        let portless = format!("{protocol}:example.org");
        deliver(&portless)
            .defers(&format!("deliver: {portless}: give unix:PATH or HOST:PORT behind the first"));
    }
    deliver("lmtp:localhost:25").defers("port 25 is never LMTP's (RFC 2033, 5); for SMTP write smtp:");
}
