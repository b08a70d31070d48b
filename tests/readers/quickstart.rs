//! contrib/quickstart.md, typed as it stands there: on a fresh Debian that tests/fresh made, and on a laptop.
//!
//! What the test adds to the page: an account for Alice on both machines, with a password and an ssh key; the
//! answers to what gpg and apt-get would ask; and the start of the servers, which no init process starts here.
//! `cargo install` is a stand-in that puts the programs of this build there: a release build takes minutes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::mutt::Terminal;
use crate::programs::require;
use crate::thunderbird::Thunderbird;
use crate::world::machine;
use crate::world::readable::{files, nothing_readable};
use crate::world::{World, made, program_path, wait};

const PAGE: &str = include_str!("../../contrib/quickstart.md");
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const SERVER: &str = "mx.example.org";
const PASSWORD: &str = "swordfish";

/// Where the server's file system is.
const ROOT: &str = "/srv/mx";

/// Words of the message that is sent.
const WORDS: [&str; 2] = ["Friday", "We meet at seven."];

/// The commands under a heading, with their prompts.
fn commands(heading: &str) -> Vec<&'static str> {
    let (_, section) = PAGE.split_once(&format!("# {heading}\n")).expect("a heading of the page");
    let section = section.split("\n#").next().expect("a section");
    section.lines().filter_map(|line| line.strip_prefix("    ")).collect()
}

/// All commands on the way from nothing to mail that is read.
fn way(host: &str, reader: &str) -> Vec<&'static str> {
    [commands(host), commands("2. Sealing"), commands(reader)].concat()
}

#[test]
fn at_most_ten_commands_lead_from_nothing_to_mail_that_is_read() {
    for host in ["Postfix", "Exim"] {
        for reader in ["mutt", "Thunderbird"] {
            let way = way(host, reader);
            assert!((5..=10).contains(&way.len()), "{host}, {reader}: {way:#?}");
        }
    }
    let all = PAGE.lines().filter(|line| line.starts_with("    ")).count();
    assert_eq!(all, way("Postfix", "mutt").len() + 2, "each stands on a way");
}

/// A fresh Debian with a mail host, which is called mx.example.org, and the laptop.
struct Machines;

impl Machines {
    /// The first command was run by tests/fresh; the servers that it installed are started.
    fn start(host: &str) -> Self {
        for program in ["ssh", "scp", "gpg", "mutt", "tmux"] {
            require(program);
        }
        let tar = made(&format!("machines/fresh-{host}.tar"));
        assert!(tar.is_file(), "{}: not there; tests/run makes it with tests/fresh", tar.display());
        fs::create_dir_all(ROOT).expect("a directory");
        run("mount", &["-t", "tmpfs", "-o", "mode=755", "mx", ROOT]);
        run("tar", &["--extract", "--file", &tar.display().to_string(), "--directory", ROOT]);
        run("mount", &["-t", "proc", "proc", &format!("{ROOT}/proc")]);
        run("mount", &["--rbind", "/dev", &format!("{ROOT}/dev")]);
        run("hostname", &[SERVER]);
        for root in ["", ROOT] {
            fs::write(format!("{root}/etc/hosts"), format!("127.0.0.1 {SERVER} localhost\n"))
                .expect("a file");
        }
        let machines = Machines;
        machines.on_server("useradd --create-home --shell /bin/bash alice");
        machines.on_server(&format!("echo alice:{PASSWORD} | chpasswd"));
        run("useradd", &["--create-home", "--shell", "/bin/bash", "alice"]);
        machines.lay_out_laptop();
        for service in ["ssh", "dovecot", if host == "exim" { "exim4" } else { host }] {
            // It keeps what it was started with open.
            machines.on_server(&format!("service {service} start >/dev/null 2>&1"));
        }
        machines
    }

    /// What Alice has there: a checkout, Rust, and a way to the server.
    fn lay_out_laptop(&self) {
        self.on_laptop("mkdir -m 700 .ssh .gnupg; mkdir -p selfseal .cargo/bin");
        self.on_laptop("ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519");
        let public = fs::read_to_string("/home/alice/.ssh/id_ed25519.pub").expect("a key");
        self.on_server(&format!(
            "runuser -l alice -c 'mkdir -m 700 .ssh; echo \"{public}\" >.ssh/authorized_keys'"
        ));
        let host = fs::read_to_string(format!("{ROOT}/etc/ssh/ssh_host_ed25519_key.pub")).expect("a key");
        self.on_laptop(&format!("echo '{SERVER} {host}' >.ssh/known_hosts"));
        // An empty passphrase, from a file: nobody is there to type one.
        let settings = "batch\npinentry-mode loopback\npassphrase-file /home/alice/.gnupg/empty\n";
        self.on_laptop(&format!("echo >.gnupg/empty; printf '{settings}' >.gnupg/gpg.conf"));
        let built = Path::new("/srv/built");
        fs::create_dir(built).expect("a directory");
        for program in ["is-encrypted", "encrypt-to-self", "deliver", "tls-audit", "purge-old"] {
            fs::copy(program_path(program), built.join(program)).expect("a program");
        }
        let cargo = Path::new("/home/alice/.cargo/bin/cargo");
        let script = "#!/bin/sh\ncase \"$*\" in\n'install --path . --root '*)\n\
            mkdir \"$5\" && cp -r /srv/built \"$5/bin\" ;;\n*) exit 1 ;;\nesac\n";
        fs::write(cargo, script).expect("a script");
        fs::set_permissions(cargo, Permissions::from_mode(0o755)).expect("a mode");
    }

