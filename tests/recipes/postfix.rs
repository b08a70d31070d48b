//! Postfix, with Debian's own services.

mod apart;
mod local;
mod filter;
mod page;
mod virtual_users;

use std::path::Path;

use memchr::memmem;

use crate::agent::{HASTY, Postfix, restart};
use crate::host::Host;
use crate::recipe::{LETTER, Recipe};
use crate::resident::{PROGRAMS, output, run, write};
use crate::world::gpg::Gpg;
use crate::world::letter::{BOB, original};
use crate::world::readable::take_mail;
use crate::world::smtp::{Session, Transfer};

/// What Debian's installer writes for a host that takes mail for its users, and a log that a test can read. What
/// comes from this machine may say with XCLIENT that it comes from elsewhere.
const SITE: &str = "\
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
readme_directory = no
compatibility_level = 3.6
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = host.example
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
relayhost =
mynetworks = 127.0.0.0/8
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = loopback-only
inet_protocols = ipv4
maillog_file = /var/log/mail.log
smtpd_authorized_xclient_hosts = 127.0.0.1
";

/// Starts it with these settings besides those of [`SITE`].
fn start(settings: &str) -> Postfix {
    assert!(Path::new("/usr/sbin/postfix").exists(), "no Postfix here: apt-get install postfix");
    write("/etc/postfix/main.cf", format!("{SITE}{settings}"));
    run("newaliases", &[]);
    // As Debian's own start does: some services see a file system of their own.
    run("/usr/lib/postfix/configure-instance.sh", &["-"]);
    restart();
    Postfix { hasty: HASTY }
}

/// What its configuration says.
fn configuration() -> String {
    output("postconf", &["-n"]) + &output("postconf", &["-M"]) + &output("postconf", &["-P"])
}

/// A recipe whose users are at example.org.
fn at_example_org<'a>(name: &'a str, host: &'a Postfix, maildir: &Path) -> Recipe<'a> {
    Recipe {
        name,
        host,
        address: "alice@example.org",
        programs: PROGRAMS.into(),
        certificate: "/etc/selfseal/certs/alice@example.org.asc".into(),
        maildir: maildir.to_owned(),
        suffix: b"",
        refuse: None,
    }
}

/// Offers a message that has to be taken, and waits for what becomes of it.
#[track_caller]
fn send(host: &Postfix, sender: &str, recipients: &[&str], message: &[u8]) {
    let recipients: Vec<_> = recipients.iter().map(|recipient| recipient.as_bytes()).collect();
    let mut session = Session::open(25).expect("the host listens");
    let offered = session.offer_to(sender.as_bytes(), &recipients, message, Transfer::Data);
    offered.expect("the host takes it");
    host.settle();
}

/// `tls-audit` in front of a pipe(8) command that seals Alice's mail.
#[track_caller]
fn takes_tls_audit(host: &Postfix, maildir: &Path) {
    let with = page::word("argv=/usr/local/bin/tls-audit encrypt-to-self");
    page::amend("master.cf", "argv=/usr/local/bin/encrypt-to-self", with);
    restart();
    comes_in_the_clear(host, "alice@example.org", maildir);
    page::amend("master.cf", with, "argv=/usr/local/bin/encrypt-to-self");
    restart();
}

/// A message from elsewhere, in the clear, has that verdict on it and in it.
#[track_caller]
fn comes_in_the_clear(host: &Postfix, address: &str, maildir: &Path) {
    let mut session = Session::open(25).expect("the host listens").posing_as("a.example", "192.0.2.1");
    let offered = session.offer(BOB.as_bytes(), address.as_bytes(), LETTER, Transfer::Data);
    offered.expect("the host takes it");
    host.settle();
    let stored = take_mail(maildir);
    for message in [&stored, &original(&Gpg::with_keys(&["alice"]), &stored)] {
        let fields = memmem::find_iter(message, b"TLS-Audit: ").count();
        let verdicts = memmem::find_iter(message, b"TLS-Audit: host.example; border=plain;").count();
        assert_eq!((fields, verdicts), (1, 1), "{}", message.escape_ascii());
    }
}
