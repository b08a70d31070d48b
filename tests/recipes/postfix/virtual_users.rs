//! Users without a home, behind a pipe(8) transport: Maildirs below /srv/mail, or a real Dovecot.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::apart::two_recipients_are_sealed_apart;
use super::{at_example_org, configuration, page, send, start, takes_tls_audit};
use crate::agent::{Postfix, restart};
use crate::apart;
use crate::host::{Host, submit};
use crate::machine;
use crate::recipe::{FIELDS, LETTER, Recipe};
use crate::resident::{Resident, install, run, serve, write};
use crate::world::gpg::Gpg;
use crate::world::letter::{BOB, encrypted_by, lf, original};
use crate::world::readable::{files, take_mail};
use crate::world::{fixture, wait};

const MAILDIRS: &str = "## Virtual users, Maildirs";
const DOVECOT: &str = "## Virtual users, Dovecot";
const TABLE: &str = "/etc/postfix/sealed";

#[test]
fn maildirs() {
    machine::alone(None, || {
        let _bob = Resident::bob();
        install(Path::new("/usr/local/bin"));
        let host = start("mydestination = $myhostname, localhost\n");
        let before = configuration();
        page::follow(MAILDIRS);
        restart();
        let line = fs::read_to_string(TABLE).expect("the table");
        let refuse = |on: bool| {
            let alices = if on { line.replace("selfseal:", "selfseal-require:") } else { line.clone() };
            write(TABLE, alices + &line.replace("alice", "rosa"));
            restart();
        };
        let [alice, rosa] = ["alice", "rosa"].map(|name| Path::new("/srv/mail/example.org").join(name));
        let name = "[Postfix](postfix): virtual users, Maildirs";
        let recipe = Recipe { refuse: Some(&refuse), ..at_example_org(name, &host, &alice) };
        recipe.prove();
        refuse(true);
        send(&host, "bob@host.example", &["alice@example.org"], LETTER);
        refuse(false);
        page::is_shown_by(&fs::read_to_string("/var/log/mail.log").expect("a log"), &host.told().concat());
        no_name_becomes_a_path(&host, &alice);
        takes_tls_audit(&host, &alice);
        refuses_for_alice_alone(&recipe, &rosa);
        two_recipients_are_sealed_apart(&host, [alice, rosa]);

        page::undo(MAILDIRS);
        assert_eq!(configuration(), before);
    });
}

/// Whatever tag her address has, and however it is written.
fn refuses_for_alice_alone(recipe: &Recipe, rosas: &Path) {
    write("/etc/selfseal/certs/rosa@example.org.asc", fixture("keys/rosa.asc"));
    apart::prove_refused(recipe, ["Alice+tag@Example.org", "rosa@example.org"], rosas);
}

/// Not even of a message that passes as it came, from a user of this host, whom no table stops.
fn no_name_becomes_a_path(host: &Postfix, alice: &Path) {
    let message = lf(&[FIELDS, &encrypted_by(&Gpg::with_keys(&["alice"]))].concat());
    for local in [r#""../x""#, r#""alice/x""#, r#""alice+../x""#, ".", r#"".""#, r#""..""#] {
        submit(host, &[&format!("{local}@example.org")], &message);
        for (path, bytes) in files(Path::new("/srv")) {
            assert!(path.starts_with(alice.join("new")), "{local} made {}", path.display());
            assert!(bytes.ends_with(&message), "{local}");
            fs::remove_file(path).expect("removed");
        }
    }
    host.forget();
    host.told();
    send(host, BOB, &["ALICE@Example.ORG"], LETTER);
    assert!(original(&Gpg::with_keys(&["alice"]), &take_mail(alice)).ends_with(&lf(LETTER)));
}

/// Where Dovecot takes mail for virtual users.
const STORE: &str = "\
protocols = lmtp
listen = 127.0.0.1
ssl = no
log_path = /var/log/dovecot.log
hostname = host.example
postmaster_address = postmaster@host.example
first_valid_uid = 1
mail_uid = mail
mail_gid = mail
mail_location = maildir:/srv/mail/%d/%n
lmtp_add_received_header = no
passdb {
  driver = static
  args = nopassword
}
userdb {
  driver = static
  args = uid=mail gid=mail home=/srv/mail/%d/%n allow_all_users=yes
}
";

#[test]
fn dovecot() {
    machine::alone(None, || {
        let _bob = Resident::bob();
        install(Path::new("/usr/local/bin"));
        write("/etc/dovecot/dovecot.conf", STORE);
        run("install", &["-d", "-o", "mail", "/srv/mail"]);
        let program = "/usr/sbin/dovecot";
        assert!(Path::new(program).exists(), "{program} is missing: apt-get install dovecot-lmtpd");
        let mut dovecot = serve(program, &["-F"]);
        wait::until("Dovecot", || UnixStream::connect("/run/dovecot/lmtp").ok());
        let host = start(
            "mydestination = $myhostname, localhost\nvirtual_mailbox_domains = example.org\n\
             virtual_mailbox_maps = inline:{alice@example.org=alice, rosa@example.org=rosa}\n\
             virtual_transport = lmtp:unix:private/dovecot-lmtp\n",
        );
        let before = configuration();
        page::follow(DOVECOT);
        restart();
        let refuse = |on: bool| {
            let setting = if on {
                page::word("transport_maps=inline:{alice@example.org=selfseal-require:}")
            } else {
                "transport_maps="
            };
            run("postconf", &["-e", setting]);
            restart();
        };
        let [alice, rosa] = ["alice", "rosa"].map(|name| PathBuf::from("/srv/mail/example.org").join(name));
        let name = "[Postfix](postfix): virtual users, Dovecot";
        let recipe = Recipe { refuse: Some(&refuse), ..at_example_org(name, &host, &alice) };
        recipe.prove();
        refuses_for_alice_alone(&recipe, &rosa);
        two_recipients_are_sealed_apart(&host, [alice, rosa]);

        run("postconf", &["-X", "transport_maps"]);
        page::undo(DOVECOT);
        assert_eq!(configuration(), before);
        dovecot.kill().and_then(|()| dovecot.wait()).expect("the end of Dovecot");
    });
}
