//! How users enrol on a host for many: contrib/enrolment, under Exim.
//!
//! What Exim starts are the lines of the page, and what root types are the page's commands.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::exim::Exim;
use crate::host::Host;
use crate::machine;
use crate::resident::{Resident, install, of_crontab, output, run, write};
use crate::world::fixture;
use crate::world::gpg::Gpg;
use crate::world::letter::{BOB, WORDS, lf, original};
use crate::world::readable::{files, nothing_readable, readable};
use crate::world::smtp::Transfer;

const PAGE: &str = include_str!("../../contrib/enrolment/README.md");

/// With the fields that Exim adds where they are missing.
const LETTER: &[u8] = b"From: Bob <bob@elsewhere.example>\r\nTo: alice@host.example\r\n\
    Subject: elderberry wine\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\n\
    Message-ID: <1@elsewhere.example>\r\n\r\nThe juniper is in bloom.\r\n";

/// The lines of the page's code blocks.
fn code() -> Vec<&'static str> {
    PAGE.lines().filter_map(|line| line.strip_prefix("    ")).collect()
}

/// Runs what stands on the page, from the first word on.
#[track_caller]
fn type_line(begins: &str) {
    let line = code().into_iter().find(|line| line.starts_with(begins)).expect("a line of the page");
    run("/bin/sh", &["-ec", line]);
}

/// A host whose local transport is a line of the page, with the programs in /usr/local/bin.
fn exim(line: &str) -> Exim {
    install(Path::new("/usr/local/bin"));
    change(line);
    let config = "/etc/exim4/conf.d/main/00_selfseal";
    write(config, "LOCAL_DELIVERY = selfseal\n");
    Exim::start()
}

/// Puts another line of the page in its place.
fn change(line: &str) {
    assert!(code().contains(&line), "{line} stands on the page");
    let transport = format!(
        "selfseal:\n  driver = pipe\n  command = /usr/local/bin/{line}\n  message_prefix =\n  message_suffix =\n\
         \x20 return_fail_output\n  log_defer_output\n  return_path_add\n"
    );
    write("/etc/exim4/conf.d/transport/30_selfseal", transport);
    run("update-exim4.conf", &[]);
}

/// What becomes of a letter: it is sealed to the one with these keys, waits, or rests in the clear.
fn send(host: &Exim, gpg: &Gpg, to: &Resident) -> String {
    let address = format!("{}@host.example", to.name);
    host.offer(BOB.as_bytes(), address.as_bytes(), LETTER, Transfer::Data).expect("taken");
    host.settle();
    stored(host, gpg, to)
}

/// What became of the one that was sent, which is taken away if it is stored.
fn stored(host: &Exim, gpg: &Gpg, to: &Resident) -> String {
    let found = files(&to.path("Maildir"));
    found.iter().for_each(|(path, _)| fs::remove_file(path).expect("removed"));
    match (&found[..], host.waiting()) {
        ([], 1) => {
            // It was tried, and left nothing behind.
            nothing_readable(&to.path(""), &WORDS);
            "waits".to_owned()
        }
        ([(_, mail)], 0) if mail.ends_with(&lf(LETTER)) => "in the clear".to_owned(),
        ([(_, mail)], 0) => {
            assert!(original(gpg, mail).ends_with(&lf(LETTER)), "{}", mail.escape_ascii());
            "sealed".to_owned()
        }
        (found, waiting) => panic!("{} stored, {waiting} waiting", found.len()),
    }
}

/// A letter waits while `trouble` holds, the log says why, and `cure` lets it be sealed.
#[track_caller]
fn waits(host: &Exim, gpg: &Gpg, to: &Resident, why: &str, trouble: impl FnOnce(), cure: impl FnOnce()) {
    trouble();
    write("/var/log/exim4/mainlog", "");
    run("chown", &["Debian-exim:adm", "/var/log/exim4/mainlog"]);
    assert_eq!(send(host, gpg, to), "waits", "{why}");
    let log = fs::read_to_string("/var/log/exim4/mainlog").expect("a log");
    assert!(log.contains(why), "{why:?} is not in {log}");
    cure();
    host.retry();
    assert_eq!(stored(host, gpg, to), "sealed", "after {why}");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
}

