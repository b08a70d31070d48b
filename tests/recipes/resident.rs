//! The users of a machine, its programs, and the servers that run on it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::world::{fixture, program_path};

/// A user with a home below /home, as useradd(8) makes them.
pub struct Resident {
    pub name: &'static str,
    uid: u32,
}

impl Resident {
    pub fn new(name: &'static str) -> Self {
        run("useradd", &["--create-home", "--user-group", "--shell", "/bin/sh", name]);
        let uid = output("id", &["-u", name]).trim().parse().expect("a user id");
        Resident { name, uid }
    }

    /// Alice, with her certificate in its place and the programs in ~/.cargo/bin.
    pub fn alice() -> Self {
        let alice = Resident::new("alice");
        alice.write(".config/selfseal/cert.asc", fixture("keys/alice.asc"));
        fs::create_dir_all(alice.path(".cargo/bin")).expect("directories");
        install(&alice.path(".cargo/bin"));
        alice.own(".cargo/bin");
        alice
    }

    /// Bob, whose mail is stored as it comes.
    pub fn bob() -> Self {
        let bob = Resident::new("bob");
        bob.write(".forward", "/home/bob/Maildir/\n");
        bob
    }

    pub fn path(&self, name: &str) -> PathBuf {
        Path::new("/home").join(self.name).join(name)
    }

    /// Writes a file of the user's, and makes the directories above it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.own(name);
        path
    }

    /// A shell that runs a command as the user, at home, with HOME alone in its environment.
    pub fn shell(&self, command: &str) -> Command {
        let home = self.path("");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", command]).current_dir(&home).env_clear().env("HOME", &home);
        shell.uid(self.uid).gid(self.uid);
        shell
    }

    /// Runs a command as cron(8) runs a line of the user's crontab, and returns what it says.
    pub fn cron(&self, command: &str) -> Vec<u8> {
        let mut shell = self.shell(&format!("({command}) 2>&1"));
        shell.stdin(Stdio::null()).env("LOGNAME", self.name).env("PATH", "/usr/bin:/bin");
        shell.output().expect("a shell").stdout
    }

    /// Gives a file and the directories above it to the user.
    pub fn own(&self, name: &str) {
        let path = self.path(name);
        for made in path.ancestors().take_while(|made| *made != self.path("")) {
            chown(made, Some(self.uid), Some(self.uid)).expect("an owner");
        }
    }
}

/// Where the programs are on a host that seals for all its users.
pub const PROGRAMS: &str = "/usr/local/bin";

/// Where it has Alice's certificate.
pub const CERTIFICATE: &str = "/etc/selfseal/certs/alice@host.example.asc";

/// Makes such a host. The answer is Alice and Bob, who has a line of his own and reads what he is told.
pub fn everybody() -> (Resident, Resident) {
    install(Path::new(PROGRAMS));
    write(CERTIFICATE, fixture("keys/alice.asc"));
    (Resident::new("alice"), Resident::bob())
}

/// The same with Rosa, who has a certificate too, and with mail for team@host.example that is Alice's.
pub fn everybody_and_rosa() -> (Resident, Resident, Resident) {
    let (alice, bob) = everybody();
    write("/etc/selfseal/certs/rosa@host.example.asc", fixture("keys/rosa.asc"));
    write("/etc/aliases", "team: alice\n");
    (alice, bob, Resident::new("rosa"))
}

/// Puts all built programs into this directory.
pub fn install(directory: &Path) {
    for program in ["is-encrypted", "encrypt-to-self", "deliver", "tls-audit", "purge-old"] {
        let built = program_path(program);
        fs::copy(&built, directory.join(program))
            .unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    }
}

/// Writes a file of root's that all may read, and makes the directories above it.
pub fn write(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    fs::set_permissions(path, Permissions::from_mode(0o644)).expect("a mode");
}

/// The command of a line of a crontab.
#[track_caller]
pub fn of_crontab(line: &str) -> &str {
    line.trim_end().splitn(6, ' ').nth(5).expect("five times, then the command")
}

/// Runs a command that has to succeed.
#[track_caller]
pub fn run(program: &str, arguments: &[&str]) {
    output(program, arguments);
}

/// The same, and what it says.
#[track_caller]
pub fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().expect(program);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {}: {errors}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Starts a server; it ends with the machine.
pub fn serve(program: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).spawn().expect(program)
}

/// Whether the daemon is the only process that runs this program. One that hands its work to a new process and ends
/// while /proc is read would be overlooked with it: then the answer is no.
pub fn rests(program: &str, daemon: &Child) -> bool {
    let youngest = || {
        let load = fs::read_to_string("/proc/loadavg").expect("/proc");
        load.split_whitespace().last().map(str::to_owned)
    };
    let before = youngest();
    running(program) == [daemon.id()] && youngest() == before
}

/// The processes that run a program of this name.
pub fn running(program: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let runs = |pid: &u32| {
        fs::read_link(format!("/proc/{pid}/exe"))
            .is_ok_and(|exe| exe.file_name().is_some_and(|name| name == program))
    };
    pids.filter(runs).collect()
}

/// Ends processes, as far as they have not ended yet.
pub fn end(pids: &[u32], signal: Signal) {
    for pid in pids {
        let pid = i32::try_from(*pid).ok().and_then(Pid::from_raw).expect("a process");
        let _ = kill_process(pid, signal);
    }
}
