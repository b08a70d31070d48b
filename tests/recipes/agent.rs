//! A Postfix that hands mail to whatever delivers it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::host::Host;
use crate::resident::{output, run, write};
use crate::world::smtp::Session;
use crate::world::wait;

/// What a small host's main.cf says. Postfix does not fill in missing fields for us as it would for its own users.
const MAIN: &str = "\
compatibility_level = 3.6
myhostname = host.example
mydestination = host.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_header_rewrite_clients =
recipient_delimiter = +
maillog_file = /var/log/mail.log
";

/// The services that this takes, none of them in a chroot.
const MASTER: &str = "\
127.0.0.1:25 inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n - 0 flush
showq unix n - n - - showq
error unix - - n - - error
proxymap unix - - n - - proxymap
local unix - n n - - local
postlog unix-dgram n - n - 1 postlogd
";

pub struct Postfix {
    /// What makes it, or a program that it runs, wait for a moment only.
    pub hasty: &'static str,
}

const MAIN_PATH: &str = "/etc/postfix/main.cf";

/// Its own limit.
pub const HASTY: &str = "command_time_limit = 2s";

impl Postfix {
    /// Starts it with these lines more in its main.cf.
    pub fn start(settings: &str) -> Self {
        Postfix::configured(&format!("{MAIN}{settings}\n"), MASTER)
    }

    /// Starts it with files of its own.
    pub fn configured(main: &str, master: &str) -> Self {
        assert!(Path::new("/usr/sbin/postfix").exists(), "no Postfix here: apt-get install postfix");
        write(MAIN_PATH, main);
        write("/etc/postfix/master.cf", master);
        restart();
        Postfix { hasty: HASTY }
    }

    /// A line for each message in the queue, in JSON.
    fn queue(&self) -> Vec<String> {
        output("postqueue", &["-j"]).lines().map(str::to_owned).collect()
    }

    /// Nothing is on its way. Looks twice, since a message may move from one part of the queue to another while that
    /// is read.
    pub fn rests(&self) -> bool {
        let rests = || self.queue().iter().all(|line| line.contains(r#""queue_name": "deferred""#));
        rests() && rests()
    }

    /// How often it tried to deliver something.
    fn attempts(&self) -> usize {
        let log = fs::read("/var/log/mail.log").unwrap_or_default();
        String::from_utf8_lossy(&log).matches(" status=").count()
    }
}

/// Starts it, or starts it again: after a change, a reload lets what runs go on for a while.
pub fn restart() {
    let _ = Command::new("postfix").arg("stop").output();
    run("postfix", &["start"]);
    wait::until("Postfix", || Session::open(25));
}

impl Host for Postfix {
    fn waiting(&self) -> usize {
        self.queue().len()
    }

    fn settle(&self) {
        wait::until("the end of all deliveries", || self.rests().then_some(()));
    }

    fn retry(&self) {
        let expected = self.attempts() + self.waiting();
        run("postqueue", &["-f"]);
        wait::until("another attempt", || (self.attempts() >= expected).then_some(()));
        self.settle();
    }

    fn hurry(&self, on: bool) {
        let patient = Path::new(MAIN_PATH).with_extension("patient");
        if on {
            fs::copy(MAIN_PATH, &patient).expect("a copy");
            run("postconf", &["-e", self.hasty]);
        } else {
            fs::rename(&patient, MAIN_PATH).expect("renamed");
        }
        restart();
    }

    fn forget(&self) {
        run("postsuper", &["-d", "ALL"]);
    }
}
