//! Random Maildirs, rules and clocks against a model that knows nothing of the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::mailbox::Flags;
use crate::purge::condition::Condition;
use crate::purge::rules::{Fate, Rules};

const DAY: i64 = 86_400;

/// A message as the model knows it.
#[derive(Clone, Debug)]
struct Letter {
    part: &'static str,
    letters: String,
    arrived: i64,
    dated: Option<i64>,
    named: i64,
    size: usize,
    is_from_a_list: bool,
}

impl Letter {
    fn text(&self, now: i64) -> Vec<u8> {
        let date = self.dated.map(|second| {
            format!("Date: {}\n", mail_parser::DateTime::from_timestamp(now + second).to_rfc822())
        });
        let list = if self.is_from_a_list { "List-Id: <rust.example.org>\n" } else { "" };
        let mut text = format!("{list}{}Subject: s\n\n", date.unwrap_or_default()).into_bytes();
        text.resize(text.len().max(self.size), b'x');
        text
    }
}

fn letter() -> impl Strategy<Value = Letter> {
    let now = -5_000..5_000_i64;
    (
        any::<bool>(),
        proptest::sample::subsequence(vec!['D', 'F', 'R', 'S', 'T'], 0..5),
        0..60_i64,
        proptest::option::of(-5..60_i64),
        0..60_i64,
        100..400_usize,
        any::<bool>(),
        now,
    )
        .prop_map(|(is_new, letters, arrived, dated, named, size, is_from_a_list, jitter)| Letter {
            part: if is_new { "new" } else { "cur" },
            letters: letters.into_iter().collect(),
            arrived: -arrived * DAY + jitter,
            dated: dated.map(|days| -days * DAY + jitter),
            named: -named * DAY + jitter,
            size,
            is_from_a_list,
        })
}

fn rules() -> impl Strategy<Value = Rules> {
    let fate = || prop_oneof![Just(Fate::Spared), Just(Fate::Judged)];
    let flags = prop_oneof![3 => Just(Flags::NONE), 1 => Just(Flags::SEEN), 1 => Just(Flags::TRASHED)];
    (
        proptest::option::of(1..50_u32),
        proptest::option::of(1..12_u64),
        proptest::option::of(100..2_000_u64),
        fate(),
        fate(),
        fate(),
        flags,
    )
        .prop_map(|(days, keep, keep_size, unread, flagged, drafts, only)| Rules {
            older_than: days.map(|days| format!("{days}d").parse().unwrap()),
            keep,
            keep_size,
            unread,
            flagged,
            drafts,
            only,
            only_without: Flags::NONE,
        })
}

/// A Maildir on disk, and what the model knows of each path in it.
fn made(letters: &[Letter], now: i64) -> (TempDir, BTreeMap<PathBuf, Letter>) {
    let place = TempDir::new().unwrap();
    for part in ["cur", "new", "tmp"] {
        fs::create_dir(place.path().join(part)).unwrap();
    }
    let mut known = BTreeMap::new();
    for (number, letter) in letters.iter().enumerate() {
        let info = if letter.part == "cur" { format!(":2,{}", letter.letters) } else { String::new() };
        let path = Path::new(letter.part).join(format!("{}.M{number}.host{info}", now + letter.named));
        write(&place.path().join(&path), &letter.text(now), now + letter.arrived);
        known.insert(path, letter.clone());
    }
    (place, known)
}

fn write(path: &Path, text: &[u8], second: i64) {
    fs::write(path, text).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second as u64);
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

fn files(place: &Path) -> BTreeSet<PathBuf> {
    let part = |part: &str| fs::read_dir(place.join(part)).unwrap().map(|entry| entry.unwrap().path());
    ["cur", "new"]
        .iter()
        .flat_map(|name| part(name))
        .map(|path| path.strip_prefix(place).unwrap().into())
        .collect()
}

fn open(place: &Path) -> Maildir {
    Maildir::inside(Directory::open(place).unwrap().unwrap())
        .unwrap()
        .unwrap_or_else(|_| panic!("no Maildir"))
}

