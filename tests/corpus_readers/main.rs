//! notmuch over real mail: what it shows of each message of the corpus, sealed and unsealed.
//!
//! The corpus is no part of the project: it lies beside the checkout, in `../shared/corpus`, or where
//! `SELFSEAL_CORPUS` says. Each message has a database of its own, because notmuch joins messages of
//! one Message-ID, and a crash on one must not hide the others.
#[allow(dead_code, reason = "the readers' tests use the rest")]
#[path = "../readers/database.rs"]
mod database;
#[allow(dead_code, reason = "the readers' tests use the rest")]
#[path = "../readers/gnupg.rs"]
mod gnupg;
#[path = "../readers/programs.rs"]
mod programs;
#[path = "../world/mod.rs"]
mod world;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use database::{Database, Shown, read};
use gnupg::Gnupg;
use world::World;

/// A database is synced to the disk as it is made: most of the time is spent waiting for that.
const WORKERS: usize = 8;

/// What is not as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    Subject,
    From,
    Parts,
    /// Unsealed it is a message, sealed it is passed over.
    NoLongerMail,
    /// notmuch ends with a signal, on one of the two only.
    Crash,
}

/// Why it is not.
#[derive(Clone, Copy, Debug)]
enum Reason {
    /// A line that is no field ends the header section; notmuch reads on behind it, and we do not.
    HeaderEndsEarly,
    /// A text follows the fields without an empty line: unsealed notmuch drops it, sealed it shows it.
    TextBehindFields,
    /// notmuch shows the last of several Subjects; the payload states the first (RFC 5322, 3.6).
    RepeatedSubject,
    /// A run of blanks or a fold of blanks only: inside a payload notmuch makes them one.
    BlanksInSubject,
    /// notmuch shows the From that stands outside, and there are only ASCII characters.
    OctetsInFrom,
}

const KNOWN: [(&str, Difference, Reason); 16] = {
    use Difference::{From, Parts, Subject};
    use Reason::{BlanksInSubject, HeaderEndsEarly, OctetsInFrom, RepeatedSubject, TextBehindFields};
    [
        ("rspamd+rspamd/test_functional_messages_phish_sender4.eml", Subject, HeaderEndsEarly),
        ("rspamd+rspamd/test_functional_messages_phish_sender2.eml", Subject, HeaderEndsEarly),
        (
            "mikel+mail/spec_fixtures_emails_plain_emails_raw_email_incorrect_header.eml",
            Subject,
            HeaderEndsEarly,
        ),
        ("mikel+mail/spec_fixtures_emails_rfc2822_example13.eml", Subject, HeaderEndsEarly),
        (
            "notmuch+notmuch/test_emacs-reply.expected-output_notmuch-reply-duplicate-4",
            Parts,
            TextBehindFields,
        ),
        ("mozilla+releases-comm-central/mailnews_test_data_bugmail1", Subject, RepeatedSubject),
        (
            "mozilla+releases-comm-central/mail_test_browser_openpgp_data_eml_signed-mismatch-email-date.eml",
            Subject,
            RepeatedSubject,
        ),
        (
            "mozilla+releases-comm-central/mail_test_browser_message-window_data_evil.eml",
            Subject,
            RepeatedSubject,
        ),
        (
            "mikel+mail/spec_fixtures_emails_mime_emails_raw_email_with_multipart_mixed_quoted_boundary.eml",
            Subject,
            RepeatedSubject,
        ),
        (
            "mikel+mail/spec_fixtures_emails_mime_emails_raw_email_with_binary_encoded.eml",
            Subject,
            RepeatedSubject,
        ),
        ("apache+spamassassin/t_data_dkim_test-pass-08.msg", Subject, RepeatedSubject),
        ("mikel+mail/spec_fixtures_emails_rfc2822_example14.eml", Subject, BlanksInSubject),
        ("apache+james-mime4j/core_src_test_resources_testmsgs_obsolete.msg", Subject, BlanksInSubject),
        ("apache+james-mime4j/core_src_test_resources_testmsgs_obsolete.out", Subject, BlanksInSubject),
        ("mikel+mail/spec_fixtures_emails_rfc6532_utf8_headers.eml", From, OctetsInFrom),
        ("mikel+mail/spec_fixtures_emails_error_emails_must_supply_encoding.eml", From, OctetsInFrom),
    ]
};

/// What notmuch makes of one file.
enum View {
    Message(Shown),
    NoMail,
    Crash,
}

fn view(gnupg: &Gnupg, message: &[u8]) -> View {
    let world = World::new();
    world.write("mail/new/1", message);
    let outcome = Database::index(&world, gnupg).show("*");
    if outcome.0.status.code().is_none() {
        return View::Crash;
    }
    read(outcome.stdout()).map_or(View::NoMail, View::Message)
}

fn difference(unsealed: &View, sealed: &View) -> Option<Difference> {
    match (unsealed, sealed) {
        (View::Message(before), View::Message(after)) => {
            let facts = [
                (before.subject == after.subject, Difference::Subject),
                (before.from == after.from, Difference::From),
                (before.parts == after.parts, Difference::Parts),
            ];
            facts.into_iter().find_map(|(is_same, difference)| (!is_same).then_some(difference))
        }
        // A file that notmuch passes over unsealed shows nothing that sealing could lose.
        (View::NoMail, _) | (View::Crash, View::Crash) => None,
        (View::Crash, _) | (View::Message(_), View::Crash) => Some(Difference::Crash),
        (View::Message(_), View::NoMail) => Some(Difference::NoLongerMail),
    }
}

/// The paths of all messages, from the index.
fn corpus() -> (PathBuf, Vec<String>) {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let corpus = std::env::var_os("SELFSEAL_CORPUS").map_or(beside, PathBuf::from);
    let index = fs::read(corpus.join("INDEX.tsv"));
    let index = index.unwrap_or_else(|error| panic!("{}: {error}; set SELFSEAL_CORPUS", corpus.display()));
    let index = String::from_utf8_lossy(&index).into_owned();
    let path = |row: &str| row.split('\t').next().map(str::to_owned);
    (corpus, index.lines().skip(1).filter_map(path).collect())
}

#[test]
fn notmuch_shows_the_whole_corpus_as_it_does_unsealed() {
    let (corpus, paths) = corpus();
    let keys = World::new();
    let gnupg = Gnupg::with_keys(&keys);
    let sealer = World::with_alice();
    let sealed_count = Mutex::new(0);
    let found = Mutex::new(BTreeMap::new());
    let compare = |path: &String| {
        let message = fs::read(corpus.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let sealed = sealer.program("encrypt-to-self").input(&message).run().succeeds();
        if sealed == message {
            return;
        }
        *sealed_count.lock().unwrap() += 1;
        if let Some(difference) = difference(&view(&gnupg, &message), &view(&gnupg, &sealed)) {
            found.lock().unwrap().insert(path.clone(), difference);
        }
    };
    std::thread::scope(|scope| {
        for paths in paths.chunks(paths.len().div_ceil(WORKERS)) {
            scope.spawn(|| paths.iter().for_each(&compare));
        }
    });
    let known = KNOWN.map(|(path, difference, _)| (format!("mail/{path}"), difference));
    assert_eq!(found.into_inner().unwrap(), BTreeMap::from(known));
    // Most of the corpus is readable. What is encrypted passes as it is: nothing to compare.
    assert!(*sealed_count.lock().unwrap() > 1000);
}
