//! Under procmail, behind Postfix: as its `mailbox_command`, and from a `.forward` line.

use std::fs;
use std::path::Path;

use crate::account::{Account, nothing_readable};
use crate::mail::{BOB, LETTER, WORDS, each_oddity, is_what_smtp_carried, original};
use crate::mta::Mta;
use crate::world::fixture;
use crate::world::gpg::Gpg;

/// A user with Alice's certificate and the documented recipe.
fn with_recipe() -> Account {
    assert!(Path::new("/usr/bin/procmail").exists(), "no procmail here: apt-get install postfix procmail");
    let user = Account::with_alice();
    let recipe = include_str!("../../contrib/procmail/procmailrc");
    user.write(".procmailrc", recipe.replace("/home/alice", &user.home().to_string_lossy()).as_bytes());
    user
}

/// The same, started from the documented `.forward` line instead of `mailbox_command`.
fn with_recipe_and_forward() -> Account {
    let user = with_recipe();
    user.write(".forward", include_bytes!("../../contrib/procmail/forward"));
    user
}

/// The two ways to start it: what main.cf says, and the user's files.
fn ways() -> [(Mta, fn() -> Account); 2] {
    let command = ["mailbox_command = /usr/bin/procmail -t"];
    [(Mta::start(&command), with_recipe), (Mta::start(&[]), with_recipe_and_forward)]
}

#[test]
fn readable_mail_rests_sealed_and_comes_back_octet_for_octet() {
    let gpg = Gpg::with_keys(&["alice"]);
    for (mta, user) in ways() {
        each_oddity(&mta, user, |name, user, message| {
            is_what_smtp_carried(name, &original(&gpg, &user.one_mail()), message);
            nothing_readable(user.home(), &WORDS);
            has_empty_spool(user);
        });
        nothing_readable(mta.directory(), &WORDS);
    }
}

/// What goes wrong with a user's things.
type Spoil = fn(&Account);

#[test]
fn whatever_goes_wrong_defers() {
    let gpg = Gpg::with_keys(&["alice"]);
    let cert = ".config/selfseal/cert.asc";
    let broken: [(&str, Spoil); 4] = [
        ("no certificate", |user| fs::remove_file(user.path(".config/selfseal/cert.asc")).expect("removed")),
        ("no encrypt-to-self", |user| {
            fs::remove_file(user.path(".cargo/bin/encrypt-to-self")).expect("removed")
        }),
        ("no deliver", |user| fs::remove_file(user.path(".cargo/bin/deliver")).expect("removed")),
        ("a mailbox that is none", |user| drop(user.write("Maildir", b"not a directory"))),
    ];
    for (mta, user) in ways() {
        for (name, spoil) in broken {
            let user = user();
            spoil(&user);
            let id = mta.send(BOB, &mta.address(&user), LETTER);
            let attempt = mta.attempted(&id);
            assert_eq!(attempt.status, "deferred", "{name}: {}", attempt.reason);
            nothing_readable(user.home(), &WORDS);
            has_empty_spool(&user);

            user.write(cert, &fixture("keys/alice.asc"));
            for program in ["encrypt-to-self", "deliver"] {
                let _ = fs::remove_file(user.path(".cargo/bin").join(program));
                user.install(program);
            }
            let _ = fs::remove_file(user.path("Maildir"));
            mta.retried(&id).is_sent();
            is_what_smtp_carried(name, &original(&gpg, &user.one_mail()), LETTER);
        }
    }
}

#[test]
fn a_program_that_is_killed_while_it_seals_loses_nothing() {
    let mta = Mta::start(&["mailbox_command = /usr/bin/procmail -t"]);
    let (user, gpg) = (with_recipe(), Gpg::with_keys(&["alice"]));
    let message = [LETTER, &b"juniper and more of it\r\n".repeat(300_000)].concat();
    let id = mta.send(BOB, &mta.address(&user), &message);
    user.kill("encrypt-to-self");
    let attempt = mta.attempted(&id);
    assert_eq!(attempt.status, "deferred", "{}", attempt.reason);
    user.has_no_mail();
    has_empty_spool(&user);

    mta.retried(&id).is_sent();
    is_what_smtp_carried("after the kill", &original(&gpg, &user.one_mail()), &message);
    nothing_readable(user.home(), &WORDS);
}

/// Procmail makes its own default mailbox whenever it runs; nothing may be in it.
#[track_caller]
fn has_empty_spool(user: &Account) {
    let spool = fs::read(user.spool()).unwrap_or_default();
    assert_eq!(spool.escape_ascii().to_string(), "", "{}", user.spool().display());
}