/// Remembers what it was told.
#[derive(Default)]
struct Notes {
    seen: Vec<PathBuf>,
    gone: usize,
    is_deaf: bool,
}

impl Witness for Notes {
    fn is_told_of_each(&self) -> bool {
        !self.is_deaf
    }
    fn sees(&mut self, going: &Going) -> Result<()> {
        self.seen.push(going.path.clone());
        Ok(())
    }
    fn gone(&mut self) -> Result<()> {
        self.gone += 1;
        Ok(())
    }
    fn stayed(&mut self) {}
    fn judged(&mut self, _: u64) {}
}

fn task<'a>(rules: &'a Rules, now: i64) -> Task<'a> {
    Task {
        rules,
        by: By::Arrival,
        conditions: &[],
        now,
        is_dry: false,
        move_to: None,
        clean_tmp: true,
        tells_sizes: false,
        end: None,
    }
}

/// What stays, by a reading of the manual that shares nothing with the code: one rule after the other over all.
fn stays(known: &BTreeMap<PathBuf, Letter>, task: &Task, is_listed: bool) -> BTreeSet<PathBuf> {
    let rules = task.rules;
    let time = |letter: &Letter| match task.by {
        By::Arrival => Some(letter.arrived),
        By::Date => letter.dated,
        By::Name => Some(letter.named),
    };
    let time = |letter: &Letter| time(letter).filter(|second| *second <= 0);
    let has = |letter: &Letter, flag: char| letter.part == "cur" && letter.letters.contains(flag);
    let is_about = |letter: &Letter| {
        (!is_listed || letter.is_from_a_list)
            && (rules.only != Flags::SEEN || has(letter, 'S'))
            && (rules.only != Flags::TRASHED || has(letter, 'T'))
    };
    let mut newest: Vec<(&PathBuf, &Letter, i64)> = known
        .iter()
        .filter(|(_, letter)| is_about(letter))
        .filter_map(|(path, letter)| Some((path, letter, time(letter)?)))
        .collect();
    newest.sort_by_key(|(_, _, time)| -*time);
    let mut octets = 0;
    let mut gone = BTreeSet::new();
    for (place, (path, letter, time)) in newest.into_iter().enumerate() {
        octets += letter.text(task.now).len() as u64;
        let limit = rules.older_than.map(|age| age.before(task.now) - task.now);
        let goes = limit.is_some_and(|limit| time < limit)
            || rules.keep.is_some_and(|keep| place as u64 >= keep)
            || rules.keep_size.is_some_and(|keep| octets > keep);
        let spared = rules.flagged == Fate::Spared && has(letter, 'F')
            || rules.drafts == Fate::Spared && has(letter, 'D')
            || rules.unread == Fate::Spared && !has(letter, 'S');
        if goes && !spared {
            gone.insert(path.clone());
        }
    }
    known.keys().filter(|path| !gone.contains(*path)).cloned().collect()
}

/// Two messages of one time may change places.
fn all_times_differ(letters: &[Letter], by: By) -> bool {
    let times: BTreeSet<Option<i64>> = letters
        .iter()
        .map(|letter| match by {
            By::Arrival => Some(letter.arrived),
            By::Date => letter.dated,
            By::Name => Some(letter.named),
        })
        .collect();
    times.len() == letters.len()
}

