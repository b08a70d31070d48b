//! Exim, as Debian configures it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;

use crate::host::Host;
use crate::machine;
use crate::recipe::{LETTER, Recipe};
use crate::resident::{Resident, output, run, serve, write};
use crate::world::letter::WORDS;
use crate::world::readable::readable;
use crate::world::smtp::{Session, Transfer};
use crate::world::wait;

/// What debconf writes for a host that takes mail for its users.
const SITE: &str = "\
dc_eximconfig_configtype='internet'
dc_other_hostnames='host.example'
dc_local_interfaces='127.0.0.1'
dc_localdelivery='mail_spool'
dc_use_split_config='true'
dc_hide_mailname='true'
CFILEMODE='644'
";

const FORWARD: &str = include_str!("../../contrib/exim/forward");
const FILTER: &str = include_str!("../../contrib/exim/filter");

/// Debian's transport for the commands of .forward files.
const ADDRESS_PIPE: &str = "/etc/exim4/conf.d/transport/30_exim4-config_address_pipe";

const ADDRESS: &str = "alice@host.example";

struct Exim {
    daemon: Child,
    /// The file that says how long it waits for a program.
    limit: Option<Limit>,
}

/// A file in its place, and the same with a moment for a limit.
struct Limit {
    path: PathBuf,
    text: String,
    hasty: String,
}

impl Limit {
    /// One that has this value, once.
    #[track_caller]
    fn of(path: impl Into<PathBuf>, text: &str, value: &str) -> Self {
        assert_eq!(text.matches(value).count(), 1, "{value} is there");
        Limit { path: path.into(), text: text.to_owned(), hasty: text.replace(value, "2s") }
    }

    /// A transport of Debian's, which has none and waits for an hour.
    fn of_debian(path: &str) -> Self {
        let text = fs::read_to_string(path).expect("Debian's configuration");
        Limit { path: path.into(), hasty: format!("{text}  timeout = 2s\n"), text }
    }
}

impl Exim {
    /// Starts it, once its configuration is in place.
    fn start() -> Self {
        Exim::with(None)
    }

    fn with_limit(limit: Limit) -> Self {
        Exim::with(Some(limit))
    }

    fn with(limit: Option<Limit>) -> Self {
        write("/etc/exim4/update-exim4.conf.conf", SITE);
        run("update-exim4.conf", &[]);
        let daemon = serve("/usr/sbin/exim4", &["-bdf"]);
        wait::until("Exim", || Session::open(25));
        Exim { daemon, limit }
    }
}

impl Host for Exim {
    fn waiting(&self) -> usize {
        output("exim4", &["-bpc"]).trim().parse().expect("a count")
    }

    /// Exim handles each message in processes of its own, from the connection on.
    fn settle(&self) {
        wait::until("the end of all deliveries", || {
            let others = crate::resident::running("exim4").into_iter().filter(|pid| *pid != self.daemon.id());
            (others.count() == 0).then_some(())
        });
    }

    fn retry(&self) {
        run("exim4", &["-qff"]);
        self.settle();
    }

    fn hurry(&self, on: bool) {
        let limit = self.limit.as_ref().expect("a limit");
        write(&limit.path, if on { &limit.hasty } else { &limit.text });
        run("update-exim4.conf", &[]);
    }

    fn forget(&self) {
        for id in output("exim4", &["-bp"]).split_whitespace().filter(|word| is_id(word)) {
            run("exim4", &["-Mrm", id]);
        }
    }
}

/// XXXXXX-XXXXXX-XX, or the longer form of Exim 4.97.
fn is_id(word: &str) -> bool {
    let lengths: Vec<_> = word.split('-').map(str::len).collect();
    matches!(lengths[..], [6, 6, 2] | [6, 11, 4])
}

/// Proves what is in Alice's ~/.forward.
fn prove_for_alice(name: &str, forward: &str, limit: Limit) {
    let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
    alice.write(".forward", forward);
    let host = Exim::with_limit(limit);
    let refuse = |on: bool| {
        let certificate = fs::read(alice.path(".config/selfseal/cert.asc")).expect("a certificate");
        let offer = alice.write("cert.asc", certificate);
        let command = format!("is-encrypted --require --offer {} encrypt-to-self", offer.display());
        let line = if on { forward.replace("encrypt-to-self", &command) } else { forward.to_owned() };
        alice.write(".forward", line);
    };
    let recipe = Recipe {
        name,
        host: &host,
        address: ADDRESS,
        programs: alice.path(".cargo/bin"),
        certificate: alice.path(".config/selfseal/cert.asc"),
        maildir: alice.path("Maildir"),
        suffix: b"\n",
        refuse: Some(&refuse),
    };
    recipe.prove();
}

#[test]
fn dot_forward() {
    machine::alone(Some("exim"), || {
        prove_for_alice("[Exim](exim): `.forward`", FORWARD, Limit::of_debian(ADDRESS_PIPE));
    });
}

#[test]
fn dot_forward_that_waits() {
    machine::alone(Some("exim"), || {
        let path = format!("{ADDRESS_PIPE}_selfseal");
        write(&path, include_str!("../../contrib/exim/address_pipe"));
        prove_for_alice("[Exim](exim): `.forward`, with `address_pipe`", FORWARD, Limit::of_debian(&path));
    });
}

#[test]
fn filter_file() {
    machine::alone(Some("exim"), || {
        prove_for_alice(
            "[Exim](exim): filter file",
            FILTER,
            Limit::of("/home/alice/.forward", FILTER, "50m"),
        );
    });
}

/// Exim's own answer to the question where Alice's mail goes.
fn route() -> String {
    output("exim4", &["-bt", ADDRESS])
}

/// What the first line of the page warns of, and how the page finds it.
#[test]
fn mistyped_forward() {
    machine::alone(Some("exim"), || {
        let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
        let host = Exim::start();
        let send = || {
            host.offer(b"bob@host.example", ADDRESS.as_bytes(), LETTER, Transfer::Data).expect("taken");
            host.settle();
        };
        alice.write(".forward", FORWARD);
        let answer =
            format!("{ADDRESS} -> {}\n  transport = address_pipe\n", FORWARD.trim().trim_matches('"'));
        assert_eq!(route(), answer);
        for mistyped in [FORWARD.trim_end().trim_end_matches('"'), &FILTER.replace("pipe \"", "pipe ")] {
            alice.write(".forward", mistyped);
            assert!(route().contains("transport = mail_spool"), "{}", route());
            send();
            assert!(!readable(Path::new("/var/mail"), &WORDS).is_empty(), "no page needs to warn of it");
            fs::remove_file("/var/mail/alice").expect("removed");
        }
    });
}
