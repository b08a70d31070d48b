//! The line of a `.forward`, and what keeps a mail host from obeying it.
//!
//! Hosts distrust different things, and differ in what becomes of the mail. Postfix (local(8)) and Sendmail
//! (DontBlameSendmail) pass over a file that they distrust, so the mail is stored readable; Exim (redirect
//! router: modemask, check_owner) keeps the mail, OpenSMTPD refuses it. A warning is what one of them does.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, open};
use rustix::process::geteuid;

use crate::cert::check::Report;
use crate::place;

const PROGRAM: &str = "encrypt-to-self";

/// How much of a `.forward` is looked at, in octets.
const LONGEST: u64 = 1 << 20;

/// Says what is wrong with the home directory, the `.forward` and the program, and ends with the line that
/// seals: the one that is there or, with `options`, one to put there. `hands_on` knows whether the program, called
/// by these words, hands the mail to another one.
pub fn tell(report: &mut Report, options: &[OsString], hands_on: fn(&[&str]) -> bool) {
    if let Err(error) = look(report, options, hands_on) {
        report.problem(&format!("{error:#}"));
    }
}

fn look(report: &mut Report, options: &[OsString], hands_on: fn(&[&str]) -> bool) -> Result<()> {
    let home = place::home()?;
    let path = home.join(".forward");
    if let Ok(state) = home.metadata() {
        tell_of_rights(report, &home, &state);
    }
    let actual = std::env::current_exe().context("/proc/self/exe")?;
    let deliver = actual.with_file_name("deliver");
    if !deliver.is_file() {
        report
            .warning(&format!("{} is missing; install selfseal's programs side by side", deliver.display()));
    }
    let there = contents(report, &path).map(|text| tell_of_items(report, &path, &text, hands_on));
    let shown = path.display();
    match there.flatten() {
        Some(line) => report.line(&format!("{shown} has the line that seals: \"|{line}\"")),
        None => {
            let program = as_called(&actual);
            can_be_started(report, &program);
            let options = options.iter().map(|word| word.to_string_lossy().into_owned());
            let words: Vec<String> = [program.display().to_string()]
                .into_iter()
                .chain(options)
                .chain(["deliver".to_owned()])
                .collect();
            for word in &words {
                needs_no_shell(report, word, word);
            }
            let line = words.join(" ");
            report.line(&format!("the line for {shown}: \"|{line}\""));
        }
    }
    Ok(())
}

/// What the `.forward` at `path` says, if it is a file that hosts read.
fn contents(report: &mut Report, path: &Path) -> Option<String> {
    let shown = path.display();
    let state = path.symlink_metadata().ok()?;
    if state.is_symlink() {
        report.warning(&format!(
            "{shown}: is a symbolic link, which hosts pass over; put the file itself there"
        ));
        return None;
    }
    if !state.is_file() {
        report.warning(&format!("{shown}: is no regular file"));
        return None;
    }
    tell_of_rights(report, path, &state);
    match read(path) {
        Ok(octets) => Some(String::from_utf8_lossy(&octets).into_owned()),
        Err(_) => {
            report.warning(&format!("{shown}: may not be read; hosts pass over it"));
            None
        }
    }
}

/// The beginning of the regular file at `path`. Between the look at it and this its owner may have put a link
/// or a FIFO in its place, and root may be who asks.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty())?);
    let mut octets = Vec::new();
    if file.metadata()?.is_file() {
        file.take(LONGEST).read_to_end(&mut octets)?;
    }
    Ok(octets)
}

/// The certificate's own file and directories are judged where it is looked for.
fn tell_of_rights(report: &mut Report, path: &Path, state: &Metadata) {
    let shown = path.display();
    // Of a file of root's, Exim and OpenSMTPD say that it is somebody else's.
    let way_out =
        if state.is_dir() { "it has to belong to root or to you" } else { "it has to belong to you" };
    let is_ours = state.uid() == geteuid().as_raw() || state.is_dir() && state.uid() == 0;
    if !is_ours {
        report.warning(&format!("{shown}: belongs to user {}; {way_out}", state.uid()));
    }
    if state.mode() & 0o022 != 0 {
        report.warning(&format!("{shown}: is writable by others; chmod go-w"));
    }
}

