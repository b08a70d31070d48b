//! The manual pages say what the programs do: options, statuses, variables, messages, examples.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::CommandFactory;
use selfseal::cli;

use crate::world::gpg::Gpg;
use crate::world::{World, fixture, manual};

/// A page, and the command line that it describes.
fn pages() -> [(&'static str, clap::Command); 5] {
    [
        ("is-encrypted.1", cli::is_encrypted::Arguments::command()),
        ("encrypt-to-self.1", cli::encrypt_to_self::Arguments::command()),
        ("deliver.1", cli::deliver::Arguments::command()),
        ("tls-audit.1", cli::tls_audit::Arguments::command()),
        ("purge-old.1", cli::purge_old::Arguments::command()),
    ]
}

fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn page(name: &str) -> String {
    fs::read_to_string(project("man").join(name)).unwrap_or_else(|error| panic!("man/{name}: {error}"))
}

/// The lines of one section of a page.
fn section<'a>(page: &'a str, title: &str) -> Vec<&'a str> {
    let heading = format!(".Sh {title}");
    let lines: Vec<&str> = page
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with(".Sh "))
        .collect();
    assert!(!lines.is_empty(), "no section {title}");
    lines
}

/// The lines between `.Bd` and `.Ed`, block by block, as a reader sees them.
fn blocks(lines: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in lines {
        match (&mut open, *line) {
            (_, line) if line.starts_with(".Bd ") => open = Some(String::new()),
            (_, ".Ed") => found.extend(open.take()),
            (Some(block), line) => *block += &format!("{}\n", line.replace("\\e", "\\")),
            (None, _) => {}
        }
    }
    found
}

/// The options that `lines` name: the word behind each `Fl`.
fn flags(lines: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in lines.iter().filter(|line| line.starts_with('.')) {
        let words: Vec<&str> = line.split(' ').collect();
        for pair in words.windows(2).filter(|pair| pair[0].trim_start_matches('.') == "Fl") {
            found.insert(format!("-{}", pair[1]));
        }
        // `.Fl h , Fl -help` and `.It Fl h , -help` are both in use.
        if words.starts_with(&[".It", "Fl"]) {
            found.extend(words.iter().filter(|word| word.starts_with('-')).map(|word| format!("-{word}")));
        }
    }
    found
}

#[test]
fn every_option_is_on_its_page_and_no_other() {
    for (name, mut command) in pages() {
        command.build();
        let mut typed = BTreeSet::new();
        for option in command.get_arguments().filter(|argument| !argument.is_positional()) {
            typed.extend(option.get_long().map(|long| format!("--{long}")));
            typed.extend(option.get_short().map(|short| format!("-{short}")));
            assert!(option.get_help().is_some(), "{name}: {} has no help", option.get_id());
        }
        let text = page(name);
        let all: Vec<&str> = text.lines().collect();
        let listed: Vec<&str> = all.iter().copied().filter(|line| line.starts_with(".It Fl")).collect();
        assert_eq!(flags(&listed), typed, "man/{name}: the list of options");
        assert!(
            flags(&all).is_subset(&typed),
            "man/{name}: {:?} is no option",
            flags(&all).difference(&typed)
        );
        let synopsis: BTreeSet<String> = flags(&section(&text, "SYNOPSIS"));
        let answers = ["--help", "--version", "-h", "-V"].map(str::to_owned).into();
        assert_eq!(&synopsis | &answers, typed, "man/{name}: SYNOPSIS");
    }
}

#[test]
fn the_page_and_the_help_name_the_same_statuses() {
    for (name, mut command) in pages() {
        let text = page(name);
        let on_page: BTreeSet<u8> = section(&text, "EXIT STATUS")
            .iter()
            .filter_map(|line| line.strip_prefix(".It ")?.parse().ok())
            .collect();
        let help = command.render_help().to_string();
        let (_, table) = help.split_once("tatus:").unwrap_or_else(|| panic!("{name}: no statuses in {help}"));
        let in_help: BTreeSet<u8> =
            table.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
        assert_eq!(on_page, in_help, "man/{name}");
        assert!(on_page.contains(&0) && on_page.contains(&75), "man/{name}: {on_page:?}");
    }
}

