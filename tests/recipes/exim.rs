//! Exim, as Debian configures it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use crate::apart;
use crate::host::{Host, submit};
use crate::limit::Limit;
use crate::machine;
use crate::recipe::{LETTER, Recipe, refusing};
use crate::resident::{
    CERTIFICATE, Resident, everybody, everybody_and_rosa, output, rests, run, running, serve, write,
};
use crate::world::gpg::Gpg;
use crate::world::letter::{WORDS, lf, original};
use crate::world::readable::{files, readable};
use crate::world::smtp::{Session, Transfer};
use crate::world::{fixture, wait};

/// What debconf writes for a host that takes mail for its users.
const SITE: &str = "\
dc_eximconfig_configtype='internet'
dc_other_hostnames='host.example'
dc_local_interfaces='127.0.0.1'
dc_localdelivery='mail_spool'
dc_use_split_config='true'
dc_hide_mailname='true'
CFILEMODE='644'
";

const FORWARD: &str = include_str!("../../contrib/exim/forward");
const FILTER: &str = include_str!("../../contrib/exim/filter");
const ROUTER: &str = include_str!("../../contrib/exim/router");
const PIPE: &str = include_str!("../../contrib/exim/transport-pipe");
const MAILDIR: &str = include_str!("../../contrib/exim/transport-maildir");
const LMTP: &str = include_str!("../../contrib/exim/transport-lmtp");
const REQUIRE_ROUTER: &str = include_str!("../../contrib/exim/router-require");
const REQUIRE: &str = include_str!("../../contrib/exim/transport-require");
const PAGE: &str = include_str!("../../contrib/exim/README.md");

/// Where the files for all users go.
const ROUTER_PATH: &str = "/etc/exim4/conf.d/router/650_selfseal";
const TRANSPORT_PATH: &str = "/etc/exim4/conf.d/transport/30_selfseal";
const REQUIRE_ROUTER_PATH: &str = "/etc/exim4/conf.d/router/640_selfseal_require";
const REQUIRE_PATH: &str = "/etc/exim4/conf.d/transport/30_selfseal_require";

/// Debian's transport for the commands of .forward files.
const ADDRESS_PIPE: &str = "/etc/exim4/conf.d/transport/30_exim4-config_address_pipe";

const ADDRESS: &str = "alice@host.example";
const SPOOL: &str = "/var/spool/exim4";

/// A Dovecot that stores for the users of this machine.
const DOVECOT: &str = "\
protocols = lmtp
listen = 127.0.0.1
ssl = no
log_path = /var/log/dovecot
mail_location = maildir:~/Maildir
auth_username_format = %Ln
lmtp_add_received_header = no
passdb {
  driver = static
  args = nopassword
}
userdb {
  driver = passwd
}
";

pub struct Exim {
    daemon: Child,
    /// The file that says how long it waits for a program.
    limit: Option<Limit>,
}

/// A transport of Debian's, which has no limit and waits for an hour.
fn of_debian(path: &str) -> Limit {
    let text = fs::read_to_string(path).expect("Debian's configuration");
    Limit::added(path, &text, "  timeout = 2s\n")
}

impl Exim {
    /// Starts it, once its configuration is in place.
    pub fn start() -> Self {
        Exim::with(SITE, None)
    }

    fn with_limit(limit: Limit) -> Self {
        Exim::with(SITE, Some(limit))
    }

    fn with(site: &str, limit: Option<Limit>) -> Self {
        write("/etc/exim4/update-exim4.conf.conf", site);
        run("update-exim4.conf", &[]);
        let daemon = serve("/usr/sbin/exim4", &["-bdf"]);
        wait::until("Exim", || Session::open(25));
        Exim { daemon, limit }
    }

    /// As a power cut does.
    fn kill(mut self) {
        self.daemon.kill().expect("killed");
        self.daemon.wait().expect("ended");
        wait::until("the end of Exim", || running("exim4").is_empty().then_some(()));
    }
}

impl Host for Exim {
    fn waiting(&self) -> usize {
        output("exim4", &["-bpc"]).trim().parse().expect("a count")
    }

    /// Exim handles each message in processes of its own, from the connection on.
    fn settle(&self) {
        wait::until("the end of all deliveries", || rests("exim4", &self.daemon).then_some(()));
    }

    fn retry(&self) {
        run("exim4", &["-qff"]);
        self.settle();
    }

    fn hurry(&self, on: bool) {
        self.limit.as_ref().expect("a limit").hurry(on);
        run("update-exim4.conf", &[]);
    }

    fn forget(&self) {
        for id in output("exim4", &["-bp"]).split_whitespace().filter(|word| is_id(word)) {
            run("exim4", &["-Mrm", id]);
        }
    }
}

