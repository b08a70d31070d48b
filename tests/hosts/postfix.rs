//! Under Postfix local(8), from a `.forward` line: what rests.

mod check;
mod failures;
mod refusals;
mod tls;

use crate::account::{Account, nothing_readable, readable};
use crate::mail::{BOB, LETTER, WORDS, each_oddity, encrypted_by, is_what_smtp_carried, lf, original};
use crate::mta::Mta;
use crate::world::gpg::Gpg;

/// The line that selfseal documents, without what stands before it in this test's home.
const SEAL: &str = "encrypt-to-self deliver";

/// A user with Alice's certificate and this command in .forward.
fn forwarding_to(command: &str) -> Account {
    let user = Account::with_alice();
    user.forward_to(command);
    user
}

#[test]
fn without_a_forward_line_mail_rests_as_smtp_carried_it() {
    let mta = Mta::start(&[]);
    each_oddity(&mta, Account::new, |name, user, message| {
        is_what_smtp_carried(name, &user.one_mail(), message);
        assert_eq!(
            readable(user.home(), &WORDS).len(),
            WORDS.len(),
            "{name}: the search finds what is readable"
        );
    });
}

#[test]
fn readable_mail_rests_sealed_and_comes_back_octet_for_octet() {
    let (mta, gpg) = (Mta::start(&[]), Gpg::with_keys(&["alice"]));
    each_oddity(
        &mta,
        || forwarding_to(SEAL),
        |name, user, message| {
            is_what_smtp_carried(name, &original(&gpg, &user.one_mail()), message);
            nothing_readable(user.home(), &WORDS);
        },
    );
    nothing_readable(mta.directory(), &WORDS);
}

#[test]
fn the_documented_forward_line_seals() {
    let (mta, user, gpg) = (Mta::start(&[]), Account::with_alice(), Gpg::with_keys(&["alice"]));
    let line = include_str!("../../contrib/postfix/forward");
    user.write(".forward", line.replace("/home/alice", &user.home().to_string_lossy()).as_bytes());
    mta.attempted(&mta.send(BOB, &mta.address(&user), LETTER)).is_sent();
    is_what_smtp_carried("the letter", &original(&gpg, &user.one_mail()), LETTER);
}

#[test]
fn encrypted_mail_is_stored_as_it_came() {
    let (mta, user, gpg) = (Mta::start(&[]), forwarding_to(SEAL), Gpg::with_keys(&["alice"]));
    let message = encrypted_by(&gpg);
    mta.attempted(&mta.send(BOB, &mta.address(&user), &message)).is_sent();
    is_what_smtp_carried("made by gpg", &user.one_mail(), &message);
}

#[test]
fn twenty_messages_at_once_all_rest_sealed() {
    let (mta, user, gpg) = (Mta::start(&[]), forwarding_to(SEAL), Gpg::with_keys(&["alice"]));
    let messages: Vec<_> =
        (0..20).map(|n| [LETTER, format!("Number {n}.\r\n").as_bytes()].concat()).collect();
    let address = mta.address(&user);
    let send = &|message: &[u8]| mta.send(BOB, &address, message);
    let ids: Vec<_> = std::thread::scope(|scope| {
        let sending = |message| scope.spawn(move || send(message));
        let senders: Vec<_> = messages.iter().map(|message| sending(message.as_slice())).collect();
        senders.into_iter().map(|sender| sender.join().expect("sent")).collect()
    });
    ids.iter().for_each(|id| mta.attempted(id).is_sent());
    let originals: Vec<_> = user.mail().iter().map(|sealed| original(&gpg, sealed)).collect();
    assert_eq!(originals.len(), messages.len());
    for message in &messages {
        let found = originals.iter().filter(|original| original.ends_with(&lf(message))).count();
        assert_eq!(found, 1, "{}", message.escape_ascii());
    }
    nothing_readable(user.home(), &WORDS);
}

/// A message just below a `message_size_limit` of 300,000 octets.
pub fn at_the_limit() -> Vec<u8> {
    [LETTER, &b"juniper and more of it\r\n".repeat(12_400)].concat()
}

#[test]
fn the_documented_limits_leave_room_for_sealing() {
    // 1.5 times the one and 1 MB more.
    let mta = Mta::start(&["message_size_limit = 300000", "mailbox_size_limit = 1450000"]);
    let (user, gpg) = (forwarding_to(SEAL), Gpg::with_keys(&["alice"]));
    mta.attempted(&mta.send(BOB, &mta.address(&user), &at_the_limit())).is_sent();
    is_what_smtp_carried("at the limit", &original(&gpg, &user.one_mail()), &at_the_limit());
}
