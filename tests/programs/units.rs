//! Every systemd unit of contrib/, as systemd itself sees it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::world::World;

const ANALYZE: &str = "/usr/bin/systemd-analyze";

/// The units below contrib/ whose names end like this, sorted.
fn units(suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib")];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("a directory of contrib").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no unit {suffix}");
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn analyze(arguments: &[&str], units: &[PathBuf], world: &World) -> Output {
    assert!(Path::new(ANALYZE).exists(), "{ANALYZE} is missing: apt-get install systemd");
    let mut command = Command::new(ANALYZE);
    // For --user it looks where a session has its files.
    command.args(arguments).args(units).env("XDG_RUNTIME_DIR", world.home()).env("HOME", world.home());
    command.output().expect(ANALYZE)
}

/// The units of one directory with their neighbours, where programs of ours are those that were built.
fn verify(directory: &str, arguments: &[&str]) {
    let world = World::new();
    let contrib = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib").join(directory);
    let mut copies = Vec::new();
    for unit in units(".service").into_iter().chain(units(".timer")) {
        let above = unit.parent().expect("a directory");
        if above != contrib && Some(above) != contrib.parent() {
            continue;
        }
        let mut text = read(&unit);
        for program in ["encrypt-to-self", "purge-old"] {
            let built = world.where_is(program).display().to_string();
            for place in ["/usr/bin/", "/usr/local/bin/", "%h/.cargo/bin/"] {
                text = text.replace(&format!("ExecStart={place}{program}"), &format!("ExecStart={built}"));
            }
        }
        // The page may not be installed here.
        let text: String = text
            .lines()
            .filter(|line| !line.starts_with("Documentation="))
            .fold(String::new(), |text, line| text + line + "\n");
        let name = unit.file_name().expect("a name").to_string_lossy();
        copies.push(world.write(&format!("units/{name}"), text.as_bytes()));
    }
    assert!(copies.len() >= 2, "{directory}: {copies:?}");
    let output = analyze(arguments, &copies, &world);
    // What it finds in other units of this machine is not ours.
    let said = String::from_utf8_lossy(&output.stderr);
    let about_ours: Vec<&str> =
        said.lines().filter(|line| line.contains("purge-old") || line.contains("selfseal")).collect();
    assert_eq!(about_ours, [""; 0], "{said}");
    assert!(output.status.success(), "{said}");
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units_of_purge_old() {
    verify("purge-old", &["verify"]);
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units_of_check() {
    verify("check/host", &["verify"]);
    verify("check/user", &["--user", "verify"]);
}

/// In tenths of the exposure that systemd counts: 100 is a unit that may do everything.
#[test]
fn no_unit_may_do_more_than_it_has_to() {
    for unit in units(".service") {
        let most = match unit.to_string_lossy() {
            // sendmail's own rights are set-user-ID or set-group-ID, which every restriction takes away.
            name if name.ends_with("selfseal-check-mail.service") => continue,
            // What a user's manager can do without a user namespace.
            name if name.ends_with("check/user/selfseal-check.service") => "60",
            _ => "25",
        };
        let output = analyze(
            &["security", "--offline=yes", "--threshold", most],
            std::slice::from_ref(&unit),
            &World::new(),
        );
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {}", unit.display(), said.lines().last().unwrap_or_default());
        assert!(said.contains("Overall exposure level"), "{said}");
    }
}

#[test]
fn what_starts_sendmail_leaves_it_its_rights() {
    for unit in units(".service") {
        let text = read(&unit);
        if text.contains("/usr/sbin/sendmail") {
            let takes = |line: &&str| {
                [
                    "NoNewPrivileges",
                    "Protect",
                    "Private",
                    "Restrict",
                    "SystemCall",
                    "Capability",
                    "Memory",
                    "Lock",
                ]
                .iter()
                .any(|word| line.starts_with(word))
            };
            assert_eq!(text.lines().filter(takes).collect::<Vec<_>>(), [""; 0], "{}", unit.display());
        }
    }
}
