//! The crontab line and the systemd units of `contrib/purge-old`, as they stand there.

use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::world::World;

const DAY: u64 = 86_400;

fn contrib(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/purge-old").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A user with one message of three years and one of one year in the inbox and in a folder each.
fn user() -> World {
    let world = World::unprivileged();
    for folder in ["Maildir", "Maildir/.Lists"] {
        for (part, name, days) in [
            ("cur", "1.old:2,S", 3 * 365),
            ("cur", "2.flagged:2,FS", 3 * 365),
            ("cur", "3.young:2,S", 365),
            ("new", "4.old", 3 * 365),
            ("tmp", "5.arriving", 0),
        ] {
            let path = world.write(&format!("{folder}/{part}/{name}"), b"Subject: a\n\nb\n");
            let time = SystemTime::now() - Duration::from_secs(days * DAY);
            let file = File::options().write(true).open(path).expect("a message");
            file.set_times(FileTimes::new().set_modified(time)).expect("its time");
        }
    }
    world
}

/// What is left in both folders.
fn left(world: &World) -> Vec<String> {
    let maildir = world.path("Maildir");
    let name = |path: &Path| path.strip_prefix(&maildir).expect("below").display().to_string();
    world.files("Maildir").iter().map(|(path, _)| name(path)).collect()
}

const KEPT: [&str; 6] = [
    ".Lists/cur/2.flagged:2,FS",
    ".Lists/cur/3.young:2,S",
    ".Lists/tmp/5.arriving",
    "cur/2.flagged:2,FS",
    "cur/3.young:2,S",
    "tmp/5.arriving",
];

#[test]
fn the_cron_line_removes_what_is_old_and_says_nothing() {
    let world = user();
    let crontab = contrib("crontab");
    let lines: Vec<&str> = crontab.lines().filter(|line| !line.starts_with('#')).collect();
    let [line] = lines[..] else { panic!("one line: {lines:?}") };
    let fields: Vec<&str> = line.splitn(6, ' ').collect();
    let [minute, hour, "*", "*", "*", command] = fields[..] else { panic!("{fields:?}") };
    assert!(minute.parse::<u8>().is_ok_and(|minute| minute < 60), "{minute}");
    assert!(hour.parse::<u8>().is_ok_and(|hour| hour < 24), "{hour}");
    // In a crontab it would end the command (crontab(5)).
    assert!(!command.contains('%'), "{command}");
    let program = world.where_is("purge-old");
    let command = command.replace("/usr/bin/purge-old", &program.display().to_string());
    assert!(command.contains(&*program.to_string_lossy()), "{command}");
    let said = world.command("/bin/sh").args(["-c", &command]).run().succeeds();
    assert_eq!(String::from_utf8_lossy(&said), "");
    assert_eq!(left(&world), KEPT);
}

/// The one value of `key` in the service.
fn of_service(key: &str) -> String {
    let service = contrib("purge-old.service");
    let values: Vec<&str> =
        service.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect();
    let [value] = values[..] else { panic!("{key}: {values:?}") };
    value.to_owned()
}

/// A command that runs what follows with root's rights cut down as systemd does it.
fn with_capabilities(capabilities: &str) -> Command {
    if !rustix::process::geteuid().is_root() {
        // Then the mailbox is the tester's own, and no rights are needed.
        return Command::new("/usr/bin/env");
    }
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(["--no-new-privs", "--inh-caps=-all", &format!("--bounding-set=-all,{capabilities}")]);
    command
}

#[test]
fn the_services_command_removes_what_is_old_as_the_owner_and_says_nothing() {
    let world = user();
    let command = of_service("ExecStart");
    // The real users of this machine shall keep their mail.
    let (words, name) = command.split_once(" --users ").expect("for all users");
    assert_eq!(name, "Maildir");
    let program = world.where_is("purge-old");
    let mut words = words.split(' ');
    assert_eq!(words.next(), Some("/usr/bin/purge-old"));
    let capabilities = of_service("CapabilityBoundingSet").to_lowercase().replace("cap_", "+");
    let output = with_capabilities(&capabilities.replace(' ', ","))
        .arg(program)
        .args(words)
        .arg(world.path(name))
        .env_clear()
        .current_dir("/")
        .output()
        .expect("purge-old");
    let said = [output.stdout, output.stderr].concat();
    assert_eq!((output.status.code(), &*String::from_utf8_lossy(&said)), (Some(0), ""));
    assert_eq!(left(&world), KEPT);
}

#[test]
fn the_service_gives_way_and_may_do_no_more_than_it_has_to() {
    assert_eq!(of_service("IOSchedulingClass"), "idle");
    assert_eq!(of_service("Nice"), "19");
    assert_eq!(of_service("ProtectSystem"), "strict");
    assert_eq!(of_service("NoNewPrivileges"), "yes");
    assert_eq!(of_service("SuccessExitStatus"), "75");
}
