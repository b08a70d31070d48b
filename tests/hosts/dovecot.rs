//! `deliver lmtp:` to a real Dovecot, on a socket and on loopback: what rests in its store, and what its
//! refusals become.

use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::world::World;

/// A Dovecot with its own directories, and the users alice and full, whose quota is one kilobyte.
pub struct Dovecot<'a> {
    world: &'a World,
    process: Child,
    port: u16,
}

impl<'a> Dovecot<'a> {
    /// Starts it; `settings` come last in its configuration.
    pub fn start(world: &'a World, settings: &str) -> Self {
        let program = "/usr/sbin/dovecot";
        assert!(Path::new(program).exists(), "{program} is missing: apt-get install dovecot-lmtpd");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = world.home().display();
        world.write("users", b"alice:::::::\nfull:::::::userdb_quota_rule=*:bytes=1k\n");
        let configuration = world.write(
            "dovecot.conf",
            format!(
                "base_dir = {home}/run
                state_dir = {home}/state
                instance_name = {port}
                log_path = {home}/log
                protocols = lmtp
                listen = 127.0.0.1
                ssl = no
                hostname = store.example.org
                postmaster_address = postmaster@example.org
                auth_username_format = %n
                first_valid_uid = 1
                mail_uid = 65534
                mail_gid = 65534
                mail_home = {home}/homes/%n
                mail_location = maildir:{home}/mail/%n
                mail_plugins = quota
                lmtp_add_received_header = no
                passdb {{
                  driver = static
                  args = nopassword
                }}
                userdb {{
                  driver = passwd-file
                  args = {home}/users
                }}
                plugin {{
                  quota = maildir:User
                }}
                service lmtp {{
                  inet_listener lmtp {{
                    address = 127.0.0.1
                    port = {port}
                  }}
                  unix_listener {home}/lmtp {{
                    mode = 0666
                  }}
                }}
                {settings}\n"
            )
            .as_bytes(),
        );
        let process = Command::new(program)
            .args(["-F", "-c"])
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dovecot");
        let mut dovecot = Dovecot { world, process, port };
        dovecot.wait_until_it_listens();
        dovecot
    }

