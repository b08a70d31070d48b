//! The bodies of the fuzz targets, over the inputs that they keep and over mutated fixtures.

#[path = "../../fuzz/bodies.rs"]
mod bodies;

use std::fs;
use std::path::Path;

type Body = fn(&[u8]);

const TARGETS: [(&str, Body); 5] = [
    ("kind", bodies::kind),
    ("mime", bodies::mime),
    ("openpgp", bodies::openpgp),
    ("cms", bodies::cms),
    ("trace", bodies::trace),
];

/// The files of a directory, sorted by name.
fn files(directory: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            (path.display().to_string(), fs::read(&path).expect("a readable file"))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_target_passes_its_corpus() {
    for (name, body) in TARGETS {
        let inputs = files(&format!("fuzz/corpus/{name}"));
        assert!(!inputs.is_empty(), "fuzz/corpus/{name} is empty");
        for (_, input) in inputs {
            body(&input);
        }
    }
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end.max(1)
    }
}

/// What a fuzzer does to an input: an octet changed, a line taken out, doubled or moved, an end cut off,
/// a piece of another input put in.
fn mutate(input: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> =
        input.split_inclusive(|octet| *octet == b'\n').map(<[u8]>::to_vec).collect();
    let at = numbers.below(lines.len());
    match numbers.below(6) {
        0 => {
            let octet = numbers.below(lines[at].len());
            lines[at][octet] = numbers.below(256) as u8;
        }
        1 => drop(lines.remove(at)),
        2 => lines.insert(at, lines[at].clone()),
        3 => lines.swap(at, 0),
        4 => lines.truncate(at),
        _ => {
            let start = numbers.below(other.len());
            let end = start + numbers.below(other.len() - start);
            lines.insert(at, other[start..end].to_vec());
        }
    }
    lines.concat()
}

#[test]
fn every_target_passes_mutated_fixtures() {
    let mut inputs = files("tests/fixtures/kind");
    for (name, _) in TARGETS {
        inputs.extend(files(&format!("fuzz/corpus/{name}")));
    }
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for (name, input) in &inputs {
        for round in 0..40 {
            let other = &inputs[numbers.below(inputs.len())].1;
            let mut mutated = mutate(input, other, &mut numbers);
            for _ in 0..numbers.below(3) {
                if !mutated.is_empty() {
                    mutated = mutate(&mutated, other, &mut numbers);
                }
            }
            for (target, body) in TARGETS {
                let passed = std::panic::catch_unwind(|| body(&mutated));
                assert!(passed.is_ok(), "{target}, round {round} of {name}:\n{}", mutated.escape_ascii());
            }
        }
    }
}
