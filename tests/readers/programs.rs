//! The programs of others that these tests drive.

use std::path::Path;

/// Fails the test, with the way out, when `program` is not installed.
pub fn require(program: &str) {
    let is_there = ["/usr/bin", "/bin"].iter().any(|place| Path::new(place).join(program).exists());
    assert!(
        is_there,
        "{program}: not installed; apt-get install --no-install-recommends \
         thunderbird notmuch mutt neomutt tmux gnupg strace"
    );
}