/// One destination of a `.forward` (aliases(5)).
#[derive(Debug, PartialEq, Eq)]
enum Item {
    Command(String),
    File(String),
    Address(String),
}

/// Says what is wrong with the destinations. The command that seals, if there is a good one.
fn tell_of_items(
    report: &mut Report,
    path: &Path,
    text: &str,
    hands_on: fn(&[&str]) -> bool,
) -> Option<String> {
    let shown = path.display();
    if is_filter(text) {
        report.line(&format!("{shown} is a filter; whether it seals is not looked at"));
        return None;
    }
    let items = items(text);
    let sealing = items.iter().find_map(|item| match item {
        Item::Command(command) if seals(command) => Some(command),
        _ => None,
    });
    for item in &items {
        match item {
            Item::File(file) => {
                report.warning(&format!("{shown}: stores readable mail in {file}; remove that"));
            }
            Item::Address(address) if sealing.is_some() => {
                report.warning(&format!("{shown}: sends readable mail to {address} too; remove that"));
            }
            _ => {}
        }
    }
    let command = sealing?;
    let words: Vec<&str> = command.split_whitespace().collect();
    let mut is_good = true;
    for word in &words {
        is_good &= needs_no_shell(report, &shown.to_string(), word);
    }
    if !words.first().is_some_and(|first| first.starts_with('/')) {
        report.warning(&format!("{shown}: begins with no absolute path; hosts look elsewhere"));
        is_good = false;
    }
    // Behind the first word, a bare name is looked for beside the program that starts it.
    for (at, program) in words.iter().map(Path::new).enumerate() {
        if program.is_absolute() && (at == 0 || is_ours(program)) {
            is_good &= can_be_started(report, program);
        }
    }
    // What it writes to the host is dropped, and counts as delivered.
    let own = words.iter().position(|word| is_ours(Path::new(word))).unwrap_or_default();
    if is_good && !hands_on(&words[own..]) {
        report.warning(&format!(
            "{shown}: has an option that is none, or no program that stores; use the line below"
        ));
        is_good = false;
    }
    is_good.then(|| command.clone())
}

/// The first line of a file in the language of Exim or of Sieve, which Exim reads.
fn is_filter(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or_default().to_ascii_lowercase();
    first.starts_with("# exim filter") || first.starts_with("# sieve filter")
}

/// The destinations: between commas and line ends, quoted or not. A line that begins with `#` is a comment.
fn items(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let mut item = String::new();
        let mut is_quoted = false;
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '"' => is_quoted = !is_quoted,
                '\\' if is_quoted => item.extend(letters.next()),
                ',' if !is_quoted => items.extend(classified(&std::mem::take(&mut item))),
                letter => item.push(letter),
            }
        }
        items.extend(classified(&item));
    }
    items
}

fn classified(text: &str) -> Option<Item> {
    let text = text.trim();
    match text.strip_prefix('|') {
        Some(command) => Some(Item::Command(command.trim().to_owned())),
        None if text.starts_with('/') => Some(Item::File(text.to_owned())),
        None => (!text.is_empty()).then(|| Item::Address(text.to_owned())),
    }
}

/// Whether one of the words is this program, wherever it is installed and whatever starts it.
fn seals(command: &str) -> bool {
    command.split_whitespace().any(|word| is_ours(Path::new(word)))
}

fn is_ours(word: &Path) -> bool {
    word.file_name().is_some_and(|name| name == PROGRAM)
}

/// Postfix starts a command itself if it is of these characters alone; any other goes to a shell, whose
/// answer to a missing program bounces the mail. Exim has no shell and takes `~` as it stands.
fn needs_no_shell(report: &mut Report, subject: &str, word: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "!@%-_=+:,./".contains(c);
    let odd = word.chars().find(|c| !is_plain(*c));
    if let Some(odd) = odd {
        let odd = if odd == ' ' { "a blank".to_owned() } else { odd.to_string() };
        report.warning(&format!(
            "{subject}: needs a shell for {odd}; write letters, digits and !@%-_=+:,./ only"
        ));
    }
    odd.is_none()
}

