//! Two recipients of one message, of whom one may have no certificate.

use std::fs;
use std::path::{Path, PathBuf};

use super::send;
use crate::agent::Postfix;
use crate::apart::are_apart;
use crate::host::Host;
use crate::recipe::LETTER;
use crate::resident::write;
use crate::world::fixture;
use crate::world::letter::BOB;
use crate::world::readable::{files, take_mail};

const CERTIFICATES: &str = "/etc/selfseal/certs";

/// Sends to Alice and to Rosa at once; then while Rosa has no certificate, which is not to touch Alice's mail.
pub fn two_recipients_are_sealed_apart(host: &Postfix, maildirs: [PathBuf; 2]) {
    let [alices, rosas] = maildirs;
    let both = ["alice@example.org", "rosa@example.org"];
    let certificate = Path::new(CERTIFICATES).join("rosa@example.org.asc");
    write(&certificate, fixture("keys/rosa.asc"));
    send(host, BOB, &both, LETTER);
    are_apart(&take_mail(&alices), &take_mail(&rosas));

    fs::remove_file(&certificate).expect("removed");
    send(host, BOB, &both, LETTER);
    let first = take_mail(&alices);
    assert_eq!((files(&rosas.join("new")).len(), host.waiting()), (0, 1));
    write(&certificate, fixture("keys/rosa.asc"));
    host.retry();
    are_apart(&first, &take_mail(&rosas));
    assert!(files(&alices.join("new")).is_empty(), "nothing comes twice");
}
