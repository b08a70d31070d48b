//! Dovecot as the store, behind Postfix: sealed on the way there, and sealed there by Sieve. Debian 12 has
//! Dovecot 2.3; Debian 13 has Dovecot 2.4, whose configuration is in another language.

use std::fs;
use std::path::Path;

use memchr::memmem;

use crate::agent::{Postfix, restart};
use crate::apart;
use crate::host::Host;
use crate::limit::Limit;
use crate::machine;
use crate::recipe::{Recipe, refusing};
use crate::resident::{PROGRAMS, Resident, everybody_and_rosa, install, run, write};
use crate::world::fixture;
use crate::world::letter::{LETTER, WORDS};
use crate::world::readable::{nothing_readable, take_mail};
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

const SIEVE: &str = include_str!("../../contrib/dovecot/sieve.conf");

/// A release of Dovecot.
struct Release {
    /// What the table calls it.
    name: &'static str,
    /// The machine that has it.
    machine: &'static str,
    /// Its files of contrib/.
    lmtp: &'static str,
    lda: &'static str,
}

/// That of Debian 12.
const OLD: Release = Release {
    name: "Dovecot",
    machine: "dovecot",
    lmtp: include_str!("../../contrib/dovecot/lmtp.conf"),
    lda: include_str!("../../contrib/dovecot/lda.conf"),
};

/// That of Debian 13.
const NEW: Release = Release {
    name: "Dovecot 2.4",
    machine: "dovecot-2.4",
    lmtp: include_str!("../../contrib/dovecot/2.4/lmtp.conf"),
    lda: include_str!("../../contrib/dovecot/2.4/lda.conf"),
};

/// Where the script lies, whichever it is.
const SCRIPT: &str = "/etc/dovecot/sieve/selfseal.sieve";

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

fn prove_before_lmtp(release: &Release) {
    machine::alone(Some(release.machine), || {
        let (alice, _bob, rosa) = everybody_and_rosa();
        run("useradd", &["--system", "selfseal"]);
        let host = start(
            include_str!("../../contrib/dovecot/main.cf"),
            include_str!("../../contrib/dovecot/master.cf"),
            release.lmtp,
        );
        let line = "mailbox_transport_maps = inline:{alice=selfseal-require}";
        assert!(include_str!("../../contrib/dovecot/README.md").contains(line));
        let refuse = |on: bool| {
            run("postconf", &if on { ["-e", line] } else { ["-X", "mailbox_transport_maps"] });
            restart();
        };
        let name = format!("[{}](dovecot): `master.cf`, before LMTP", release.name);
        let recipe = Recipe { refuse: Some(&refuse), ..Recipe::of_all(&name, &host, &alice) };
        recipe.prove();
        apart::prove_refused(&recipe, ["Alice+tag@Host.Example", "rosa@host.example"], &rosa.path("Maildir"));
    });
}

#[test]
fn before_lmtp() {
    prove_before_lmtp(&OLD);
}

#[test]
fn before_lmtp_of_2_4() {
    prove_before_lmtp(&NEW);
}

fn prove_before_lda(release: &Release) {
    machine::alone(Some(release.machine), || {
        let (alice, _bob) = (Resident::alice(), Resident::bob());
        let forward = include_str!("../../contrib/dovecot/forward");
        alice.write(".forward", forward.as_bytes());
        let host = start("", "", release.lda);
        let refuse = refusing(&alice, ".forward", forward);
        let name = format!("[{}](dovecot): `forward`, before dovecot-lda", release.name);
        Recipe { refuse: Some(&refuse), ..Recipe::of_one(&name, &host, &alice) }.prove();
    });
}

#[test]
fn before_lda() {
    prove_before_lda(&OLD);
}

#[test]
fn before_lda_of_2_4() {
    prove_before_lda(&NEW);
}

/// A host where Sieve seals as this local.conf says, once there is a script.
fn start_sieve(local: &str) -> (Resident, Postfix) {
    let alice = Resident::new("alice");
    install(Path::new(PROGRAMS));
    alice.write(".config/selfseal/cert.asc", fixture("keys/alice.asc"));
    (alice, start("mailbox_transport = lmtp:unix:private/dovecot-lmtp\n", "", local))
}