    fn wait_until_it_listens(&mut self) {
        for _ in 0..200 {
            if UnixStream::connect(self.world.path("lmtp")).is_ok() {
                return;
            }
            if self.process.try_wait().expect("a process").is_some() {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("dovecot does not start: {}", self.log());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.world.path("log")).unwrap_or_default()
    }

    /// The messages of `user`, as they rest.
    fn stored(&self, user: &str) -> Vec<Vec<u8>> {
        self.world.files(&format!("mail/{user}/new")).into_iter().map(|(_, bytes)| bytes).collect()
    }
}

impl Drop for Dovecot<'_> {
    fn drop(&mut self) {
        // SIGTERM, so that it takes its own processes with it.
        if let Some(process) = rustix::process::Pid::from_raw(self.process.id().cast_signed()) {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

fn deliver(world: &World, server: &str, recipient: &str, message: &[u8]) -> crate::world::Outcome {
    let arguments = ["--sender=sender@example.org", &format!("--recipient={recipient}"), server];
    world.program("deliver").args(arguments).input(message).run()
}

#[test]
fn dovecot_stores_the_very_bytes_over_a_socket_and_over_tcp() {
    let world = World::unprivileged();
    let dovecot = Dovecot::start(&world, "");
    let tcp = format!("lmtp:127.0.0.1:{}", dovecot.port);
    for server in ["lmtp:unix:lmtp", &tcp] {
        for (name, message, stored) in [
            ("plain", &b"Subject: a\n\nbody\n"[..], &b"Subject: a\n\nbody\n"[..]),
            (
                "the host's From line",
                b"From a@b  Mon Jan  1 00:00:00 2026\nA: b\n\nbody\n",
                b"A: b\n\nbody\n",
            ),
            ("dots", b"A: b\n\n.\n..\n.a\n.\nQUIT\n", b"A: b\n\n.\n..\n.a\n.\nQUIT\n"),
            ("no last line end", b"A: b\n\nbody", b"A: b\n\nbody\n"),
            ("a last dot without line end", b"A: b\n\n.", b"A: b\n\n.\n"),
            ("octets above 127", b"A: \xe9\n\n\xff\xfe\x80\n", b"A: \xe9\n\n\xff\xfe\x80\n"),
            ("CRLF", b"A: b\r\n\r\nbody\r\n", b"A: b\n\nbody\n"),
            ("mixed line ends", b"A: b\r\n\nbody\nx\r\n", b"A: b\n\nbody\nx\n"),
            ("a CR that could smuggle", b"A: b\n\nx\r.\r\nMAIL FROM:<>\n", b"A: b\n\nx .\nMAIL FROM:<>\n"),
            ("From in the body", b"A: b\n\nFrom here\n", b"A: b\n\nFrom here\n"),
            ("NUL", b"A: b\n\na\0b\n", b"A: b\n\na\0b\n"),
        ] {
            deliver(&world, server, "alice@example.org", message).succeeds();
            let all = dovecot.stored("alice");
            assert_eq!(all.len(), 1, "{name}: {}", dovecot.log());
            let text = all[0].escape_ascii().to_string();
            // In front stand the two fields that a store writes at final delivery.
            let top = b"Return-Path: <sender@example.org>\nDelivered-To: alice@example.org\n";
            assert_eq!(text, [top, stored].concat().escape_ascii().to_string(), "{name} over {server}");
            std::fs::remove_dir_all(world.path("mail/alice")).unwrap();
        }
    }
}

#[test]
fn an_unknown_user_is_final_with_dovecots_words() {
    let world = World::unprivileged();
    let _dovecot = Dovecot::start(&world, "");
    let run = deliver(&world, "lmtp:unix:lmtp", "nobody@example.org", b"A: b\n\nbody\n");
    assert_eq!(run.status(), 69);
    assert_eq!(run.stderr(), "5.1.1 <nobody@example.org> User doesn't exist: nobody@example.org\n");
}

#[test]
fn a_full_mailbox_is_final_or_defers_as_the_store_says() {
    let message = [b"A: b\n\n", &b"0123456789abcde\n".repeat(100)[..]].concat();
    let world = World::unprivileged();
    let dovecot = Dovecot::start(&world, "");
    let run = deliver(&world, "lmtp:unix:lmtp", "full@example.org", &message);
    assert_eq!(run.status(), 69, "{}{}", run.stderr(), dovecot.log());
    assert!(run.stderr().starts_with("5.2.2 <full@example.org> Quota exceeded"), "{}", run.stderr());
    assert!(dovecot.stored("full").is_empty());
    drop(dovecot);

    let world = World::unprivileged();
    let dovecot = Dovecot::start(&world, "quota_full_tempfail = yes");
    let run = deliver(&world, "lmtp:unix:lmtp", "full@example.org", &message);
    run.defers(
        "deliver: lmtp:unix:lmtp: message: the server answers 452 4.2.2 <full@example.org> Quota exceeded",
    );
    assert!(dovecot.stored("full").is_empty());
}

#[test]
fn a_message_of_many_megabytes_and_many_messages_at_once_rest_whole() {
    let world = World::unprivileged();
    let dovecot = Dovecot::start(&world, "");
    let message = |n: usize| {
        let lines = if n == 0 { 1_000_000 } else { n * 100 };
        [format!("N: {n}\n\n").as_bytes(), &b"0123456789abcdef\n".repeat(lines)].concat()
    };
    std::thread::scope(|scope| {
        for n in 0..10 {
            let world = &world;
            scope
                .spawn(move || deliver(world, "lmtp:unix:lmtp", "alice@example.org", &message(n)).succeeds());
        }
    });
    let stored = dovecot.stored("alice");
    assert_eq!(stored.len(), 10);
    for n in 0..10 {
        let message = message(n);
        assert!(stored.iter().any(|stored| stored.ends_with(&message)), "message {n}");
    }
}

#[test]
fn a_store_that_is_down_defers_and_takes_the_mail_later() {
    let world = World::unprivileged();
    let dovecot = Dovecot::start(&world, "");
    let server = format!("lmtp:127.0.0.1:{}", dovecot.port);
    drop(dovecot);
    deliver(&world, &server, "alice@example.org", b"A: b\n\nbody\n").defers("connection refused");
    let dovecot = Dovecot::start(&world, "");
    deliver(&world, "lmtp:unix:lmtp", "alice@example.org", b"A: b\n\nbody\n").succeeds();
    assert_eq!(dovecot.stored("alice").len(), 1);
}
