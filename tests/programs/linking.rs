//! How the programs are linked, and what of the system they need.

use std::fs;

use crate::world::gpg::Gpg;
use crate::world::readable::take_mail;
use crate::world::{World, fixture, manual, program_path};

/// The entry of an ELF program header that names a dynamic loader (`PT_INTERP`).
const INTERPRETER: u32 = 3;

/// A loader that misses a library ends a program with 127, at which hosts bounce mail.
#[test]
fn no_program_needs_a_loader() {
    for program in ["is-encrypted", "encrypt-to-self", "deliver", "tls-audit", "purge-old"] {
        let elf = fs::read(program_path(program)).expect("a program");
        let types = segment_types(&elf);
        assert!(!types.is_empty(), "{program}");
        assert!(!types.contains(&INTERPRETER), "{program} is linked dynamically; see .cargo/config.toml");
    }
}

#[test]
fn they_need_no_file_but_those_of_the_user() {
    let world = World::unprivileged();
    world.write("certificate.asc", &fixture("keys/alice.asc"));
    let message = b"Subject: the plan\n\nhello\n";
    let programs =
        ["/.programs/encrypt-to-self", "--cert=/certificate.asc", "/.programs/deliver", "/Maildir/"];
    let chroot = world.as_root("/usr/sbin/chroot").args(["--userspec=65534:65534"]).arg(world.home());
    chroot.args(programs).env("HOME", "/").input(message).run().succeeds();
    let payload = Gpg::with_keys(&["alice"]).decrypt(manual::armor(&take_mail(&world.path("Maildir"))));
    assert_eq!(manual::original(&payload), message);
}

/// The types of all segments of a 64-bit little-endian ELF file.
fn segment_types(elf: &[u8]) -> Vec<u32> {
    assert_eq!(elf[..6], *b"\x7fELF\x02\x01");
    let number = |at: usize, octets: usize| {
        elf[at..at + octets].iter().rev().fold(0, |number, octet| number << 8 | usize::from(*octet))
    };
    let (start, size, count) = (number(0x20, 8), number(0x36, 2), number(0x38, 2));
    (0..count).map(|n| number(start + n * size, 4) as u32).collect()
}
