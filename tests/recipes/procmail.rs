//! procmail, behind Postfix.

use crate::agent::Postfix;
use crate::machine;
use crate::recipe::Recipe;
use crate::resident::{Resident, install, write};
use crate::world::fixture;

#[test]
fn of_one_user() {
    machine::alone(None, || {
        let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
        let procmailrc = include_str!("../../contrib/procmail/procmailrc");
        alice.write(".procmailrc", procmailrc.as_bytes());
        // A test does not wait for procmail's quarter of an hour.
        let host = Postfix::start("mailbox_command = /usr/bin/procmail -t TIMEOUT=30");
        let refuse = |on: bool| {
            let offer = alice.path(".config/selfseal/cert.asc");
            let command = format!("is-encrypted --require --offer {} encrypt-to-self", offer.display());
            let text =
                if on { procmailrc.replace("encrypt-to-self", &command) } else { procmailrc.to_owned() };
            alice.write(".procmailrc", text.as_bytes());
        };
        let recipe = Recipe {
            name: "[procmail](procmail): `.procmailrc`",
            host: &host,
            address: "alice@host.example",
            programs: alice.path(".cargo/bin"),
            certificate: alice.path(".config/selfseal/cert.asc"),
            maildir: alice.path("Maildir"),
            suffix: b"",
            refuse: Some(&refuse),
        };
        recipe.prove();
    });
}

#[test]
fn of_all_users() {
    machine::alone(None, || {
        let (alice, bob) = (Resident::new("alice"), Resident::new("bob"));
        // He can read what he is told.
        bob.write(".forward", b"/home/bob/Maildir/");
        install("/usr/local/bin".as_ref());
        let certificate = "/etc/selfseal/certs/alice@host.example.asc";
        write(certificate, fixture("keys/alice.asc"));
        write("/etc/procmailrc", include_str!("../../contrib/procmail/etc-procmailrc"));
        let host = Postfix::start("mailbox_command = /usr/bin/procmail -t TIMEOUT=30");
        let recipe = Recipe {
            name: "[procmail](procmail): `/etc/procmailrc`",
            host: &host,
            address: "alice@host.example",
            programs: "/usr/local/bin".into(),
            certificate: certificate.into(),
            maildir: alice.path("Maildir"),
            suffix: b"",
            refuse: None,
        };
        recipe.prove();
    });
}
