//! A reader's GnuPG: Alice's key, the signer's certificate, and an agent that ends with the test.

use std::path::{Path, PathBuf};

use crate::programs::require;
use crate::world::{World, fixture};

/// A GNUPGHOME below a world's home.
pub struct Gnupg<'a> {
    world: &'a World,
}

impl<'a> Gnupg<'a> {
    /// With Alice's secret key and the signer's certificate, both trusted.
    pub fn with_keys(world: &'a World) -> Self {
        let gnupg = Gnupg { world };
        gnupg.gpg(&["--import"], &fixture("keys/alice.key"));
        gnupg.gpg(&["--import"], &fixture("keys/signer.asc"));
        gnupg
    }

    pub fn home(&self) -> PathBuf {
        self.world.path(".gnupg")
    }

    /// What gpg writes to standard output; any status but 0 fails the test.
    pub fn gpg(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        require("gpg");
        make_private(&self.home());
        let common = ["--batch", "--quiet", "--no-auto-key-retrieve", "--trust-model", "always"];
        let outcome = self
            .world
            .command("gpg")
            .env("GNUPGHOME", self.home())
            .args(common)
            .args(arguments)
            .input(input)
            .run();
        assert_eq!(outcome.status(), 0, "gpg {arguments:?}: {}", outcome.stderr());
        outcome.0.stdout
    }

    /// The fingerprint of the primary key, in lower case.
    pub fn fingerprint(&self, address: &str) -> String {
        let listing = self.gpg(&["--with-colons", "--list-keys", address], b"");
        let listing = String::from_utf8(listing).expect("text");
        let line = listing.lines().find(|line| line.starts_with("fpr:")).expect("a fingerprint");
        line.split(':').nth(9).expect("its field").to_lowercase()
    }

    /// What is inside a sealed message: the Cryptographic Payload, as gpg decrypts it.
    pub fn open(&self, sealed: &[u8]) -> Vec<u8> {
        self.gpg(&["--decrypt"], sealed)
    }
}

impl Drop for Gnupg<'_> {
    fn drop(&mut self) {
        self.world.command("gpgconf").env("GNUPGHOME", self.home()).args(["--kill", "all"]).run();
    }
}

// gpg warns of a home that others can enter.
fn make_private(directory: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
}
