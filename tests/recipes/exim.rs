//! Exim, as Debian configures it.

use std::fs;
use std::process::Child;

use crate::host::Host;
use crate::machine;
use crate::recipe::Recipe;
use crate::resident::{Resident, output, run, serve, write};
use crate::world::smtp::Session;
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

struct Exim {
    daemon: Child,
}

impl Exim {
    /// Starts it, once its configuration is in place.
    fn start() -> Self {
        write("/etc/exim4/update-exim4.conf.conf", SITE);
        run("update-exim4.conf", &[]);
        let daemon = serve("/usr/sbin/exim4", &["-bdf"]);
        wait::until("Exim", || Session::open(25));
        Exim { daemon }
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

#[test]
fn dot_forward() {
    machine::alone(Some("exim"), || {
        let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
        let forward = include_str!("../../contrib/exim/forward");
        alice.write(".forward", forward.as_bytes());
        // A test does not wait for Exim's hour.
        let transport = "/etc/exim4/conf.d/transport/30_exim4-config_address_pipe";
        let text = fs::read_to_string(transport).expect("Debian's configuration");
        write(transport, text + "  timeout = 3s\n");
        let host = Exim::start();
        let refuse = |on: bool| {
            let offer =
                alice.write("cert.asc", &fs::read(alice.path(".config/selfseal/cert.asc")).expect("a file"));
            let command = format!("is-encrypted --require --offer {} encrypt-to-self", offer.display());
            let line = if on { forward.replace("encrypt-to-self", &command) } else { forward.to_owned() };
            alice.write(".forward", line.as_bytes());
        };
        let recipe = Recipe {
            name: "[Exim](exim): `.forward`",
            host: &host,
            address: "alice@host.example",
            programs: alice.path(".cargo/bin"),
            certificate: alice.path(".config/selfseal/cert.asc"),
            maildir: alice.path("Maildir"),
            suffix: b"\n",
            refuse: Some(&refuse),
        };
        recipe.prove();
    });
}
