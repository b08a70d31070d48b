//! qmail, by its own qmail-local(8) and preline(1) where they are in /var/qmail/bin, and played where they are not:
//! Debian has none.
//!
//! Played, the shipped lines are run as qmail-command(8), dot-qmail(5) and preline(1) say that they are run, and what
//! they end with is read as the page says. That shows what our programs do there, and not that qmail is as it says. So
//! this writes nothing into the table.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::process::Signal;

use crate::host::Host;
use crate::machine;
use crate::recipe::{LETTER, Recipe, refusing};
use crate::resident::{Resident, end, everybody, output, running, write};
use crate::world::gpg::Gpg;
use crate::world::letter::{lf, original};
use crate::world::readable::take_mail;
use crate::world::smtp::Transfer;
use crate::world::wait;

const PAGE: &str = include_str!("../../contrib/qmail/README.md");
const DOT_QMAIL: &str = include_str!("../../contrib/qmail/qmail");
const RC: &str = include_str!("../../contrib/qmail/rc");

const NO_MAILBOX: &[u8] = b"Sorry, no mailbox here by that name. (#5.1.1)\n";

/// What qmail-smtpd writes on top.
const RECEIVED: &str = "Received: from unknown (HELO client.example) (127.0.0.1)\n\
    \x20 by host.example with SMTP; 27 Nov 2026 10:00:00 -0000\n";

const QMAIL_LOCAL: &str = "/var/qmail/bin/qmail-local";
const PRELINE: &str = "/var/qmail/bin/preline";

