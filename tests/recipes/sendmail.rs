//! Sendmail, as Debian configures it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Child;

use memchr::memmem;

use crate::apart;
use crate::host::Host;
use crate::limit::Limit;
use crate::machine;
use crate::recipe::{Recipe, refusing_first};
use crate::resident::{PROGRAMS, Resident, everybody_and_rosa, install, rests, run, running, serve, write};
use crate::world::gpg::Gpg;
use crate::world::letter::{LETTER, WORDS, lf, original};
use crate::world::readable::{files, nothing_readable, take_mail};
use crate::world::smtp::{Session, Transfer};
use crate::world::{fixture, wait};

/// What the page says.
const PAGE: &str = include_str!("../../contrib/sendmail/README.md");

/// Its line that refuses readable mail.
const REFUSING: &str = "\"|/home/alice/.cargo/bin/is-encrypted --require \
    --offer /home/alice/.config/selfseal/cert.asc encrypt-to-self deliver\"\n";

/// The same where all users' mail is sealed.
const REFUSING_FIRST: &str = "\"|/usr/local/bin/is-encrypted --require \
    --offer /etc/selfseal/certs/alice@host.example.asc \
    encrypt-to-self --cert /etc/selfseal/certs/alice@host.example.asc deliver\"\n";

/// Text that some hosts decode on the way.
const ENCODED: &[u8] = b"From: Bob <bob@host.example>\r\nTo: alice@host.example\r\nSubject: elderberry\r\n\
    MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\r\njuniper caf=E9 =\r\nis\r\n";

const SITE: &str = "/etc/mail/sendmail.mc";
const PROGRAM: &str = "/usr/sbin/sendmail-mta";

/// However busy the machine is: Sendmail would keep mail for later, or take none.
const AT_ANY_LOAD: [&str; 2] = ["-OQueueLA=1000", "-ORefuseLA=1000"];

struct Sendmail {
    daemon: Child,
    /// How long a program runs. Sendmail waits for one without a limit for ever: the test ends it, as an
    /// administrator would.
    limit: Option<Limit>,
}

impl Sendmail {
    /// Starts it, once its configuration is in place.
    fn start(limit: Option<Limit>) -> Self {
        run("install", &["-d", "-o", "smmta", "-g", "smmsp", "/run/sendmail/mta"]);
        let daemon = serve(PROGRAM, &["-bD", AT_ANY_LOAD[0], AT_ANY_LOAD[1]]);
        wait::until("Sendmail", || Session::open(25));
        Sendmail { daemon, limit }
    }

    fn stop(mut self) {
        self.daemon.kill().expect("ended");
        self.daemon.wait().expect("ended");
    }

    /// With a line more in Debian's configuration, which is then made anew.
    fn with(line: &str, before: &str) {
        let text = fs::read_to_string(SITE).expect("Debian's configuration");
        assert!(text.contains(before), "{SITE} has {before}");
        write(SITE, text.replacen(before, &format!("{line}\n{before}"), 1));
        assert!(PAGE.contains(line));
        on_the_page("make -C /etc/mail sendmail.cf");
    }

    fn end_what_hangs(&self) {
        for pid in running("sleep") {
            assert_eq!(self.waiting(), 1, "the message is in the queue while a program hangs");
            run("kill", &["-KILL", &pid.to_string()]);
        }
    }
}

/// Runs a command that the page shows.
fn on_the_page(command: &str) {
    assert!(PAGE.contains(&format!("    {command}\n")), "{command}");
    run("sh", &["-c", command]);
}

impl Host for Sendmail {
    fn waiting(&self) -> usize {
        let entries = fs::read_dir("/var/spool/mqueue").expect("the queue").flatten();
        entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"qf")).count()
    }

    /// Sendmail handles each message in processes of its own, from the connection on.
    fn settle(&self) {
        wait::until("the end of all deliveries", || {
            if self.limit.is_none() {
                self.end_what_hangs();
            }
            rests("sendmail", &self.daemon).then_some(())
        });
    }

    fn retry(&self) {
        run(PROGRAM, &["-qf", AT_ANY_LOAD[0], AT_ANY_LOAD[1]]);
        self.settle();
    }

    fn hurry(&self, on: bool) {
        if let Some(limit) = &self.limit {
            limit.hurry(on);
        }
    }

    fn forget(&self) {
        for entry in fs::read_dir("/var/spool/mqueue").expect("the queue").flatten() {
            fs::remove_file(entry.path()).expect("removed");
        }
    }
}

#[test]
fn dot_forward() {
    machine::alone(Some("sendmail"), || {
        let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
        let forward = include_str!("../../contrib/sendmail/forward");
        let limit = Limit::of(alice.write(".forward", forward), forward, "KILL 290 ", "KILL 2 ");
        let host = Sendmail::start(Some(limit));
        assert!(PAGE.contains(REFUSING));
        let refuse = |on: bool| {
            alice.write(".forward", if on { REFUSING } else { forward });
        };
        let recipe = Recipe {
            refuse: Some(&refuse),
            ..Recipe::of_one("[Sendmail](sendmail): `.forward`", &host, &alice)
        };
        recipe.prove();
        recipe.prove_audited(&alice, forward, PAGE);
    });
}

