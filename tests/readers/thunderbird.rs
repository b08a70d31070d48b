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

/// A running Thunderbird whose Local Folders have these mailboxes.
struct Thunderbird {
    marionette: Marionette,
    _process: Process,
}

impl Thunderbird {
    /// Starts on a profile of its own and waits for the main window.
    fn start(world: &World, secret: Secret, mailboxes: &[Mailbox]) -> Self {
        require("thunderbird");
        let gnupg = Gnupg::with_keys(world);
        let profile = world.path("profile");
        write_profile(world, &gnupg, secret, mailboxes);
        let mut process = Process::start(world, &profile);
        let mut marionette = Marionette::connect(process.port(&profile));
        let trusted = json!([
            [gnupg.fingerprint("alice@example.org"), "alice@example.org", "personal"],
            [gnupg.fingerprint("bob@example.net"), "bob@example.net", "verified"],
        ]);
        marionette.run(include_str!("thunderbird/trust.js"), json!([trusted]));
        Thunderbird { marionette, _process: process }
    }

    /// What can be seen of each message of a mailbox, in the order of the list.
    fn show(&mut self, (name, messages): &Mailbox) -> Vec<Seen> {
        self.marionette.run(include_str!("thunderbird/open.js"), json!([name, messages.len()]));
        let show = |row| self.marionette.run(include_str!("thunderbird/show.js"), json!([row]));
        (0..messages.len()).map(show).map(|seen| Seen::read(&seen)).collect()
    }
}

/// What the message pane and the list show.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    /// The line of the list.
    row: String,
    subject: String,
    from: String,
    /// The icons' names: empty, or what Thunderbird says of encryption and signature.
    lock: String,
    seal: String,
    body: String,
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
    let before = thunderbird.show(&unsealed);
    let after = thunderbird.show(&sealed);
    for (original, (before, after)) in originals.iter().zip(before.into_iter().zip(after)) {
        let name = &original.name;
        assert_eq!(
            (&before.subject, &before.row),
            (&original.subject, &original.subject),
            "{name}, unsealed"
        );
        assert!(after.body.contains(shown_text(original)), "{name}: {after:#?}");
        assert_eq!(!after.invitation.is_empty(), original.invitation.is_some(), "{name}: {after:#?}");
        assert!(
            original.attachment.iter().all(|file| after.attachments.contains(file)),
            "{name}: {after:#?}"
        );
        assert_eq!(after, expected(original, before), "{name}");
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
    let seen = thunderbird.show(&sealed).swap_remove(0);
    let shown = (seen.subject.as_str(), seen.row.as_str(), seen.lock.as_str(), seen.body.trim());
    assert_eq!(shown, ("[...]", "[...]", "message-encrypted-notok", ""), "{seen:#?}");
}