    /// Types a command where its prompt says; what it prints.
    fn type_in(&self, command: &str) -> String {
        let (prompt, command) = command.split_at(command.find(['#', '$']).expect("a prompt") + 2);
        eprintln!("{prompt}{command}");
        match prompt {
            "root@mx# " => self.on_server(command),
            "alice@mx$ " => self.on_server(&format!("exec runuser -l alice -c {}", quoted(command))),
            "alice@laptop$ " => self.on_laptop(&format!("cd selfseal; {command}")),
            _ => panic!("{prompt}: who and where?"),
        }
    }

    fn on_server(&self, command: &str) -> String {
        let mut run = Command::new("chroot");
        run.args([
            ROOT,
            "env",
            "-i",
            PATH,
            "HOME=/root",
            "DEBIAN_FRONTEND=noninteractive",
            "bash",
            "-c",
            command,
        ]);
        succeeds(run)
    }

    fn on_laptop(&self, command: &str) -> String {
        let mut run = Command::new("runuser");
        let with_cargo = format!("PATH=~/.cargo/bin:$PATH; {command}");
        run.args(["-l", "alice", "-c", &with_cargo]);
        succeeds(run)
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[track_caller]
fn run(program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.args(arguments);
    succeeds(command);
}

#[track_caller]
fn succeeds(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().expect("a program");
    let said = String::from_utf8_lossy(&stdout).into_owned();
    assert!(status.success(), "{command:?}: {status}\n{said}{}", String::from_utf8_lossy(&stderr));
    said
}

/// From nothing to a sealed message on the server's disk.
fn seal(host: &str) -> Machines {
    let machines = Machines::start(&host.to_lowercase());
    for command in [commands(host), commands("2. Sealing")].concat() {
        let is_look = command.contains("cat Maildir/new/");
        if is_look {
            let maildir = PathBuf::from(ROOT).join("home/alice/Maildir/new");
            wait::until("the message", || (!files(&maildir).is_empty()).then_some(()));
        }
        let said = machines.type_in(command);
        if command.contains("--check") {
            assert!(said.contains("alice@mx.example.org") && said.contains("\nseals with "), "{said}");
        }
        if is_look {
            assert!(said.contains("\nSubject: [...]\n") && said.contains("BEGIN PGP MESSAGE"), "{said}");
            assert!(WORDS.iter().all(|word| !said.contains(word)), "{said}");
        }
    }
    for store in ["home/alice/Maildir", "var"] {
        nothing_readable(&Path::new(ROOT).join(store), &WORDS);
    }
    machines
}

fn read_in_mutt(world: &World) {
    let [command] = commands("mutt")[..] else { panic!("one command") };
    let command = command.strip_prefix("alice@laptop$ ").expect("on the laptop");
    let terminal = Terminal::of_user(world, "alice", command);
    terminal.screen("the question of the first start", |screen| {
        screen.contains("/Mail does not exist. Create it?")
    });
    terminal.press("n");
    terminal.screen("the question about the certificate", |screen| screen.contains("(a)ccept always"));
    terminal.press("a");
    terminal.screen("the question for the password", |screen| screen.contains("Password for alice@"));
    terminal.press(PASSWORD);
    terminal.press("Enter");
    terminal.screen("the index", |screen| screen.contains("[...]"));
    terminal.press("Enter");
    let shown = |screen: &str| screen.contains("[-- End of PGP/MIME encrypted data --]");
    let pager = terminal.screen("the message", shown);
    assert!(pager.contains("Subject: Friday") && pager.contains("We meet at seven."), "{pager}");
}

fn read_in_thunderbird(machines: &Machines, world: &World) {
    for command in commands("Thunderbird") {
        machines.type_in(command);
    }
    let mut thunderbird = Thunderbird::new(world);
    let certificate = machines.on_server("cat /etc/dovecot/private/dovecot.pem");
    thunderbird.add_account(SERVER, "alice", PASSWORD, &certificate, Path::new("/home/alice/alice.key"));
    let seen = thunderbird.fetch_and_show(0);
    assert_eq!((seen.subject.as_str(), seen.row.as_str()), ("Friday", "Friday"), "{seen:#?}");
    // Above it may stand fields for the printer.
    assert!(seen.body.trim_end().ends_with("We meet at seven."), "{seen:#?}");
    assert_eq!(seen.lock, "message-encrypted-ok");
}

fn from_nothing_to_mail_that_is_read(host: &str) {
    machine::alone(None, || {
        let machines = seal(host);
        let world = World::new();
        read_in_mutt(&world);
        read_in_thunderbird(&machines, &world);
    });
}

#[test]
fn postfix_from_nothing_to_mail_that_is_read() {
    from_nothing_to_mail_that_is_read("Postfix");
}

#[test]
fn exim_from_nothing_to_mail_that_is_read() {
    from_nothing_to_mail_that_is_read("Exim");
}
