//! One message to two users of a host, which afterwards have nothing in common.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::host::Host;
use crate::world::gpg::Gpg;
use crate::world::letter::{LETTER, lf, original};
use crate::world::manual;
use crate::world::readable::files;
use crate::world::smtp::{Session, Transfer};

/// A user whose mail is sealed to a key of tests/fixtures.
pub struct Reader<'a> {
    pub address: &'a str,
    pub maildir: PathBuf,
    pub key: &'a str,
}

/// Sends one message to both: each finds it once, sealed to nobody else.
#[track_caller]
pub fn prove(host: &dyn Host, readers: [Reader; 2]) {
    let [first, second] = &readers;
    let recipients = [first.address.as_bytes(), second.address.as_bytes()];
    let mut session = Session::open(25).expect("the host listens");
    session.offer_to(b"bob@host.example", &recipients, LETTER, Transfer::Data).expect("taken");
    // Sendmail has a process for it.
    drop(session);
    host.settle();
    let sealed = readers.each_ref().map(|reader| only(&reader.maildir));
    for (reader, own, other) in [(first, &sealed[0], &sealed[1]), (second, &sealed[1], &sealed[0])] {
        let gpg = Gpg::with_keys(&[reader.key]);
        assert!(
            original(&gpg, own).ends_with(&lf(b"\r\nThe juniper is in bloom.\r\n")),
            "{}",
            reader.address
        );
        let file = gpg.home().join("other");
        fs::write(&file, manual::armor(other)).expect("a file");
        let reads = gpg.run(&["--decrypt", &file.display().to_string()]).status.success();
        assert!(!reads, "{} cannot read what is another's", reader.address);
    }
    let [first, second] = sealed.each_ref().map(|sealed| lines(manual::armor(sealed)));
    assert_eq!(first.intersection(&second).next(), None, "no line of one ciphertext stands in the other");
}

/// The one message in a Maildir.
#[track_caller]
fn only(maildir: &Path) -> Vec<u8> {
    let mut found = files(&maildir.join("new"));
    assert_eq!(found.len(), 1, "messages in {}", maildir.display());
    found.remove(0).1
}

/// The full lines of an armor.
fn lines(armor: &[u8]) -> HashSet<&[u8]> {
    armor.split(|octet| *octet == b'\n').filter(|line| line.len() == 64).collect()
}