/// The same where the trouble is that others can write to it.
#[track_caller]
fn waits_while(mode: u32, path: &Path, why: &str, host: &Exim, gpg: &Gpg, to: &Resident) {
    let good = fs::metadata(path).expect("a state").permissions().mode() & 0o7777;
    waits(host, gpg, to, why, || set_mode(path, mode), || set_mode(path, good));
}

/// Whether the command ends well for this user.
fn can(user: &Resident, command: &str) -> bool {
    let mut run = Command::new("runuser");
    run.args(["-u", user.name, "--", "sh", "-c", command]).current_dir("/").stderr(Stdio::null());
    run.status().expect("runuser").success()
}

#[test]
fn the_users_own_file_in_the_home_directory() {
    machine::alone(Some("exim"), || {
        let (alice, bob) = (Resident::alice(), Resident::new("bob"));
        let host = exim("encrypt-to-self deliver");
        let gpg = Gpg::with_keys(&["alice"]);
        assert_eq!(send(&host, &gpg, &alice), "sealed");

        let file = alice.path(".config/selfseal/cert.asc");
        let directory = alice.path(".config/selfseal");
        let away = alice.path("elsewhere.asc");
        waits_while(0o666, &file, "is writable by others", &host, &gpg, &alice);
        waits_while(0o777, &directory, "is writable by others", &host, &gpg, &alice);
        let link = || {
            fs::rename(&file, &away).expect("moved");
            symlink(&away, &file).expect("a link");
        };
        waits(&host, &gpg, &alice, "is a symbolic link", link, || {
            fs::rename(&away, &file).expect("moved back");
        });
        let (uid, his) = (owner(&file), owner(&bob.path("")));
        waits(
            &host,
            &gpg,
            &alice,
            "has to belong to root or to you",
            || chown(&file, Some(his), None).expect("an owner"),
            || chown(&file, Some(uid), None).expect("an owner"),
        );
    });
}

fn owner(path: &Path) -> u32 {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata(path).expect("a file"))
}

#[test]
fn a_directory_that_a_group_may_write() {
    machine::alone(Some("exim"), || {
        let [alice, bob] = ["alice", "bob"].map(Resident::new);
        type_line("groupadd enrol");
        type_line("install -d -o root -g enrol -m 3775 /etc/selfseal/certs");
        for user in [&alice, &bob] {
            run("usermod", &["-aG", "enrol", user.name]);
        }
        let host = exim("encrypt-to-self --certs /etc/selfseal/certs deliver");
        let gpg = Gpg::with_keys(&["alice"]);
        let directory = Path::new("/etc/selfseal/certs");
        let hers = directory.join("alice@host.example.asc");
        write("/srv/alice.asc", fixture("keys/alice.asc"));
        write("/srv/rosa.asc", fixture("keys/rosa.asc"));
        assert!(can(&alice, "umask 022; cp /srv/alice.asc /etc/selfseal/certs/alice@host.example.asc"));
        assert_eq!(send(&host, &gpg, &alice), "sealed");

        // What another member can do to it: nothing.
        for command in [
            "cp /srv/rosa.asc /etc/selfseal/certs/alice@host.example.asc",
            "rm -f /etc/selfseal/certs/alice@host.example.asc",
            "cd /etc/selfseal/certs && cp /srv/rosa.asc x && mv x alice@host.example.asc",
            "mv /etc/selfseal/certs /etc/selfseal/other",
        ] {
            assert!(!can(&bob, command), "{command}");
        }
        assert_eq!(send(&host, &gpg, &alice), "sealed");

        // One that he put there before she did is not used.
        let his = || {
            fs::remove_file(&hers).expect("removed");
            assert!(can(&bob, "umask 022; cp /srv/rosa.asc /etc/selfseal/certs/alice@host.example.asc"));
        };
        waits(&host, &gpg, &alice, &format!("belongs to user {}", owner(&bob.path(""))), his, || {
            fs::remove_file(&hers).expect("removed");
            assert!(can(&alice, "umask 022; cp /srv/alice.asc /etc/selfseal/certs/alice@host.example.asc"));
        });
        // Without the sticky bit he could have replaced it.
        waits_while(0o2775, directory, "/etc/selfseal/certs: is writable by others", &host, &gpg, &alice);
    });
}

