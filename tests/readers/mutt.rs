//! mutt and neomutt in a terminal that tmux makes: keys go in, the screen comes out.

use std::time::{Duration, Instant};

use crate::gnupg::Gnupg;
use crate::originals::{self, Original};
use crate::programs::require;
use crate::world::{Run, World};

const PATIENCE: Duration = Duration::from_secs(60);

/// The line between the outer header section and what was inside.
const OPENED: &str = "[-- The following data is PGP/MIME encrypted --]";

/// The two lines that a wrapped original has above it, the first of them.
const FIRST_PART: &str = "[-- Attachment #1";

/// A reader in a terminal of 110 columns and 60 rows, gone with this value.
pub struct Terminal<'a> {
    world: &'a World,
    server: u32,
}

impl<'a> Terminal<'a> {
    /// Opens the Maildir `mail` of the world with `program`; the first message is shown at once.
    fn start(world: &'a World, gnupg: &Gnupg, program: &str) -> Self {
        require("tmux");
        require(program);
        let settings = world.write("muttrc", settings(world).as_bytes());
        world.write("mailcap", b"text/html; sed 's/<[^>]*>//g' %s; copiousoutput\n");
        let run = format!("{program} -n -F '{}' -f mail", settings.display());
        Terminal::open(world, tmux(world).env("GNUPGHOME", gnupg.home()), &[&run])
    }

    /// Runs a command as `user`, from the home directory.
    pub fn of_user(world: &'a World, user: &str, command: &str) -> Self {
        require("tmux");
        Terminal::open(world, tmux(world), &["/usr/sbin/runuser", "-l", user, "-c", command])
    }

    fn open(world: &'a World, tmux: Run, command: &[&str]) -> Self {
        let print_server = ["-P", "-F", "#{pid}"];
        let new_session = ["-f", "/dev/null", "new-session", "-d", "-x", "110", "-y", "60"];
        let tmux = tmux.env("LANG", "C.UTF-8").args(new_session).args(print_server);
        let printed = tmux.args(command).run().succeeds();
        let server = String::from_utf8_lossy(&printed).trim().parse().expect("the server's process id");
        Terminal { world, server }
    }

    pub fn press(&self, key: &str) {
        tmux(self.world).args(["send-keys", key]).run().succeeds();
    }

    /// The screen, once `condition` holds for it.
    pub fn screen(&self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let screen = tmux(self.world).args(["capture-pane", "-p"]).run().succeeds();
            let screen = String::from_utf8_lossy(&screen).into_owned();
            if condition(&screen) {
                return screen;
            }
            assert!(started.elapsed() < PATIENCE, "waited in vain for {what}:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        tmux(self.world).args(["kill-server"]).run();
        // tmux answers before its server has ended, and the directory may go only after that.
        let started = Instant::now();
        while is_running(self.server) && started.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

// A process that has ended stays in /proc as a zombie until its parent, not us, asks for its status.
fn is_running(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

fn tmux(world: &World) -> Run {
    world.command("tmux").args(["-S".as_ref(), world.path("tmux").as_os_str()])
}

fn settings(world: &World) -> String {
    let home = world.home().display();
    format!(
        "set folder={home}/mail\nset tmpdir={home}\nset mailcap_path={home}/mailcap\nauto_view text/html\n\
         set crypt_use_gpgme=yes\nset crypt_protected_headers_read=yes\nset header_cache=\"\"\n\
         set wait_key=no\nset sleep_time=0\nset move=no\npush <display-message>\n"
    )
}

/// The pager with the message, then its line of the index.
fn show(world: &World, gnupg: &Gnupg, program: &str, original: &Original) -> (String, String) {
    world.write("mail/new/1.1.host", &original.sealed());
    let terminal = Terminal::start(world, gnupg, program);
    let has_ended = |screen: &str| screen.contains("[-- End of PGP/MIME encrypted data --]");
    let pager = terminal.screen("the message", has_ended);
    terminal.press("i");
    let is_index = |screen: &str| screen.starts_with("q:Quit");
    let index = terminal.screen("the index", is_index);
    let line = index.lines().nth(1).expect("a line of the index").to_owned();
    (pager, line)
}

fn shows_sealed_mail(program: &str) {
    let world = World::new();
    let gnupg = Gnupg::with_keys(&world);
    for directory in ["mail/cur", "mail/tmp"] {
        std::fs::create_dir_all(world.path(directory)).expect("a Maildir");
    }
    for original in originals::all() {
        let (pager, line) = show(&world, &gnupg, program, &original);
        let name = format!("{program}, {}:\n{line}\n{pager}", original.name);
        let (_, inside) = pager.split_once(OPENED).expect("a message that was decrypted");
        let subject = inside.lines().find(|line| !line.is_empty());
        assert_eq!(subject, Some(format!("Subject: {}", original.subject).as_str()), "{name}");
        assert!(inside.contains(&original.text), "{name}");
        assert!(line.ends_with(&format!(") {}", original.subject)), "{name}");
        assert_eq!(
            inside.contains("Good signature from: Bob Signer <bob@example.net>"),
            original.is_signed,
            "{name}"
        );
        // The flag is the root's: S where the signature is the payload's own, P where it is in a part.
        let flag = if original.is_signed && original.form == "spliced" { "  S  " } else { "  P  " };
        assert!(line.contains(flag), "{name}");
        if original.form == "wrapped" {
            assert!(inside.contains(FIRST_PART), "{name}");
        } else if original.attachment.is_none() {
            assert!(!inside.contains(FIRST_PART), "{name}");
        }
        if let Some(attachment) = &original.attachment {
            assert!(inside.contains(&format!("[-- Attachment #2: {attachment} --]")), "{name}");
        }
    }
}

#[test]
fn mutt_shows_sealed_mail_with_its_subject_text_and_signature() {
    shows_sealed_mail("mutt");
}

#[test]
fn neomutt_shows_sealed_mail_with_its_subject_text_and_signature() {
    shows_sealed_mail("neomutt");
}

/// In a part mutt drops a line that is no field; in a message it is the first of the body.
#[test]
fn mutt_shows_the_line_that_ends_a_header_section_without_an_empty_one() {
    let world = World::new();
    let gnupg = Gnupg::with_keys(&world);
    for directory in ["mail/cur", "mail/tmp"] {
        std::fs::create_dir_all(world.path(directory)).expect("a Maildir");
    }
    let bytes =
        b"From: Bob Signer <bob@example.net>\nSubject: soup\nturnips came first\nthen leeks\n\nthen salt\n";
    let original = Original { bytes: bytes.to_vec(), ..originals::all().remove(0) };
    let (pager, _) = show(&world, &gnupg, "mutt", &original);
    for line in ["Subject: soup", "turnips came first", "then leeks", "then salt"] {
        assert!(pager.lines().any(|shown| shown == line), "{line:?} is not in {pager}");
    }
}
