//! Thunderbird, headless and without an account, with Alice's key in its own key ring.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::gnupg::Gnupg;
use crate::marionette::Marionette;
use crate::originals::{self, Original};
use crate::programs::require;
use crate::world::World;

/// The bar over a message with a signature somewhere inside.
const PARTLY_SIGNED: &str = "Some parts of this message may be digitally signed.";

/// A headless start takes some ten seconds, on a busy machine thirty.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether the profile holds Alice's secret key.
#[derive(Clone, Copy, PartialEq)]
enum Secret {
    Held,
    Missing,
}

/// A mailbox in Local Folders: its name and its messages.
type Mailbox<'a> = (&'a str, Vec<Vec<u8>>);

/// A running Thunderbird.
pub struct Thunderbird {
    marionette: Marionette,
    _process: Process,
}

impl Thunderbird {
    /// Starts on a profile of its own whose Local Folders have these mailboxes.
    fn start(world: &World, secret: Secret, mailboxes: &[Mailbox]) -> Self {
        let gnupg = Gnupg::with_keys(world);
        write_profile(world, &gnupg, secret, mailboxes);
        let trusted = json!([
            [gnupg.fingerprint("alice@example.org"), "alice@example.org", "personal"],
            [gnupg.fingerprint("bob@example.net"), "bob@example.net", "verified"],
        ]);
        Thunderbird::on_profile(world, &trusted)
    }

    /// Starts for the first time, with the settings alone.
    pub fn new(world: &World) -> Self {
        world.write("profile/user.js", include_bytes!("thunderbird/user.js"));
        Thunderbird::on_profile(world, &json!([]))
    }

    /// Starts on the world's profile and waits for the main window.
    fn on_profile(world: &World, trusted: &Value) -> Self {
        require("thunderbird");
        let profile = world.path("profile");
        let mut process = Process::start(world, &profile);
        let mut marionette = Marionette::connect(process.port(&profile));
        marionette.run(include_str!("thunderbird/trust.js"), json!([trusted]));
        Thunderbird { marionette, _process: process }
    }

    /// Adds an IMAP account whose server has this certificate (PEM), imports the secret key from a file, and opens
    /// the inbox once it holds a message.
    pub fn add_account(&mut self, host: &str, user: &str, password: &str, certificate: &str, key: &Path) {
        let arguments = json!([host, user, password, certificate, key]);
        self.marionette.run(include_str!("thunderbird/account.js"), arguments);
        self.marionette.run(include_str!("thunderbird/inbox.js"), json!([host, user]));
    }

    /// Opens a mailbox and waits for its list.
    fn open(&mut self, (name, messages): &Mailbox) {
        self.marionette.run(include_str!("thunderbird/open.js"), json!([name, messages.len()]));
    }

    /// Shows the message in a row of the list: what can be seen, once nothing has changed for a second.
    fn show(&mut self, row: usize) -> Seen {
        const SHOW: &str = concat!(include_str!("thunderbird/look.js"), include_str!("thunderbird/show.js"));
        Seen::read(&self.marionette.run(SHOW, json!([row])))
    }

    /// The same of a message that a server still has.
    pub fn fetch_and_show(&mut self, row: usize) -> Seen {
        const CLICK: &str =
            concat!(include_str!("thunderbird/look.js"), include_str!("thunderbird/click.js"));
        Seen::read(&self.marionette.run(CLICK, json!([row])))
    }

    /// As [`Thunderbird::show`]; what is not as expected has ten seconds more, for a machine that is busy.
    fn show_as(&mut self, row: usize, expected: &Seen) -> Seen {
        const LOOK: &str = concat!(include_str!("thunderbird/look.js"), "return seen();");
        let mut seen = self.show(row);
        let started = Instant::now();
        while seen != *expected && started.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(100));
            seen = Seen::read(&self.marionette.run(LOOK, json!([row])));
        }
        seen
    }
}

/// What the message pane and the list show.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The line of the list.
    pub row: String,
    pub subject: String,
    from: String,
    /// The icons' names: empty, or what Thunderbird says of encryption and signature.
    pub lock: String,
    seal: String,
    pub body: String,
    attachments: Vec<String>,
    /// The bar that offers to accept an invitation.
    invitation: String,
    /// Other bars above the message.
    bars: Vec<String>,
}

impl Seen {
    fn read(seen: &Value) -> Self {
        let text = |name: &str| seen[name].as_str().expect(name).to_owned();
        let list = |name: &str| {
            let list = seen[name].as_array().expect(name);
            list.iter().map(|one| one.as_str().expect(name).to_owned()).collect()
        };
        Seen {
            row: text("row"),
            subject: text("subject"),
            from: text("from"),
            lock: text("lock"),
            seal: text("seal"),
            body: text("body"),
            attachments: list("attachments"),
            invitation: text("invitation"),
            bars: list("bars"),
        }
    }
}

