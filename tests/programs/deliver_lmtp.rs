//! `deliver` to LMTP: statuses and words. What servers can do wrong is tested in `store::lmtp`, a real
//! server in `tests/hosts`.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::chown;
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

use crate::world::World;

const MAIL: &[u8] = b"Subject: hello\n\nbody\n";

/// A server on the socket `lmtp` in the world that says these lines, one before each command and the last
/// after the text. Its thread ends with what it read.
fn server(world: &World, answers: &'static [&'static str]) -> JoinHandle<Vec<String>> {
    let listener = UnixListener::bind(world.path("lmtp")).unwrap();
    chown(world.path("lmtp"), Some(65_534), None).unwrap();
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

const STORES: &[&str] = &["220 x", "250 x", "250 x", "250 x", "354 x", "250 x"];

#[test]
fn a_message_goes_to_the_recipient_without_the_hosts_from_line() {
    let world = World::unprivileged();
    let thread = server(&world, STORES);
    let framed = [b"From a@b  Mon Jan  1 00:00:00 2026\n", MAIL].concat();
    let arguments = ["--sender=a@example.org", "--recipient=b@example.org", "lmtp:unix:~/lmtp"];
    world.program("deliver").args(arguments).input(&framed).run().succeeds();
    let heard = thread.join().unwrap();
    assert!(heard[0].starts_with("LHLO "), "{heard:?}");
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

#[test]
fn the_envelope_comes_from_the_environment() {
    let world = World::unprivileged();
    let thread = server(&world, STORES);
    let run = world.program("deliver").args(["lmtp:unix:lmtp"]).env("RECIPIENT", "b@example.org");
    run.env("SENDER", "").input(MAIL).run().succeeds();
    assert_eq!(thread.join().unwrap()[1..3], ["MAIL FROM:<>", "RCPT TO:<b@example.org>"]);
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
        let world = World::unprivileged();
        let thread = server(&world, answers);
        let run =
            world.program("deliver").args(["--recipient=b@example.org", "lmtp:unix:lmtp"]).input(MAIL).run();
        assert_eq!((run.status(), run.stderr().as_str(), run.stdout()), (69, said, &b""[..]));
        thread.join().unwrap();
    }
}

#[test]
fn every_other_answer_defers_and_no_line_begins_with_a_code() {
    for (answers, words) in [
        (
            &["220 x", "250 x", "250 x", "450 4.2.0 busy"][..],
            "deliver: lmtp:unix:lmtp: RCPT: the server answers 450 4.2.0 busy",
        ),
        (&["554 5.3.2 no"], "deliver: lmtp:unix:lmtp: greeting: the server answers 554 5.3.2 no"),
        (
            &["220 x", "502 5.5.2 no LHLO"],
            "deliver: lmtp:unix:lmtp: LHLO: the server answers 502 5.5.2 no LHLO",
        ),
        (
            &["220 x", "250 x", "250 x", "250 x", "354 x"],
            "deliver: lmtp:unix:lmtp: the message may come twice: ",
        ),
    ] {
        let world = World::unprivileged();
        let thread = server(&world, answers);
        world
            .program("deliver")
            .args(["--recipient=b@example.org", "lmtp:unix:lmtp"])
            .input(MAIL)
            .run()
            .defers(words);
        thread.join().unwrap();
    }
}

#[test]
fn a_command_injected_through_an_address_reaches_no_server() {
    let world = World::unprivileged();
    let deliver = |arguments: &[&str]| world.program("deliver").args(arguments).input(MAIL);
    for recipient in ["b@x>\r\nRCPT TO:<c@x", "b@x\nDATA", "b@x> SIZE=0", "b c@x", "<b@x>", "b"] {
        let option = format!("--recipient={recipient}");
        deliver(&[&option, "lmtp:unix:lmtp"]).run().defers("is no mail address");
        deliver(&["lmtp:unix:lmtp"]).env("RECIPIENT", recipient).run().defers("is no mail address");
    }
    deliver(&["lmtp:unix:lmtp"]).run().defers("no recipient: give --recipient=ADDRESS");
    deliver(&["lmtp:unix:lmtp"]).env("RECIPIENT", "a_b@x").run().defers("give --recipient=ADDRESS");

    let thread = server(&world, STORES);
    deliver(&["--recipient=b@x", "--sender=a@x>\r\nRCPT TO:<c@x", "lmtp:unix:lmtp"]).run().succeeds();
    assert_eq!(thread.join().unwrap()[1..3], ["MAIL FROM:<>", "RCPT TO:<b@x>"]);
}

#[test]
fn nobody_at_the_socket_defers() {
    let world = World::unprivileged();
    let deliver = |server: &str| world.program("deliver").args(["--recipient=b@x", server]).input(MAIL).run();
    deliver("lmtp:unix:lmtp").defers("lmtp:unix:lmtp: no such file or directory");
    world.write("lmtp", b"");
    deliver("lmtp:unix:lmtp").defers("lmtp:unix:lmtp: connection refused");
    let long = format!("lmtp:unix:/{}", "x".repeat(200));
    deliver(&long).defers("xxx: ");
    deliver("lmtp:example.org").defers("give lmtp:unix:PATH or lmtp:HOST:PORT");
}
