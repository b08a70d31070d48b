//! Statuses, and the only lines that print an error.
//!
//! Of the sysexits only 75 and 77 mean the same to every host, so a program in a delivery path ends
//! with 0, 75 or 77, `deliver` with a server's 69 too. Whatever is not known here is 75: a forgotten case
//! keeps the mail.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use anyhow::{Error, Result, ensure};
use clap::Parser;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getegid, geteuid, getgid, getuid, set_dumpable_behavior, setrlimit,
};
use signal_hook::consts::{SIGABRT, SIGBUS, SIGXFSZ};
use signal_hook::flag;

use crate::escape;

/// Try again later: EX_TEMPFAIL.
pub const TEMPFAIL: u8 = 75;

/// What was named cannot be read: EX_NOINPUT. What was asked for cannot be made: EX_CANTCREAT.
pub const NOINPUT: u8 = 66;
pub const CANTCREAT: u8 = 73;

/// The command was typed wrong: EX_USAGE. A file cannot be read or written: EX_IOERR.
pub const USAGE: u8 = 64;
const IOERR: u8 = 74;

/// The longest error line, in octets: what a log shows without a break.
const LINE: usize = 400;

/// The recipient's own policy refuses the message: status 77, and this is what the sender reads.
///
/// The text begins with an enhanced status code (RFC 3463), which Postfix reads; no program name stands
/// before it.
#[derive(Debug)]
pub struct Refusal(pub String);

/// The mailbox's server says never (5yz): status 69, and these are the server's words, which begin
/// with an enhanced status code.
#[derive(Debug)]
pub struct Unavailable(pub String);

/// A status of a tool that is not in a delivery path, from sysexits.h, with its reason.
#[derive(Debug)]
pub struct Sysexit(pub u8, pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Sysexit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.1)
    }
}

impl std::error::Error for Refusal {}
impl std::error::Error for Unavailable {}
impl std::error::Error for Sysexit {}

/// Runs a program that stands in a delivery path: what was typed, one act, a status.
///
/// `act` answers with its status; its error becomes one line on standard error and 75, 77 or 69. A usage
/// error is 75 too, with clap's own text: a typo in a `.forward` must defer mail, not bounce it.
pub fn delivery<Arguments: Parser>(
    program: &'static str,
    act: impl FnOnce(Arguments) -> Result<u8>,
) -> ExitCode {
    // Before the guard: a process that is not dumpable may not open its own /proc/self/auxv.
    let unprivileged = unprivileged();
    guard(program);
    if let Err(error) = unprivileged {
        return fail(program, &error);
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return answer_or_defer(&error),
    };
    match act(arguments) {
        Ok(status) => ExitCode::from(status),
        Err(error) => fail(program, &error),
    }
}

/// Runs a program that no mail passes through: a usage error is 64, and what is not known here is 74.
pub fn tool<Arguments: Parser>(program: &'static str, act: impl FnOnce(Arguments) -> Result<u8>) -> ExitCode {
    let unprivileged = unprivileged();
    guard(program);
    let done = unprivileged.and_then(|()| match Arguments::try_parse() {
        Ok(arguments) => act(arguments),
        Err(error) if error.print().is_ok() && !error.use_stderr() => Ok(0),
        Err(_) => Ok(USAGE),
    });
    ExitCode::from(done.unwrap_or_else(|error| complain(program, &error)))
}

/// Says what failed, and answers with the status for it.
pub fn complain(program: &str, error: &Error) -> u8 {
    say(&format!("{program}: {}", line_of(error)));
    error.downcast_ref::<Sysexit>().map_or(IOERR, |sysexit| sysexit.0)
}

/// `--help` and `--version` are answers; everything else that clap says is a mistake.
fn answer_or_defer(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if error.use_stderr() || printed.is_err() { ExitCode::from(TEMPFAIL) } else { ExitCode::SUCCESS }
}

/// What ends a program that cannot go on: memory or stack ran out; a page of a file cannot be had, because its
/// disk fails or somebody cut it off.
const LAST: [i32; 2] = [SIGABRT, SIGBUS];

/// Whether such a signal ends the program with a status.
static ENDS: AtomicBool = AtomicBool::new(true);

/// Whether something was written beyond the host's limit.
static WENT_BEYOND: AtomicBool = AtomicBool::new(false);

