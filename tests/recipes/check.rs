//! contrib/check: a certificate that will expire is told to its user by mail, which is sealed like any other.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::exim::Exim;
use crate::host::Host;
use crate::machine;
use crate::resident::{Resident, install, of_crontab, output, run, write};
use crate::world::fixture;
use crate::world::gpg::Gpg;
use crate::world::letter::original;
use crate::world::readable::take_mail;

/// A key of Alice's that expires soon; its certificate is in place, and her mail is sealed to it.
fn expires_in(days: u32, alice: &Resident) -> Gpg {
    let gpg = Gpg::with_keys(&[]);
    let expiry = format!("{days}d");
    let user = "Alice <alice@host.example>";
    let made =
        gpg.run(&["--passphrase", "", "--quick-generate-key", user, "future-default", "default", &expiry]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let certificate = gpg.run(&["--armor", "--export", "alice@host.example"]).stdout;
    alice.write(".config/selfseal/cert.asc", &certificate);
    alice.write(".forward", include_bytes!("../../contrib/exim/forward"));
    gpg
}

/// The one message that Alice got, opened.
fn told(host: &Exim, gpg: &Gpg, alice: &Resident) -> String {
    host.retry();
    assert_eq!(host.waiting(), 0);
    let sealed = take_mail(&alice.path("Maildir"));
    assert!(!String::from_utf8_lossy(&sealed).contains("expires"), "{}", sealed.escape_ascii());
    String::from_utf8(original(gpg, &sealed)).expect("text")
}

/// Runs a line of a shell as Alice, as cron and her systemd do.
fn as_alice(line: &str) -> Output {
    let mut command = Command::new("runuser");
    command.args([
        "-u",
        "alice",
        "--",
        "env",
        "-i",
        "HOME=/home/alice",
        "LOGNAME=alice",
        "PATH=/usr/bin:/bin",
    ]);
    command.args(["/bin/sh", "-c", line]).current_dir("/home/alice").output().expect("runuser")
}

/// What stands behind `ExecStart=` in a unit, with the places and the name that its manager puts in.
fn command_of(unit: &str, user: &str) -> String {
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");
    line.replace("%h", "/home/alice").replace("%t", "/run/user/alice").replace("%u", user)
}

#[test]
fn cron_mails_the_user_before_the_certificate_expires() {
    machine::alone(Some("exim"), || {
        let alice = Resident::alice();
        let host = Exim::start();
        let crontab = include_str!("../../contrib/check/crontab");
        let lines: Vec<_> = crontab.lines().filter(|line| !line.starts_with('#')).collect();
        let [line] = lines[..] else { panic!("one line: {lines:?}") };
        let command = of_crontab(line);
        // In a crontab it would end the command (crontab(5)).
        assert!(!command.contains('%'), "{command}");

        let _gpg = expires_in(40, &alice);
        assert_eq!(as_alice(command).stdout, b"", "nothing before 30 days");
        let gpg = expires_in(20, &alice);
        // cron(8) mails the user what a command prints, by sendmail.
        let said = as_alice(&format!("({command}) | /usr/sbin/sendmail -i alice"));
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let mail = told(&host, &gpg, &alice);
        assert!(mail.contains("expires on 20") && mail.contains("; extend it"), "{mail}");

        // And when it could not be used at all.
        alice.write(".config/selfseal/cert.asc", fixture("keys/expired.asc"));
        let said = as_alice(command).stdout;
        assert!(String::from_utf8_lossy(&said).contains("expired on 2025-01-01"), "{}", said.escape_ascii());
        fs::rename(alice.path(".cargo/bin/encrypt-to-self"), "/srv/away").expect("moved");
        assert_ne!(as_alice(command).stdout, b"", "nor when the program is not there");
    });
}

#[test]
fn a_users_units_mail_the_user_before_the_certificate_expires() {
    machine::alone(Some("exim"), || {
        let alice = Resident::alice();
        let host = Exim::start();
        run("install", &["-d", "-o", "alice", "/run/user/alice"]);
        let check = include_str!("../../contrib/check/user/selfseal-check.service");
        assert!(check.contains("\nStandardOutput=truncate:%t/selfseal-check\n"));
        assert!(check.contains("\nOnFailure=selfseal-check-mail.service\n"));
        // What systemd does with the file: standard error follows standard output.
        let command = command_of(check, "alice") + " >/run/user/alice/selfseal-check 2>&1";
        let mail = command_of(include_str!("../../contrib/check/selfseal-check-mail.service"), "alice");

        let _gpg = expires_in(40, &alice);
        assert_eq!(as_alice(&command).status.code(), Some(0), "nothing before 30 days");
        let gpg = expires_in(20, &alice);
        assert_eq!(as_alice(&command).status.code(), Some(1), "the unit fails");
        let sent = as_alice(&mail);
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        let mail = told(&host, &gpg, &alice);
        assert!(mail.contains("Subject: your certificate for mail needs attention"), "{mail}");
        assert!(mail.contains("; extend it"), "{mail}");
    });
}

#[test]
fn the_hosts_units_mail_root_the_table_before_a_certificate_expires() {
    machine::alone(Some("exim"), || {
        let alice = Resident::alice();
        let host = Exim::start();
        install(Path::new("/usr/local/bin"));
        write("/etc/aliases", "root: alice\n");
        let check = include_str!("../../contrib/check/host/selfseal-check.service");
        for line in [
            "StandardOutput=truncate:%t/selfseal-check",
            "OnFailure=selfseal-check-mail.service",
            "CapabilityBoundingSet=",
            "NoNewPrivileges=yes",
        ] {
            assert!(check.lines().any(|found| found == line), "{line}");
        }
        let of_root = |unit| command_of(unit, "root").replace("/run/user/alice", "/run");
        // Root without root's rights, as the unit says.
        let command = format!(
            "setpriv --no-new-privs --inh-caps=-all --bounding-set=-all {} >/run/selfseal-check 2>&1",
            of_root(check)
        );
        let as_root =
            |line: &str| Command::new("/bin/sh").args(["-c", line]).env_clear().output().expect("sh");
        let put = || {
            let hers = fs::read(alice.path(".config/selfseal/cert.asc")).expect("a file");
            write("/etc/selfseal/certs/alice@host.example.asc", hers);
        };
        write("/etc/selfseal/certs/bob@host.example.asc", fixture("keys/rosa.asc"));

        let _gpg = expires_in(40, &alice);
        put();
        assert_eq!(as_root(&command).status.code(), Some(0), "nothing before 30 days");
        let gpg = expires_in(20, &alice);
        put();
        assert_eq!(as_root(&command).status.code(), Some(1), "the unit fails");
        let mail = of_root(include_str!("../../contrib/check/selfseal-check-mail.service"));
        assert!(as_root(&mail).status.success());
        let mail = told(&host, &gpg, &alice);
        let line = mail.lines().find(|line| line.contains("alice@host.example ")).expect("her line");
        assert!(line.contains("expires on 20"), "{mail}");
        let his = mail.lines().find(|line| line.contains("bob@host.example ")).expect("his line");
        assert!(!his.contains("expires"), "{mail}");
    });
}

#[test]
fn each_user_of_a_host_is_mailed_about_their_own_certificate() {
    machine::alone(Some("exim"), || {
        let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
        let host = Exim::start();
        install(Path::new("/usr/local/bin"));
        write("/usr/local/sbin/warn-users", include_bytes!("../../contrib/check/warn-users"));
        let gpg = expires_in(20, &alice);
        let hers = fs::read(alice.path(".config/selfseal/cert.asc")).expect("a file");
        write("/etc/selfseal/certs/alice@host.example.asc", hers);
        write("/etc/selfseal/certs/bob@host.example.asc", fixture("keys/rosa.asc"));
        assert_eq!(output("/bin/sh", &["/usr/local/sbin/warn-users"]), "");
        let mail = told(&host, &gpg, &alice);
        assert!(mail.contains("Subject: your certificate for mail needs attention"), "{mail}");
        assert!(mail.contains("/etc/selfseal/certs/alice@host.example.asc"), "{mail}");
        assert!(mail.contains("; extend it") && !mail.contains("bob@"), "{mail}");
        assert_eq!(host.told(), [b""; 0], "nothing is wrong with his");
    });
}
