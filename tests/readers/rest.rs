//! What rests on the disk, and what gpg makes of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::gnupg::Gnupg;
use crate::originals::{self, Original};
use crate::programs::require;
use crate::world::{World, fixture, manual};

/// Seven letters: shorter words occur in base64 by chance.
const WORD_LEN: usize = 7;

/// Words of the frame that every sealed message has.
const FRAME: [&str; 10] = [
    "Subject",
    "Content",
    "Disposition",
    "multipart",
    "encrypted",
    "protocol",
    "application",
    "boundary",
    "Version",
    "filename",
];

/// The system calls that can make a file, open one for writing, or take one away again.
const CALLS: &str = "trace=open,openat,creat,mknod,mknodat,unlink,unlinkat";

/// The words of the original that must not be readable: those of its Subject, its other fields that
/// stay inside, and its body, but not those that fields outside or the frame have too.
fn secret_words(original: &Original) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(&original.bytes).into_owned();
    let (header, body) = text.split_once("\n\n").expect("a body");
    let is_outside = |line: &&str| {
        let names = ["Return-Path:", "Received:", "\tby ", "From:", "To:", "Date:", "Message-ID:"];
        names.iter().any(|name| line.starts_with(name))
    };
    let outside: String = header.lines().filter(is_outside).collect::<Vec<_>>().join("\n");
    let inside: String = header.lines().filter(|line| !is_outside(line)).collect::<Vec<_>>().join("\n");
    let open: BTreeSet<String> = words(&outside).chain(FRAME.map(str::to_owned)).collect();
    words(&inside).chain(words(body)).filter(|word| !open.contains(word)).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let is_word = |word: &&str| word.len() >= WORD_LEN;
    text.split(|letter: char| !letter.is_ascii_alphabetic()).filter(is_word).map(str::to_owned)
}

/// The secret words that stand readable in any file of the world.
fn readable(world: &World, secret: &BTreeSet<String>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, bytes) in files(world) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let words = secret.iter().filter(|word| text.contains(word.as_str()));
        found.extend(words.map(|word| (path.display().to_string(), word.clone())));
    }
    found
}

/// All files of the world but our own programs, which are there for a user who cannot reach target/.
fn files(world: &World) -> Vec<(PathBuf, Vec<u8>)> {
    let programs = world.path(".programs");
    world.files("").into_iter().filter(|(path, _)| !path.starts_with(&programs)).collect()
}

/// Delivers under strace through `programs`; the calls that made, opened for writing or removed a file.
fn deliver(world: &World, programs: &[&str], original: &Original) -> Vec<String> {
    require("strace");
    let options = ["-f", "-e", CALLS, "-o", "trace"].map(str::to_owned);
    let first = world.where_is(programs[0]).display().to_string();
    let others = programs[1..].iter().map(|program| program.to_string());
    let arguments = options.into_iter().chain([first]).chain(others).chain(["Maildir/".to_owned()]);
    world.command("strace").args(arguments).input(&original.bytes).run().succeeds();
    let trace = std::fs::read_to_string(world.path("trace")).expect("a trace");
    trace.lines().filter(|call| writes(call)).map(str::to_owned).collect()
}

// The programs are not dumpable: strace sees the flags of a call but not its path. openat2 is left out,
// its flags are behind a pointer; it opens below a directory, and what it made there would be listed.
fn writes(call: &str) -> bool {
    let words = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TMPFILE", " creat(", "mknod", "unlink"];
    words.iter().any(|word| call.contains(word)) && !call.contains(" = -1 ")
}

#[test]
fn no_readable_word_of_the_original_reaches_the_disk() {
    for original in originals::all() {
        let secret = secret_words(&original);
        assert!(secret.len() >= 3, "{}: {secret:?}", original.name);
        let world = World::unprivileged();
        let certificate = world.write(".config/selfseal/cert.asc", &fixture("keys/alice.asc"));
        let written = deliver(&world, &["encrypt-to-self", "deliver"], &original);
        assert_eq!(written.len(), 1, "{}: one file, the message's: {written:#?}", original.name);
        assert_eq!(readable(&world, &secret), [], "{}", original.name);
        let mut files: Vec<_> = files(&world).into_iter().map(|(path, _)| path).collect();
        files.retain(|path| *path != certificate && *path != world.path("trace"));
        assert_eq!(files.len(), 1, "{}: {files:?}", original.name);
        assert!(files[0].starts_with(world.path("Maildir/new")), "{}: {files:?}", original.name);
    }
}

/// The check of the check: without sealing, every one of the words is found.
#[test]
fn without_sealing_all_words_rest_readable() {
    for original in originals::all() {
        let secret = secret_words(&original);
        let world = World::unprivileged();
        let written = deliver(&world, &["deliver"], &original);
        assert_eq!(readable(&world, &secret).len(), secret.len(), "{}", original.name);
        assert_eq!(written.len(), 1, "{}: {written:?}", original.name);
    }
}

#[test]
fn gpg_opens_sealed_mail_and_the_original_comes_back() {
    let world = World::new();
    let gnupg = Gnupg::with_keys(&world);
    for original in originals::all() {
        let payload = gnupg.open(&original.sealed());
        let begins = format!("Selfseal: form={}; ", original.form);
        assert!(payload.starts_with(begins.as_bytes()), "{}: {}", original.name, first_line(&payload));
        let restored = manual::original(&payload);
        assert_eq!(
            restored.escape_ascii().to_string(),
            original.bytes.escape_ascii().to_string(),
            "{}",
            original.name
        );
    }
}

fn first_line(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).lines().next().unwrap_or_default().to_owned()
}
