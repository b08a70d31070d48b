//! The order of the lines in `src/lib.rs` is the law: a module imports only from lines above its own.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the foreign crates that have one: when such a crate changes, few places do.
const ROOMS: [(&str, &[&str]); 2] =
    [("sequoia_openpgp", &["cert", "seal", "refusal", "unseal"]), ("clap", &["cli", "exit"])];

#[test]
fn a_module_imports_only_from_lines_above_its_own() {
    let modules = modules();
    assert!(modules.len() > 5, "src/lib.rs names {modules:?}");
    let mut found = Vec::new();
    for (module, path, text) in sources(&modules) {
        found.extend(
            downward(&modules, module, &text)
                .into_iter()
                .map(|import| format!("{}: imports {import}", path.display())),
        );
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_foreign_crate_stays_in_its_room() {
    let modules = modules();
    let mut found = Vec::new();
    for (module, path, text) in sources(&modules) {
        for (name, rooms) in ROOMS {
            let uses =
                |line: &str| ["use {}", "{}::"].iter().any(|form| line.contains(&form.replace("{}", name)));
            if !rooms.contains(&module) && code(&text).any(uses) {
                found.push(format!("{}: uses {name}", path.display()));
            }
        }
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn an_import_from_below_is_seen() {
    let modules = ["low", "middle", "high"].map(str::to_owned);
    for (text, found) in [
        ("use crate::low;", &[][..]),
        ("use crate::middle::Own;", &[]),
        ("use crate::high::Noun;", &["high"]),
        ("use crate::{low, high::{Noun, middle}};", &["high"]),
        ("use crate::{\n    low::Noun,\n    high,\n};", &["high"]),
        ("    crate::high::verb()", &["high"]),
        ("// crate::high is spoken of only", &[]),
    ] {
        assert_eq!(downward(&modules, "middle", text), found, "{text:?}");
    }
}

/// The modules of `src/lib.rs`, from the top.
fn modules() -> Vec<String> {
    let table = fs::read_to_string(source().join("lib.rs")).expect("src/lib.rs");
    table
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source of every module: its name, its path, its text.
fn sources(modules: &[String]) -> impl Iterator<Item = (&str, PathBuf, String)> {
    modules.iter().flat_map(|module| {
        let mut files = Vec::new();
        let mut open = vec![source().join(format!("{module}.rs")), source().join(module)];
        while let Some(path) = open.pop() {
            match fs::read_dir(&path) {
                Ok(entries) => open.extend(entries.map(|entry| entry.expect("an entry").path())),
                Err(_) => files.extend(fs::read_to_string(&path).ok().map(|text| (path, text))),
            }
        }
        assert!(!files.is_empty(), "no source of {module}");
        files.into_iter().map(|(path, text)| (module.as_str(), path, text))
    })
}

fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// The modules below `module` that `text` names.
fn downward<'a>(modules: &'a [String], module: &str, text: &str) -> Vec<&'a str> {
    let own = modules.iter().position(|name| name == module).expect("a module of lib.rs");
    let text: String = code(text).collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for (start, _) in text.match_indices("crate::") {
        let named = named_in(&text[start + "crate::".len()..]);
        found.extend(
            modules[own + 1..]
                .iter()
                .map(String::as_str)
                .filter(|below| named.contains(below) && !found.contains(below))
                .collect::<Vec<_>>(),
        );
    }
    found
}

/// The modules right behind `crate::`: one, or those of the outermost braces.
fn named_in(path: &str) -> Vec<&str> {
    let word = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let Some(list) = path.strip_prefix('{') else {
        return vec![&path[..word(path)]];
    };
    let mut named = Vec::new();
    let mut depth = 0;
    let mut expects_a_name = true;
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects_a_name = true,
            c if c.is_alphanumeric() && expects_a_name => {
                named.push(&list[at..at + word(&list[at..])]);
                expects_a_name = false;
            }
            _ => {}
        }
    }
    named
}
