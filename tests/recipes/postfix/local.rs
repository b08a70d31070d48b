//! Users with homes, under local(8): `.forward`, and `mailbox_command` for all of them.

use std::fs;
use std::path::Path;

use super::{bob, comes_in_the_clear, configuration, one_mail, page, restart, send, start};
use crate::host::Host;
use crate::machine;
use crate::recipe::{LETTER, Recipe};
use crate::resident::{Resident, install};
use crate::world::letter::{BOB, lf};

const HERE: &str = "mydestination = $myhostname, localhost\n";

/// The line of the page that refuses readable mail.
fn refusing() -> &'static str {
    let mut lines = page::PAGE.lines().map(str::trim);
    lines.find(|line| line.starts_with("\"|/home/alice") && line.contains("--require")).expect("a line")
}

#[test]
fn dot_forward() {
    machine::alone(None, || {
        let (alice, _bob) = (Resident::alice(), bob());
        let forward = include_str!("../../../contrib/postfix/forward");
        alice.write(".forward", forward.as_bytes());
        alice.write("cert.asc", fs::read(alice.path(".config/selfseal/cert.asc")).expect("a file"));
        let host = start(HERE);
        let refuse = |on: bool| {
            alice.write(".forward", if on { refusing() } else { forward }.as_bytes());
        };
        let recipe = Recipe {
            name: "[Postfix](postfix): `.forward`",
            host: &host,
            address: "alice@host.example",
            programs: alice.path(".cargo/bin"),
            certificate: alice.path(".config/selfseal/cert.asc"),
            maildir: alice.path("Maildir"),
            suffix: b"",
            refuse: Some(&refuse),
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
        let (alice, rosa, _bob) = (Resident::alice(), Resident::new("rosa"), bob());
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
            name: "[Postfix](postfix): `mailbox_command`",
            host: &host,
            address: "alice@host.example",
            programs: "/usr/local/bin".into(),
            certificate: alice.path(".config/selfseal/cert.asc"),
            maildir: alice.path("Maildir"),
            suffix: b"",
            refuse: Some(&refuse),
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
        assert!(one_mail(rosa.path("Maildir")).ends_with(&lf(LETTER)));

        page::undo("## All users");
        assert_eq!(configuration(), before);
    });
}
