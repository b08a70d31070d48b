//! OpenSMTPD, as Debian configures it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use crate::apart;
use crate::host::Host;
use crate::limit::Limit;
use crate::machine;
use crate::recipe::{Recipe, refusing_first};
use crate::resident::{Resident, everybody_and_rosa, install, output, run, write};
use crate::world::letter::LETTER;
use crate::world::readable::files;
use crate::world::smtp::{Session, Transfer};
use crate::world::{fixture, wait};

struct OpenSmtpd {
    daemon: Mutex<Child>,
    limit: Limit,
}

/// What it says of its work.
const LOG: &str = "/var/log/smtpd";

impl OpenSmtpd {
    /// Starts it, once its configuration is in place.
    fn start(limit: Limit) -> Self {
        // It lets five connections wait. Under SYN cookies the kernel forgets those above that when they are half
        // open, and their clients wait for a greeting; without, they ask again.
        fs::write("/proc/sys/net/ipv4/tcp_syncookies", "0").expect("a machine of its own");
        OpenSmtpd { daemon: Mutex::new(daemon()), limit }
    }

    fn stop(&self) {
        let mut daemon = self.daemon.lock().expect("one thread");
        run("kill", &[&daemon.id().to_string()]);
        daemon.wait().expect("ended");
    }

    /// Starts it again, and waits until it knows what is in its queue: it reads that a while after it listens.
    fn restart(&self) {
        let before = self.queue();
        self.stop();
        let end = log().len();
        *self.daemon.lock().expect("one thread") = daemon();
        wait::until("the queue", || {
            let (now, log) = (self.queue(), log());
            let is_known = |id: &String| {
                now.contains_key(id) || log[end..].contains(&format!(" mda delivery evpid={id} "))
            };
            before.keys().all(is_known).then_some(())
        });
    }

    /// How often each message in the queue was tried, and whether it is being tried.
    fn queue(&self) -> BTreeMap<String, (u32, bool)> {
        // id|family|kind|tag|sender|recipient|destination|created|expires|tried|attempts|state|...
        let envelope = |line: &str| {
            let fields: Vec<_> = line.split('|').collect();
            // A name may hold the sign too.
            let is_count = |field: &&str| field.parse::<u64>().is_ok();
            let at = fields.windows(4).position(|four| four.iter().all(is_count)).expect("times and a count");
            let attempts = fields[at + 3].parse().expect("a count");
            (fields[0].to_owned(), (attempts, fields[at + 4] != "pending"))
        };
        output("smtpctl", &["show", "queue"]).lines().map(envelope).collect()
    }
}

fn log() -> String {
    String::from_utf8_lossy(&fs::read(LOG).expect("a log")).into_owned()
}

fn daemon() -> Child {
    let log = File::options().create(true).append(true).open(LOG).expect("a log");
    let mut command = Command::new("/usr/sbin/smtpd");
    let daemon = command.arg("-d").stdin(Stdio::null()).stderr(log).spawn().expect("OpenSMTPD");
    wait::until("OpenSMTPD", || Session::open(25));
    daemon
}

/// The end of what was taken, by its log. The queue does not tell: between two of its processes a message is in no list,
/// and neither is a bounce before it is written.
#[derive(Default)]
struct Account<'a> {
    /// Taken, and not tried yet.
    untried: BTreeSet<&'a str>,
    refused: usize,
    bounced: usize,
}

impl<'a> Account<'a> {
    fn of(log: &'a str) -> Self {
        let mut account = Account::default();
        for line in log.lines() {
            let Some((_, id)) = line.split_once(" evpid=") else { continue };
            let id = id.split(' ').next().unwrap_or_default();
            let is_bounce = line.contains(" from=<> ");
            if line.contains(" smtp envelope ") {
                account.untried.insert(id);
                account.bounced += usize::from(is_bounce && line.contains(" to=<bob@"));
            } else if line.contains(" mda delivery ") {
                account.untried.remove(id);
                account.refused += usize::from(!is_bounce && line.contains(" result=PermFail "));
            }
        }
        account
    }

    fn is_closed(&self) -> bool {
        self.untried.is_empty() && self.refused == self.bounced
    }
}

impl Host for OpenSmtpd {
    fn waiting(&self) -> usize {
        self.queue().len()
    }

    fn settle(&self) {
        wait::until("the end of all deliveries", || {
            // What was tried is in the queue no more, or waits there.
            (Account::of(&log()).is_closed() && self.queue().values().all(|(_, busy)| !busy)).then_some(())
        });
    }

    fn retry(&self) {
        let before = self.queue();
        if !before.is_empty() {
            run("smtpctl", &["schedule", "all"]);
        }
        wait::until("another try of each", || {
            let after = self.queue();
            let tried = |(id, (attempts, _)): (&String, &(u32, bool))| {
                after.get(id).is_none_or(|(now, busy)| now > attempts && !busy)
            };
            before.iter().all(tried).then_some(())
        });
        self.settle();
    }

