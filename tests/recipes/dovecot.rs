//! Dovecot as the store, behind Postfix: sealed on the way there, and sealed there by Sieve.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::host::Host;
use crate::machine;
use crate::recipe::Recipe;
use crate::resident::{Resident, install, output, run, write};
use crate::world::fixture;
use crate::world::letter::{LETTER, WORDS};
use crate::world::readable::{files, nothing_readable};
use crate::world::smtp::{Session, Transfer};
use crate::world::wait;

/// A host that takes mail for its users.
const MAIN: &str = "\
compatibility_level = 3.6
myhostname = host.example
mydestination = host.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
recipient_delimiter = +
alias_maps =
smtputf8_enable = no
maillog_file = /var/log/mail.log
";

/// What a machine alone has not.
const DOVECOT: &str = "\
protocols = lmtp
listen = 127.0.0.1
ssl = no
";

struct Postfix;

impl Postfix {
    /// Starts it, and Dovecot with this local.conf.
    fn start(main: &str, master: &str, local: &str) -> Self {
        write("/etc/dovecot/local.conf", [DOVECOT, local].concat());
        // It keeps its standard error.
        run("sh", &["-c", "dovecot 2>/dev/null"]);
        let services =
            fs::read_to_string("/usr/share/postfix/master.cf.dist").expect("Debian's configuration");
        write("/etc/postfix/master.cf", [&services, master].concat());
        write("/etc/postfix/main.cf", [MAIN, main].concat());
        run("postfix", &["start"]);
        wait::until("Postfix", || Session::open(25));
        Postfix
    }

    /// The queues in which messages are, a line a message.
    fn queue() -> Vec<String> {
        let listing = output("postqueue", &["-j"]);
        listing.lines().map(str::to_owned).collect()
    }

    /// Each attempt gives the file of a message that waits another time.
    fn attempts() -> BTreeSet<(PathBuf, SystemTime)> {
        let deferred = files(Path::new("/var/spool/postfix/deferred"));
        let state = |path: PathBuf| Some((path.clone(), path.metadata().ok()?.modified().ok()?));
        deferred.into_iter().filter_map(|(path, _)| state(path)).collect()
    }
}

impl Host for Postfix {
    fn waiting(&self) -> usize {
        Self::queue().len()
    }

    /// Looks twice, since a message may move from one part of the queue to another while that is read.
    fn settle(&self) {
        let is_deferred = |message: &String| message.contains(r#""queue_name": "deferred""#);
        let rests = || Self::queue().iter().all(is_deferred);
        wait::until("the first attempts", || (rests() && rests()).then_some(()));
    }

    fn retry(&self) {
        let before = Self::attempts();
        run("postqueue", &["-f"]);
        wait::until("another attempt", || before.is_disjoint(&Self::attempts()).then_some(()));
        self.settle();
    }

    fn forget(&self) {
        run("postsuper", &["-d", "ALL"]);
    }
}

/// Bob, whose mail goes to no Dovecot.
fn bob() -> Resident {
    let bob = Resident::new("bob");
    bob.write(".forward", b"/home/bob/Maildir/\n");
    bob
}

#[test]
fn before_lmtp() {
    machine::alone(Some("dovecot"), || {
        let (alice, _bob) = (Resident::new("alice"), bob());
        run("useradd", &["--system", "selfseal"]);
        install(Path::new("/usr/local/bin"));
        let certificate = "/etc/selfseal/certs/alice@host.example.asc";
        write(certificate, fixture("keys/alice.asc"));
        // A test does not wait for Postfix's quarter of an hour.
        let main = [include_str!("../../contrib/dovecot/main.cf"), "selfseal_time_limit = 20s\n"].concat();
        let host = Postfix::start(
            &main,
            include_str!("../../contrib/dovecot/master.cf"),
            include_str!("../../contrib/dovecot/lmtp.conf"),
        );
        let recipe = Recipe {
            name: "[Dovecot](dovecot): `master.cf`, before LMTP",
            host: &host,
            address: "alice@host.example",
            programs: "/usr/local/bin".into(),
            certificate: certificate.into(),
            maildir: alice.path("Maildir"),
            suffix: b"",
            refuse: None,
        };
        recipe.prove();
    });
}

#[test]
fn before_lda() {
    machine::alone(Some("dovecot"), || {
        let (alice, _bob) = (Resident::alice(), bob());
        let forward = include_str!("../../contrib/dovecot/forward");
        alice.write(".forward", forward.as_bytes());
        let local = include_str!("../../contrib/dovecot/lda.conf");
        let host = Postfix::start("command_time_limit = 20s\n", "", local);
        let refuse = |on: bool| {
            alice.write("cert.asc", fixture("keys/alice.asc"));
            let command = "is-encrypted --require --offer /home/alice/cert.asc encrypt-to-self";
            let line = if on { forward.replace("encrypt-to-self", command) } else { forward.to_owned() };
            alice.write(".forward", line.as_bytes());
        };
        let recipe = Recipe {
            name: "[Dovecot](dovecot): `forward`, before dovecot-lda",
            host: &host,
            address: "alice@host.example",
            programs: alice.path(".cargo/bin"),
            certificate: alice.path(".config/selfseal/cert.asc"),
            maildir: alice.path("Maildir"),
            suffix: b"",
            refuse: Some(&refuse),
        };
        recipe.prove();
    });
}

#[test]
fn sieve() {
    machine::alone(Some("dovecot"), || {
        let (alice, _bob) = (Resident::new("alice"), bob());
        install(Path::new("/usr/local/bin"));
        let certificate = alice.write(".config/selfseal/cert.asc", fixture("keys/alice.asc"));
        let script = "/etc/dovecot/sieve/selfseal.sieve";
        write(script, include_str!("../../contrib/dovecot/selfseal.sieve"));
        let local = include_str!("../../contrib/dovecot/sieve.conf").replace("5m", "20s");
        let host = Postfix::start("mailbox_transport = lmtp:unix:private/dovecot-lmtp\n", "", &local);
        run("sievec", &[script]);
        machine::close_temporary_directories();
        let recipe = Recipe {
            name: "[Dovecot](dovecot): `selfseal.sieve`",
            host: &host,
            address: "alice@host.example",
            programs: "/usr/local/bin".into(),
            certificate,
            maildir: alice.path("Maildir"),
            suffix: b"",
            refuse: None,
        };
        recipe.prove();
        // Without the script Dovecot keeps a message as it came, for which there is no place.
        fs::remove_file(script).expect("removed");
        fs::remove_file(Path::new(script).with_extension("svbin")).expect("removed");
        host.offer(b"bob@host.example", b"alice@host.example", LETTER, Transfer::Data).expect("taken");
        host.settle();
        assert_eq!(host.waiting(), 1);
        nothing_readable(&alice.path(""), &WORDS);
    });
}