/// The first act of every program: no memory image on any disk, and a panic is one line and 75. A host
/// would take Rust's own 101 for a final failure and bounce; so does Exim with a signal.
fn guard(program: &'static str) {
    std::panic::set_hook(Box::new(move |panic| {
        // Never the panic's payload: it may quote the message.
        let place = panic.location().map(|at| format!("{} line {}", at.file(), at.line()));
        say(&format!(
            "{program}: internal fault at {}; the mail is kept",
            place.as_deref().unwrap_or("an unknown place")
        ));
        std::process::exit(TEMPFAIL.into());
    }));
    for signal in LAST {
        let _ = flag::register_conditional_shutdown(signal, TEMPFAIL.into(), &ENDS);
    }
    // Once that signal is caught, such a write is an error like others.
    let _ = flag::register(SIGXFSZ, &WENT_BEYOND);
    // None can fail in a way that the mail should wait for: an old kernel has no such switch.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// A program that was lent rights it was not started with would read and write with them on behalf of
/// whoever set its environment.
fn unprivileged() -> Result<()> {
    let lent = getuid() != geteuid() || getgid() != getegid() || secure_execution();
    ensure!(
        !lent,
        "runs with rights that were lent to it, or may not read itself; install it with mode 0755 and no capabilities"
    );
    Ok(())
}

/// AT_SECURE of the auxiliary vector (getauxval(3)): the kernel's word for lent rights of any kind, file
/// capabilities included. Of such a process the file belongs to root, so "may not read" means yes.
fn secure_execution() -> bool {
    const AT_SECURE: usize = 23;
    match std::fs::read("/proc/self/auxv") {
        Ok(vector) => {
            let (words, _) = vector.as_chunks().0.as_chunks::<2>();
            words.iter().any(|[key, value]| {
                usize::from_ne_bytes(*key) == AT_SECURE && usize::from_ne_bytes(*value) != 0
            })
        }
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

fn fail(program: &str, error: &Error) -> ExitCode {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        say(&refusal.0);
        return ExitCode::from(77);
    }
    if let Some(unavailable) = error.downcast_ref::<Unavailable>() {
        say(&unavailable.0);
        return ExitCode::from(69);
    }
    say(&format!("{program}: {}", line_of(error)));
    ExitCode::from(error.downcast_ref::<Sysexit>().map_or(TEMPFAIL, |sysexit| sysexit.0))
}

/// The causes of an error as one line: the thing first, the system's words last, without Rust's
/// `(os error 28)`.
pub fn line_of(error: &Error) -> String {
    let causes: Vec<String> = error.chain().map(|cause| plain_words(&cause.to_string())).collect();
    let mut line = escape::harmless(causes.join(": ").as_bytes());
    if line.len() > LINE {
        line.truncate(line.floor_char_boundary(LINE));
    }
    line
}

fn plain_words(cause: &str) -> String {
    match cause.rfind(" (os error ") {
        // The system's words begin with a capital that does not fit the middle of a line.
        Some(end) => cause[..1].to_lowercase() + &cause[1..end],
        None => cause.to_owned(),
    }
}

/// Writes one line to standard error. That nobody listens is no failure: `eprintln!` would panic when
/// the host has closed the pipe, as Postfix does after 4,096 octets.
pub fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn an_error_is_one_line_with_the_systems_words_last() {
        let full: Result<()> = Err(std::io::Error::from_raw_os_error(28).into());
        let error = full.context("tmp").unwrap_err();
        assert_eq!(line_of(&error), "tmp: no space left on device");
    }

    /// Runs a test of this module again, in a process of its own that it may end.
    fn in_a_child(name: &str) -> std::process::Output {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let name = format!("exit::tests::{name}");
        child.args(["--exact", &name, "--nocapture"]).env(CHILD, "1").output().unwrap()
    }

    const CHILD: &str = "SELFSEAL_TEST_ENDS";

    #[test]
    fn a_panic_is_one_line_without_its_payload_and_status_75() {
        if std::env::var_os(CHILD).is_some() {
            guard("deliver");
            panic!("the message");
        }
        let output = in_a_child("a_panic_is_one_line_without_its_payload_and_status_75");
        assert_eq!(output.status.code(), Some(75));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("deliver: internal fault at src/exit.rs line "), "{said}");
        assert!(said.ends_with("; the mail is kept\n") && said.lines().count() == 1, "{said}");
    }

    #[test]
    fn memory_that_runs_out_is_status_75() {
        if std::env::var_os(CHILD).is_some() {
            guard("deliver");
            std::hint::black_box(vec![1_u8; isize::MAX as usize]);
        }
        let output = in_a_child("memory_that_runs_out_is_status_75");
        assert_eq!(output.status.code(), Some(75), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("memory allocation of "), "{output:?}");
    }

    #[test]
    fn a_stack_that_runs_out_is_status_75() {
        #[allow(unconditional_recursion, reason = "what else makes it run out")]
        fn descend(depth: u64) -> u64 {
            descend(std::hint::black_box(depth) + 1) + 1
        }
        if std::env::var_os(CHILD).is_some() {
            guard("deliver");
            std::hint::black_box(descend(0));
        }
        let output = in_a_child("a_stack_that_runs_out_is_status_75");
        assert_eq!(output.status.code(), Some(75), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("overflowed its stack"), "{output:?}");
    }

    #[test]
    fn a_page_that_cannot_be_had_is_status_75() {
        if std::env::var_os(CHILD).is_some() {
            guard("deliver");
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::BUS).unwrap();
            // Whichever thread it comes to.
            loop {
                std::thread::park();
            }
        }
        let output = in_a_child("a_page_that_cannot_be_had_is_status_75");
        assert_eq!(output.status.code(), Some(75), "{output:?}");
    }

    #[test]
    fn a_file_beyond_the_hosts_limit_is_an_error() {
        if std::env::var_os(CHILD).is_some() {
            guard("deliver");
            setrlimit(Resource::Fsize, Rlimit { current: Some(1), maximum: Some(1) }).unwrap();
            let written = tempfile::tempfile().unwrap().write_all(b"a message");
            std::process::exit(written.unwrap_err().raw_os_error().unwrap());
        }
        let output = in_a_child("a_file_beyond_the_hosts_limit_is_an_error");
        assert_eq!(output.status.code(), Some(rustix::io::Errno::FBIG.raw_os_error()), "{output:?}");
    }

    #[test]
    fn foreign_bytes_in_an_error_cannot_forge_a_line() {
        let error = anyhow::anyhow!("a\nDec 1 mx sshd: \u{1b}[2J");
        assert_eq!(line_of(&error), "a\\x0aDec 1 mx sshd: \\x1b[2J");
    }
}