#[test]
fn root_takes_over_what_a_group_put_into_a_directory() {
    machine::alone(Some("exim"), || {
        let [alice, helper, stranger] = ["alice", "helper", "stranger"].map(Resident::new);
        type_line("groupadd enrol");
        type_line("install -d -o root -g enrol -m 2770 /etc/selfseal/drop");
        type_line("install -d -m 755 /etc/selfseal/certs");
        run("usermod", &["-aG", "enrol", helper.name]);
        let host = exim("encrypt-to-self --certs /etc/selfseal/certs deliver");
        let gpg = Gpg::with_keys(&["alice"]);
        write("/usr/local/sbin/collect", include_bytes!("../../contrib/enrolment/collect"));
        set_mode(Path::new("/usr/local/sbin/collect"), 0o755);
        for name in ["alice.asc", "alice.key", "rosa.asc", "expired.asc"] {
            write(Path::new("/srv").join(name), fixture(&format!("keys/{name}")));
        }
        // As cron runs it; what it says is root's mail.
        let line = code().into_iter().find(|line| line.contains("/usr/local/sbin/collect ")).expect("a line");
        let command = of_crontab(line);
        let collect = || output("/usr/bin/env", &["-i", "PATH=/usr/bin:/bin", "/bin/sh", "-c", command]);
        assert_eq!(collect(), "");

        let drop = |from: &str, name: &str| {
            let command = format!("cp /srv/{from} /etc/selfseal/drop/{name}");
            assert!(!can(&stranger, &command), "{name}");
            assert!(can(&helper, &command), "{name}");
        };
        drop("alice.asc", "alice@host.example.asc");
        waits(
            &host,
            &gpg,
            &alice,
            "no certificate",
            || (),
            || {
                let said = collect();
                assert!(said.starts_with("alice@host.example.asc: new: "), "{said}");
            },
        );
        assert_eq!(collect(), "", "it says a thing once");

        // What is not taken: by its name what it says of it.
        drop("alice.key", "secret@host.example.asc");
        drop("expired.asc", "expired@host.example.asc");
        assert!(can(&helper, "cd /etc/selfseal/drop; echo no certificate >text@host.example.asc"));
        assert!(can(&helper, "cd /etc/selfseal/drop; ln -s /srv/rosa.asc link@host.example.asc"));
        assert!(can(&helper, "cd /etc/selfseal/drop; ln -s /dev/zero zero@host.example.asc"));
        assert!(can(&helper, "cd /etc/selfseal/drop; mkfifo pipe@host.example.asc"));
        assert!(can(&helper, "cd /etc/selfseal/drop; mkdir directory@host.example.asc"));
        assert!(can(&helper, "cd /etc/selfseal/drop; head -c 9000000 /dev/zero >large@host.example.asc"));
        assert!(can(&helper, "cd /etc/selfseal/drop; cp /srv/rosa.asc '$(touch mark)@host.example.asc'"));
        assert!(can(&helper, "cd /etc/selfseal/drop; cp /srv/rosa.asc @host.example.asc"));
        assert!(can(&helper, "cd /etc/selfseal/drop; cp /srv/rosa.asc noaddress.asc"));
        let said = collect();
        for name in ["secret", "expired", "text", "link", "zero", "pipe", "directory", "large"] {
            assert!(said.contains(&format!("{name}@host.example.asc: not taken: ")), "{name}: {said}");
        }
        assert!(said.contains("noaddress.asc: not taken"), "{said}");
        assert_eq!(said.matches("a name that is no ADDRESS.asc").count(), 2, "{said}");
        assert!(!said.contains(": new: ") && !said.contains(": replaced: "), "{said}");
        let taken: Vec<_> =
            files(Path::new("/etc/selfseal/certs")).into_iter().map(|(path, _)| path).collect();
        assert_eq!(taken, [Path::new("/etc/selfseal/certs/alice@host.example.asc")]);
        assert_eq!(send(&host, &gpg, &alice), "sealed");

        // Another one in its place is said.
        drop("rosa.asc", "alice@host.example.asc");
        assert!(collect().contains("alice@host.example.asc: replaced: "));
        // A directory that everybody may write is not looked into.
        set_mode(Path::new("/etc/selfseal/drop"), 0o2777);
        let output = Command::new("/bin/sh").args(["-c", command]).output().expect("sh");
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stdout).contains("only its group may write"));
    });
}