#[test]
fn every_help_text_fits_a_terminal() {
    for (name, mut command) in pages() {
        let help = command.render_help().to_string();
        let widest = help.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{name}: {widest:?} columns\n{help}");
        assert!(help.lines().count() <= 50, "{name}: {} lines\n{help}", help.lines().count());
        assert!(help.contains("xamples"), "{name}: no examples");
    }
}

/// The sources without comments and unit tests, by file.
fn sources() -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![project("src")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()),
            );
        } else if !path.ends_with("tests.rs") {
            let source = fs::read_to_string(&path).expect("a source");
            let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let is_code = |line: &&str| !line.trim_start().starts_with("//");
            let code = code.lines().filter(is_code).collect::<Vec<_>>().join("\n");
            // A quotation mark by itself would look like the beginning of a literal.
            found.push(code.replace("'\"'", "' '"));
        }
    }
    found
}

/// The string literals of `code`, with what `\` joins joined.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find('"') {
        let mut literal = String::new();
        let mut letters = rest[start + 1..].char_indices();
        let mut end = rest.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    end = start + 1 + at + 1;
                    break;
                }
                '\\' => match letters.next() {
                    Some((_, '\n')) => {
                        let blanks = letters.clone().take_while(|(_, c)| c.is_whitespace()).count();
                        for _ in 0..blanks {
                            letters.next();
                        }
                    }
                    Some((_, escaped)) => literal.push(escaped),
                    None => {}
                },
                letter => literal.push(letter),
            }
        }
        found.push(literal);
        rest = &rest[end..];
    }
    found
}

/// The messages under DIAGNOSTICS of `name`, as a program writes them.
fn diagnostics(name: &str) -> Vec<String> {
    let text = page(name);
    let items = section(&text, "DIAGNOSTICS").into_iter().filter_map(|line| line.strip_prefix(".It "));
    items.map(|message| message.replace("\\(dq", "\"")).collect()
}

#[test]
fn every_message_on_a_page_is_one_that_a_program_says() {
    // Words on the pages that stand for something else in the message.
    const STAND_INS: [&str; 18] = [
        "PATH",
        "FILE",
        "DIR",
        "NAME",
        "N",
        "REASON",
        "ADDRESS",
        "VARIABLE",
        "DATE",
        "FINGERPRINT",
        "SERVER",
        "STEP",
        "CODE",
        "TEXT",
        "COMMAND",
        "PLACE",
        "ADVICE",
        "CHARACTER",
    ];
    let said: Vec<String> = sources().iter().flat_map(|code| literals(code)).collect();
    let said = said.join("\n");
    let is_stand_in = |word: &str| STAND_INS.contains(&word.trim_matches([':', ',', ';', '(', ')', '"']));
    let mut unsaid = Vec::new();
    for (name, _) in pages() {
        for message in diagnostics(name) {
            let words: Vec<&str> = message.split(' ').collect();
            for fixed in words.split(|word| is_stand_in(word)) {
                // What is wrong stands behind its place and such words as `warning`.
                for piece in fixed.join(" ").split(": ") {
                    let piece = piece.trim_matches([':', ' ']);
                    if piece != "problem" && piece != "warning" && !said.contains(piece) {
                        unsaid.push(format!("man/{name}: {message}: no program says {piece:?}"));
                    }
                }
            }
        }
    }
    assert_eq!(unsaid, [""; 0]);
}

