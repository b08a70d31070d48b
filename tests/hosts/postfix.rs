//! Under Postfix local(8), from a `.forward` line.

use std::fs;

use crate::account::{Account, nothing_readable, readable};
use crate::gpg::{Ring, lf};
use crate::mta::Mta;
use crate::smtp::Transfer;
use crate::world::fixture;

/// The line that selfseal documents, without what stands before it in this test's home.
const SEAL: &str = "encrypt-to-self deliver";

const BOB: &str = "bob@elsewhere.example";

/// Words of the messages here that may rest nowhere.
pub const WORDS: [&str; 2] = ["elderberry", "juniper"];

/// A readable message like any other.
pub const LETTER: &[u8] = b"From: Bob <bob@elsewhere.example>\r\nTo: Alice\r\nSubject: elderberry wine\r\n\
    Message-ID: <1@elsewhere.example>\r\n\r\nThe juniper is in bloom.\r\n";

/// What Postfix puts in front of a message, in this order.
const ADDED: [&str; 4] = ["Return-Path", "X-Original-To", "Delivered-To", "Received"];

/// `stored` is what SMTP carried, with LF for CRLF and the last line ended, behind the fields that Postfix
/// adds, and no other.
#[track_caller]
pub fn is_what_smtp_carried(name: &str, stored: &[u8], carried: &[u8]) {
    let mut carried = lf(carried);
    if !carried.ends_with(b"\n") {
        carried.push(b'\n');
    }
    let (shown, sent) = (stored.escape_ascii(), carried.escape_ascii());
    assert!(stored.ends_with(&carried), "{name}:\n{shown}\ndoes not end with\n{sent}");
    let added = String::from_utf8_lossy(&stored[..stored.len() - carried.len()]).into_owned();
    let fields = added.lines().filter(|line| !line.starts_with('\t'));
    let names: Vec<_> = fields.map(|line| line.split(':').next().unwrap_or_default()).collect();
    assert_eq!(names, ADDED, "{name}: {added}");
}

/// Messages with an oddity each, as SMTP carries them. All hold the words of [`WORDS`].
pub fn oddities() -> Vec<(&'static str, Transfer, Vec<u8>)> {
    let letter = |subject: &[u8], body: &[u8]| {
        [b"From: bob@elsewhere.example\r\nSubject: elderberry ", subject, b"\r\n\r\njuniper", body].concat()
    };
    let long = [&[b'j'; 5000], &b"\r\n"[..]].concat();
    vec![
        ("a plain letter", Transfer::Data, letter(b"", b"\r\n")),
        ("an 8-bit body", Transfer::Data, letter(b"", b" caf\xe9 \xff\r\n")),
        ("an 8-bit subject", Transfer::Data, letter(b"caf\xe9", b"\r\n")),
        ("a line of 5,000 octets", Transfer::Data, letter(b"", &long)),
        ("dots at the beginning of lines", Transfer::Data, letter(b"", b"\r\n.\r\n..a\r\n.b\r\n")),
        ("lines that look like a frame", Transfer::Data, letter(b"", b"\r\nFrom here on\r\n>From x\r\n")),
        ("blanks at the ends of lines", Transfer::Data, letter(b"", b" \t\r\n\r\n \r\n\r\n")),
        ("a header section alone", Transfer::Data, b"Subject: elderberry\r\nX-A: juniper\r\n".to_vec()),
        ("no end of the last line", Transfer::Chunk, letter(b"", b" without end")),
        ("NUL", Transfer::Chunk, letter(b"", b" \0 \r\n")),
    ]
}

