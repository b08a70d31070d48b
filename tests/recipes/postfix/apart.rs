//! Two recipients of one message: what each one has cannot be linked with what the other has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::{one_mail, send};
use crate::agent::Postfix;
use crate::host::Host;
use crate::recipe::LETTER;
use crate::resident::write;
use crate::world::fixture;
use crate::world::gpg::Gpg;
use crate::world::letter::{BOB, lf, original};
use crate::world::manual::armor;
use crate::world::readable::files;

const CERTIFICATES: &str = "/etc/selfseal/certs";

/// Sends to Alice and to Rosa at once; then while Rosa has no certificate, which is not to touch Alice's mail.
pub fn two_recipients_are_sealed_apart(host: &Postfix, maildirs: [PathBuf; 2]) {
    let [alices, rosas] = maildirs;
    let (alice, rosa) = (Gpg::with_keys(&["alice"]), Gpg::with_keys(&["rosa"]));
    let both = ["alice@example.org", "rosa@example.org"];
    let certificate = Path::new(CERTIFICATES).join("rosa@example.org.asc");
    write(&certificate, fixture("keys/rosa.asc"));
    send(host, BOB, &both, LETTER);
    are_apart((&alice, &one_mail(&alices)), (&rosa, &one_mail(&rosas)));

    fs::remove_file(&certificate).expect("removed");
    send(host, BOB, &both, LETTER);
    let first = one_mail(&alices);
    assert_eq!((files(&rosas.join("new")).len(), host.waiting()), (0, 1));
    write(&certificate, fixture("keys/rosa.asc"));
    host.retry();
    are_apart((&alice, &first), (&rosa, &one_mail(&rosas)));
    assert!(files(&alices.join("new")).is_empty(), "nothing comes twice");
}

/// What gpg tells of each is another key and another session, and neither opens with the other's key.
fn are_apart((alice, hers): (&Gpg, &[u8]), (rosa, others): (&Gpg, &[u8])) {
    for (gpg, sealed) in [(alice, hers), (rosa, others)] {
        assert!(original(gpg, sealed).ends_with(&lf(LETTER)));
    }
    assert_eq!((session(alice, others), session(rosa, hers)), (None, None), "each to its own key");
    assert_ne!(session(alice, hers).expect("a session"), session(rosa, others).expect("a session"));
    assert_eq!(keys(alice, hers), ["EF053537382A52B2"]);
    assert_eq!(keys(rosa, others), ["186384428D201F7B"]);
    assert_ne!(armor(hers), armor(others));
}

/// The session key of a sealed message, if this key ring opens it.
fn session(gpg: &Gpg, sealed: &[u8]) -> Option<String> {
    let output = asked(gpg, "--show-session-key", "--decrypt", sealed);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = said.lines().find(|line| line.contains("session key: "));
    line.filter(|_| output.status.success()).map(str::to_owned)
}

/// The keys that a sealed message is encrypted to.
fn keys(gpg: &Gpg, sealed: &[u8]) -> Vec<String> {
    let output = asked(gpg, "--verbose", "--list-packets", sealed);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let packets = said.lines().filter(|line| line.starts_with(":pubkey enc packet:"));
    packets.map(|line| line.rsplit(' ').next().expect("a key id").to_owned()).collect()
}

fn asked(gpg: &Gpg, option: &str, command: &str, sealed: &[u8]) -> Output {
    let file = gpg.home().join("sealed.asc");
    fs::write(&file, armor(sealed)).expect("a file");
    gpg.run(&[option, command, &file.display().to_string()])
}