/// XXXXXX-XXXXXX-XX, or the longer form of Exim 4.97.
fn is_id(word: &str) -> bool {
    let lengths: Vec<_> = word.split('-').map(str::len).collect();
    matches!(lengths[..], [6, 6, 2] | [6, 11, 4])
}

/// Proves what is in Alice's ~/.forward.
fn prove_for_alice(name: &str, forward: &str, limit: Limit) {
    let (alice, _bob) = (Resident::alice(), Resident::new("bob"));
    alice.write(".forward", forward);
    let host = Exim::with_limit(limit);
    let refuse = refusing(&alice, ".forward", forward);
    Recipe { suffix: b"\n", refuse: Some(&refuse), ..Recipe::of_one(name, &host, &alice) }.prove();
}

#[test]
fn dot_forward() {
    machine::alone(Some("exim"), || {
        prove_for_alice("[Exim](exim): `.forward`", FORWARD, of_debian(ADDRESS_PIPE));
    });
}

#[test]
fn dot_forward_that_waits() {
    machine::alone(Some("exim"), || {
        let path = format!("{ADDRESS_PIPE}_selfseal");
        write(&path, include_str!("../../contrib/exim/address_pipe"));
        prove_for_alice("[Exim](exim): `.forward`, with `address_pipe`", FORWARD, of_debian(&path));
    });
}

#[test]
fn filter_file() {
    machine::alone(Some("exim"), || {
        prove_for_alice(
            "[Exim](exim): filter file",
            FILTER,
            Limit::of("/home/alice/.forward", FILTER, "50m", "2s"),
        );
    });
}

/// Exim's own answer to the question where Alice's mail goes.
fn route() -> String {
    output("exim4", &["-bt", ADDRESS])
}

/// What the first line of the page warns of, how the page finds it, and that the router for all users is behind it.
#[test]
fn mistyped_forward() {
    machine::alone(Some("exim"), || {
        let (alice, _bob) = everybody();
        let host = Exim::start();
        let send = || {
            host.offer(b"bob@host.example", ADDRESS.as_bytes(), LETTER, Transfer::Data).expect("taken");
            host.settle();
        };
        alice.write(".forward", FORWARD);
        let answer =
            format!("{ADDRESS} -> {}\n  transport = address_pipe\n", FORWARD.trim().trim_matches('"'));
        assert_eq!(route(), answer);
        for mistyped in [FORWARD.trim_end().trim_end_matches('"'), &FILTER.replace("pipe \"", "pipe ")] {
            alice.write(".forward", mistyped);
            assert!(route().contains("transport = mail_spool"), "{}", route());
            send();
            assert!(!readable(Path::new("/var/mail"), &WORDS).is_empty(), "no page needs to warn of it");
            fs::remove_file("/var/mail/alice").expect("removed");
        }
        write(ROUTER_PATH, ROUTER);
        write(TRANSPORT_PATH, PIPE);
        run("update-exim4.conf", &[]);
        assert!(route().contains("transport = selfseal"), "{}", route());
        send();
        let [(_, sealed)] = &files(&alice.path("Maildir"))[..] else { panic!("one message") };
        assert!(original(&Gpg::with_keys(&["alice"]), sealed).ends_with(&lf(LETTER)));
    });
}

