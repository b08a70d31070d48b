//! Every message of the corpus goes through the built program and comes back, or passes unchanged.

use crate::world::gpg::Gpg;
use crate::world::{World, manual};

#[test]
fn every_message_is_sealed_and_comes_back_byte_for_byte() {
    let world = World::with_alice();
    let gpg = Gpg::with_keys(&["alice"]);
    let mut sealed_ones = 0;
    let corpus = crate::corpus();
    for (path, _) in crate::index(&corpus) {
        let message = std::fs::read(corpus.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let sealed = world.program("encrypt-to-self").input(&message).run().succeeds();
        if sealed == message {
            let judged = world.program("is-encrypted").input(&message).run();
            assert_eq!(judged.status(), 0, "{path} passed unchanged although it is readable");
            continue;
        }
        sealed_ones += 1;
        let payload = gpg.decrypt(manual::armor(&sealed));
        // `From : a@b` is a field.
        let framed =
            message.strip_prefix(b"From ").is_some_and(|rest| !rest.trim_ascii_start().starts_with(b":"));
        let frame =
            message.split_inclusive(|octet| *octet == b'\n').take(usize::from(framed)).map(<[u8]>::len).sum();
        assert!(manual::original(&payload) == message[frame..], "{path} did not come back");
        assert!(sealed.starts_with(&message[..frame]), "{path}: its frame");
        assert!(sealed.len() <= message.len() * 3 / 2 + 256 * 1024, "{path}: {} octets", sealed.len());
    }
    assert!(sealed_ones > 1000, "{sealed_ones} messages were sealed");
}
