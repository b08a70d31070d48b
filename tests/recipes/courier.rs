//! Courier.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::apart;
use crate::host::Host;
use crate::machine;
use crate::recipe::{Recipe, refusing, refusing_first};
use crate::resident::{CERTIFICATE, PROGRAMS, Resident, install, run, serve, write};
use crate::world::fixture;
use crate::world::readable::files;
use crate::world::smtp::Session;
use crate::world::wait;

const QUEUE: &str = "/var/lib/courier";

struct Courier;

impl Courier {
    fn start() -> Self {
        for directory in ["/run/courier", "/run/courier/authdaemon"] {
            fs::create_dir_all(directory).expect("a directory");
            run("chown", &["courier:courier", directory]);
        }
        for (name, text) in [
            ("me", "host.example"),
            ("defaultdomain", "host.example"),
            ("locals", "localhost\nhost.example"),
            ("esmtpacceptmailfor", "host.example"),
            // Nobody here has the rights of a client.
            ("smtpaccess/default", "127.0.0.1\tallow"),
            // After a failure Courier would take no mail for that address, for two hours.
            ("bofh", "opt BOFHSUPPRESSBACKSCATTER=none"),
            // A test does not wait for its quarter of an hour.
            ("localtimeout", "30s"),
        ] {
            write(Path::new("/etc/courier").join(name), format!("{text}\n"));
        }
        // There is no DNS on this machine, twenty clients come from one address, and some ask for odd names.
        let esmtpd = fs::read_to_string("/etc/courier/esmtpd").expect("Debian's configuration");
        let own =
            "BOFHCHECKDNS=0\nMAXPERC=40\nMAXPERIP=40\nTARPIT=0\nTCPDOPTS=\"-noidentlookup -nodnslookup\"\n";
        write("/etc/courier/esmtpd", esmtpd + own + include_str!("../../contrib/courier/esmtpd"));
        run("makesmtpaccess", &[]);
        for program in ["authdaemond", "courierfilter", "courier", "esmtpd"] {
            // They keep their output open.
            assert!(
                serve(program, &["start"]).wait().is_ok_and(|status| status.success()),
                "{program} start"
            );
        }
        wait::until("Courier", || Session::open(25));
        Courier
    }

    /// What is known of each message in the queue, and of each that is about to come into it.
    fn queue(&self) -> HashMap<PathBuf, String> {
        let files = files(Path::new(QUEUE)).into_iter().filter(|(path, _)| is_control(path));
        files.map(|(path, text)| (path, String::from_utf8_lossy(&text).into_owned())).collect()
    }
}

/// Beside D935 with a message stands C935; msgq has C935 once more, with a time behind it.
fn is_control(path: &Path) -> bool {
    let number = path.file_name().and_then(|name| name.to_str()?.strip_prefix('C'));
    number.is_some_and(|number| number.bytes().all(|octet| octet.is_ascii_digit()))
}

/// How often its delivery was tried.
fn attempts(control: &str) -> usize {
    control.lines().filter(|line| line.starts_with('C')).count()
}

/// It is on its way until it was tried; and it leaves after a success, and after a failure of which its sender is told.
fn rests(control: &str) -> bool {
    attempts(control) > 0 && !control.lines().any(|line| line.starts_with(['S', 'F']))
}

impl Host for Courier {
    fn waiting(&self) -> usize {
        self.queue().len()
    }

    /// Looks twice, since a message may move from one directory to another while they are read.
    fn settle(&self) {
        let rests = || self.queue().values().all(|control| rests(control));
        wait::until("the end of all deliveries", || (rests() && rests()).then_some(()));
    }

    fn retry(&self) {
        let before = self.queue();
        run("courier", &["flush"]);
        wait::until("another attempt", || {
            let now = self.queue();
            let tried = |(path, then): (&PathBuf, &String)| {
                now.get(path).is_none_or(|now| attempts(now) > attempts(then))
            };
            before.iter().all(tried).then_some(())
        });
        self.settle();
    }

    /// Courier asks for each name before it takes the message.
    fn forget(&self) {
        assert_eq!(self.waiting(), 0, "nobody has that name");
    }
}

/// He can read what he is told. Where there is no Maildir, Courier makes an mbox of that name.
fn bob() -> Resident {
    let bob = Resident::new("bob");
    bob.write(".courier", b"./Maildir\n");
    run("maildirmake.courier", &["/home/bob/Maildir"]);
    run("chown", &["-R", "bob:bob", "/home/bob/Maildir"]);
    bob
}

#[test]
fn of_one_user() {
    machine::alone(Some("courier"), || {
        let (alice, _bob) = (Resident::alice(), bob());
        let courier = include_str!("../../contrib/courier/courier");
        alice.write(".courier", courier.as_bytes());
        let host = Courier::start();
        let refuse = refusing(&alice, ".courier", courier);
        let recipe = Recipe {
            refuse: Some(&refuse),
            ..Recipe::of_one("[Courier](courier): `.courier`", &host, &alice)
        };
        recipe.prove();
    });
}

#[test]
fn of_all_users() {
    machine::alone(Some("courier"), || {
        let (alice, rosa, _bob) = (Resident::new("alice"), Resident::new("rosa"), bob());
        install(Path::new(PROGRAMS));
        write(CERTIFICATE, fixture("keys/alice.asc"));
        write("/etc/selfseal/certs/rosa@host.example.asc", fixture("keys/rosa.asc"));
        let courierd = fs::read_to_string("/etc/courier/courierd").expect("Debian's configuration");
        let line = include_str!("../../contrib/courier/defaultdelivery");
        write("/etc/courier/courierd", courierd.replace("DEFAULTDELIVERY=./Maildir\n", line));
        let host = Courier::start();
        let line = "| /usr/local/bin/is-encrypted --require --offer /etc/selfseal/certs/alice@host.example.asc \
            encrypt-to-self --certs=/etc/selfseal/certs deliver || exit\n";
        assert!(include_str!("../../contrib/courier/README.md").contains(line));
        let refuse = refusing_first(&alice, ".courier", line);
        let recipe = Recipe {
            refuse: Some(&refuse),
            ..Recipe::of_all("[Courier](courier): `DEFAULTDELIVERY`", &host, &alice)
        };
        recipe.prove();
        apart::prove_refused(&recipe, ["alice@host.example", "rosa@host.example"], &rosa.path("Maildir"));
    });
}
