use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::*;
use crate::mailbox::mbox::Doubt;
use crate::purge::rules::Fate;

/// 2026-11-25 12:00 UTC.
const NOW: i64 = 1_795_608_000;

const OLD: &str = "From a@example.org Mon Jan  5 12:00:00 2026\n";
const NEW: &str = "From b@example.org Tue Nov 24 12:00:00 2026\n";

fn rules() -> Rules {
    Rules { older_than: Some("90d".parse().unwrap()), unread: Fate::Judged, ..Rules::default() }
}

fn task(rules: &Rules) -> Task<'_> {
    let deadline = Deadline::after(Duration::from_secs(60));
    Task { rules, now: NOW, look: None, judged: &|_| (), is_dry: false, deadline }
}

/// A directory with an mbox in it, which nobody has touched for a year.
struct Place(tempfile::TempDir);

impl Place {
    fn with(text: impl AsRef<[u8]>) -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        fs::write(place.mbox(), text).unwrap();
        fs::set_permissions(place.mbox(), Permissions::from_mode(0o600)).unwrap();
        place.let_a_year_pass();
        place
    }

    fn mbox(&self) -> PathBuf {
        self.0.path().join("mbox")
    }

    fn let_a_year_pass(&self) {
        let then = SystemTime::now() - Duration::from_secs(365 * 86_400);
        let read = then - Duration::from_secs(3600);
        let times = FileTimes::new().set_modified(then).set_accessed(read);
        File::options().append(true).open(self.mbox()).unwrap().set_times(times).unwrap();
    }

    fn purge(&self, rules: &Rules) -> Result<Outcome> {
        purge(&self.mbox(), &task(rules), &mut |_| Ok(()))
    }

    #[track_caller]
    fn refuses(&self, words: &str) {
        let error = self.purge(&rules()).unwrap_err();
        assert!(format!("{error:#}").contains(words), "{error:#}");
    }

    fn text(&self) -> String {
        fs::read_to_string(self.mbox()).unwrap()
    }

    /// All names beside the mbox.
    fn others(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "mbox").collect()
    }
}

#[test]
fn old_messages_go_and_the_others_stay_as_they_are() {
    let old = format!("{OLD}Subject: old\n\nbody\n>From x\n\n");
    let new = format!("{NEW}Subject: new\n\nbody\n>From x\n\n");
    let flagged = format!("{OLD}Subject: flagged\nX-Status: F\n\nbody\n\n");
    let last = format!("{NEW}Subject: last\r\n\r\nno end");
    for (name, before, after) in [
        ("the first", vec![&old, &new], vec![&new]),
        ("the last", vec![&new, &old], vec![&new]),
        ("some", vec![&old, &new, &old, &flagged, &old, &old, &last], vec![&new, &flagged, &last]),
        ("all", vec![&old, &old], vec![]),
    ] {
        let join = |messages: Vec<&String>| messages.into_iter().map(String::as_str).collect::<String>();
        let count = (before.len(), after.len());
        let place = Place::with(join(before));
        let outcome = place.purge(&rules()).unwrap();
        assert_eq!(place.text(), join(after), "{name}");
        assert_eq!((outcome.messages, outcome.gone), (count.0 as u64, (count.0 - count.1) as u64));
        assert_eq!(place.others(), [""; 0], "{name}");
    }
}

#[test]
fn a_large_mbox_loses_what_goes_and_nothing_else() {
    let (mut text, mut kept) = (String::new(), String::new());
    for n in 0..400 {
        // Spans of all lengths: some go by way of the system, some by way of the process.
        let body = format!("{n}\n").repeat(if n % 50 < 4 { 200_000 } else { n * 7 });
        let is_old = n % 3 == 1 || n % 11 == 4;
        let message = format!("{}Subject: {n}\n\n{body}\n", if is_old { OLD } else { NEW });
        text += &message;
        if !is_old {
            kept += &message;
        }
    }
    let place = Place::with(&text);
    let outcome = place.purge(&rules()).unwrap();
    assert!(place.text() == kept);
    assert_eq!(outcome.octets, (text.len() - kept.len()) as u64);
    assert_eq!(
        place.purge(&rules()).unwrap(),
        Outcome { messages: outcome.messages - outcome.gone, ..Outcome::default() }
    );
}