/// Puts a script in its place.
fn put(script: &str) {
    write(SCRIPT, script);
    run("sievec", &[SCRIPT]);
}

fn send(host: &dyn Host) {
    host.offer(b"bob@host.example", b"alice@host.example", LETTER, Transfer::Data).expect("taken");
    host.settle();
}

/// Proves a script that runs the programs by this command of Pigeonhole's.
fn prove_sieve(name: &str, command: &str, script: &str) {
    machine::alone(Some("dovecot"), || {
        let _bob = Resident::bob();
        let (alice, host) = start_sieve(SIEVE);
        put(script);
        // A script of her own never has a turn.
        let own = alice.write(".dovecot.sieve", "redirect \"bob@host.example\";");
        machine::close_temporary_directories();
        let [patient, hasty] = ["5m", "2s"].map(|time| format!("sieve_{command}_exec_timeout = {time}"));
        let host = Sieve(host, Limit::of(LOCAL, &[DOVECOT, SIEVE].concat(), &patient, &hasty));
        Recipe { programs: PROGRAMS.into(), ..Recipe::of_one(name, &host, &alice) }.prove();
        // Ours does not compile.
        write(SCRIPT, "nonsense");
        send(&host);
        assert_eq!((host.waiting(), host.told().len()), (1, 0));
        host.forget();
        // It is missing: now hers has a turn.
        fs::remove_file(SCRIPT).expect("removed");
        fs::remove_file(Path::new(SCRIPT).with_extension("svbin")).expect("removed");
        send(&host);
        assert_eq!((host.waiting(), host.told().len()), (0, 1));
        // No script at all: Dovecot keeps the message as it came, for which there is no place.
        fs::remove_file(own).expect("removed");
        send(&host);
        assert_eq!(host.waiting(), 1);
        nothing_readable(&alice.path(""), &WORDS);
    });
}

#[test]
fn sieve_filter() {
    let script = include_str!("../../contrib/dovecot/selfseal.sieve");
    prove_sieve("[Dovecot](dovecot): `selfseal.sieve`", "filter", script);
}

#[test]
fn sieve_pipe() {
    let script = include_str!("../../contrib/dovecot/pipe.sieve");
    prove_sieve("[Dovecot](dovecot): `pipe.sieve`", "pipe", script);
}

#[test]
fn sieve_execute() {
    let script = include_str!("../../contrib/dovecot/execute.sieve");
    prove_sieve("[Dovecot](dovecot): `execute.sieve`", "execute", script);
}

/// What the page warns of: with an inbox, Sieve keeps in it, as it came, what a program fails to seal.
#[test]
fn sieve_with_an_inbox() {
    machine::alone(Some("dovecot"), || {
        let trick = "  namespace inbox {\n    location = maildir:/dev/null\n  }\n";
        assert!(SIEVE.contains(trick), "{trick}");
        let (alice, host) = start_sieve(&SIEVE.replace(trick, ""));
        let program = Path::new(PROGRAMS).join("encrypt-to-self");
        let is_kept_readable = || {
            send(&host);
            assert_eq!(host.waiting(), 0);
            memmem::find(&take_mail(&alice.path("Maildir")), WORDS[1].as_bytes()).is_some()
        };
        for script in [
            r#"require "vnd.dovecot.filter"; filter "encrypt-to-self";"#,
            r#"require "vnd.dovecot.pipe"; pipe "encrypt-to-self" "deliver";"#,
            r#"require "vnd.dovecot.execute"; if execute :pipe "encrypt-to-self" "deliver" { discard; }"#,
        ] {
            put(script);
            assert!(!is_kept_readable(), "it seals: {script}");
            for cause in [&alice.path(".config/selfseal/cert.asc"), &program] {
                let away = cause.with_extension("away");
                fs::rename(cause, &away).expect("renamed");
                assert!(is_kept_readable(), "no page needs to warn of it: {script}");
                fs::rename(&away, cause).expect("renamed");
            }
        }
    });
}
