//! Two recipients of one message, Alice and Rosa: what each one has cannot be linked with what the other has, and one
//! who refuses readable mail refuses nobody else's.

use std::fs;
use std::path::Path;
use std::process::Output;

use memchr::memmem;

use crate::host::Host;
use crate::recipe::{LETTER, Recipe, offer_in};
use crate::world::gpg::Gpg;
use crate::world::letter::{lf, original};
use crate::world::manual::armor;
use crate::world::readable::{mail, take_mail};
use crate::world::smtp::{Session, Transfer};

/// Sends one message to both addresses. Each finds it once in the Maildir, sealed to nobody else.
#[track_caller]
pub fn prove(host: &dyn Host, addresses: [&str; 2], maildirs: [&Path; 2]) {
    offer(host, addresses);
    let [alices, rosas] = maildirs.map(take_mail);
    are_apart(&alices, &rosas);
}

/// Sends one message to both while Alice refuses readable mail, by what the recipe puts into place. The sender is told
/// of her alone, and Rosa has hers.
#[track_caller]
pub fn prove_refused(recipe: &Recipe, addresses: [&str; 2], rosas: &Path) {
    let (host, refuse) = (recipe.host, recipe.refuse.expect("a way to refuse"));
    refuse(true);
    offer(host, addresses);
    refuse(false);
    let told = host.told();
    let [told] = &told[..] else { panic!("told once: {}", told.concat().escape_ascii()) };
    assert!(offer_in(told).ends_with("the key"));
    assert!(memmem::find(told, addresses[1].as_bytes()).is_none(), "{}", told.escape_ascii());
    assert_eq!((mail(&recipe.maildir).len(), host.waiting()), (0, 0));
    assert!(original(&Gpg::with_keys(&["rosa"]), &take_mail(rosas)).ends_with(&lf(LETTER)));
}

/// One message to both, and what becomes of it.
#[track_caller]
fn offer(host: &dyn Host, addresses: [&str; 2]) {
    let mut session = Session::open(25).expect("the host listens");
    let recipients = addresses.map(str::as_bytes);
    session.offer_to(b"bob@host.example", &recipients, LETTER, Transfer::Data).expect("taken");
    // Sendmail has a process for it.
    drop(session);
    host.settle();
}

/// What gpg tells of each is another key and another session, and neither opens with the other's key.
#[track_caller]
pub fn are_apart(alices: &[u8], rosas: &[u8]) {
    let (alice, rosa) = (Gpg::with_keys(&["alice"]), Gpg::with_keys(&["rosa"]));
    for (gpg, sealed) in [(&alice, alices), (&rosa, rosas)] {
        assert!(original(gpg, sealed).ends_with(&lf(LETTER)));
    }
    assert_eq!((session(&alice, rosas), session(&rosa, alices)), (None, None), "each to its own key");
    assert_ne!(session(&alice, alices).expect("a session"), session(&rosa, rosas).expect("a session"));
    assert_eq!(keys(&alice, alices), ["EF053537382A52B2"]);
    assert_eq!(keys(&rosa, rosas), ["186384428D201F7B"]);
    assert_ne!(armor(alices), armor(rosas));
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
