//! Dovecot as the store, behind Postfix: sealed on the way there, and sealed there by Sieve. Debian 12 has
//! Dovecot 2.3; Debian 13 has Dovecot 2.4, whose configuration is in another language.

use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use memchr::memmem;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use crate::agent::{Postfix, restart};
use crate::apart;
use crate::host::Host;
use crate::limit::Limit;
use crate::machine;
use crate::recipe::{Recipe, refusing};
use crate::resident::{PROGRAMS, Resident, everybody_and_rosa, install, run, write};
use crate::world::fixture;
use crate::world::letter::{LETTER, WORDS};
use crate::world::readable::{mail, nothing_readable, take_mail};
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

/// A release of Dovecot.
struct Release {
    /// What the table calls it.
    name: &'static str,
    /// The machine that has it.
    machine: &'static str,
    /// Its files of contrib/.
    lmtp: &'static str,
    lda: &'static str,
    sieve: &'static str,
    /// How Postfix hands mail to the one that runs Sieve.
    to_sieve: &'static str,
    /// How its file for Sieve says that there is no inbox.
    closed: &'static str,
    /// Lets users have scripts of their own.
    personal: &'static str,
}

/// That of Debian 12.
const OLD: Release = Release {
    name: "Dovecot",
    machine: "dovecot",
    lmtp: include_str!("../../contrib/dovecot/lmtp.conf"),
    lda: include_str!("../../contrib/dovecot/lda.conf"),
    sieve: include_str!("../../contrib/dovecot/sieve.conf"),
    to_sieve: "mailbox_transport = lmtp:unix:private/dovecot-lmtp",
    closed: "  namespace inbox {\n    location = maildir:/dev/null\n  }\n",
    personal: "",
};

/// That of Debian 13.
const NEW: Release = Release {
    name: "Dovecot 2.4",
    machine: "dovecot-2.4",
    lmtp: include_str!("../../contrib/dovecot/2.4/lmtp.conf"),
    lda: include_str!("../../contrib/dovecot/2.4/lda.conf"),
    sieve: include_str!("../../contrib/dovecot/2.4/sieve.conf"),
    to_sieve: "mailbox_command = /usr/lib/dovecot/dovecot-lda || exit 75",
    closed: "  namespace inbox {\n    mail_path = /dev/null\n    mail_inbox_path = /dev/null\n  }\n",
    personal: "sieve_script personal {\n  path = ~/.dovecot.sieve\n}\n",
};

/// Where the script lies, whichever it is.
const SCRIPT: &str = "/etc/dovecot/sieve/selfseal.sieve";

