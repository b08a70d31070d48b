//! GnuPG with a home of its own, which goes away with the test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::world::fixture;

/// A GnuPG home directory with secret keys.
pub struct Gpg(TempDir);

impl Gpg {
    /// One that holds the secret keys of the fixtures `names`.
    pub fn with_keys(names: &[&str]) -> Self {
        let gpg = Gpg(TempDir::new().expect("a temporary directory"));
        fs::set_permissions(gpg.0.path(), fs::Permissions::from_mode(0o700)).expect("permissions");
        for name in names {
            let key = gpg.0.path().join("key.asc");
            fs::write(&key, fixture(&format!("keys/{name}.key"))).expect("a key file");
            let output = gpg.run(&["--import", &key.display().to_string()]);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        gpg
    }

    /// Its directory, for a command that runs gpg itself.
    pub fn home(&self) -> &Path {
        self.0.path()
    }

    /// `gpg --batch` with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("gpg");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("GNUPGHOME", self.0.path());
        command.args(["--batch", "--yes", "--trust-model", "always"]).args(arguments);
        command.output().expect("gpg: apt-get install gnupg")
    }

    /// What `encrypted`, armored or not, decrypts to.
    #[track_caller]
    pub fn decrypt(&self, encrypted: &[u8]) -> Vec<u8> {
        let file = self.0.path().join("encrypted");
        fs::write(&file, encrypted).expect("a file");
        let output = self.run(&["--decrypt", &file.display().to_string()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// `text` encrypted to `recipient`, armored.
    pub fn encrypt(&self, text: &[u8], recipient: &str) -> Vec<u8> {
        let file = self.0.path().join("text");
        fs::write(&file, text).expect("a file");
        let output =
            self.run(&["--armor", "--encrypt", "-r", recipient, "-o", "-", &file.display().to_string()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        let _ = command.env("GNUPGHOME", self.0.path()).args(["--kill", "all"]).output();
    }
}