/// Whether the host can start it as the user. From root it gives up root's rights first.
fn can_be_started(report: &mut Report, program: &Path) -> bool {
    let is_open = |path: &Path| path.metadata().is_ok_and(|state| state.mode() & 0o001 != 0);
    let may_run = match geteuid().is_root() {
        true => program.ancestors().all(is_open),
        false => accessat(CWD, program, Access::EXEC_OK, AtFlags::EACCESS).is_ok(),
    };
    let is_good = may_run && program.is_file();
    if !is_good {
        report.warning(&format!(
            "{}: no program that the mail host could start for you; see its mode and the directories above",
            program.display()
        ));
    }
    is_good
}

/// The path by which the running program was called. Where that is a link, an upgrade will move what is
/// behind it, so the link is what a `.forward` should name.
fn as_called(actual: &Path) -> PathBuf {
    let typed = PathBuf::from(std::env::args_os().next().unwrap_or_default());
    let called = if typed.components().count() > 1 {
        std::path::absolute(&typed).ok()
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|directory| directory.join(&typed)).find(|path| path.is_file())
    };
    let is_this = |path: &PathBuf| {
        path.is_absolute()
            && !path.components().any(|part| part == Component::ParentDir)
            && fs::canonicalize(path).is_ok_and(|end| end == actual)
    };
    called.filter(is_this).unwrap_or_else(|| actual.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forward_is_read_as_hosts_read_it() {
        let command = |text: &str| Item::Command(text.to_owned());
        let seals = || command("/usr/bin/encrypt-to-self deliver");
        let address = |text: &str| Item::Address(text.to_owned());
        for (text, found) in [
            ("\"|/usr/bin/encrypt-to-self deliver\"\n", vec![seals()]),
            ("|\"/usr/bin/encrypt-to-self deliver\"", vec![seals()]),
            ("  \"| /usr/bin/encrypt-to-self deliver\"  ", vec![seals()]),
            ("|/bin/x", vec![command("/bin/x")]),
            ("# \"|/bin/x\"\n\n \t\n", vec![]),
            ("\\alice, \"|/bin/x -a, -b\"", vec![address("\\alice"), command("/bin/x -a, -b")]),
            ("\"|/bin/x \\\"a b\\\"\"", vec![command("/bin/x \"a b\"")]),
            ("/home/alice/mbox\nbob@x,", vec![Item::File("/home/alice/mbox".to_owned()), address("bob@x")]),
            ("\"|/bin/x", vec![command("/bin/x")]),
        ] {
            assert_eq!(items(text), found, "{text}");
        }
        assert!(is_filter("\n# Exim filter\nif ...") && is_filter("# Sieve filter") && !is_filter("# mine"));
    }

    #[test]
    fn what_was_put_in_place_of_a_forward_is_not_waited_for_and_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let [forward, link, fifo] = ["forward", "link", "fifo"].map(|name| place.path().join(name));
        File::create(&forward).unwrap().set_len(LONGEST + 1).unwrap();
        assert_eq!(read(&forward).unwrap().len() as u64, LONGEST);
        std::os::unix::fs::symlink(&forward, &link).unwrap();
        assert!(read(&link).is_err());
        rustix::fs::mknodat(CWD, &fifo, rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert_eq!(read(&fifo).unwrap(), b"");
    }

    #[test]
    fn the_program_is_found_wherever_it_stands() {
        for (command, is_sealing) in [
            ("/usr/bin/encrypt-to-self deliver", true),
            ("/usr/bin/tls-audit encrypt-to-self deliver", true),
            ("~/bin/encrypt-to-self", true),
            ("/usr/bin/procmail", false),
            ("/usr/bin/encrypt-to-self.old", false),
            ("", false),
        ] {
            assert_eq!(seals(command), is_sealing, "{command}");
        }
    }
}