/// Words of the page, for a test that uses them.
#[track_caller]
fn on_the_page(words: &'static str) -> &'static str {
    assert!(PAGE.contains(words), "the page does not say {words}");
    words
}

/// Puts the second router and its transport into place, or (false) takes them away again.
fn refuse_by(transport: &str, on: bool) {
    for (path, text) in [(REQUIRE_ROUTER_PATH, REQUIRE_ROUTER), (REQUIRE_PATH, transport)] {
        if on { write(path, text) } else { fs::remove_file(path).expect("removed") }
    }
    run("update-exim4.conf", &[]);
}

/// Proves a recipe, and that Alice can refuse readable mail alone, under any tag.
fn prove_for_all(recipe: &Recipe, rosa: &Resident) {
    recipe.prove();
    apart::prove_refused(recipe, ["Alice+tag@host.example", "rosa@host.example"], &rosa.path("Maildir"));
}

#[test]
fn pipe_for_all() {
    machine::alone(Some("exim"), || {
        let (alice, _bob, rosa) = everybody_and_rosa();
        write(ROUTER_PATH, ROUTER);
        write(TRANSPORT_PATH, PIPE);
        let host = Exim::with_limit(Limit::of(TRANSPORT_PATH, PIPE, "10m", "2s"));
        let refuse = |on| refuse_by(REQUIRE, on);
        let name = "[Exim](exim): pipe transport, `--certs`";
        prove_for_all(&Recipe { refuse: Some(&refuse), ..Recipe::of_all(name, &host, &alice) }, &rosa);
    });
}

/// In one file, as hosts have it that are not Debian's, or chose so.
#[test]
fn pipe_for_all_in_one_file() {
    machine::alone(Some("exim"), || {
        let (alice, _bob, rosa) = everybody_and_rosa();
        fs::remove_file(CERTIFICATE).expect("removed");
        let certificate = alice.write(".config/selfseal/cert.asc", fixture("keys/alice.asc"));
        let template = "/etc/exim4/exim4.conf.template";
        let text = fs::read_to_string(template).expect("Debian's configuration");
        let (transports, procmail) = ("\nbegin transports\n", "\nprocmail:\n");
        assert!(text.contains(transports) && text.contains(procmail), "the places where ours go");
        let text = text.replace(transports, &format!("{transports}{PIPE}"));
        let text = text.replace(procmail, &format!("\n{ROUTER}{procmail}"));
        write(template, &text);
        let site = SITE.replace("split_config='true'", "split_config='false'");
        let host = Exim::with(&site, Some(Limit::of(template, &text, "10m", "2s")));
        let offer = REQUIRE.replace(
            "/etc/selfseal/certs/$local_part_data@$domain_data.asc",
            on_the_page("$home/.config/selfseal/cert.asc"),
        );
        let refusing = text.replace(transports, &format!("{transports}{offer}"));
        let refusing = refusing.replace(ROUTER, &format!("{REQUIRE_ROUTER}{ROUTER}"));
        let refuse = |on: bool| {
            write(template, if on { &refusing } else { &text });
            run("update-exim4.conf", &[]);
        };
        let name = "[Exim](exim): pipe transport, own certificates";
        let recipe = Recipe::of_all(name, &host, &alice);
        prove_for_all(&Recipe { certificate, refuse: Some(&refuse), ..recipe }, &rosa);
    });
}

/// What a filter says is for the administrator; in the mail it would stand on top.
fn tells_syslog(host: &Exim) {
    let log = UnixDatagram::bind("/dev/log").expect("no syslog runs here");
    fs::set_permissions("/dev/log", Permissions::from_mode(0o666)).expect("a mode");
    log.set_read_timeout(Some(Duration::from_secs(60))).expect("a bound");
    let away = Path::new(CERTIFICATE).with_extension("away");
    fs::rename(CERTIFICATE, &away).expect("renamed");
    host.offer(b"bob@host.example", ADDRESS.as_bytes(), LETTER, Transfer::Data).expect("taken");
    let mut line = [0; 1000];
    let length = log.recv(&mut line).expect("a line");
    let line = String::from_utf8_lossy(&line[..length]);
    assert!(line.contains("selfseal: encrypt-to-self: no certificate: "), "{line}");
    host.settle();
    host.forget();
    fs::rename(away, CERTIFICATE).expect("renamed");
    fs::remove_file("/dev/log").expect("removed");
}

#[test]
fn transport_filter() {
    machine::alone(Some("exim"), || {
        let (alice, _bob, rosa) = everybody_and_rosa();
        write(ROUTER_PATH, ROUTER);
        write(TRANSPORT_PATH, MAILDIR);
        let host = Exim::with_limit(Limit::of(TRANSPORT_PATH, MAILDIR, "4m", "2s"));
        tells_syslog(&host);
        let refuse = |on| refuse_by(REQUIRE, on);
        let name = "[Exim](exim): transport filter";
        prove_for_all(&Recipe { refuse: Some(&refuse), ..Recipe::of_all(name, &host, &alice) }, &rosa);
    });
}

#[test]
fn transport_filter_before_lmtp() {
    machine::alone(Some("exim"), || {
        let (alice, _bob, rosa) = everybody_and_rosa();
        write("/etc/dovecot/selfseal.conf", DOVECOT);
        let mut dovecot = serve("/usr/sbin/dovecot", &["-F", "-c", "/etc/dovecot/selfseal.conf"]);
        wait::until("Dovecot", || UnixStream::connect("/run/dovecot/lmtp").ok());
        write(ROUTER_PATH, ROUTER);
        write(TRANSPORT_PATH, LMTP);
        let host = Exim::with_limit(Limit::of(TRANSPORT_PATH, LMTP, "4m", "2s"));
        let store = on_the_page("deliver lmtp:unix:/run/dovecot/lmtp");
        let require = REQUIRE.replace("deliver\n", &format!("{store}\n"));
        let refuse = |on| refuse_by(&require, on);
        let name = "[Exim](exim): transport filter before LMTP";
        prove_for_all(&Recipe { refuse: Some(&refuse), ..Recipe::of_all(name, &host, &alice) }, &rosa);
        dovecot.kill().expect("killed");
        dovecot.wait().expect("ended");
    });
}

/// Each has a message that only they can read.
fn seals_apart(transport: &str) {
    let (alice, _bob) = everybody();
    // Hers lies in her home.
    let rosa = Resident::new("rosa");
    rosa.write(".config/selfseal/cert.asc", fixture("keys/rosa.asc"));
    write(ROUTER_PATH, ROUTER);
    write(TRANSPORT_PATH, transport);
    apart::prove(
        &Exim::start(),
        [ADDRESS, "rosa@host.example"],
        [&alice.path("Maildir"), &rosa.path("Maildir")],
    );
}

#[test]
fn pipe_seals_each_recipient_apart() {
    machine::alone(Some("exim"), || seals_apart(PIPE));
}

#[test]
fn transport_filter_seals_each_recipient_apart() {
    machine::alone(Some("exim"), || seals_apart(MAILDIR));
}

/// Mail of root's is a user's, Debian's own delivery is ours, and users without a certificate read theirs as it came, if
/// the administrator says so.
#[test]
fn whoever_else_gets_mail() {
    machine::alone(Some("exim"), || {
        let (alice, _bob) = everybody();
        let rosa = Resident::new("rosa");
        write("/etc/aliases", "root: alice\n");
        write(ROUTER_PATH, ROUTER);
        write(TRANSPORT_PATH, PIPE.replace("encrypt-to-self", "encrypt-to-self --no-cert=pass"));
        let host = Exim::with(&SITE.replace("'mail_spool'", "'selfseal'"), None);
        for address in ["root@host.example", "real-alice@host.example", "rosa@host.example"] {
            submit(&host, &[address], &lf(LETTER));
        }
        let sealed = files(&alice.path("Maildir"));
        assert_eq!(sealed.len(), 2);
        for (_, sealed) in sealed {
            assert!(original(&Gpg::with_keys(&["alice"]), &sealed).ends_with(&lf(LETTER)));
        }
        let [(_, passed)] = &files(&rosa.path("Maildir"))[..] else { panic!("one message") };
        assert!(passed.ends_with(&lf(LETTER)));
    });
}

#[test]
fn spool_in_memory() {
    machine::alone(Some("exim"), || {
        let (alice, _bob) = everybody();
        write(ROUTER_PATH, ROUTER);
        write(TRANSPORT_PATH, PIPE);
        // Nothing but the file system is Exim's to write to.
        run("rm", &["-r", SPOOL]);
        run("mkdir", &["-m", "700", SPOOL]);
        write("/etc/fstab", include_str!("../../contrib/exim/fstab"));
        let offer = |host: &Exim| host.offer(b"bob@host.example", ADDRESS.as_bytes(), LETTER, Transfer::Data);

        // Not mounted: Exim takes nothing.
        let host = Exim::start();
        let refusal = offer(&host).expect_err("there is no spool");
        assert!(refusal.starts_with("421"), "{refusal}");
        host.kill();

        run("mount", &[SPOOL]);
        let host = Exim::start();
        assert_eq!(output("findmnt", &["-no", "FSTYPE", SPOOL]).trim(), "tmpfs");
        let away = Path::new(CERTIFICATE).with_extension("away");
        fs::rename(CERTIFICATE, &away).expect("renamed");
        offer(&host).expect("taken");
        host.settle();
        assert_eq!(host.waiting(), 1);
        assert!(!readable(Path::new(SPOOL), &WORDS).is_empty(), "what waits is readable on the spool");
        for place in ["/var/log", "/var/mail", "/var/lib/exim4", "/home", "/etc/exim4"] {
            assert_eq!(readable(Path::new(place), &WORDS), <[String; 0]>::default());
        }

        // Full: Exim takes no more, and the sender tries again.
        run("mount", &["-o", "remount,size=20m", SPOOL]);
        let filler = Path::new(SPOOL).join("filler");
        fs::write(&filler, vec![0; 15_000_000]).expect("written");
        let refusal = offer(&host).expect_err("the spool is full");
        assert!(refusal.starts_with("452"), "{refusal}");
        fs::remove_file(&filler).expect("removed");

        // A restart of Exim alone loses nothing.
        host.kill();
        let host = Exim::start();
        assert_eq!(host.waiting(), 1);

        // The power goes: what waited is lost, and nobody is told.
        host.kill();
        run("umount", &[SPOOL]);
        assert!(files(Path::new(SPOOL)).is_empty(), "nothing is on the disk");
        run("mount", &[SPOOL]);
        let host = Exim::start();
        fs::rename(&away, CERTIFICATE).expect("renamed");
        host.retry();
        assert_eq!((host.waiting(), host.told().len(), files(&alice.path("Maildir")).len()), (0, 0, 0));

        offer(&host).expect("taken");
        host.settle();
        assert_eq!(files(&alice.path("Maildir")).len(), 1);
    });
}
