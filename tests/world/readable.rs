//! What can be read in files, whatever carries it.

use std::fs;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine};
use memchr::memmem;

/// All files below `directory` with their contents. Sockets and pipes have none, programs are left out.
pub fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && entry.file_name() != ".cargo" => open.push(path),
                // Between the listing and the reading a host may have moved it on.
                Ok(kind) if kind.is_file() => found.extend(fs::read(&path).ok().map(|bytes| (path, bytes))),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// The messages in a Maildir.
pub fn mail(maildir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    ["cur", "new"].iter().flat_map(|part| files(&maildir.join(part))).collect()
}

/// The one message in a Maildir, which it takes out.
#[track_caller]
pub fn take_mail(maildir: &Path) -> Vec<u8> {
    let found = mail(maildir);
    let [(path, bytes)] = &found[..] else { panic!("{} messages in {}", found.len(), maildir.display()) };
    fs::remove_file(path).expect("removed");
    bytes.clone()
}

/// No file below `directory` has one of `words` in its name, its text, or its base64 decoded.
#[track_caller]
pub fn nothing_readable(directory: &Path, words: &[&str]) {
    assert_eq!(readable(directory, words), <[String; 0]>::default());
}

/// Which of `words` can be read where below `directory`.
pub fn readable(directory: &Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, bytes) in files(directory) {
        let texts = [path.as_os_str().as_encoded_bytes(), &bytes, &decoded(&bytes)];
        let read = words
            .iter()
            .filter(|word| texts.iter().any(|text| memmem::find(text, word.as_bytes()).is_some()));
        found.extend(read.map(|word| format!("{word} in {}", path.display())));
    }
    found
}

/// Everything that stands in lines of base64.
fn decoded(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.split(|octet| *octet == b'\n').map(|line| line.trim_ascii());
    let quads = lines.filter(|line| line.len() >= 4 && line.len() % 4 == 0);
    quads.filter_map(|line| BASE64_STANDARD.decode(line).ok()).flatten().collect()
}