/// What preline(1) does with -f, of which the page tells: without the program it ends with 100.
const PRELINE_PLAYED: &str = "#!/bin/sh
[ \"$1\" = -f ] && shift
[ -x \"$1\" ] || exit 100
{ printf %s%s \"$RPLINE\" \"$DTLINE\"; cat; } | \"$@\"
";

struct Qmail<'a> {
    /// The one user.
    alice: &'a Resident,
    /// What is done for whoever has no ~/.qmail.
    default_delivery: String,
    waiting: Mutex<Vec<Message>>,
    count: AtomicUsize,
    /// What senders were told, in front of the copy.
    told: Mutex<Vec<Vec<u8>>>,
    /// Somebody ends a program that hangs.
    hurries: AtomicBool,
}

/// What becomes of a message.
enum Fate {
    Done,
    Bounces,
    Waits,
}

/// One in the queue.
struct Message {
    file: PathBuf,
    sender: Vec<u8>,
    local: Vec<u8>,
}

impl<'a> Qmail<'a> {
    fn of(alice: &'a Resident, default_delivery: &str) -> Self {
        fs::create_dir_all("/var/qmail/queue").expect("directories");
        Qmail {
            alice,
            default_delivery: default_delivery.to_owned(),
            waiting: Mutex::default(),
            count: AtomicUsize::new(0),
            told: Mutex::default(),
            hurries: AtomicBool::new(false),
        }
    }

    fn attempt(&self, message: Message) {
        let Some((dash, ext)) = self.address(&message.local) else {
            return self.bounce(&message, NO_MAILBOX);
        };
        let (fate, said) = match Path::new(QMAIL_LOCAL).exists() {
            true => self.by_qmail_local(dash, ext, &message),
            false => self.played(ext, &message),
        };
        eprint!("{}", String::from_utf8_lossy(&said));
        match fate {
            Fate::Done => fs::remove_file(message.file).expect("removed"),
            Fate::Bounces => self.bounce(&message, &said),
            Fate::Waits => self.waiting.lock().expect("the queue").push(message),
        }
    }

    /// What stands behind Alice's name in a local name that is hers, and what parts it: hers are alice and alice+..., as
    /// qmail-users(5) has it with =alice:alice:UID:GID:/home/alice::: and +alice+:alice:UID:GID:/home/alice:-:: in its
    /// table.
    fn address<'m>(&self, local: &'m [u8]) -> Option<(&'static str, &'m [u8])> {
        match local.strip_prefix(self.alice.name.as_bytes())?.split_first() {
            None => Some(("", b"")),
            Some((b'+', ext)) => Some(("-", ext)),
            Some(_) => None,
        }
    }

    /// As qmail-lspawn(8) does it.
    fn by_qmail_local(&self, dash: &str, ext: &[u8], message: &Message) -> (Fate, Vec<u8>) {
        let mut shell = self.alice.shell(&format!("exec {QMAIL_LOCAL} \"$@\""));
        shell.args(["qmail-local", self.alice.name]).arg(self.alice.path(""));
        shell
            .arg(OsStr::from_bytes(&message.local))
            .arg(dash)
            .arg(OsStr::from_bytes(ext))
            .arg("host.example");
        shell.arg(OsStr::from_bytes(&message.sender)).arg(&self.default_delivery);
        let output = self.run(shell, message);
        let fate = match output.status.code() {
            Some(0) => Fate::Done,
            Some(100) => Fate::Bounces,
            _ => Fate::Waits,
        };
        (fate, [output.stdout, output.stderr].concat())
    }

    fn played(&self, ext: &[u8], message: &Message) -> (Fate, Vec<u8>) {
        let dot_qmail = |name: &str| fs::read_to_string(self.alice.path(name));
        let line = match ext {
            b"" => dot_qmail(".qmail").unwrap_or_else(|_| self.default_delivery.clone()),
            // There is no .qmail-EXT here.
            _ => match dot_qmail(".qmail-default") {
                Ok(line) => line,
                Err(_) => return (Fate::Bounces, NO_MAILBOX.to_owned()),
            },
        };
        let command = line.trim_end().strip_prefix('|').expect("a line with a command");
        let output = self.run(self.command(command, ext, message), message);
        let fate = match output.status.code() {
            Some(0 | 99) => Fate::Done,
            Some(64 | 65 | 70 | 76 | 77 | 78 | 100 | 112) => Fate::Bounces,
            _ => Fate::Waits,
        };
        (fate, [output.stdout, output.stderr].concat())
    }

    fn command(&self, command: &str, ext: &[u8], message: &Message) -> Command {
        let recipient = [&message.local, &b"@host.example"[..]].concat();
        let line = |name: &str, value: &[u8], end: &str| [name.as_bytes(), value, end.as_bytes()].concat();
        let mut shell = self.alice.shell(command);
        shell.env("USER", self.alice.name);
        for (name, value) in [
            ("SENDER", &message.sender[..]),
            ("NEWSENDER", &message.sender),
            ("RECIPIENT", &recipient),
            ("LOCAL", &message.local),
            ("EXT", ext),
            ("HOST", b"host.example"),
            ("HOST2", b"host"),
            ("DTLINE", &line("Delivered-To: ", &recipient, "\n")),
            ("RPLINE", &line("Return-Path: <", &message.sender, ">\n")),
            ("UFLINE", &line("From ", &message.sender, " Fri Nov 27 10:00:00 2026\n")),
        ] {
            shell.env(name, OsStr::from_bytes(value));
        }
        // What `default` stands for in the name of the file.
        if !ext.is_empty() {
            shell.env("DEFAULT", OsStr::from_bytes(ext));
        }
        shell
    }

    fn run(&self, mut shell: Command, message: &Message) -> Output {
        shell.env("PATH", "/var/qmail/bin:/usr/bin:/bin");
        let message = File::open(&message.file).expect("a message");
        shell.stdin(message).stdout(Stdio::piped()).stderr(Stdio::piped());
        let shell = shell.spawn().expect("sh");
        if self.hurries.load(Ordering::Relaxed) {
            let hanging = wait::until("the program that hangs", || {
                let pids = running("sleep");
                (!pids.is_empty()).then_some(pids)
            });
            end(&hanging, Signal::TERM);
        }
        shell.wait_with_output().expect("an end")
    }

    /// To the null sender nobody writes.
    fn bounce(&self, message: &Message, said: &[u8]) {
        fs::remove_file(&message.file).expect("removed");
        if !message.sender.is_empty() {
            self.told.lock().expect("bounces").push(said.to_owned());
        }
    }
}

impl Host for Qmail<'_> {
    fn offer(&self, sender: &[u8], recipient: &[u8], message: &[u8], _: Transfer) -> Result<(), String> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let file = PathBuf::from(format!("/var/qmail/queue/{number}"));
        fs::write(&file, [RECEIVED.as_bytes(), &lf(message)].concat()).expect("queued");
        let local = unquoted(recipient.strip_suffix(b"@host.example").expect("an address here"));
        self.attempt(Message { file, sender: sender.to_owned(), local });
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.waiting.lock().expect("the queue").len()
    }

    /// Whoever offers waits.
    fn settle(&self) {}

    fn retry(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock().expect("the queue"));
        waiting.into_iter().for_each(|message| self.attempt(message));
    }

    fn hurry(&self, on: bool) {
        self.hurries.store(on, Ordering::Relaxed);
    }

    fn forget(&self) {
        self.waiting.lock().expect("the queue").clear();
    }

    fn told(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.told.lock().expect("bounces"))
    }
}

/// A local part as it is in the envelope: without quotes.
fn unquoted(local: &[u8]) -> Vec<u8> {
    let Some(quoted) = local.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return local.to_owned();
    };
    let mut octets = quoted.iter();
    let mut plain = Vec::new();
    while let Some(octet) = octets.next() {
        plain.extend(if *octet == b'\\' { octets.next() } else { Some(octet) });
    }
    plain
}

