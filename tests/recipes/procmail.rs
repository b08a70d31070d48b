//! procmail, behind Postfix.

use crate::agent::Postfix;
use crate::apart;
use crate::machine;
use crate::recipe::{Recipe, refusing};
use crate::resident::{Resident, everybody_and_rosa, write};

/// It ends a program before Postfix ends it.
fn start() -> Postfix {
    let mut host = Postfix::start("mailbox_command = /usr/bin/procmail -t");
    host.hasty = "mailbox_command = /usr/bin/procmail -t TIMEOUT=2";
    host
}

#[test]
fn of_one_user() {
    machine::alone(None, || {
        let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
        let procmailrc = include_str!("../../contrib/procmail/procmailrc");
        alice.write(".procmailrc", procmailrc.as_bytes());
        let host = start();
        let refuse = refusing(&alice, ".procmailrc", procmailrc);
        let recipe = Recipe {
            refuse: Some(&refuse),
            ..Recipe::of_one("[procmail](procmail): `.procmailrc`", &host, &alice)
        };
        recipe.prove();
    });
}

#[test]
fn of_all_users() {
    machine::alone(None, || {
        let (alice, _bob, rosa) = everybody_and_rosa();
        let (path, procmailrc) = ("/etc/procmailrc", include_str!("../../contrib/procmail/etc-procmailrc"));
        write(path, procmailrc);
        let host = start();
        let refusing = procmailrc.replace("(nobody)", "(alice|carol)");
        let refuse = |on| write(path, if on { &refusing } else { procmailrc });
        let recipe = Recipe {
            refuse: Some(&refuse),
            ..Recipe::of_all("[procmail](procmail): `/etc/procmailrc`", &host, &alice)
        };
        recipe.prove();
        apart::prove_refused(&recipe, ["Alice+tag@host.example", "rosa@host.example"], &rosa.path("Maildir"));
    });
}
