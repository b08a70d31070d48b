//! OpenSMTPD, as Debian configures it.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Child;

use crate::apart;
use crate::host::Host;
use crate::machine;
use crate::recipe::Recipe;
use crate::resident::{Resident, everybody_and_rosa, install, output, run, serve, write};
use crate::world::letter::LETTER;
use crate::world::readable::files;
use crate::world::smtp::{Session, Transfer};
use crate::world::{fixture, wait};

struct OpenSmtpd {
    daemon: Child,
}

impl OpenSmtpd {
    /// Starts it, once its configuration is in place.
    fn start() -> Self {
        // It lets five connections wait. Under SYN cookies the kernel forgets those above that when they are half
        // open, and their clients wait for a greeting; without, they ask again.
        fs::write("/proc/sys/net/ipv4/tcp_syncookies", "0").expect("a machine of its own");
        let daemon = serve("/usr/sbin/smtpd", &["-d"]);
        wait::until("OpenSMTPD", || Session::open(25));
        OpenSmtpd { daemon }
    }

    fn stop(mut self) {
        run("kill", &[&self.daemon.id().to_string()]);
        self.daemon.wait().expect("ended");
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

impl Host for OpenSmtpd {
    fn waiting(&self) -> usize {
        self.queue().len()
    }

    fn settle(&self) {
        wait::until("the end of all deliveries", || {
            let rests = |(attempts, busy): &(u32, bool)| *attempts > 0 && !busy;
            self.queue().values().all(rests).then_some(())
        });
    }

    fn retry(&self) {
        let before = self.queue();
        if before.is_empty() {
            return;
        }
        run("smtpctl", &["schedule", "all"]);
        wait::until("another try of each", || {
            let after = self.queue();
            let tried = |(id, (attempts, _)): (&String, &(u32, bool))| {
                after.get(id).is_none_or(|(now, busy)| now > attempts && !busy)
            };
            before.iter().all(tried).then_some(())
        });
        self.settle();
    }

    fn forget(&self) {
        if !self.queue().is_empty() {
            run("smtpctl", &["remove", "all"]);
        }
    }
}

/// What the page says.
const PAGE: &str = include_str!("../../contrib/opensmtpd/README.md");

/// A recipe's command with a limit that a test can wait for.
fn hasty(text: &str) -> String {
    assert!(text.contains("KILL 290 "), "the limit");
    text.replace("KILL 290 ", "KILL 15 ")
}

#[test]
fn dot_forward() {
    machine::alone(Some("opensmtpd"), || {
        let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
        let forward = hasty(include_str!("../../contrib/opensmtpd/forward"));
        alice.write(".forward", forward.as_bytes());
        let host = OpenSmtpd::start();
        let refuse = |on: bool| {
            let line = "\"|exec /home/alice/.cargo/bin/is-encrypted --require \
                --offer-at https://host.example/alice.asc encrypt-to-self deliver\"\n";
            assert!(PAGE.contains(line));
            alice.write(".forward", if on { line.as_bytes() } else { forward.as_bytes() });
        };
        let recipe = Recipe {
            refuse: Some(&refuse),
            ..Recipe::of_one("[OpenSMTPD](opensmtpd): `.forward`", &host, &alice)
        };
        recipe.prove();
        recipe.prove_audited(&alice, include_str!("../../contrib/opensmtpd/forward"), PAGE);
    });
}

#[test]
fn everybody() {
    machine::alone(Some("opensmtpd"), || {
        let (alice, bob, rosa) = everybody_and_rosa();
        write("/etc/smtpd.conf", hasty(include_str!("../../contrib/opensmtpd/smtpd.conf")));
        // His own .forward comes first: he is told in words that can be read.
        bob.write(".forward", b"|/usr/local/bin/deliver\n");
        let host = OpenSmtpd::start();
        let recipe = Recipe::of_all("[OpenSMTPD](opensmtpd): `smtpd.conf`", &host, &alice);
        recipe.prove();
        apart::prove(
            &host,
            ["team@host.example", "rosa@host.example"],
            [&alice.path("Maildir"), &rosa.path("Maildir")],
        );
    });
}

#[test]
fn a_forward_that_others_can_write_to_is_refused() {
    machine::alone(Some("opensmtpd"), || {
        let alice = Resident::alice();
        let forward = alice.write(".forward", include_bytes!("../../contrib/opensmtpd/forward"));
        let host = OpenSmtpd::start();
        for mode in [0o664, 0o666] {
            fs::set_permissions(&forward, Permissions::from_mode(mode)).expect("a mode");
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
        write("/etc/smtpd.conf", include_str!("../../contrib/opensmtpd/smtpd.conf"));
        let host = OpenSmtpd::start();
        host.offer(b"alice@host.example", b"alice@host.example", LETTER, Transfer::Data).expect("taken");
        host.settle();
        assert_eq!(host.waiting(), 1);
        host.stop();
        write("/etc/smtpd.conf", debian);
        let host = OpenSmtpd::start();
        // It reads its queue a while after it listens.
        wait::until("the delivery", || (files(&alice.path("Maildir/new")).len() == 1).then_some(()));
        wait::until("an empty queue", || (host.waiting() == 0).then_some(()));
    });
}