#[test]
fn where_nothing_goes_the_file_is_not_touched() {
    for text in [String::new(), format!("{NEW}Subject: new\n\nbody\n\n"), format!("\n\n{NEW}A: b\n\n")] {
        let place = Place::with(&text);
        let before = fs::metadata(place.mbox()).unwrap();
        assert_eq!(place.purge(&rules()).unwrap().gone, 0);
        let after = fs::metadata(place.mbox()).unwrap();
        assert_eq!((before.ino(), before.modified().unwrap()), (after.ino(), after.modified().unwrap()));
        assert_eq!(
            (before.ctime_nsec(), before.accessed().unwrap()),
            (after.ctime_nsec(), after.accessed().unwrap())
        );
        assert_eq!(place.text(), text);
        assert_eq!(place.others(), [""; 0]);
    }
}

#[test]
fn a_dry_run_shows_what_would_go_and_touches_nothing() {
    let text = format!("{OLD}Subject: one\n\n>From x\n\n{NEW}Subject: two\n\n\n{OLD}Subject: three\n\n\n");
    let place = Place::with(&text);
    let before = fs::metadata(place.mbox()).unwrap();
    let mut seen = Vec::new();
    let rules = rules();
    let task = Task { is_dry: true, ..task(&rules) };
    let outcome = purge(&place.mbox(), &task, &mut |going| {
        seen.push((String::from_utf8(going.header()?)?, String::from_utf8(going.restored()?)?));
        Ok(())
    });
    assert_eq!(outcome.unwrap().gone, 2);
    let shown = [("Subject: one\n", "Subject: one\n\nFrom x\n"), ("Subject: three\n", "Subject: three\n\n")];
    assert_eq!(seen, shown.map(|(header, message)| (header.to_owned(), message.to_owned())));
    let after = fs::metadata(place.mbox()).unwrap();
    assert_eq!((before.ino(), before.accessed().unwrap()), (after.ino(), after.accessed().unwrap()));
    assert_eq!(place.text(), text);
}

#[test]
fn a_message_that_cannot_be_taken_elsewhere_keeps_all_where_they_are() {
    let text = format!("{OLD}Subject: one\n\n\n{OLD}Subject: two\n\n\n");
    let place = Place::with(&text);
    let rules = rules();
    let mut count = 0;
    let outcome = purge(&place.mbox(), &task(&rules), &mut |_| {
        count += 1;
        ensure!(count < 2, "no room");
        Ok(())
    });
    assert_eq!(outcome.unwrap_err().to_string(), "no room");
    assert_eq!((place.text(), place.others()), (text, vec![]));
}

#[test]
fn mode_group_attributes_and_times_are_kept() {
    let place = Place::with(format!("{OLD}A: b\n\n\n{NEW}A: b\n\n\n"));
    fs::set_permissions(place.mbox(), Permissions::from_mode(0o640)).unwrap();
    let file = File::open(place.mbox()).unwrap();
    rustix::fs::fsetxattr(&file, "user.note", b"keep", rustix::fs::XattrFlags::empty()).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(place.mbox(), None, Some(8)).unwrap();
    }
    place.let_a_year_pass();
    let before = fs::metadata(place.mbox()).unwrap();
    assert_eq!(place.purge(&rules()).unwrap().gone, 1);
    let after = fs::metadata(place.mbox()).unwrap();
    assert_ne!(before.ino(), after.ino());
    assert_eq!((before.mode(), before.uid(), before.gid()), (after.mode(), after.uid(), after.gid()));
    // That there is new mail is told by the one being later than the other.
    assert_eq!(
        (before.modified().unwrap(), before.accessed().unwrap()),
        (after.modified().unwrap(), after.accessed().unwrap())
    );
    let mut value = [0; 16];
    let file = File::open(place.mbox()).unwrap();
    let length = rustix::fs::fgetxattr(&file, "user.note", &mut value[..]).unwrap();
    assert_eq!(&value[..length], b"keep");
}