proptest! {
    #[test]
    fn what_stays_is_what_the_model_says(
        letters in proptest::collection::vec(letter(), 0..25),
        rules in rules(),
        by in prop_oneof![Just(By::Arrival), Just(By::Date), Just(By::Name)],
        is_listed: bool,
        is_dry: bool,
        is_deaf: bool,
        // Also in the year 2100, and in 1970.
        now in prop_oneof![Just(1_795_608_000_i64), Just(4_107_542_400), Just(80 * DAY)],
    ) {
        prop_assume!(!rules.rank() || all_times_differ(&letters, by));
        let (place, known) = made(&letters, now);
        let condition = [Condition::parse("List-Id:*rust*").unwrap()];
        let conditions = if is_listed { &condition[..] } else { &[] };
        let task = Task { by, conditions, is_dry, ..task(&rules, now) };
        let expected = stays(&known, &task, is_listed);
        let mut notes = Notes { is_deaf, ..Notes::default() };
        let outcome = purge(&open(place.path()), &task, &mut notes).unwrap();
        let gone = known.len() - expected.len();
        prop_assert_eq!(outcome.gone as usize, gone);
        let told = if is_deaf && !is_dry { 0 } else { gone };
        prop_assert_eq!(notes.gone, told);
        prop_assert_eq!(notes.seen.len(), told);
        prop_assert_eq!(outcome.messages as usize, known.len());
        let all = known.keys().cloned().collect();
        prop_assert_eq!(files(place.path()), if is_dry { all } else { expected });
    }
}

fn older_than(age: &str) -> Rules {
    Rules { older_than: Some(age.parse().unwrap()), unread: Fate::Judged, ..Rules::default() }
}

const NOW: i64 = 1_795_608_000;

fn old(part: &'static str, letters: &str) -> Letter {
    Letter {
        part,
        letters: letters.to_owned(),
        arrived: -100 * DAY,
        dated: None,
        named: -100 * DAY,
        size: 0,
        is_from_a_list: false,
    }
}

/// Renames under the hands of the purge, as a reader does.
struct Meddler<'a> {
    place: &'a Path,
    /// What becomes of each message when it is about to go.
    rename: fn(&str) -> String,
    times: usize,
}

impl Witness for Meddler<'_> {
    fn sees(&mut self, going: &Going) -> Result<()> {
        if self.times > 0 {
            self.times -= 1;
            let name = going.path.file_name().unwrap().to_str().unwrap();
            fs::rename(&going.path, self.place.join((self.rename)(name))).unwrap();
        }
        Ok(())
    }
    fn gone(&mut self) -> Result<()> {
        Ok(())
    }
    fn stayed(&mut self) {}
    fn judged(&mut self, _: u64) {}
}

#[test]
fn a_message_that_has_become_flagged_stays() {
    let (place, _) = made(&[old("cur", "S"), old("new", "")], NOW);
    let rules = older_than("90d");
    let flags = |name: &str| format!("cur/{}:2,FS", name.split(':').next().unwrap());
    let mut meddler = Meddler { place: place.path(), rename: flags, times: 2 };
    let outcome = purge(&open(place.path()), &task(&rules, NOW), &mut meddler).unwrap();
    assert_eq!(outcome.gone, 0);
    let left = files(place.path());
    assert!(left.len() == 2 && left.iter().all(|path| path.to_str().unwrap().ends_with(":2,FS")), "{left:?}");
}

#[test]
fn a_message_that_has_another_name_now_is_found_by_what_stays_of_it() {
    let (place, _) = made(&[old("cur", ""), old("new", "")], NOW);
    let rules = older_than("90d");
    // Twelve times: each message gets away six times.
    let renamed = |name: &str| {
        let (base, letters) = name.split_once(":2,").unwrap_or((name, ""));
        format!("cur/{base}:2,{}", if letters.contains('S') { "R" } else { "S" })
    };
    let mut meddler = Meddler { place: place.path(), rename: renamed, times: 12 };
    let outcome = purge(&open(place.path()), &task(&rules, NOW), &mut meddler).unwrap();
    assert_eq!((outcome.gone, files(place.path()).len()), (2, 0));
}