    fn hurry(&self, on: bool) {
        self.limit.hurry(on);
        self.restart();
    }

    fn forget(&self) {
        if !self.queue().is_empty() {
            run("smtpctl", &["remove", "all"]);
        }
    }
}

impl Drop for OpenSmtpd {
    /// Shown where a test fails.
    fn drop(&mut self) {
        eprint!("{}", log());
    }
}

/// What the page says.
const PAGE: &str = include_str!("../../contrib/opensmtpd/README.md");

const FORWARD: &str = include_str!("../../contrib/opensmtpd/forward");
const CONFIGURATION: &str = include_str!("../../contrib/opensmtpd/smtpd.conf");

/// Starts it with the shipped line in Alice's .forward.
fn with_forward(alice: &Resident) -> OpenSmtpd {
    let path = alice.write(".forward", FORWARD);
    OpenSmtpd::start(Limit::of(path, FORWARD, "KILL 290 ", "KILL 2 "))
}

/// Starts it with the shipped configuration.
fn with_configuration() -> OpenSmtpd {
    let path = "/etc/smtpd.conf";
    write(path, CONFIGURATION);
    OpenSmtpd::start(Limit::of(path, CONFIGURATION, "KILL 290 ", "KILL 2 "))
}

#[test]
fn dot_forward() {
    machine::alone(Some("opensmtpd"), || {
        let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
        let host = with_forward(&alice);
        let refuse = |on: bool| {
            let line = "\"|exec /home/alice/.cargo/bin/is-encrypted --require \
                --offer-at https://host.example/alice.asc encrypt-to-self deliver\"\n";
            assert!(PAGE.contains(line));
            alice.write(".forward", if on { line } else { FORWARD });
        };
        let recipe = Recipe {
            refuse: Some(&refuse),
            ..Recipe::of_one("[OpenSMTPD](opensmtpd): `.forward`", &host, &alice)
        };
        recipe.prove();
        recipe.prove_audited(&alice, FORWARD, PAGE);
    });
}

#[test]
fn everybody() {
    machine::alone(Some("opensmtpd"), || {
        let (alice, bob, rosa) = everybody_and_rosa();
        // His own .forward comes first: he is told in words that can be read.
        bob.write(".forward", b"|/usr/local/bin/deliver\n");
        let host = with_configuration();
        let line = "\"|exec /usr/local/bin/is-encrypted --require --offer-at https://host.example/alice.asc \
            encrypt-to-self --cert /etc/selfseal/certs/alice@host.example.asc deliver\"\n";
        assert!(PAGE.contains(line));
        let refuse = refusing_first(&alice, ".forward", line);
        let recipe = Recipe {
            refuse: Some(&refuse),
            ..Recipe::of_all("[OpenSMTPD](opensmtpd): `smtpd.conf`", &host, &alice)
        };
        recipe.prove();
        let rosas = rosa.path("Maildir");
        apart::prove_refused(&recipe, ["alice+tag@host.example", "rosa@host.example"], &rosas);
        apart::prove(&host, ["team@host.example", "rosa@host.example"], [&recipe.maildir, &rosas]);
    });
}

#[test]
fn a_forward_that_others_can_write_to_is_refused() {
    machine::alone(Some("opensmtpd"), || {
        let alice = Resident::alice();
        let host = with_forward(&alice);
        for mode in [0o664, 0o666] {
            fs::set_permissions(alice.path(".forward"), Permissions::from_mode(mode)).expect("a mode");
            let refusal = host
                .offer(b"alice@host.example", b"alice@host.example", LETTER, Transfer::Data)
                .expect_err("refused");
            assert!(refusal.starts_with("524 5.2.4 "), "{mode:o}: {refusal}");
        }
        assert_eq!(host.waiting(), 0);
    });
}

#[test]
fn mail_that_waits_is_delivered_when_debians_configuration_is_back() {
    machine::alone(Some("opensmtpd"), || {
        let alice = Resident::new("alice");
        install("/usr/local/bin".as_ref());
        write("/etc/selfseal/certs/rosa@host.example.asc", fixture("keys/rosa.asc"));
        let debian = fs::read("/etc/smtpd.conf").expect("Debian's configuration");
        let host = with_configuration();
        host.offer(b"alice@host.example", b"alice@host.example", LETTER, Transfer::Data).expect("taken");
        host.settle();
        assert_eq!(host.waiting(), 1);
        write("/etc/smtpd.conf", debian);
        host.restart();
        wait::until("the delivery", || (files(&alice.path("Maildir/new")).len() == 1).then_some(()));
        wait::until("an empty queue", || (host.waiting() == 0).then_some(()));
    });
}
