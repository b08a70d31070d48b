//! What `encrypt-to-self --check` says of a `.forward`, and what Postfix does with it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::{SEAL, forwarding_to};
use crate::account::{Account, nothing_readable, readable};
use crate::mail::{BOB, LETTER, WORDS, is_what_smtp_carried, original};
use crate::mta::Mta;
use crate::world::gpg::Gpg;

/// The status and the words, as the user sees them.
fn check(user: &Account) -> (Option<i32>, String) {
    let mut program = Command::new(user.path(".cargo/bin/encrypt-to-self"));
    program
        .arg("--check")
        .env_clear()
        .env("HOME", user.home())
        .current_dir(user.home())
        .uid(user.uid)
        .gid(65_534);
    let output = program.output().expect("the program");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_line_that_it_prints_seals() {
    let (mta, user, gpg) = (Mta::start(&[]), Account::with_alice(), Gpg::with_keys(&["alice"]));
    let (status, words) = check(&user);
    let (_, line) = words.rsplit_once(".forward: ").expect("a line for .forward");
    assert_eq!(status, Some(0), "{words}");
    user.write(".forward", line.as_bytes());
    mta.attempted(&mta.send(BOB, &mta.address(&user), LETTER)).is_sent();
    is_what_smtp_carried("the letter", &original(&gpg, &user.one_mail()), LETTER);
    nothing_readable(user.home(), &WORDS);
    let (status, words) = check(&user);
    assert!(status == Some(0) && words.ends_with(&format!(" has the line that seals: {line}")), "{words}");
}

#[test]
fn a_forward_that_it_warns_of_is_passed_over_and_mail_rests_readable() {
    type Attack = fn(&Path);
    let mta = Mta::start(&[]);
    let attacks: [(&str, Attack); 4] = [
        ("is writable by others", |path| {
            fs::set_permissions(path, Permissions::from_mode(0o646)).expect("a mode")
        }),
        ("may not be read", |path| fs::set_permissions(path, Permissions::from_mode(0o000)).expect("a mode")),
        ("belongs to user 12345", |path| chown(path, Some(12_345), None).expect("another owner")),
        ("is a symbolic link", |path| {
            let moved = path.with_file_name("forward");
            fs::rename(path, &moved).and_then(|()| symlink(&moved, path)).expect("a link");
        }),
    ];
    for (words, attack) in attacks {
        let user = forwarding_to(SEAL);
        assert_eq!(check(&user).0, Some(0), "{words}: before");
        attack(&user.path(".forward"));
        let (status, said) = check(&user);
        assert!(status == Some(1) && said.contains(&format!(".forward: {words}")), "{words}: {said}");
        mta.attempted(&mta.send(BOB, &mta.address(&user), LETTER)).is_sent();
        is_what_smtp_carried(words, &user.one_mail(), LETTER);
        assert!(!readable(user.home(), &WORDS).is_empty(), "{words}");
    }
}