#[test]
fn what_servers_know_of_their_mailbox_stays_in_its_first_message() {
    let base = "X-IMAPbase: 1700000000 0000000003 $Label\n continued\n";
    let internal = format!(
        "{OLD}Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 3\nStatus: RO\n\ntext\n\n"
    );
    let old = format!("{OLD}A: b\nX-UID: 1\n\n\n");
    let new = format!("{NEW}A: b\nX-UID: 2\n\n\n");
    let first = format!("{OLD}A: b\n{base}X-UID: 1\n\n\n");
    let with_base = format!("{NEW}{base}A: b\nX-UID: 2\n\n\n");
    for (name, before, after) in [
        ("the first goes", [&first, &old, &new, &new], format!("{with_base}{new}")),
        ("a later one goes", [&new, &first, &old, &new], format!("{new}{new}")),
        ("a message of the server itself", [&internal, &old, &old, &new], format!("{internal}{new}")),
        ("nothing stays", [&first, &old, &old, &old], String::new()),
    ] {
        let place = Place::with(before.map(String::as_str).concat());
        place.purge(&rules()).unwrap();
        assert_eq!(place.text(), after, "{name}");
    }
}

#[test]
fn what_could_be_a_part_of_another_message_stays() {
    let doubtful = format!("{OLD}A: b\n\ntext\n{OLD}B: c\n\n\n");
    let old = format!("{OLD}A: b\n\n\n");
    let place = Place::with(format!("{old}{doubtful}{old}"));
    let outcome = place.purge(&rules()).unwrap();
    assert_eq!((outcome.messages, outcome.gone, outcome.doubtful), (3, 2, 1));
    assert_eq!(place.text(), doubtful);
    let contents = mbox::read(doubtful.as_bytes()).unwrap().unwrap();
    assert_eq!(contents.messages[0].doubt, Some(Doubt::FromLine));
}

#[test]
fn conditions_on_fields_and_their_times_decide() {
    let text = format!("{OLD}List-Id: x\n\n\n{OLD}A: b\n\n\n{OLD}Date: never\n\n\n{NEW}Date: old\n\n\n");
    let place = Place::with(&text);
    let rules = rules();
    let look = |header: &[u8]| match header {
        b"List-Id: x\n" => Seen::Matched,
        b"A: b\n" => Seen::Unmatched,
        b"Date: never\n" => Seen::MatchedAt(None),
        _ => Seen::MatchedAt(Some(0)),
    };
    let mut times = Vec::new();
    purge(&place.mbox(), &Task { look: Some(&look), ..task(&rules) }, &mut |going| {
        times.push(going.time);
        Ok(())
    })
    .unwrap();
    assert_eq!(place.text(), format!("{OLD}A: b\n\n\n{OLD}Date: never\n\n\n"));
    // 2026-01-05 12:00 in the westernmost zone.
    assert_eq!(times, [1_767_614_400 + 12 * 3600, 0]);
}

#[test]
fn what_arrives_in_the_future_stays_and_takes_no_place_among_the_newest() {
    // Now it is noon of 25 November; the second is of today where it was written.
    let [future, today, yesterday] = ["Fri Nov 27 00:00:01", "Thu Nov 26 00:30:00", "Tue Nov 24 12:00:00"]
        .map(|date| format!("From a@example.org {date} 2026\nA: b\n\n\n"));
    let place = Place::with(format!("{future}{yesterday}{today}{future}"));
    let rules = Rules { keep: Some(1), unread: Fate::Judged, ..Rules::default() };
    let outcome = place.purge(&rules).unwrap();
    assert_eq!((outcome.gone, outcome.undated), (1, 2));
    assert_eq!(place.text(), format!("{future}{today}{future}"));
}