#[test]
fn dot_forward_under_smrsh() {
    machine::alone(Some("sendmail"), || {
        let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
        install("/usr/local/bin".as_ref());
        on_the_page("ln -s /usr/local/bin/encrypt-to-self /usr/local/bin/is-encrypted /etc/mail/smrsh/");
        let forward = include_str!("../../contrib/sendmail/forward-smrsh");
        alice.write(".forward", forward.as_bytes());
        Sendmail::with("FEATURE(`smrsh')dnl", "MAILER_DEFINITIONS");
        let host = Sendmail::start(None);
        let refusing = REFUSING.replace("/home/alice/.cargo/bin/", "");
        let refuse = |on: bool| {
            alice.write(".forward", if on { refusing.as_bytes() } else { forward.as_bytes() });
        };
        let recipe = Recipe {
            programs: PROGRAMS.into(),
            refuse: Some(&refuse),
            ..Recipe::of_one("[Sendmail](sendmail): `.forward` under smrsh", &host, &alice)
        };
        recipe.prove();
    });
}

#[test]
fn everybody() {
    machine::alone(Some("sendmail"), || {
        let (alice, bob, rosa) = everybody_and_rosa();
        run("newaliases", &[]);
        write("/etc/mail/m4/selfseal.m4", include_str!("../../contrib/sendmail/selfseal.m4"));
        Sendmail::with("include(`/etc/mail/m4/selfseal.m4')dnl", "MAILER_DEFINITIONS");
        // His own .forward comes first: he is told in words that can be read.
        bob.write(".forward", b"|/usr/local/bin/deliver\n");
        let host = Sendmail::start(None);
        assert!(PAGE.contains(REFUSING_FIRST));
        let refuse = refusing_first(&alice, ".forward", REFUSING_FIRST);
        let recipe = Recipe {
            refuse: Some(&refuse),
            ..Recipe::of_all("[Sendmail](sendmail): `selfseal.m4`", &host, &alice)
        };
        recipe.prove();
        let rosas = rosa.path("Maildir");
        apart::prove_refused(&recipe, ["alice+tag@host.example", "rosa@host.example"], &rosas);
        assert!(sent(&host, &alice, ENCODED).ends_with(&lf(ENCODED)), "as it came");
        apart::prove(&host, ["team@host.example", "rosa@host.example"], [&recipe.maildir, &rosas]);
    });
}

#[test]
fn encoded_text_stays_as_it_came_by_a_line_of_the_page() {
    machine::alone(Some("sendmail"), || {
        let alice = Resident::alice();
        alice.write(".forward", include_bytes!("../../contrib/sendmail/forward"));
        let host = Sendmail::start(None);
        let decoded = sent(&host, &alice, ENCODED);
        assert!(memmem::find(&decoded, b"caf\xe9 is\n").is_some(), "{}", decoded.escape_ascii());
        host.stop();
        Sendmail::with("MODIFY_MAILER_FLAGS(`SHELL', `-9')dnl", "MAILER_DEFINITIONS");
        let kept = sent(&Sendmail::start(None), &alice, ENCODED);
        assert!(kept.ends_with(&lf(ENCODED)), "{}", kept.escape_ascii());
    });
}

/// Sends Alice a message, and opens what is stored of it.
#[track_caller]
fn sent(host: &Sendmail, alice: &Resident, message: &[u8]) -> Vec<u8> {
    let taken = host.offer(b"alice@host.example", b"alice@host.example", message, Transfer::Data);
    taken.expect("taken");
    host.settle();
    original(&Gpg::with_keys(&["alice"]), &take_mail(&alice.path("Maildir")))
}

/// What the first line of the page warns of, and what selfseal.m4 does about it.
#[test]
fn a_forward_that_others_can_write_to_is_passed_over() {
    machine::alone(Some("sendmail"), || {
        let alice = Resident::alice();
        install("/usr/local/bin".as_ref());
        write("/etc/selfseal/certs/alice@host.example.asc", fixture("keys/alice.asc"));
        let forward = alice.write(".forward", include_bytes!("../../contrib/sendmail/forward"));
        fs::set_permissions(&forward, Permissions::from_mode(0o664)).expect("a mode");
        let send = |host: &Sendmail| {
            let sent = host.offer(b"alice@host.example", b"alice@host.example", LETTER, Transfer::Data);
            sent.expect("taken");
            host.settle();
        };
        let host = Sendmail::start(None);
        send(&host);
        let clear = fs::read("/var/mail/alice").expect("the mailbox of Debian's Sendmail");
        assert!(memmem::find(&clear, b"elderberry").is_some(), "{}", clear.escape_ascii());
        fs::remove_file("/var/mail/alice").expect("removed");
        host.stop();

        write("/etc/mail/m4/selfseal.m4", include_str!("../../contrib/sendmail/selfseal.m4"));
        Sendmail::with("include(`/etc/mail/m4/selfseal.m4')dnl", "MAILER_DEFINITIONS");
        send(&Sendmail::start(None));
        nothing_readable("/home/alice".as_ref(), &WORDS);
        nothing_readable("/var/mail".as_ref(), &WORDS);
        assert_eq!(files(&alice.path("Maildir")).len(), 1);
    });
}
