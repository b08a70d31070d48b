//! Dovecot as the store, behind Postfix: sealed on the way there, and sealed there by Sieve.

use std::fs;
use std::path::Path;

use crate::agent::{Postfix, restart};
use crate::apart;
use crate::host::Host;
use crate::limit::Limit;
use crate::machine;
use crate::recipe::{Recipe, refusing};
use crate::resident::{PROGRAMS, Resident, everybody_and_rosa, install, run, write};
use crate::world::fixture;
use crate::world::letter::{LETTER, WORDS};
use crate::world::readable::nothing_readable;
use crate::world::smtp::Transfer;

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

const LOCAL: &str = "/etc/dovecot/local.conf";

/// Starts Dovecot with this local.conf, and a Postfix with these lines more.
fn start(main: &str, master: &str, local: &str) -> Postfix {
    write(LOCAL, [DOVECOT, local].concat());
    start_dovecot();
    let services = fs::read_to_string("/usr/share/postfix/master.cf.dist").expect("Debian's configuration");
    Postfix::configured(&[MAIN, main].concat(), &[&services, master].concat())
}

fn start_dovecot() {
    // It keeps its standard error.
    run("sh", &["-c", "dovecot 2>/dev/null"]);
}

/// The same host, where it is Dovecot that waits for a program.
struct Sieve(Postfix, Limit);

impl Host for Sieve {
    fn waiting(&self) -> usize {
        self.0.waiting()
    }

    fn settle(&self) {
        self.0.settle();
    }

    fn retry(&self) {
        self.0.retry();
    }

    fn hurry(&self, on: bool) {
        self.1.hurry(on);
        run("doveadm", &["stop"]);
        start_dovecot();
    }

    fn forget(&self) {
        self.0.forget();
    }
}

#[test]
fn before_lmtp() {
    machine::alone(Some("dovecot"), || {
        let (alice, _bob, rosa) = everybody_and_rosa();
        run("useradd", &["--system", "selfseal"]);
        let host = start(
            include_str!("../../contrib/dovecot/main.cf"),
            include_str!("../../contrib/dovecot/master.cf"),
            include_str!("../../contrib/dovecot/lmtp.conf"),
        );
        let line = "mailbox_transport_maps = inline:{alice=selfseal-require}";
        assert!(include_str!("../../contrib/dovecot/README.md").contains(line));
        let refuse = |on: bool| {
            run("postconf", &if on { ["-e", line] } else { ["-X", "mailbox_transport_maps"] });
            restart();
        };
        let name = "[Dovecot](dovecot): `master.cf`, before LMTP";
        Recipe { refuse: Some(&refuse), ..Recipe::of_all(name, &host, &alice) }.prove();
        apart::prove_refused(
            &host,
            &refuse,
            ["Alice+tag@Host.Example", "rosa@host.example"],
            [&alice.path("Maildir"), &rosa.path("Maildir")],
        );
    });
}

#[test]
fn before_lda() {
    machine::alone(Some("dovecot"), || {
        let (alice, _bob) = (Resident::alice(), Resident::bob());
        let forward = include_str!("../../contrib/dovecot/forward");
        alice.write(".forward", forward.as_bytes());
        let local = include_str!("../../contrib/dovecot/lda.conf");
        let host = start("", "", local);
        let refuse = refusing(&alice, ".forward", forward);
        let name = "[Dovecot](dovecot): `forward`, before dovecot-lda";
        Recipe { refuse: Some(&refuse), ..Recipe::of_one(name, &host, &alice) }.prove();
    });
}

#[test]
fn sieve() {
    machine::alone(Some("dovecot"), || {
        let (alice, _bob) = (Resident::new("alice"), Resident::bob());
        install(Path::new(PROGRAMS));
        alice.write(".config/selfseal/cert.asc", fixture("keys/alice.asc"));
        let script = "/etc/dovecot/sieve/selfseal.sieve";
        write(script, include_str!("../../contrib/dovecot/selfseal.sieve"));
        let local = include_str!("../../contrib/dovecot/sieve.conf");
        let host = start("mailbox_transport = lmtp:unix:private/dovecot-lmtp\n", "", local);
        let host = Sieve(host, Limit::of(LOCAL, &[DOVECOT, local].concat(), "5m", "2s"));
        run("sievec", &[script]);
        machine::close_temporary_directories();
        let name = "[Dovecot](dovecot): `selfseal.sieve`";
        Recipe { programs: PROGRAMS.into(), ..Recipe::of_one(name, &host, &alice) }.prove();
        // Without the script Dovecot keeps a message as it came, for which there is no place.
        fs::remove_file(script).expect("removed");
        fs::remove_file(Path::new(script).with_extension("svbin")).expect("removed");
        host.offer(b"bob@host.example", b"alice@host.example", LETTER, Transfer::Data).expect("taken");
        host.settle();
        assert_eq!(host.waiting(), 1);
        nothing_readable(&alice.path(""), &WORDS);
    });
}