/// Alice, who has the shipped file in both places.
fn alice() -> Resident {
    let alice = Resident::alice();
    alice.write(".qmail", DOT_QMAIL);
    alice.write(".qmail-default", DOT_QMAIL);
    alice
}

/// What the page says of each case.
fn is_as_on_the_page(recipe: &Recipe, refused: &str) {
    let cases = recipe.cases();
    let seen: Vec<_> = cases.iter().map(|(name, outcome)| (*name, outcome.as_str())).collect();
    let page = [
        ("readable", "sealed"),
        ("encrypted", "as it came"),
        ("no certificate", "waits"),
        ("refused", refused),
        ("status 1", "waits"),
        ("signal", "waits"),
        ("hangs", "waits"),
        ("complains", "sealed"),
        ("gone", "waits"),
        ("20 at once", "sealed"),
        ("9 MB", "sealed"),
        ("8-bit", "sealed"),
        ("NUL", "sealed"),
        ("+tag", "sealed"),
        ("hostile names", "sealed or kept"),
    ];
    assert_eq!(seen, page);
}

#[test]
fn of_one_user() {
    machine::alone(None, || {
        let alice = alice();
        let host = Qmail::of(&alice, "./Mailbox");
        let refuse = refusing(&alice, ".qmail", DOT_QMAIL);
        let recipe = Recipe { refuse: Some(&refuse), ..Recipe::of_one("qmail: `.qmail`", &host, &alice) };
        is_as_on_the_page(&recipe, "bounces with the key");
    });
}

#[test]
fn refusal() {
    machine::alone(None, || {
        let alice = alice();
        let host = Qmail::of(&alice, "./Mailbox");
        refusing(&alice, ".qmail", DOT_QMAIL)(true);
        let line = fs::read_to_string(alice.path(".qmail")).expect("a line");
        assert!(PAGE.contains(&format!("    {line}")), "{line}");
        host.offer(b"bob@host.example", b"alice@host.example", LETTER, Transfer::Data).expect("taken");
        let told = host.told().concat();
        assert!(
            told.starts_with(b"5.7.1 This mailbox accepts encrypted mail only."),
            "{}",
            told.escape_ascii()
        );
    });
}

/// Root's rc is run too, and what it starts says what it was given.
#[test]
fn of_all_users() {
    machine::alone(None, || {
        let (alice, _bob) = everybody();
        write("/var/qmail/rc", RC);
        program("/var/qmail/bin/qmail-start", "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
        let given = output("/bin/sh", &["/var/qmail/rc"]);
        let Some((line, "splogger\nqmail\n")) = given.split_once('\n') else { panic!("{given}") };
        // The names of her other addresses are for whoever sends to choose: they become no path below --certs.
        alice.write(".qmail-default", line);
        let host = Qmail::of(&alice, line);
        is_as_on_the_page(&Recipe::of_all("qmail: `rc`", &host, &alice), "–");
    });
}

/// The fields that it adds are sealed with the message.
#[test]
fn preline() {
    machine::alone(None, || {
        let alice = alice();
        if !Path::new(PRELINE).exists() {
            program(PRELINE, PRELINE_PLAYED);
        }
        let line =
            PAGE.lines().find_map(|line| line.strip_prefix("    ").filter(|line| line.contains("preline")));
        alice.write(".qmail", line.expect("a line of the page"));
        let host = Qmail::of(&alice, "./Mailbox");
        let send = || host.offer(b"bob@host.example", b"alice@host.example", LETTER, Transfer::Data);
        send().expect("taken");
        let fields = "Return-Path: <bob@host.example>\nDelivered-To: alice@host.example\n";
        let expected = [fields.as_bytes(), RECEIVED.as_bytes(), &lf(LETTER)].concat();
        let gpg = Gpg::with_keys(&["alice"]);
        let found = original(&gpg, &take_mail(&alice.path("Maildir")));
        assert_eq!(found.escape_ascii().to_string(), expected.escape_ascii().to_string());
        let certificate = alice.path(".config/selfseal/cert.asc");
        let away = certificate.with_extension("away");
        fs::rename(&certificate, &away).expect("renamed");
        send().expect("taken");
        assert_eq!((host.waiting(), host.told().len()), (1, 0));
        fs::rename(&away, &certificate).expect("renamed");
        host.retry();
        assert_eq!(original(&gpg, &take_mail(&alice.path("Maildir"))), expected);
    });
}

fn program(path: &str, text: &str) {
    write(path, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}