#[test]
fn what_is_no_mbox_or_may_not_be_written_to_is_refused_and_left_alone() {
    let old = format!("{OLD}A: b\n\n\n");
    for text in ["x", "From here on\n", "\n"] {
        let place = Place::with(text);
        let error = place.purge(&rules()).unwrap_err();
        assert!(error.downcast_ref::<NoMailbox>().is_some(), "{error:#}");
        assert_eq!(place.text(), text);
    }
    let place = Place::with(&old);
    fs::set_permissions(place.mbox(), Permissions::from_mode(0o602)).unwrap();
    place.refuses("mbox: others may write to it");
    let place = Place::with(&old);
    fs::hard_link(place.mbox(), place.0.path().join("second")).unwrap();
    place.refuses("mbox: has a second name");
    assert_eq!(place.text(), old);
    let place = Place::with(&old);
    fs::rename(place.mbox(), place.0.path().join("target")).unwrap();
    symlink("target", place.mbox()).unwrap();
    place.refuses("mbox: is a symbolic link");
    assert_eq!(place.text(), old);
    fs::remove_file(place.mbox()).unwrap();
    place.refuses("mbox: No such file");
    rustix::fs::mkfifoat(rustix::fs::CWD, place.mbox(), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
        .unwrap();
    place.refuses("mbox: is no regular file");
}

#[test]
fn when_the_time_has_run_out_nothing_goes() {
    let text = format!("{OLD}A: b\n\n\n");
    let place = Place::with(&text);
    let rules = rules();
    let task = Task { deadline: Deadline::after(Duration::ZERO), ..task(&rules) };
    let error = purge(&place.mbox(), &task, &mut |_| Ok(())).unwrap_err();
    assert!(format!("{error:#}").ends_with("mbox: the time ran out"), "{error:#}");
    assert_eq!((place.text(), place.others()), (text, vec![]));
}

#[test]
fn what_was_added_to_the_old_file_comes_to_the_new_one() {
    let (new, late) = (format!("{NEW}A: b\n\n\n"), format!("{NEW}Subject: late\n\n\n"));
    for (name, added, after) in [
        ("nothing", String::new(), new.clone()),
        ("a message", late.clone(), format!("{new}{late}")),
        ("a message behind an empty line", format!("\n{late}"), format!("{new}{late}")),
        ("one without an end", late.trim_end().to_owned(), format!("{new}{}\n", late.trim_end())),
        ("line ends", "\n\n".to_owned(), new.clone()),
    ] {
        let place = Place::with(&new);
        // What a run leaves that is killed after the exchange.
        let old = place.0.path().join("old");
        fs::write(&old, format!("{OLD}A: b\n\n\n{new}{added}")).unwrap();
        let size = OLD.len() + 7 + new.len();
        let inode = fs::metadata(&old).unwrap().ino();
        fs::rename(&old, place.0.path().join(format!(".mbox.purge-old.{inode}-{size}"))).unwrap();
        assert_eq!(place.purge(&rules()).unwrap().gone, 0, "{name}");
        assert_eq!((place.text(), place.others()), (after, vec![]), "{name}");
    }
}

#[test]
fn an_unfinished_copy_goes_and_what_cannot_be_told_stays() {
    let text = format!("{NEW}A: b\n\n\n");
    let place = Place::with(&text);
    let inode = fs::metadata(place.mbox()).unwrap().ino();
    fs::write(place.0.path().join(format!(".mbox.purge-old.{inode}-9")), &text[..20]).unwrap();
    let copy = place.others();
    let (of_dry, mut none) = (rules(), |_: Going| Ok(()));
    let dry = Task { is_dry: true, ..task(&of_dry) };
    assert_eq!(purge(&place.mbox(), &dry, &mut none).unwrap().gone, 0);
    assert_eq!((copy.len(), place.others()), (1, copy), "a dry run sees to nothing");
    assert_eq!(place.purge(&rules()).unwrap().gone, 0);
    assert_eq!((place.text(), place.others()), (text.clone(), vec![]));
    for name in [".mbox.purge-old.1-9", ".mbox.purge-old.x-9", ".other.purge-old.1-9"] {
        fs::write(place.0.path().join(name), &text).unwrap();
    }
    place.refuses(".mbox.purge-old.1-9: is left from an earlier run");
    assert_eq!((place.text(), place.others().len()), (text, 3));
}