/// Starts Dovecot with this local.conf, and a Postfix with these lines more.
fn start(main: &str, master: &str, local: &str) -> Postfix {
    let services = fs::read_to_string("/usr/share/postfix/master.cf.dist").expect("Debian's configuration");
    let postfix = Postfix::configured(&[MAIN, main].concat(), &[&services, master].concat());
    // After Postfix, in whose directory it may listen.
    write(LOCAL, [DOVECOT, local].concat());
    start_dovecot();
    postfix
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

/// A host where Sieve seals as this local.conf says, once there is a script, and this line of main.cf leads there.
fn start_sieve(local: &str, line: &str) -> (Resident, Postfix) {
    let alice = Resident::new("alice");
    install(Path::new(PROGRAMS));
    alice.write(".config/selfseal/cert.asc", fixture("keys/alice.asc"));
    (alice, start(&format!("{line}\n"), "", local))
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
fn prove_sieve(release: &Release, file: &str, command: &str, script: &str) {
    machine::alone(Some(release.machine), || {
        let _bob = Resident::bob();
        let local = [release.sieve, release.personal].concat();
        let (alice, host) = start_sieve(&local, release.to_sieve);
        assert!(include_str!("../../contrib/dovecot/README.md").contains(release.to_sieve));
        put(script);
        // A script of her own never has a turn.
        let own = alice.write(".dovecot.sieve", "redirect \"bob@host.example\";");
        let made = Made::watch();
        let [patient, hasty] = ["5m", "2s"].map(|time| format!("sieve_{command}_exec_timeout = {time}"));
        let host = Sieve(host, Limit::of(LOCAL, &[DOVECOT, &local].concat(), &patient, &hasty));
        let name = format!("[{}](dovecot): `{file}`", release.name);
        Recipe { programs: PROGRAMS.into(), ..Recipe::of_one(&name, &host, &alice) }.prove();
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
        made.hold_no_mail();
    });
}

/// What is made where temporary files lie, since that may be a disk.
struct Made(OwnedFd);

impl Made {
    fn watch() -> Self {
        let watch = inotify::init(CreateFlags::NONBLOCK).expect("inotify");
        for directory in ["/tmp", "/var/tmp"] {
            inotify::add_watch(&watch, directory, WatchFlags::CREATE).expect("a watch");
        }
        Made(watch)
    }

    /// Nothing but what this test makes, and the configuration that dovecot-lda of 2.4 has written for itself.
    fn hold_no_mail(self) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(self.0, &mut buffer);
        let mut names = Vec::new();
        while let Ok(event) = events.next() {
            names.push(event.file_name().expect("a name").to_string_lossy().into_owned());
        }
        assert!(names.iter().any(|name| name.starts_with(".tmp")), "it sees this test's own: {names:?}");
        names.retain(|name| !name.starts_with(".tmp") && !name.starts_with("doveconf."));
        assert_eq!(names, <[&str; 0]>::default());
    }
}

fn prove_sieve_filter(release: &Release) {
    let script = include_str!("../../contrib/dovecot/selfseal.sieve");
    prove_sieve(release, "selfseal.sieve", "filter", script);
}

#[test]
fn sieve_filter() {
    prove_sieve_filter(&OLD);
}

#[test]
fn sieve_filter_of_2_4() {
    prove_sieve_filter(&NEW);
}

#[test]
fn sieve_pipe() {
    prove_sieve(&OLD, "pipe.sieve", "pipe", include_str!("../../contrib/dovecot/pipe.sieve"));
}

#[test]
fn sieve_execute() {
    prove_sieve(&OLD, "execute.sieve", "execute", include_str!("../../contrib/dovecot/execute.sieve"));
}

/// What the page warns of: with an inbox, Sieve keeps in it, as it came, what a program fails to seal.
fn prove_sieve_with_an_inbox(release: &Release) {
    machine::alone(Some(release.machine), || {
        let trick = release.closed;
        assert!(release.sieve.contains(trick), "{trick}");
        let (alice, host) = start_sieve(&release.sieve.replace(trick, ""), release.to_sieve);
        let program = Path::new(PROGRAMS).join("encrypt-to-self");
        let is_kept_readable = || {
            send(&host);
            assert_eq!(host.waiting(), 0);
            memmem::find(&take_mail(&alice.path("Maildir")), WORDS[1].as_bytes()).is_some()
        };
        for (extension, script) in [
            ("vnd.dovecot.filter", r#"filter "encrypt-to-self";"#),
            ("vnd.dovecot.pipe", r#"pipe "encrypt-to-self" "deliver";"#),
            ("vnd.dovecot.execute", r#"if execute :pipe "encrypt-to-self" "deliver" { discard; }"#),
        ] {
            if !release.sieve.contains(extension) {
                continue;
            }
            put(&format!("require \"{extension}\"; {script}"));
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

#[test]
fn sieve_with_an_inbox() {
    prove_sieve_with_an_inbox(&OLD);
}

#[test]
fn sieve_with_an_inbox_of_2_4() {
    prove_sieve_with_an_inbox(&NEW);
}

/// What the page says of 2.4: there the LMTP server lends root's rights to what Sieve runs, so nothing of ours runs.
#[test]
fn sieve_in_lmtp_of_2_4() {
    machine::alone(Some(NEW.machine), || {
        let socket = "/var/spool/postfix/private/dovecot-lmtp";
        let local = NEW.sieve.replace("protocol lda {", "protocol lmtp {");
        assert_ne!(local, NEW.sieve);
        let local =
            format!("{local}service lmtp {{\n  unix_listener {socket} {{\n    mode = 0666\n  }}\n}}\n");
        let (alice, host) = start_sieve(&local, OLD.to_sieve);
        put(include_str!("../../contrib/dovecot/selfseal.sieve"));
        send(&host);
        assert_eq!(host.waiting(), 1);
        assert_eq!(mail(&alice.path("Maildir")).len(), 0);
        nothing_readable(&alice.path(""), &WORDS);
        // A shell goes back to its real user.
        fs::write(Path::new(PROGRAMS).join("encrypt-to-self"), "#!/bin/sh\nid -u >/run/who; exit 75\n")
            .expect("a script");
        host.retry();
        assert_eq!(fs::read_to_string("/run/who").expect("it ran"), "0\n");
    });
}
