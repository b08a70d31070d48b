//! A real unprivileged user of this machine, with a home of its own, gone with the test.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::wait;
pub use crate::world::readable::{files, nothing_readable, readable};
use crate::world::{fixture, program_path};

/// useradd and userdel hold a lock on the password file and give up when somebody else has it.
static PASSWORD_FILE: Mutex<()> = Mutex::new(());

/// A user. Its name is unique, its home is a temporary directory.
pub struct Account {
    pub name: String,
    pub uid: u32,
    home: TempDir,
}

impl Account {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("seal{}n{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = TempDir::new().expect("a temporary directory");
        let path = home.path().display().to_string();
        password_file(&["useradd", "-M", "-N", "-g", "nogroup", "-d", &path, "-s", "/bin/sh", &name]);
        let id = Command::new("id").args(["-u", &name]).output().expect("id");
        let uid = String::from_utf8_lossy(&id.stdout).trim().parse().expect("a user id");
        let account = Account { name, uid, home };
        account.own(account.home());
        account
    }

    /// A user who put Alice's certificate into its default place and all the programs into ~/.cargo/bin.
    pub fn with_alice() -> Self {
        let account = Account::new();
        account.write(".config/selfseal/cert.asc", &fixture("keys/alice.asc"));
        for program in ["is-encrypted", "encrypt-to-self", "tls-audit", "deliver"] {
            account.install(program);
        }
        account
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    /// Writes a file of the user's.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        let directory = path.parent().expect("a parent");
        fs::create_dir_all(directory).expect("directories");
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for made in path.ancestors().take_while(|made| *made != self.home()) {
            self.own(made);
        }
        path
    }

    /// Puts a built program where `cargo install` puts it. A link, since debug builds are large.
    pub fn install(&self, program: &str) -> PathBuf {
        let path = self.path(".cargo/bin").join(program);
        fs::create_dir_all(self.path(".cargo/bin")).expect("directories");
        let built = program_path(program);
        fs::hard_link(&built, &path)
            .or_else(|_| fs::copy(&built, &path).map(drop))
            .unwrap_or_else(|error| panic!("{}: {error}", built.display()));
        path
    }

    /// Writes the line `"|~/.cargo/bin/COMMAND"` into ~/.forward, with an absolute path.
    pub fn forward_to(&self, command: &str) {
        let line = format!("\"|{}/.cargo/bin/{command}\"\n", self.home().display());
        self.write(".forward", line.as_bytes());
    }

    /// Where mail goes that nobody forwards, by the system's convention.
    pub fn spool(&self) -> PathBuf {
        Path::new("/var/mail").join(&self.name)
    }

    /// What rests in `~/Maildir/new`, in no order.
    pub fn mail(&self) -> Vec<Vec<u8>> {
        files(&self.path("Maildir/new")).into_iter().map(|(_, bytes)| bytes).collect()
    }

    /// The one message in `~/Maildir/new`.
    #[track_caller]
    pub fn one_mail(&self) -> Vec<u8> {
        let mut mail = self.mail();
        assert_eq!(mail.len(), 1, "messages in Maildir/new");
        mail.remove(0)
    }

    /// Nothing was stored: no message, and none begun.
    #[track_caller]
    pub fn has_no_mail(&self) {
        let found: Vec<_> = files(&self.path("Maildir")).into_iter().map(|(path, _)| path).collect();
        assert_eq!(found, <[PathBuf; 0]>::default(), "nothing below Maildir");
    }

    /// Kills the user's program of this name, once it runs. It is known by its file, which no other
    /// process can have.
    #[track_caller]
    pub fn kill(&self, program: &str) {
        let file = self.path(".cargo/bin").join(program);
        let pid = wait::until(program, || processes().find(|pid| runs(*pid, &file)));
        kill_process(Pid::from_raw(pid).expect("a process"), Signal::KILL).expect("killed");
    }

    fn own(&self, path: &Path) {
        let group = fs::metadata("/proc/self").expect("/proc").gid();
        chown(path, Some(self.uid), Some(group)).expect("an owner");
        if path.is_dir() {
            fs::set_permissions(path, Permissions::from_mode(0o755)).expect("a mode");
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        // By force: a host that is about to be stopped may still have a process under this name.
        password_file(&["userdel", "-f", &self.name]);
        let _ = fs::remove_file(self.spool());
    }
}

/// The processes of this machine.
fn processes() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn runs(pid: i32, file: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == file)
}

/// Runs useradd or userdel, again while somebody else holds the lock.
fn password_file(command: &[&str]) {
    let _alone = PASSWORD_FILE.lock().unwrap_or_else(PoisonError::into_inner);
    wait::until(&format!("{command:?} (runs as root only)"), || {
        let output = Command::new(command[0]).args(&command[1..]).output().expect(command[0]);
        output.status.success().then_some(())
    });
}
