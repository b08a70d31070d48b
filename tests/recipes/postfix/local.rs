//! Users with homes, under local(8): `.forward`, and `mailbox_command` for all of them.

use std::fs;
use std::path::Path;

use super::{comes_in_the_clear, configuration, page, send, start};
use crate::agent::restart;
use crate::host::Host;
use crate::machine;
use crate::recipe::{LETTER, Recipe};
use crate::resident::{PROGRAMS, Resident, install};
use crate::world::letter::{BOB, lf};
use crate::world::readable::take_mail;

const HERE: &str = "mydestination = $myhostname, localhost\n";

/// The line of the page that refuses readable mail.
fn refusing() -> &'static str {
    let mut lines = page::PAGE.lines().map(str::trim);
    lines.find(|line| line.starts_with("\"|/home/alice") && line.contains("--require")).expect("a line")
}

#[test]
fn dot_forward() {
    machine::alone(None, || {
        let (alice, _bob) = (Resident::alice(), Resident::bob());
        let forward = include_str!("../../../contrib/postfix/forward");
        alice.write(".forward", forward.as_bytes());
        alice.write("cert.asc", fs::read(alice.path(".config/selfseal/cert.asc")).expect("a file"));
        let host = start(HERE);
        let refuse = |on: bool| {
            alice.write(".forward", if on { refusing() } else { forward }.as_bytes());
        };
        let recipe = Recipe {
            refuse: Some(&refuse),
            ..Recipe::of_one("[Postfix](postfix): `.forward`", &host, &alice)
        };
        recipe.prove();

        let with = page::word("\"|/home/alice/.cargo/bin/tls-audit encrypt-to-self deliver\"");
        alice.write(".forward", with.as_bytes());
        comes_in_the_clear(&host, "alice@host.example", &alice.path("Maildir"));
    });
}

#[test]
fn mailbox_command() {
    machine::alone(None, || {
        let (alice, rosa, _bob) = (Resident::alice(), Resident::new("rosa"), Resident::bob());
        alice.write("cert.asc", fs::read(alice.path(".config/selfseal/cert.asc")).expect("a file"));
        install(Path::new("/usr/local/bin"));
        let host = start(HERE);
        let before = configuration();
        page::follow("## All users");
        restart();
        let refuse = |on: bool| match on {
            true => drop(alice.write(".forward", refusing().as_bytes())),
            false => fs::remove_file(alice.path(".forward")).expect("removed"),
        };
        let recipe = Recipe {
            programs: PROGRAMS.into(),
            refuse: Some(&refuse),
            ..Recipe::of_one("[Postfix](postfix): `mailbox_command`", &host, &alice)
        };
        recipe.prove();

        // A user without a certificate, and the administrator's choice for such.
        send(&host, BOB, &["rosa@host.example"], LETTER);
        assert_eq!(host.waiting(), 1);
        host.forget();
        page::amend(
            "main.cf",
            "encrypt-to-self deliver",
            page::word("encrypt-to-self --no-cert=pass deliver"),
        );
        restart();
        send(&host, BOB, &["rosa@host.example"], LETTER);
        assert!(take_mail(&rosa.path("Maildir")).ends_with(&lf(LETTER)));

        page::undo("## All users");
        assert_eq!(configuration(), before);
    });
}