fn write_profile(world: &World, gnupg: &Gnupg, secret: Secret, mailboxes: &[Mailbox]) {
    world.write("profile/user.js", include_bytes!("thunderbird/user.js"));
    world.write("profile/pubring.gpg", &gnupg.gpg(&["--export"], b""));
    if secret == Secret::Held {
        world.write("profile/secring.gpg", &gnupg.gpg(&["--export-secret-keys"], b""));
    }
    // Without it a modal question waits for ever; Thunderbird replaces what it says.
    world.write("profile/encrypted-openpgp-passphrase.txt", b"passphrase\n");
    for (name, messages) in mailboxes {
        world.write(&format!("profile/Mail/Local Folders/{name}"), &mbox(messages));
    }
}

fn mbox(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut mbox = Vec::new();
    for message in messages {
        mbox.extend(
            b"From - Tue Nov 10 09:00:00 2026\nX-Mozilla-Status: 0000\nX-Mozilla-Status2: 00000000\n",
        );
        mbox.extend(message);
        mbox.extend(b"\n");
    }
    mbox
}

/// The process group of one Thunderbird, gone with this value.
struct Process(Child);

impl Process {
    fn start(world: &World, profile: &Path) -> Self {
        let child = Command::new("/usr/bin/thunderbird")
            .args(["-no-remote", "--marionette", "-remote-allow-system-access", "-profile"])
            .arg(profile)
            .env_clear()
            .envs([("MOZ_HEADLESS", "1"), ("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8")])
            .env("HOME", world.home())
            .env("TMPDIR", world.home())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        Process(child.expect("thunderbird starts"))
    }

    /// The port that Marionette listens on: Thunderbird writes it into the profile.
    fn port(&mut self, profile: &Path) -> u16 {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let written = fs::read_to_string(profile.join("MarionetteActivePort")).unwrap_or_default();
            if let Ok(port) = written.parse() {
                return port;
            }
            let ended = self.0.try_wait().expect("a child");
            assert!(ended.is_none(), "thunderbird ended by itself: {ended:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("thunderbird has no Marionette after {PATIENCE:?}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        self.0.wait().ok();
    }
}

#[test]
fn thunderbird_shows_sealed_mail_as_the_original() {
    let originals = originals::all();
    let unsealed: Mailbox = ("Unsealed", originals.iter().map(|original| original.bytes.clone()).collect());
    let sealed: Mailbox = ("Sealed", originals.iter().map(Original::sealed).collect());
    let world = World::new();
    let mut thunderbird = Thunderbird::start(&world, Secret::Held, &[unsealed.clone(), sealed.clone()]);
    thunderbird.open(&unsealed);
    let before: Vec<Seen> = (0..originals.len()).map(|row| thunderbird.show(row)).collect();
    thunderbird.open(&sealed);
    for (row, (original, before)) in originals.iter().zip(before).enumerate() {
        let name = &original.name;
        assert_eq!(
            (&before.subject, &before.row),
            (&original.subject, &original.subject),
            "{name}, unsealed"
        );
        let expected = expected(original, before);
        let after = thunderbird.show_as(row, &expected);
        assert_eq!(after, expected, "{name}");
        assert!(after.body.contains(shown_text(original)), "{name}: {after:#?}");
        assert_eq!(!after.invitation.is_empty(), original.invitation.is_some(), "{name}: {after:#?}");
        assert!(
            original.attachment.iter().all(|file| after.attachments.contains(file)),
            "{name}: {after:#?}"
        );
    }
}

// Of an invitation Thunderbird shows the calendar's part.
fn shown_text(original: &Original) -> &str {
    original.invitation.as_ref().unwrap_or(&original.text)
}

/// The picture of the original itself, and the lock; a signature in a part has a bar and no seal.
fn expected(original: &Original, before: Seen) -> Seen {
    let lock = "message-encrypted-ok".to_owned();
    match (original.is_signed, original.form.as_str()) {
        (true, "spliced") => Seen { lock, seal: "message-signed-verified".to_owned(), ..before },
        (true, _) => Seen { lock, seal: String::new(), bars: vec![PARTLY_SIGNED.to_owned()], ..before },
        _ => Seen { lock, ..before },
    }
}

/// The check of the check: what was shown came out of the decrypted payload.
#[test]
fn thunderbird_shows_nothing_of_sealed_mail_without_the_secret_key() {
    let original = originals::all().swap_remove(0);
    let sealed: Mailbox = ("Sealed", vec![original.sealed()]);
    let world = World::new();
    let mut thunderbird = Thunderbird::start(&world, Secret::Missing, std::slice::from_ref(&sealed));
    thunderbird.open(&sealed);
    let seen = thunderbird.show(0);
    let shown = (seen.subject.as_str(), seen.row.as_str(), seen.lock.as_str(), seen.body.trim());
    assert_eq!(shown, ("[...]", "[...]", "message-encrypted-notok", ""), "{seen:#?}");
}
