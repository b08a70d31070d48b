//! The filter behind the queue, which gives sealed mail back to Postfix.

use std::path::Path;

use memchr::memmem;

use super::apart::two_recipients_are_sealed_apart;
use super::{at_example_org, configuration, page, send, start, takes_tls_audit};
use crate::agent::{Postfix, restart};
use crate::host::{Host, submit};
use crate::machine;
use crate::recipe::LETTER;
use crate::resident::{Resident, install, run};
use crate::world::gpg::Gpg;
use crate::world::letter::{BOB, lf, original};
use crate::world::readable::take_mail;

const HEADING: &str = "## Any store: a filter behind the queue";

#[test]
fn content_filter() {
    machine::alone(None, || {
        let (alice, rosa, _bob) = (Resident::new("alice"), Resident::new("rosa"), Resident::bob());
        install(Path::new("/usr/local/bin"));
        let host = start("mydestination = $myhostname, example.org\nhome_mailbox = Maildir/\n");
        let before = configuration();
        page::follow(HEADING);
        restart();
        // Nobody's own refuses: it is one filter for all.
        at_example_org("[Postfix](postfix): `content_filter`", &host, &alice.path("Maildir")).prove();
        two_recipients_are_sealed_apart(&host, [alice.path("Maildir"), rosa.path("Maildir")]);
        keeps_the_envelope(&host, &alice);
        ends_where_it_comes_back(&host, &alice);
        takes_tls_audit(&host, &alice.path("Maildir"));
        lets_pass_what_this_host_sends_elsewhere(&host, &alice);

        page::undo(HEADING);
        assert_eq!(configuration(), before);
    });
}

fn keeps_the_envelope(host: &Postfix, alice: &Resident) {
    for (sender, recipient) in [(BOB, "alice+work@example.org"), ("", "alice@example.org")] {
        send(host, sender, &[recipient], LETTER);
        let stored = take_mail(&alice.path("Maildir"));
        for field in [format!("Return-Path: <{sender}>\n"), format!("Delivered-To: {recipient}\n")] {
            assert!(memmem::find(&stored, field.as_bytes()).is_some(), "{field}{}", stored.escape_ascii());
        }
    }
}

/// Even where a filter is set for all that comes in.
fn ends_where_it_comes_back(host: &Postfix, alice: &Resident) {
    run("postconf", &["-e", "content_filter=selfseal-filter:"]);
    restart();
    send(host, BOB, &["alice@example.org"], LETTER);
    let stored = take_mail(&alice.path("Maildir"));
    let hops = memmem::find_iter(&stored, "by host.example (Postfix)").count();
    assert_eq!(hops, 2, "{}", stored.escape_ascii());
    run("postconf", &["-X", "content_filter"]);
    restart();
}

/// A letter of a user here to Alice is sealed, one to Bob, who has no certificate, is not.
fn lets_pass_what_this_host_sends_elsewhere(host: &Postfix, alice: &Resident) {
    submit(host, &["alice@example.org", "bob@host.example"], &lf(LETTER));
    let sealed = take_mail(&alice.path("Maildir"));
    assert!(original(&Gpg::with_keys(&["alice"]), &sealed).ends_with(&lf(LETTER)));
    assert!(matches!(&host.told()[..], [mail] if mail.ends_with(&lf(LETTER))));
}
