//! `purge-old` on a Maildir that a real Dovecot serves: its clients see the expunges, and nothing else.

use std::collections::BTreeMap;
use std::fs::{File, FileTimes};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::dovecot::Dovecot;
use crate::wait;
use crate::world::World;

const DAY: u64 = 86_400;

/// Starts a Dovecot that also speaks IMAP on this port.
fn start(world: &World) -> (Dovecot<'_>, u16) {
    let imap = "/usr/lib/dovecot/imap";
    assert!(Path::new(imap).exists(), "{imap} is missing: apt-get install dovecot-imapd");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!(
        "protocols = imap lmtp
        service imap-login {{
          inet_listener imap {{
            address = 127.0.0.1
            port = {port}
          }}
          inet_listener imaps {{
            port = 0
          }}
        }}"
    );
    (Dovecot::start(world, &settings), port)
}

/// A client of the mailbox INBOX.
struct Client {
    stream: BufReader<TcpStream>,
    count: usize,
}

impl Client {
    /// Logs in and opens INBOX.
    fn of(port: u16) -> Self {
        let connect = || TcpStream::connect(("127.0.0.1", port)).ok();
        let stream = wait::until("IMAP", connect);
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut client = Client { stream: BufReader::new(stream), count: 0 };
        assert!(client.line().starts_with("* OK"));
        client.says("LOGIN alice x");
        client.says("SELECT INBOX");
        client
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("an answer");
        line.trim_end().to_owned()
    }

    /// The untagged answers to a command, which succeeds.
    fn says(&mut self, command: &str) -> Vec<String> {
        self.count += 1;
        let tag = format!("t{} ", self.count);
        write!(self.stream.get_mut(), "{tag}{command}\r\n").expect("a command");
        let mut answers = Vec::new();
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "{command}: the connection ended");
            match line.strip_prefix(&tag) {
                Some(status) if status.starts_with("OK") => return answers,
                Some(status) => panic!("{command}: {status}"),
                None => answers.push(line),
            }
        }
    }

    /// Flags and arrival of each message, by its UID.
    fn messages(&mut self) -> BTreeMap<u32, String> {
        let answers = self.says("UID FETCH 1:* (FLAGS INTERNALDATE)");
        let fetched = answers.iter().filter_map(|line| line.split_once(" FETCH (UID ")).map(|(_, rest)| {
            let (uid, facts) = rest.split_once(' ').expect("a UID");
            // Whether another client has seen it is no property of the message.
            (uid.parse().expect("a number"), facts.replace(" \\Recent", "").replace("\\Recent", ""))
        });
        fetched.collect()
    }
}

/// A Maildir of Alice's with old and young messages of every kind.
fn filled(world: &World) {
    for (name, days) in [
        ("cur/1.old:2,S", 100),
        ("cur/2.young:2,RS", 10),
        ("cur/3.old-flagged:2,FS", 100),
        ("cur/4.old-draft:2,DS", 100),
        ("cur/5.old-trashed:2,ST", 100),
        ("cur/6.young-unread:2,", 10),
        ("cur/7.old-marked-later:2,S", 100),
        ("new/8.old-unread", 100),
        ("new/9.young", 1),
        ("tmp/10.arriving", 0),
    ] {
        let path = world.write(&format!("mail/alice/{name}"), b"Subject: a\n\nb\n");
        let time = SystemTime::now() - Duration::from_secs(days * DAY);
        let file = File::options().write(true).open(path).expect("a message");
        file.set_times(FileTimes::new().set_modified(time)).expect("its time");
    }
}

#[test]
fn imap_clients_see_the_expunges_and_nothing_else() {
    let world = World::unprivileged();
    filled(&world);
    let (dovecot, port) = start(&world);
    let mut client = Client::of(port);
    let uids: Vec<u32> = client.messages().into_keys().collect();
    assert_eq!(uids.len(), 9, "{}", dovecot.log());
    let has_name = |part: &str| {
        let list = std::fs::read_to_string(world.path("mail/alice/dovecot-uidlist")).expect("uidlist");
        let line = list.lines().find(|line| line.contains(part)).expect("a line").to_owned();
        line.split(' ').next().expect("a UID").parse::<u32>().expect("a UID")
    };
    let gone = ["1.old", "5.old-trashed", "8.old-unread"].map(has_name);
    client.says(&format!("UID STORE {} +FLAGS (\\Flagged)", has_name("7.old-marked-later")));
    let before = client.messages();
    let validity = Client::of(port).says("STATUS INBOX (UIDVALIDITY UIDNEXT)");

    let said = world.program("purge-old").args(["--older-than", "90d", "mail/alice"]).run().succeeds();
    assert_eq!(String::from_utf8_lossy(&said), "");

    // The client that was there meanwhile is told of as many expunges.
    let told = client.says("NOOP");
    let (expunges, others): (Vec<&String>, Vec<&String>) =
        told.iter().partition(|line| line.ends_with(" EXPUNGE"));
    assert_eq!(expunges.len(), gone.len(), "{told:?}");
    assert!(others.iter().all(|line| line.ends_with(" RECENT")), "{told:?}");
    let mut expected = before;
    expected.retain(|uid, _| !gone.contains(uid));
    assert_eq!(expected.len(), 6);
    assert_eq!(client.messages(), expected);
    let mut later = Client::of(port);
    assert_eq!(later.messages(), expected);
    assert_eq!(Client::of(port).says("STATUS INBOX (UIDVALIDITY UIDNEXT)"), validity);
    // What stays can be read, and written to.
    for uid in expected.keys() {
        let text = later.says(&format!("UID FETCH {uid} BODY.PEEK[TEXT]")).concat();
        assert!(text.contains("{3}b"), "{text}");
        later.says(&format!("UID STORE {uid} +FLAGS (\\Answered)"));
    }
    let log = dovecot.log();
    let complaints: Vec<&str> = log
        .lines()
        .filter(|line| ["Error:", "Warning:", "Panic:", "Fatal:"].iter().any(|word| line.contains(word)))
        .collect();
    assert_eq!(complaints, [""; 0]);
}