#[test]
fn a_message_that_is_listed_under_two_names_takes_one_place_among_the_newest() {
    let (place, _) = made(&[], NOW);
    for name in ["new/3.a", "cur/2.b:2,S", "cur/1.c:2,S"] {
        write(&place.path().join(name), b"Subject: s\n\n", NOW);
    }
    let rules = Rules { keep: Some(2), unread: Fate::Judged, ..Rules::default() };
    let task = Task { by: By::Name, ..task(&rules, NOW) };
    let (maildir, mut list) = (open(place.path()), List::default());
    maildir.each_message(Part::New, |message| list.take(&message, &task)).unwrap();
    fs::rename(place.path().join("new/3.a"), place.path().join("cur/3.a:2,S")).unwrap();
    maildir.each_message(Part::Cur, |message| list.take(&message, &task)).unwrap();
    assert_eq!(list.files.len(), 4);
    list.look(&maildir, &task, &mut Notes::default()).unwrap();
    remove(&maildir, &task, &list, &mut Notes::default(), &mut Outcome::default()).unwrap();
    let left = ["cur/2.b:2,S", "cur/3.a:2,S"].map(PathBuf::from);
    assert_eq!(files(place.path()), BTreeSet::from(left));
}

#[test]
fn one_that_went_away_by_itself_is_no_failure() {
    let (place, known) = made(&[old("cur", "S"), old("cur", "S")], NOW);
    struct Remover<'a>(&'a Path);
    impl Witness for Remover<'_> {
        fn sees(&mut self, going: &Going) -> Result<()> {
            fs::remove_file(&going.path).unwrap();
            assert!((going.header)()?.is_none(), "{}", self.0.display());
            Ok(())
        }
        fn gone(&mut self) -> Result<()> {
            panic!("it was not this one's doing");
        }
        fn stayed(&mut self) {}
        fn judged(&mut self, _: u64) {}
    }
    let rules = older_than("90d");
    let outcome = purge(&open(place.path()), &task(&rules, NOW), &mut Remover(place.path())).unwrap();
    assert_eq!((outcome.gone, known.len()), (0, 2));
}

/// As where two copies of a mailbox were put together.
#[test]
fn another_message_with_the_same_identity_is_not_taken_for_one_that_went_away() {
    let (place, _) = made(&[], NOW);
    let at = |name: &str| place.path().join("cur").join(name);
    write(&at("1.a:2,RS"), b"Subject: old\n\n", NOW - 100 * DAY);
    write(&at("1.a:2,S"), b"Subject: young\n\n", NOW);
    let rules = older_than("90d");
    // The old one goes away by itself, out of the mailbox.
    let mut meddler = Meddler { place: place.path(), rename: |_| "elsewhere".to_owned(), times: 1 };
    let outcome = purge(&open(place.path()), &task(&rules, NOW), &mut meddler).unwrap();
    assert_eq!(outcome.gone, 0);
    assert_eq!(fs::read(at("1.a:2,S")).unwrap(), b"Subject: young\n\n");
}

#[test]
fn a_witness_who_fails_stops_it_before_the_message_goes() {
    let (place, _) = made(&[old("cur", "S"), old("cur", "S")], NOW);
    struct Deaf;
    impl Witness for Deaf {
        fn sees(&mut self, _: &Going) -> Result<()> {
            anyhow::bail!("deaf")
        }
        fn gone(&mut self) -> Result<()> {
            Ok(())
        }
        fn stayed(&mut self) {}
        fn judged(&mut self, _: u64) {}
    }
    assert!(purge(&open(place.path()), &task(&older_than("90d"), NOW), &mut Deaf).is_err());
    assert_eq!(files(place.path()).len(), 2);
}

#[test]
fn undated_are_only_those_that_the_rules_are_about() {
    let undated = |is_from_a_list| Letter { is_from_a_list, ..old("cur", "S") };
    let (place, _) = made(&[undated(true), undated(false), undated(false)], NOW);
    let (rules, condition) = (older_than("90d"), [Condition::parse("List-Id:*").unwrap()]);
    let task = Task { by: By::Date, conditions: &condition, ..task(&rules, NOW) };
    let outcome = purge(&open(place.path()), &task, &mut Notes::default()).unwrap();
    assert_eq!((outcome.messages, outcome.gone, outcome.undated), (3, 0, 1));
}

