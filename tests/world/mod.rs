//! A small world for one test: a temporary home, a clean environment, the built programs.
//!
//! Every test crate takes it in with `#[path]`. Nothing outside the temporary directory is touched.
#![allow(dead_code, reason = "each test crate uses its own part")]

pub mod gpg;
pub mod letter;
pub mod machine;
pub mod manual;
pub mod opened;
pub mod readable;
pub mod smtp;
pub mod wait;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::fs::Mode;
use tempfile::TempDir;

/// A home directory that goes away with the test.
pub struct World {
    directory: TempDir,
    /// Who owns it and runs its programs, when that is not who runs the test.
    user: Option<u32>,
}

/// The user `nobody`, and its group.
const NOBODY: u32 = 65_534;

impl World {
    pub fn new() -> Self {
        // A certificate that a group can write is not trusted, whatever the tester's umask.
        rustix::process::umask(Mode::WGRP | Mode::WOTH);
        World { directory: TempDir::new().expect("a temporary directory"), user: None }
    }

    /// A world that belongs to `nobody` when root runs the test: as root nothing is delivered.
    pub fn unprivileged() -> Self {
        let mut world = World::new();
        if rustix::process::geteuid().is_root() {
            chown(world.home(), Some(NOBODY), Some(NOBODY)).expect("a directory of nobody's");
            world.user = Some(NOBODY);
            world.bring_programs();
        }
        world
    }

    /// The built programs, where every user can reach them: a directory above target/ may be private.
    fn bring_programs(&self) {
        fs::create_dir(self.path(".programs")).expect("a directory");
        for entry in fs::read_dir(program_path("")).expect("target/PROFILE") {
            let entry = entry.expect("a directory entry");
            let file = entry.metadata().expect("a file's state");
            if file.is_file() && file.permissions().mode() & 0o111 != 0 {
                let here = self.path(".programs").join(entry.file_name());
                // Another file system has no links to this one.
                fs::hard_link(entry.path(), &here)
                    .or_else(|_| fs::copy(entry.path(), &here).map(drop))
                    .expect("a program");
            }
        }
    }

    /// A world in which Alice's certificate lies in its default place.
    pub fn with_alice() -> Self {
        let world = World::new();
        world.write(".config/selfseal/cert.asc", &fixture("keys/alice.asc"));
        world
    }

    pub fn home(&self) -> &Path {
        self.directory.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for below in path.ancestors().take_while(|above| *above != self.home()) {
            chown(below, self.user, self.user).expect("a file of the world's owner");
        }
        path
    }

    /// One of the built programs, with HOME and a bare PATH and nothing else in its environment.
    pub fn program(&self, name: &str) -> Run {
        self.command(self.where_is(name))
    }

    /// Where this world's programs find `name`.
    pub fn where_is(&self, name: &str) -> PathBuf {
        match self.user {
            Some(_) => self.path(".programs").join(name),
            None => program_path(name),
        }
    }

    /// Any program, in the same clean environment.
    pub fn command(&self, path: impl AsRef<OsStr>) -> Run {
        let mut run = self.as_root(path);
        if let Some(user) = self.user {
            run.command.uid(user).gid(user);
        }
        run
    }

    /// strace(1), whose options and program are to follow.
    pub fn strace(&self) -> Run {
        let strace = "/usr/bin/strace";
        assert!(Path::new(strace).exists(), "{strace} is missing: apt-get install strace");
        self.command(strace)
    }

    /// The same as `command`, as whoever runs the test.
    pub fn as_root(&self, path: impl AsRef<OsStr>) -> Run {
        let mut command = Command::new(path);
        command.env_clear().env("HOME", self.home()).env("PATH", "/usr/bin:/bin").current_dir(self.home());
        Run { command, input: Vec::new() }
    }

