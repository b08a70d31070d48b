//! Whatever goes wrong under Postfix leaves the mail in the queue and nothing readable in the home.

use std::fs;

use super::{SEAL, at_the_limit, forwarding_to};
use crate::account::{Account, nothing_readable};
use crate::mail::{BOB, LETTER, WORDS, is_what_smtp_carried, lf, original};
use crate::mta::Mta;
use crate::world::fixture;
use crate::world::gpg::Gpg;

#[test]
fn without_a_good_certificate_mail_waits_and_is_sealed_after_the_fix() {
    let mta = Mta::start(&[]);
    let gpg = Gpg::with_keys(&["alice"]);
    let good = fixture("keys/alice.asc");
    for (name, bad) in [
        ("missing", None),
        ("empty", Some(&b""[..])),
        ("no certificate", Some(b"alice@example.org\n")),
        ("cut off", Some(&good[..good.len() / 2])),
    ] {
        let user = forwarding_to(SEAL);
        let place = ".config/selfseal/cert.asc";
        match bad {
            Some(bytes) => drop(user.write(place, bytes)),
            None => fs::remove_file(user.path(place)).expect("removed"),
        }
        let id = mta.send(BOB, &mta.address(&user), LETTER);
        mta.attempted(&id).is_deferred("cert");
        let waiting = mta.deferred(&id);
        assert!(waiting.contains("encrypt-to-self: ") && waiting.contains("cert"), "{name}: {waiting}");
        let listing = mta.run("postqueue", &["-p"]);
        assert!(listing.contains(&id) && listing.contains("encrypt-to-self: "), "{name}: {listing}");
        user.has_no_mail();
        nothing_readable(user.home(), &WORDS);

        user.write(place, &good);
        mta.retried(&id).is_sent();
        is_what_smtp_carried(name, &original(&gpg, &user.one_mail()), LETTER);
    }
    mta.has_empty_queue();
    nothing_readable(mta.directory(), &WORDS);
}

#[test]
fn a_typo_in_forward_defers() {
    let mta = Mta::start(&[]);
    for (command, words) in [
        ("encrypt-to-self --cret=a.asc deliver", "--cret"),
        ("encrypt-to-self --headers=basline deliver", "basline"),
        ("encrypt-to-self deliver --verbose", "--verbose"),
        ("encrypt-to-self delivr", "delivr"),
        ("is-encrypted deliver", "--require"),
        ("is-encrypted --require deliver", "encrypt-to-self"),
    ] {
        let user = forwarding_to(command);
        let id = mta.send(BOB, &mta.address(&user), LETTER);
        mta.attempted(&id).is_deferred(words);
        user.has_no_mail();
        nothing_readable(user.home(), &WORDS);

        user.forward_to(SEAL);
        mta.retried(&id).is_sent();
    }
}

#[test]
fn a_missing_program_defers() {
    let mta = Mta::start(&[]);
    for program in ["encrypt-to-self", "deliver"] {
        let user = forwarding_to(SEAL);
        fs::remove_file(user.path(".cargo/bin").join(program)).expect("removed");
        let id = mta.send(BOB, &mta.address(&user), LETTER);
        mta.attempted(&id).is_deferred(program);
        user.has_no_mail();
        nothing_readable(user.home(), &WORDS);

        user.install(program);
        mta.retried(&id).is_sent();
    }
}

#[test]
fn a_line_that_needs_a_shell_bounces_when_its_program_is_missing() {
    let (mta, user) = (Mta::start(&[]), forwarding_to("encrypt-to-self deliver ~/Maildir/"));
    let id = mta.send(BOB, &mta.address(&user), LETTER);
    mta.attempted(&id).is_sent();
    fs::remove_file(user.path(".cargo/bin/encrypt-to-self")).expect("removed");
    let id = mta.send(BOB, &mta.address(&user), LETTER);
    mta.attempted(&id).is_bounced("not found");
}

#[test]
fn a_program_that_is_killed_while_it_seals_loses_nothing() {
    let (mta, user, gpg) = (Mta::start(&[]), forwarding_to(SEAL), Gpg::with_keys(&["alice"]));
    let message = [LETTER, &b"juniper and more of it\r\n".repeat(300_000)].concat();
    let id = mta.send(BOB, &mta.address(&user), &message);
    user.kill("encrypt-to-self");
    mta.attempted(&id).is_deferred("signal 9");
    user.has_no_mail();
    nothing_readable(user.home(), &WORDS);

    mta.retried(&id).is_sent();
    is_what_smtp_carried("after the kill", &original(&gpg, &user.one_mail()), &message);
    nothing_readable(user.home(), &WORDS);
    mta.has_empty_queue();
    nothing_readable(mta.directory(), &WORDS);
}