/// Sends every oddity to a user of its own whom `make` prepares, and shows what rests to `check`.
pub fn each_oddity(mta: &Mta, make: impl Fn() -> Account, check: impl Fn(&str, &Account, &[u8])) {
    let sent: Vec<_> = oddities()
        .into_iter()
        .map(|(name, transfer, message)| {
            let user = make();
            let id = mta.send_by(transfer, BOB, &mta.address(&user), &message);
            (name, message, user, id)
        })
        .collect();
    for (name, message, user, id) in sent {
        mta.attempted(&id).is_sent();
        check(name, &user, &message);
    }
    mta.has_empty_queue();
}

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
    let (mta, ring) = (Mta::start(&[]), Ring::of_alice());
    each_oddity(
        &mta,
        || forwarding_to(SEAL),
        |name, user, message| {
            is_what_smtp_carried(name, &ring.original(&user.one_mail()), message);
            nothing_readable(user.home(), &WORDS);
        },
    );
    nothing_readable(mta.directory(), &WORDS);
}

#[test]
fn the_documented_forward_line_seals() {
    let (mta, user, ring) = (Mta::start(&[]), Account::with_alice(), Ring::of_alice());
    let line = include_str!("../../contrib/postfix/forward");
    user.write(".forward", line.replace("/home/alice", &user.home().to_string_lossy()).as_bytes());
    mta.attempted(&mta.send(BOB, &mta.address(&user), LETTER)).is_sent();
    is_what_smtp_carried("the letter", &ring.original(&user.one_mail()), LETTER);
}

/// A letter that its sender encrypted to Alice with gpg.
fn encrypted_by(ring: &Ring) -> Vec<u8> {
    let armor = ring.gpg(&["--armor", "--encrypt", "--recipient=alice@example.org"], LETTER);
    let message = [
        &b"From: bob@elsewhere.example\nSubject: ...\nMIME-Version: 1.0\n\
        Content-Type: multipart/encrypted; boundary=\"b1\"; protocol=\"application/pgp-encrypted\"\n\n\
        --b1\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n\
        --b1\nContent-Type: application/octet-stream\n\n"[..],
        &armor,
        b"\n--b1--\n",
    ];
    message.concat().split(|octet| *octet == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..])
}

#[test]
fn encrypted_mail_is_stored_as_it_came() {
    let (mta, user, ring) = (Mta::start(&[]), forwarding_to(SEAL), Ring::of_alice());
    let message = encrypted_by(&ring);
    mta.attempted(&mta.send(BOB, &mta.address(&user), &message)).is_sent();
    is_what_smtp_carried("made by gpg", &user.one_mail(), &message);
}

#[test]
fn without_a_good_certificate_mail_waits_and_is_sealed_after_the_fix() {
    let mta = Mta::start(&[]);
    let ring = Ring::of_alice();
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
        is_what_smtp_carried(name, &ring.original(&user.one_mail()), LETTER);
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
    let (mta, user, ring) = (Mta::start(&[]), forwarding_to(SEAL), Ring::of_alice());
    let message = [LETTER, &b"juniper and more of it\r\n".repeat(300_000)].concat();
    let id = mta.send(BOB, &mta.address(&user), &message);
    user.kill("encrypt-to-self");
    mta.attempted(&id).is_deferred("signal 9");
    user.has_no_mail();
    nothing_readable(user.home(), &WORDS);

    mta.retried(&id).is_sent();
    is_what_smtp_carried("after the kill", &ring.original(&user.one_mail()), &message);
    nothing_readable(user.home(), &WORDS);
    mta.has_empty_queue();
    nothing_readable(mta.directory(), &WORDS);
}

#[test]
fn a_program_that_is_killed_while_it_stores_loses_nothing() {
    let (mta, user, ring) = (Mta::start(&[]), Account::with_alice(), Ring::of_alice());
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
    is_what_smtp_carried("after the kill", &ring.original(&stored), LETTER);
    nothing_readable(user.home(), &WORDS);
}

