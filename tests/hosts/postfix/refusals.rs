//! `is-encrypted --require` under Postfix: whom it refuses, and what reaches the sender.

use std::process::Command;

use super::SEAL;
use crate::account::{Account, nothing_readable};
use crate::mail::{BOB, LETTER, WORDS, encrypted_by, is_what_smtp_carried, original};
use crate::mta::Mta;
use crate::world::fixture;
use crate::world::gpg::Gpg;

/// A user who wants encrypted mail only and offers the certificate of this fixture.
fn requiring(certificate: &str) -> Account {
    let user = Account::with_alice();
    let offer = user.write("offer.asc", &fixture(certificate));
    user.forward_to(&format!("is-encrypted --require --offer {} {SEAL}", offer.display()));
    user
}

#[test]
fn a_refused_sender_gets_the_certificate_in_the_bounce() {
    let mta = Mta::start(&[]);
    // The fingerprints are those that gpg --show-keys tells of the fixtures.
    for (certificate, fingerprint) in [
        ("keys/alice.asc", "71B787390432D933243FBA38F845F615DABE35C5"),
        ("keys/rosa.asc", "563719C09FF83408E7D4AAA00AAA759E7AFAFC1A"),
    ] {
        let (user, sender) = (requiring(certificate), Account::new());
        let id = mta.send(&mta.address(&sender), &mta.address(&user), LETTER);
        mta.attempted(&id).is_bounced(fingerprint);
        mta.attempted(&mta.bounce(&id)).is_sent();
        user.has_no_mail();
        nothing_readable(user.home(), &WORDS);

        let bounce = sender.one_mail();
        let text = String::from_utf8_lossy(&bounce);
        assert!(
            text.contains("\nStatus: 5.7.1\nDiagnostic-Code: x-unix; This mailbox accepts encrypted"),
            "{text}"
        );
        let saved = sender.write("bounce.eml", &bounce);
        let gpg = Gpg::with_keys(&[]);
        import(&gpg, &documented_command().replace("bounce.eml", &saved.to_string_lossy()));
        let keys = gpg.run(&["--with-colons", "--list-keys"]).stdout;
        let keys = String::from_utf8(keys).expect("text");
        assert!(keys.contains(&format!("\nfpr:::::::::{fingerprint}:\n")), "{keys}");
        gpg.encrypt(LETTER, fingerprint);
    }
}

/// Runs a command of the documentation with this key ring.
#[track_caller]
fn import(gpg: &Gpg, command: &str) {
    let mut shell = Command::new("bash");
    let output = shell.args(["-o", "pipefail", "-c", command]).env("GNUPGHOME", gpg.home()).output();
    let output = output.expect("bash");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The command of is-encrypted(1) that imports the certificate from a saved bounce.
fn documented_command() -> String {
    let page = include_str!("../../../man/is-encrypted.1");
    let from = page.find("tr -s").expect("the command");
    let to = page[from..].find(".Ed").expect("its end");
    page[from..from + to].replace(r"\e", r"\")
}

#[test]
fn encrypted_mail_is_not_refused_and_stays_as_it_came() {
    let (mta, user, gpg) = (Mta::start(&[]), requiring("keys/alice.asc"), Gpg::with_keys(&["alice"]));
    let message = encrypted_by(&gpg);
    mta.attempted(&mta.send(BOB, &mta.address(&user), &message)).is_sent();
    is_what_smtp_carried("made by gpg", &user.one_mail(), &message);
}

#[test]
fn a_sender_whom_nobody_could_tell_is_sealed_instead_of_refused() {
    let (mta, gpg) = (Mta::start(&[]), Gpg::with_keys(&["alice"]));
    for (name, sender, field) in
        [("a null sender", "", ""), ("an automatic reply", BOB, "Auto-Submitted: auto-replied\r\n")]
    {
        let user = requiring("keys/alice.asc");
        let message = [field.as_bytes(), LETTER].concat();
        mta.attempted(&mta.send(sender, &mta.address(&user), &message)).is_sent();
        is_what_smtp_carried(name, &original(&gpg, &user.one_mail()), &message);
        nothing_readable(user.home(), &WORDS);
    }
}
