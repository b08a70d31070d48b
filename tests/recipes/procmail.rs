//! procmail, behind Postfix.

use crate::agent::Postfix;
use crate::machine;
use crate::recipe::{Recipe, refusing};
use crate::resident::{Resident, everybody, write};

#[test]
fn of_one_user() {
    machine::alone(None, || {
        let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
        let procmailrc = include_str!("../../contrib/procmail/procmailrc");
        alice.write(".procmailrc", procmailrc.as_bytes());
        // A test does not wait for procmail's quarter of an hour.
        let host = Postfix::start("mailbox_command = /usr/bin/procmail -t TIMEOUT=30");
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
        let (alice, _bob) = everybody();
        write("/etc/procmailrc", include_str!("../../contrib/procmail/etc-procmailrc"));
        let host = Postfix::start("mailbox_command = /usr/bin/procmail -t TIMEOUT=30");
        let recipe = Recipe::of_all("[procmail](procmail): `/etc/procmailrc`", &host, &alice);
        recipe.prove();
    });
}