/// A message just below a `message_size_limit` of 300,000 octets.
fn at_the_limit() -> Vec<u8> {
    [LETTER, &b"juniper and more of it\r\n".repeat(12_400)].concat()
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
fn the_documented_limits_leave_room_for_sealing() {
    // 1.5 times the one and 1 MB more.
    let mta = Mta::start(&["message_size_limit = 300000", "mailbox_size_limit = 1450000"]);
    let (user, ring) = (forwarding_to(SEAL), Ring::of_alice());
    mta.attempted(&mta.send(BOB, &mta.address(&user), &at_the_limit())).is_sent();
    is_what_smtp_carried("at the limit", &ring.original(&user.one_mail()), &at_the_limit());
}

#[test]
fn twenty_messages_at_once_all_rest_sealed() {
    let (mta, user, ring) = (Mta::start(&[]), forwarding_to(SEAL), Ring::of_alice());
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
    let originals: Vec<_> = user.mail().iter().map(|sealed| ring.original(sealed)).collect();
    assert_eq!(originals.len(), messages.len());
    for message in &messages {
        let found = originals.iter().filter(|original| original.ends_with(&lf(message))).count();
        assert_eq!(found, 1, "{}", message.escape_ascii());
    }
    nothing_readable(user.home(), &WORDS);
}

#[test]
fn a_hostile_extension_reaches_no_other_certificate() {
    let (mta, user, ring) = (Mta::start(&[]), Account::with_alice(), Ring::of_alice());
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
    assert!(ring.original(&user.one_mail()).ends_with(&lf(LETTER)), "sealed to Alice");
}

#[test]
fn an_address_that_postfix_does_not_tell_whole_defers() {
    let (mta, user, ring) = (Mta::start(&[]), Account::with_alice(), Ring::of_alice());
    user.forward_to(&format!("encrypt-to-self --certs {}/certs deliver", user.home().display()));
    user.write(&format!("certs/{}.asc", mta.address(&user)), &fixture("keys/alice.asc"));
    // Postfix writes _ for the apostrophe. Delivered-To has the address as it is.
    let id = mta.send(BOB, &format!("{}+o'neill@host.example", user.name), LETTER);
    mta.attempted(&id).is_deferred("has a _");
    user.has_no_mail();
    let id = mta.send(BOB, &format!("{}+o_neill@host.example", user.name), LETTER);
    mta.attempted(&id).is_sent();
    assert!(ring.original(&user.one_mail()).ends_with(&lf(LETTER)));
}

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
        let ring = Ring::empty();
        ring.shell(&documented_command().replace("bounce.eml", &saved.to_string_lossy()));
        let found = String::from_utf8(ring.gpg(&["--with-colons", "--list-keys"], b"")).expect("text");
        assert!(found.contains(&format!("\nfpr:::::::::{fingerprint}:\n")), "{found}");
        ring.gpg(&["--armor", "--encrypt", "--recipient", fingerprint], LETTER);
    }
}

/// The command of is-encrypted(1) that imports the certificate from a saved bounce.
fn documented_command() -> String {
    let page = include_str!("../../man/is-encrypted.1");
    let from = page.find("tr -s").expect("the command");
    let to = page[from..].find(".Ed").expect("its end");
    page[from..from + to].replace(r"\e", r"\")
}

#[test]
fn encrypted_mail_is_not_refused_and_stays_as_it_came() {
    let (mta, user, ring) = (Mta::start(&[]), requiring("keys/alice.asc"), Ring::of_alice());
    let message = encrypted_by(&ring);
    mta.attempted(&mta.send(BOB, &mta.address(&user), &message)).is_sent();
    is_what_smtp_carried("made by gpg", &user.one_mail(), &message);
}

#[test]
fn a_sender_whom_nobody_could_tell_is_sealed_instead_of_refused() {
    let (mta, ring) = (Mta::start(&[]), Ring::of_alice());
    for (name, sender, field) in
        [("a null sender", "", ""), ("an automatic reply", BOB, "Auto-Submitted: auto-replied\r\n")]
    {
        let user = requiring("keys/alice.asc");
        let message = [field.as_bytes(), LETTER].concat();
        mta.attempted(&mta.send(sender, &mta.address(&user), &message)).is_sent();
        is_what_smtp_carried(name, &ring.original(&user.one_mail()), &message);
        nothing_readable(user.home(), &WORDS);
    }
}
