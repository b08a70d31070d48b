//! maildrop, behind Postfix.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;

use crate::agent::Postfix;
use crate::apart;
use crate::host::Host;
use crate::machine;
use crate::recipe::{Recipe, refusing};
use crate::resident::{Resident, end, everybody_and_rosa, running, write};
use crate::world::wait;

/// The same host. A test does not wait for maildrop's five minutes, which nobody can set.
struct Maildrop(Postfix);

impl Host for Maildrop {
    fn waiting(&self) -> usize {
        self.0.waiting()
    }

    fn settle(&self) {
        wait::until("the end of all deliveries", || {
            let hanging = running("sleep");
            if !hanging.is_empty() {
                // What its watchdog sends. It leaves the program behind.
                end(&running("maildrop"), Signal::ALARM);
                wait::until("the end of maildrop", || running("maildrop").is_empty().then_some(()));
                end(&hanging, Signal::TERM);
            }
            self.0.rests().then_some(())
        });
    }

    fn retry(&self) {
        self.0.retry();
    }

    fn forget(&self) {
        self.0.forget();
    }
}

/// Only their owner may be able to read these files.
fn filter(user: &Resident, text: &str) {
    let path = user.write(".mailfilter", text.as_bytes());
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("a mode");
}

#[test]
fn of_one_user() {
    machine::alone(None, || {
        let (alice, _bob) = (Resident::alice(), Resident::bob());
        let mailfilter = include_str!("../../contrib/maildrop/mailfilter");
        filter(&alice, mailfilter);
        let host = Maildrop(Postfix::start("mailbox_command = /usr/bin/maildrop"));
        let refuse = |on: bool| {
            let certificate = alice.path(".config/selfseal/cert.asc");
            let command = format!("is-encrypted --require --offer {} encrypt-to-self", certificate.display());
            let refusing = mailfilter
                .replace("encrypt-to-self", &command)
                .replace("exit 75", "exit $(($? == 77 ? 77 : 75))");
            filter(&alice, if on { &refusing } else { mailfilter });
        };
        let name = "[maildrop](maildrop): `.mailfilter`";
        Recipe { refuse: Some(&refuse), ..Recipe::of_one(name, &host, &alice) }.prove();
    });
}

#[test]
fn of_one_user_behind_a_forward() {
    machine::alone(None, || {
        let (alice, _bob) = (Resident::alice(), Resident::bob());
        let forward = include_str!("../../contrib/maildrop/forward");
        alice.write(".forward", forward.as_bytes());
        filter(&alice, include_str!("../../contrib/maildrop/mailfilter-sealed"));
        // Sealing hangs before maildrop is there to watch.
        let host = Postfix::start("");
        let refuse = refusing(&alice, ".forward", forward);
        let name = "[maildrop](maildrop): behind `.forward`";
        Recipe { refuse: Some(&refuse), ..Recipe::of_one(name, &host, &alice) }.prove();
    });
}

/// What the page shows for the beginning of /etc/maildroprc.
fn rule() -> String {
    let page = include_str!("../../contrib/maildrop/README.md").lines();
    let lines =
        page.skip_while(|line| !line.starts_with("    if ")).take_while(|line| line.starts_with("    "));
    lines.map(|line| format!("{}\n", &line[4..])).collect()
}

#[test]
fn of_all_users() {
    machine::alone(None, || {
        let (alice, _bob, rosa) = everybody_and_rosa();
        let (path, maildroprc) = ("/etc/maildroprc", include_str!("../../contrib/maildrop/maildroprc"));
        write(path, maildroprc);
        let host = Maildrop(Postfix::start("mailbox_command = /usr/bin/maildrop"));
        let rule = rule();
        let refuse = |on| write(path, if on { rule.clone() + maildroprc } else { maildroprc.to_owned() });
        let recipe = Recipe {
            refuse: Some(&refuse),
            ..Recipe::of_all("[maildrop](maildrop): `/etc/maildroprc`", &host, &alice)
        };
        recipe.prove();
        apart::prove_refused(&recipe, ["Alice+tag@host.example", "rosa@host.example"], &rosa.path("Maildir"));
    });
}
