//! `tls-audit` under Postfix, with a stranger who sends the same message with and without STARTTLS.

use crate::account::Account;
use crate::mail::{BOB, LETTER, lf, original};
use crate::mta::Mta;
use crate::stranger::{ADDRESS, Certificate, NAME, Under, setting};
use crate::world::gpg::Gpg;

/// A Postfix that offers STARTTLS with `own`, looks at the certificates of clients, and believes `sender`'s.
fn with_starttls(own: &Certificate, sender: &Certificate, more: &[&str]) -> Mta {
    let settings = [
        setting("smtpd_tls_cert_file", &own.file()),
        setting("smtpd_tls_key_file", &own.key()),
        setting("smtpd_tls_CAfile", &sender.file()),
        "smtpd_tls_security_level = may".to_owned(),
        "smtpd_tls_ask_ccert = yes".to_owned(),
        "smtpd_authorized_xclient_hosts = 127.0.0.1".to_owned(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).chain(more.iter().copied()).collect();
    Mta::start(&settings)
}

fn user(command: &str) -> Account {
    let user = Account::with_alice();
    user.forward_to(command);
    user
}

/// The items of the field on top of the one message that `user` has.
fn items(user: &Account) -> Vec<String> {
    items_of(&user.one_mail())
}

fn items_of(message: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(message).into_owned();
    let field = text.strip_prefix("TLS-Audit: ").unwrap_or_else(|| panic!("no field on top: {text}"));
    let end = field.match_indices('\n').find(|(at, _)| !field[at + 1..].starts_with('\t')).expect("an end").0;
    field[..end].split(';').skip(1).map(|item| item.trim().to_owned()).collect()
}

#[test]
fn the_same_message_is_judged_by_how_it_came() {
    let (own, sender) = (Certificate::of("host.example"), Certificate::of(NAME));
    let stranger = Certificate::of(NAME);
    let tls = Under::Tls { trusts: &own, shows: None, newest: "TLSv1_3" };
    let default = with_starttls(&own, &sender, &[]);
    let telling = with_starttls(&own, &sender, &["smtpd_tls_received_header = yes"]);
    for (name, mta, under, expected) in [
        ("in the clear", &default, &Under::Clear, &["border=plain"][..]),
        ("in the clear to a host that tells more", &telling, &Under::Clear, &["border=plain"]),
        ("Postfix' default", &default, &tls, &["border=tls"]),
        (
            "all that Postfix tells",
            &telling,
            &tls,
            &["border=tls", "version=TLSv1.3", "cipher=TLS_AES_256_GCM_SHA384", "verified=no"],
        ),
        (
            "a certificate that it verifies",
            &telling,
            &Under::Tls { trusts: &own, shows: Some(&sender), newest: "TLSv1_3" },
            &["border=tls", "version=TLSv1.3", "cipher=TLS_AES_256_GCM_SHA384", "verified=yes"],
        ),
        (
            "a certificate that anybody can make",
            &telling,
            &Under::Tls { trusts: &own, shows: Some(&stranger), newest: "TLSv1_3" },
            &["border=tls", "version=TLSv1.3", "cipher=TLS_AES_256_GCM_SHA384", "verified=no"],
        ),
        (
            "TLS 1.2",
            &telling,
            &Under::Tls { trusts: &own, shows: None, newest: "TLSv1_2" },
            &["border=tls", "version=TLSv1.2", "cipher=ECDHE-ECDSA-AES256-GCM-SHA384", "verified=no"],
        ),
    ] {
        let user = user("tls-audit deliver");
        // What the stranger writes below is a claim, and a field in our name goes.
        let message = [
            b"TLS-Audit: host.example; border=tls\r\n",
            &b"Received: from x (x [192.0.2.1]) by host.example (Postfix) with ESMTPS id 1; Mon\r\n"[..],
            LETTER,
        ]
        .concat();
        let id = mta.send_from_elsewhere(under, BOB, &mta.address(&user), &message);
        mta.attempted(&id).is_sent();
        let from = [format!("from={NAME}"), format!("address={ADDRESS}")];
        let expected: Vec<String> = expected.iter().map(|&item| item.to_owned()).chain(from).collect();
        assert_eq!(items(&user), expected, "{name}");
        let stored = String::from_utf8_lossy(&user.one_mail()).into_owned();
        assert_eq!(stored.matches("TLS-Audit:").count(), 1, "{name}: {stored}");
        assert!(user.one_mail().ends_with(&lf(LETTER)), "{name}");
    }
}

#[test]
fn each_user_chooses_whether_mail_in_the_clear_is_refused() {
    let own = Certificate::of("host.example");
    let mta = with_starttls(&own, &own, &[]);
    let (strict, lenient) = (user("tls-audit --require tls deliver"), user("tls-audit deliver"));
    let sender = Account::new();
    let under_tls = Under::Tls { trusts: &own, shows: None, newest: "TLSv1_3" };
    for user in [&strict, &lenient] {
        let id = mta.send_from_elsewhere(&under_tls, &mta.address(&sender), &mta.address(user), LETTER);
        mta.attempted(&id).is_sent();
        assert_eq!(items(user)[0], "border=tls");
    }
    let id = mta.send_from_elsewhere(&Under::Clear, &mta.address(&sender), &mta.address(&lenient), LETTER);
    mta.attempted(&id).is_sent();
    assert_eq!(lenient.mail().len(), 2);

    let id = mta.send_from_elsewhere(&Under::Clear, &mta.address(&sender), &mta.address(&strict), LETTER);
    mta.attempted(&id).is_bounced("This mailbox accepts mail only over TLS");
    mta.attempted(&mta.bounce(&id)).is_sent();
    assert_eq!(strict.mail().len(), 1);
    let bounce = sender.one_mail();
    let bounce = String::from_utf8_lossy(&bounce);
    assert!(
        bounce.contains("\nStatus: 5.7.10\nDiagnostic-Code: x-unix; This mailbox accepts mail only over"),
        "{bounce}"
    );
    assert!(bounce.replace(['\n', ' '], "").contains("toturnonSTARTTLS"), "{bounce}");
}

#[test]
fn a_bounce_in_the_clear_is_never_refused() {
    let own = Certificate::of("host.example");
    let (mta, user) = (with_starttls(&own, &own, &[]), user("tls-audit --require tls --strict deliver"));
    let id = mta.send_from_elsewhere(&Under::Clear, "", &mta.address(&user), LETTER);
    mta.attempted(&id).is_sent();
    assert_eq!(items(&user)[0], "border=plain");
    mta.has_empty_queue();
}

#[test]
fn the_verdict_is_sealed_too_and_a_warning_with_it() {
    let own = Certificate::of("host.example");
    let mta = with_starttls(&own, &own, &[]);
    let (user, gpg) = (user("tls-audit --warn encrypt-to-self deliver"), Gpg::with_keys(&["alice"]));
    mta.attempted(&mta.send_from_elsewhere(&Under::Clear, BOB, &mta.address(&user), LETTER)).is_sent();
    let sealed = user.one_mail();
    assert_eq!(items_of(&sealed)[0], "border=plain");
    let inside = original(&gpg, &sealed);
    assert_eq!(items_of(&inside)[0], "border=plain");
    assert!(String::from_utf8_lossy(&inside).contains("\nSubject: [no TLS] elderberry wine\n"));
}

#[test]
fn what_a_program_of_the_host_sends_is_local() {
    let (mta, user) = (Mta::start(&[]), user("tls-audit --require tls1.3 --strict deliver"));
    mta.attempted(&mta.send(BOB, &mta.address(&user), LETTER)).is_sent();
    assert_eq!(items(&user)[0], "border=local");
}