#[test]
fn every_message_of_the_programs_is_on_a_page_with_its_cure() {
    const MACROS: [&str; 9] = [
        "bail!(",
        "ensure!(",
        "anyhow!(",
        "context(",
        "Refusal(",
        "NoMailbox(",
        "Sysexit(",
        ".warning(",
        ".problem(",
    ];
    // A word that only stands before another program's or the system's words is no message.
    const SHORTEST: usize = 12;
    let told: String = pages().iter().flat_map(|(name, _)| diagnostics(name)).collect::<Vec<_>>().join("\n");
    let mut untold = Vec::new();
    for code in sources() {
        for (start, name) in MACROS.iter().flat_map(|name| code.match_indices(name)) {
            for literal in literals(in_parentheses(&code[start + name.len()..])) {
                let fixed = longest_fixed(&literal);
                if fixed.len() >= SHORTEST && !told.contains(fixed) {
                    untold.push(format!("{literal:?} is under no DIAGNOSTICS"));
                }
            }
        }
    }
    assert_eq!(untold, [""; 0]);
}

/// What stands before the parenthesis that closes an open one.
fn in_parentheses(code: &str) -> &str {
    let mut depth = 1;
    let mut is_text = false;
    let mut letters = code.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if is_text => drop(letters.next()),
            '"' => is_text = !is_text,
            '(' if !is_text => depth += 1,
            ')' if !is_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &code[..at];
        }
    }
    code
}

/// The longest piece of a format string that is the same in each message.
fn longest_fixed(format: &str) -> &str {
    let pieces = format.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, fixed)| fixed));
    pieces
        .map(|piece| piece.trim_matches([':', ' ', '"']))
        .max_by_key(|piece| piece.len())
        .unwrap_or_default()
}

#[test]
fn every_variable_that_is_read_is_on_a_page() {
    let pages: String = pages().iter().map(|(name, _)| page(name)).collect();
    let is_variable =
        |word: &str| word.len() > 3 && word.bytes().all(|octet| octet.is_ascii_uppercase() || octet == b'_');
    let found: BTreeSet<String> = sources()
        .iter()
        .filter(|code| code.contains("env::var"))
        .flat_map(|code| literals(code))
        .filter(|word| is_variable(word))
        .collect();
    assert!(found.contains("RECIPIENT") && found.contains("XDG_CONFIG_HOME"), "{found:?}");
    for variable in found {
        let is_there = pages
            .lines()
            .any(|line| line.starts_with(".It Ev ") && line.split([' ', ',']).any(|word| word == variable));
        assert!(is_there, "{variable} is under no ENVIRONMENT");
    }
}

#[test]
fn mandoc_finds_nothing_wrong() {
    let all = pages().map(|(name, _)| name);
    for name in [&all[..], &["selfseal.7"]].concat() {
        let output = Command::new("mandoc")
            .args(["-T", "lint"])
            .arg(project("man").join(name))
            .output()
            .expect("mandoc: apt-get install mandoc");
        let said = [output.stdout, output.stderr].concat();
        // What this machine has no page for, and how old its list of pages is, is not the page's fault.
        let said: Vec<String> = String::from_utf8_lossy(&said)
            .lines()
            .filter(|line| {
                !line.contains("referenced manual not found") && !line.contains("outdated mandoc.db")
            })
            .map(str::to_owned)
            .collect();
        assert_eq!(said, [""; 0]);
    }
}

const MESSAGE: &[u8] = b"From: bob@example.org\nTo: alice@example.org\nSubject: Lunch\n\nAt noon?\n";

/// A world in which the examples can run.
fn example_world() -> World {
    let world = World::unprivileged();
    let alice = fixture("keys/alice.asc");
    for place in [".config/selfseal/cert.asc", "alice.asc", "cert.asc", "certs/alice@example.org.asc"] {
        world.write(place, &alice);
    }
    world.write("rosa.asc", &fixture("keys/rosa.asc"));
    world.write("message.eml", MESSAGE);
    let sealed = world.program("encrypt-to-self").input(MESSAGE).run().succeeds();
    world.write("sealed.eml", &sealed);
    world.write("Maildir/cur/1.a:2,S", &sealed);
    world.write("Maildir/new/.keep", b"");
    world.write("Maildir/tmp/.keep", b"");
    for part in ["cur", "new", "tmp"] {
        world.write(&format!("Archive/{part}/.keep"), b"");
    }
    world
}