#[test]
fn a_program_that_is_killed_while_it_stores_loses_nothing() {
    let (mta, user, gpg) = (Mta::start(&[]), Account::with_alice(), Gpg::with_keys(&["alice"]));
    user.forward_to(&format!("encrypt-to-self deliver {}/box", user.home().display()));
    // Somebody holds the lock, so it waits.
    user.write("box.lock", b"1");
    let id = mta.send(BOB, &mta.address(&user), LETTER);
    user.kill("deliver");
    mta.attempted(&id).is_deferred("signal 9");
    assert_eq!(fs::read(user.path("box")).unwrap_or_default(), b"", "nothing was stored");

    fs::remove_file(user.path("box.lock")).expect("removed");
    mta.retried(&id).is_sent();
    let stored = fs::read(user.path("box")).expect("an mbox");
    is_what_smtp_carried("after the kill", &original(&gpg, &stored), LETTER);
    nothing_readable(user.home(), &WORDS);
}

#[test]
fn a_message_that_grows_above_the_hosts_limit_defers_and_names_it() {
    let mta = Mta::start(&["message_size_limit = 300000", "mailbox_size_limit = 300000"]);
    let user = forwarding_to(SEAL);
    let id = mta.send(BOB, &mta.address(&user), &at_the_limit());
    mta.attempted(&id).is_deferred("mailbox_size_limit");
    mta.deferred(&id);
    user.has_no_mail();
    nothing_readable(user.home(), &WORDS);
}

#[test]
fn a_hostile_extension_reaches_no_other_certificate() {
    let (mta, user, gpg) = (Mta::start(&[]), Account::with_alice(), Gpg::with_keys(&["alice"]));
    let certs = user.home().join("certs/deep");
    user.forward_to(&format!("encrypt-to-self --certs {} deliver", certs.display()));
    user.write(&format!("certs/deep/{}.asc", mta.address(&user)), &fixture("keys/alice.asc"));
    // What the dots would lead to from certs/deep, with and without the user's own name before them.
    for place in ["x@host.example.asc", "certs/x@host.example.asc", "certs/deep/x@host.example.asc"] {
        user.write(place, &fixture("keys/rosa.asc"));
    }
    for (extension, words) in [
        ("../../x", "is no mail address"),
        ("/../../x", "is no mail address"),
        ("../x", "is no mail address"),
        // A slash is a letter like others in an address (RFC 5322, 3.2.3), but not in a file's name.
        ("/x", "cannot be part of a file name"),
        ("a/b", "cannot be part of a file name"),
    ] {
        let recipient = format!("\"{}+{extension}\"@host.example", user.name);
        mta.attempted(&mta.send(BOB, &recipient, LETTER)).is_deferred(words);
    }
    user.has_no_mail();
    mta.attempted(&mta.send(BOB, &format!("{}+x@host.example", user.name), LETTER)).is_sent();
    assert!(original(&gpg, &user.one_mail()).ends_with(&lf(LETTER)), "sealed to Alice");
}

#[test]
fn an_address_that_postfix_does_not_tell_whole_defers() {
    let (mta, user, gpg) = (Mta::start(&[]), Account::with_alice(), Gpg::with_keys(&["alice"]));
    user.forward_to(&format!("encrypt-to-self --certs {}/certs deliver", user.home().display()));
    user.write(&format!("certs/{}.asc", mta.address(&user)), &fixture("keys/alice.asc"));
    // Postfix writes _ for the apostrophe. Delivered-To has the address as it is.
    let id = mta.send(BOB, &format!("{}+o'neill@host.example", user.name), LETTER);
    mta.attempted(&id).is_deferred("has a _");
    user.has_no_mail();
    let id = mta.send(BOB, &format!("{}+o_neill@host.example", user.name), LETTER);
    mta.attempted(&id).is_sent();
    assert!(original(&gpg, &user.one_mail()).ends_with(&lf(LETTER)));
}