#[test]
fn a_web_key_directory_that_is_already_there() {
    machine::alone(Some("exim"), || {
        let [alice, bob] = ["alice", "bob"].map(Resident::new);
        let host = exim("encrypt-to-self --certs /var/www/openpgpkey --layout=wkd deliver");
        // The same local part in two domains: the tree's names say the local part alone.
        let gpg = Gpg::with_keys(&[]);
        for user in ["Alice <alice@host.example>", "Bob <bob@elsewhere.example>"] {
            let made = gpg.run(&["--passphrase", "", "--quick-generate-key", user, "future-default"]);
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let tree = Path::new("/var/www/openpgpkey");
        for (address, local) in [("alice@host.example", "alice"), ("bob@elsewhere.example", "bob")] {
            let listing = gpg.run(&["--with-wkd-hash", "--list-keys", address]).stdout;
            let listing = String::from_utf8(listing).expect("text");
            let hash = listing.split_whitespace().find_map(|word| word.strip_suffix(&address[local.len()..]));
            let hash = hash.expect("the hash in place of the local part");
            write(tree.join("host.example/hu").join(hash), gpg.run(&["--export", address]).stdout);
        }
        assert_eq!(send(&host, &gpg, &alice), "sealed");
        // What lies under his name is for another address of his.
        assert_eq!(send(&host, &gpg, &bob), "waits");
        host.forget();
        let hashed = tree.join("host.example/hu");
        let www = output("id", &["-u", "www-data"]).trim().parse().expect("a user id");
        waits(
            &host,
            &gpg,
            &alice,
            &format!("/var/www/openpgpkey/host.example/hu: belongs to user {www}"),
            || chown(&hashed, Some(www), None).expect("an owner"),
            || chown(&hashed, Some(0), None).expect("an owner"),
        );
    });
}

#[test]
fn mail_of_users_who_have_not_enrolled_rests_in_the_clear_only_if_the_host_says_so() {
    machine::alone(Some("exim"), || {
        let (alice, carol) = (Resident::alice(), Resident::new("carol"));
        let host = exim("encrypt-to-self deliver");
        let gpg = Gpg::with_keys(&["alice"]);
        assert_eq!(send(&host, &gpg, &carol), "waits");
        change("encrypt-to-self --no-cert=pass deliver");
        host.retry();
        // What then rests in the clear: all of it.
        let rests = readable(&carol.path("Maildir"), &WORDS);
        assert_eq!(rests.len(), WORDS.len(), "{rests:?}");
        assert_eq!(stored(&host, &gpg, &carol), "in the clear");
        assert_eq!(send(&host, &gpg, &carol), "in the clear");
        // It is for those without a file alone.
        assert_eq!(send(&host, &gpg, &alice), "sealed");
        let file = alice.path(".config/selfseal/cert.asc");
        waits_while(0o666, &file, "is writable by others", &host, &gpg, &alice);
        let put = |name: &str| alice.write(".config/selfseal/cert.asc", fixture(&format!("keys/{name}.asc")));
        let (expired, back) = (|| drop(put("expired")), || drop(put("alice")));
        waits(&host, &gpg, &alice, "expired on 2025-01-01", expired, back);
    });
}