#[test]
fn the_examples_run() {
    for (name, _) in pages() {
        let text = page(name);
        let examples = blocks(&section(&text, "EXAMPLES"));
        assert!(examples.len() > 1, "man/{name}: {examples:?}");
        for line in examples.iter().flat_map(|block| block.lines()) {
            run_example(name, line);
        }
    }
}

/// Runs one line of EXAMPLES: a line of a `.forward`, of a crontab, or of a shell.
fn run_example(name: &str, line: &str) {
    let world = example_world();
    let programs = world.where_is("deliver");
    let programs = programs.parent().expect("a directory").display();
    let here = line
        .replace("/usr/bin/", &format!("{programs}/"))
        .replace("/home/alice", &world.home().display().to_string());
    let command = match here.strip_prefix("\"|").and_then(|rest| rest.strip_suffix('"')) {
        Some(command) => command.to_owned(),
        None => match here.strip_prefix("$ ") {
            Some(command) => command.to_owned(),
            None => here.split_whitespace().skip(5).collect::<Vec<_>>().join(" "),
        },
    };
    let path = format!("{programs}:/usr/bin:/bin");
    let outcome = world.command("/bin/sh").args(["-c", &command]).env("PATH", path).input(MESSAGE);
    let outcome = outcome.env("RECIPIENT", "alice@example.org").env("SENDER", "bob@example.org").run();
    if let Some(server) = line.split_whitespace().find(|word| word.starts_with("lmtp:")) {
        // No store is there: it is asked, and the mail is kept.
        return outcome.defers(server.trim_end_matches('"'));
    }
    let expected = if line.contains("is-encrypted --require") { 77 } else { 0 };
    assert_eq!(outcome.status(), expected, "man/{name}: {line}\n{command}\n{}", outcome.stderr());
}

#[test]
fn the_way_back_on_the_page_gives_the_original() {
    let page = page("selfseal.7");
    let program = blocks(&section(&page, "FORMATS"))
        .into_iter()
        .find(|block| block.starts_with("import sys"))
        .expect("a program");
    let gpg = Gpg::with_keys(&["alice"]);
    for (name, message) in [
        ("spliced, LF", MESSAGE),
        ("spliced, CRLF", b"From: bob@example.org\r\nSubject: x\r\nContent-Type: text/html;\r\n charset=utf-8\r\n\r\n<p>hi\r\n"),
        ("wrapped, LF", b"From: bob@example.org\nSubject: x\nSubject: y\n\nhi"),
        ("wrapped, mixed line ends", b"Subject: x\r\n\nhi\rho\r\n\r\n"),
        ("wrapped, no header section", b"\n\n--\n"),
        ("divided, LF", b"Subject: x\nno field\n\nhi\n"),
        ("divided, CRLF", b"Subject: x\r\nno field\r\n\r\nhi"),
        ("divided, mixed line ends", b"Subject: x\nno field\r\n\r\nhi\r\r\n"),
        ("divided, no header section", b"no field\n\nhi\n"),
    ] {
        let world = World::with_alice();
        let sealed = world.program("encrypt-to-self").input(message).run().succeeds();
        let payload = gpg.decrypt(manual::armor(&sealed));
        let restored = python(&program, &payload);
        assert_eq!(restored.escape_ascii().to_string(), message.escape_ascii().to_string(), "{name}");
    }
}

fn python(program: &str, input: &[u8]) -> Vec<u8> {
    let mut python = Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3: apt-get install python3");
    python.stdin.take().expect("a pipe").write_all(input).expect("all of it");
    let output = python.wait_with_output().expect("an end");
    assert!(output.status.success());
    output.stdout
}