    /// The contents of all files below `directory`, sorted by path.
    pub fn files(&self, directory: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![self.path(directory)];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory).into_iter().flatten() {
                let path = entry.expect("a directory entry").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let bytes = fs::read(&path).expect("a readable file");
                    found.push((path, bytes));
                }
            }
        }
        found.sort();
        found
    }

    /// The one message in `MAILDIR/new`.
    pub fn delivered(&self, maildir: &str) -> Vec<u8> {
        let mut files = self.files(&format!("{maildir}/new"));
        assert_eq!(files.len(), 1, "messages in {maildir}/new");
        files.remove(0).1
    }
}

/// What tests/machines, tests/fresh or tests/unpack made: below target/, or where the environment says.
pub fn made(path: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into());
    Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join(path)
}

/// Where cargo built the program `name`.
pub fn program_path(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let directory = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    directory.join(name)
}

/// The started command. A program that this test has just written may still be open for writing in a process that
/// another test has forked and that has not come to its own program yet (execve(2), ETXTBSY).
fn begun(command: &mut Command) -> Child {
    loop {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(1));
            }
            started => return started.unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program())),
        }
    }
}

/// A program about to run.
pub struct Run {
    command: Command,
    input: Vec<u8>,
}

impl Run {
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub fn input(mut self, bytes: &[u8]) -> Self {
        self.input = bytes.to_vec();
        self
    }

    pub fn arg(self, argument: impl AsRef<OsStr>) -> Self {
        self.args([argument])
    }

    /// Starts with `stdin` as standard input and nobody to read what it says.
    pub fn spawn(mut self, stdin: impl Into<Stdio>) -> Child {
        begun(self.command.stdin(stdin).stdout(Stdio::null()).stderr(Stdio::null()))
    }

    /// Starts, and returns when it has printed the line `word`. Whatever it prints later is not read.
    pub fn spawn_and_hear(mut self, word: &str) -> Child {
        let mut child = begun(self.command.stdin(Stdio::null()).stdout(Stdio::piped()));
        let mut heard = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut heard).expect("a line");
        assert_eq!(heard.trim_end(), word);
        child
    }

    /// Runs to the end, with the input through a pipe.
    pub fn run(mut self) -> Outcome {
        let mut child =
            begun(self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()));
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = self.input;
        // The program may end without reading: that is its own affair.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("an end");
        writer.join().expect("the writer");
        Outcome(output)
    }
}

/// What came of it.
pub struct Outcome(pub Output);

impl Outcome {
    /// The exit status; a death by signal fails the test.
    pub fn status(&self) -> i32 {
        self.0.status.code().unwrap_or_else(|| panic!("ended by {}: {}", self.0.status, self.stderr()))
    }

    pub fn stdout(&self) -> &[u8] {
        &self.0.stdout
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// Status 0, and silence on standard error.
    #[track_caller]
    pub fn succeeds(self) -> Vec<u8> {
        assert_eq!((self.status(), self.stderr()), (0, String::new()));
        self.0.stdout
    }

    /// This status, nothing on standard output, and one line on standard error that contains `words`.
    #[track_caller]
    pub fn fails(self, status: i32, words: &str) {
        let stderr = self.stderr();
        assert_eq!(self.status(), status, "{stderr}");
        assert!(stderr.contains(words), "{words:?} is not in {stderr:?}");
        assert_eq!(stderr.lines().count(), 1, "one line: {stderr:?}");
        assert_eq!(self.stdout().escape_ascii().to_string(), "");
    }

    /// Status 75: the host keeps the mail.
    #[track_caller]
    pub fn defers(self, words: &str) {
        self.fails(75, words);
    }
}

/// A file system of `size` in the directory `small` of a world, which goes away with this.
pub struct Small<'a>(&'a World);

impl<'a> Small<'a> {
    pub fn mount(world: &'a World, size: &str) -> Self {
        let options = format!("size={size},uid=65534,gid=65534,mode=700");
        world.write("small/x", b"");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(world.path("small"))
            .status()
            .expect("mount");
        assert!(
            mounted.success(),
            "no small file system to fill: run the tests as root, with the right to mount"
        );
        Small(world)
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0.path("small")).status();
        assert!(std::thread::panicking() || unmounted.is_ok_and(|status| status.success()), "umount");
    }
}

/// The bytes of a file in `tests/fixtures`.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