#[test]
fn what_arrives_in_the_future_stays_and_takes_no_place_among_the_newest() {
    let letters = [3, 2, 1, -1, -2].map(|days| Letter { arrived: days * DAY, ..old("cur", "S") });
    let (place, known) = made(&letters, NOW);
    let rules = Rules { keep: Some(1), unread: Fate::Judged, ..Rules::default() };
    let outcome = purge(&open(place.path()), &task(&rules, NOW), &mut Notes::default()).unwrap();
    assert_eq!((outcome.gone, outcome.undated), (1, 3));
    let stays = known.iter().filter(|(_, letter)| letter.arrived > -2 * DAY).map(|(path, _)| path.clone());
    assert_eq!(files(place.path()), stays.collect());
}

#[test]
fn only_what_nobody_touched_for_36_hours_goes_from_tmp() {
    let (place, _) = made(&[], NOW);
    let now = crate::clock::now();
    fs::write(place.path().join("tmp/young"), "x").unwrap();
    write(&place.path().join("tmp/young-inode"), b"x", now - 40 * 3600);
    fs::create_dir(place.path().join("tmp/directory")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", place.path().join("tmp/link")).unwrap();
    let rules = older_than("90d");
    // The time at which a file was changed cannot be set back, so the clock goes forth.
    for (hours, stale, left) in [(0, 0, 4), (35, 0, 4), (37, 2, 2)] {
        let task = Task { now: now + hours * 3600, ..task(&rules, now) };
        let outcome = purge(&open(place.path()), &task, &mut Notes::default()).unwrap();
        assert_eq!(outcome.stale, stale, "after {hours} hours");
        assert_eq!(fs::read_dir(place.path().join("tmp")).unwrap().count(), left);
    }
}

#[test]
fn when_the_time_is_over_nothing_more_goes() {
    let letters: Vec<Letter> = (0..10).map(|_| old("cur", "S")).collect();
    let (place, _) = made(&letters, NOW);
    let rules = older_than("90d");
    let task = Task { end: Some(Instant::now()), ..task(&rules, NOW) };
    let outcome = purge(&open(place.path()), &task, &mut Notes::default()).unwrap();
    assert!(outcome.is_cut_short && outcome.gone == 0);
    assert_eq!(files(place.path()).len(), 10);
}

#[test]
fn threads_remove_what_one_would_remove_and_say_what_failed() {
    let letters: Vec<Letter> = (0..3_000)
        .map(|number| Letter { arrived: if number % 3 == 0 { 0 } else { -100 * DAY }, ..old("cur", "S") })
        .collect();
    let (place, known) = made(&letters, NOW);
    // A directory under the name of a message is none, and one that comes meanwhile cannot be unlinked.
    let (first, _) = known.iter().find(|(_, letter)| letter.arrived < 0).unwrap();
    let rules = older_than("90d");
    let mut swapper = Swapper { at: place.path().join(first), is_done: false };
    let failed = purge(&open(place.path()), &task(&rules, NOW), &mut swapper).unwrap_err();
    assert!(format!("{failed:#}").starts_with(&place.path().join(first).display().to_string()), "{failed:#}");
    fs::remove_dir(place.path().join(first)).unwrap();

    let mut notes = Notes { is_deaf: true, ..Notes::default() };
    purge(&open(place.path()), &task(&rules, NOW), &mut notes).unwrap();
    let young = known.iter().filter(|(_, letter)| letter.arrived == 0).map(|(path, _)| path.clone());
    assert_eq!(files(place.path()), young.collect());
}

/// Puts a directory in the place of a message once all were judged.
struct Swapper {
    at: PathBuf,
    is_done: bool,
}

impl Witness for Swapper {
    fn is_told_of_each(&self) -> bool {
        false
    }
    fn sees(&mut self, _: &Going) -> Result<()> {
        panic!("nobody asked")
    }
    fn gone(&mut self) -> Result<()> {
        Ok(())
    }
    fn stayed(&mut self) {}
    fn judged(&mut self, _: u64) {
        if !self.is_done {
            fs::remove_file(&self.at).unwrap();
            fs::create_dir(&self.at).unwrap();
            self.is_done = true;
        }
    }
}
