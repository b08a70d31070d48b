//! A real Postfix with a configuration, a queue and a port of its own. The machine's is not touched.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::account::Account;
use crate::smtp::{Session, Transfer};
use crate::stranger::{self, Under};
use crate::wait;

const PROGRAMS: &str = "/usr/lib/postfix/sbin";

/// What a small host's main.cf says; the rest is Postfix's default. Postfix does not fill in missing
/// fields for us as it would for its own users: a stranger's mail comes as it is.
const MAIN: &str = "\
compatibility_level = 3.6
myhostname = host.example
mydestination = host.example
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_header_rewrite_clients =
recipient_delimiter = +
home_mailbox = Maildir/
mail_owner = postfix
setgid_group = postdrop
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
";

/// The services that local delivery takes, none of them in a chroot.
const MASTER: &str = "\
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n - 0 flush
showq unix n - n - - showq
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
error unix - - n - - error
local unix - n n - - local
postlog unix-dgram n - n - 1 postlogd
";

/// A running Postfix; it ends with the test.
pub struct Mta {
    directory: TempDir,
    master: Child,
    port: u16,
}

/// What became of one attempt to deliver.
#[derive(Debug)]
pub struct Attempt {
    /// `sent`, `deferred` or `bounced`.
    pub status: String,
    /// What the host says about it, the command's output included.
    pub reason: String,
}

impl Mta {
    /// Starts one with these settings besides [`MAIN`].
    pub fn start(settings: &[&str]) -> Self {
        assert!(
            Path::new(PROGRAMS).join("master").exists(),
            "no Postfix here: apt-get install postfix procmail"
        );
        loop {
            if let Some(mta) = Mta::attempt(settings) {
                return mta;
            }
        }
    }

    /// None when somebody else took the port between our look and the start.
    fn attempt(settings: &[&str]) -> Option<Self> {
        let directory = TempDir::new().expect("a temporary directory");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        configure(directory.path(), port, settings);
        // It ends with this thread, even when the test is killed.
        let master = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .arg(Path::new(PROGRAMS).join("master"))
            // In the foreground, at the head of a group of its own: its end takes its children along.
            .args(["-d", "-c"])
            .arg(directory.path().join("etc"))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("master");
        let mut mta = Mta { directory, master, port };
        let listens = wait::until("Postfix", || match mta.master.try_wait() {
            Ok(None) => mta.listens().then_some(true),
            _ => Some(false),
        });
        assert!(listens || mta.log().contains("in use"), "Postfix ended at once: {}", mta.log());
        listens.then_some(mta)
    }

    fn listens(&self) -> bool {
        self.log().contains("daemon started") && Session::open(self.port).is_some()
    }

    pub fn address(&self, account: &Account) -> String {
        format!("{}@host.example", account.name)
    }

    /// Hands over one message; the answer is its name in the queue.
    #[track_caller]
    pub fn send(&self, sender: &str, recipient: &str, message: &[u8]) -> String {
        self.send_by(Transfer::Data, sender, recipient, message)
    }

    /// The same from a stranger on another machine: in the clear, or under TLS.
    #[track_caller]
    pub fn send_from_elsewhere(
        &self,
        under: &Under,
        sender: &str,
        recipient: &str,
        message: &[u8],
    ) -> String {
        stranger::send(self.port, under, sender, recipient, message)
    }

    #[track_caller]
    pub fn send_by(&self, transfer: Transfer, sender: &str, recipient: &str, message: &[u8]) -> String {
        Session::open(self.port).expect("Postfix listens").send(sender, recipient, message, transfer)
    }

    /// The first attempt to deliver the message of this name.
    #[track_caller]
    pub fn attempted(&self, id: &str) -> Attempt {
        wait::until("a delivery", || self.attempts(id).into_iter().next())
    }

    /// Asks for another attempt at once, and waits for it.
    #[track_caller]
    pub fn retried(&self, id: &str) -> Attempt {
        self.deferred(id);
        let before = self.attempts(id).len();
        self.run("postqueue", &["-f"]);
        wait::until("another delivery", || self.attempts(id).into_iter().nth(before))
    }

    /// What postqueue tells about a deferred message, as one line of JSON, once it rests in the queue.
    #[track_caller]
    pub fn deferred(&self, id: &str) -> String {
        let key = format!("\"queue_id\": \"{id}\"");
        wait::until("a deferred message", || {
            let queue = self.run("postqueue", &["-j"]);
            let mut lines = queue.lines().filter(|line| line.contains(r#""queue_name": "deferred""#));
            lines.find(|line| line.contains(&key)).map(str::to_owned)
        })
    }

    /// The name in the queue of the bounce that the message of this name led to.
    #[track_caller]
    pub fn bounce(&self, id: &str) -> String {
        let mark = format!(" {id}: sender non-delivery notification: ");
        wait::until("a bounce", || {
            let log = self.log();
            let rest = &log[log.find(&mark)? + mark.len()..];
            rest.split_once('\n').map(|(name, _)| name.to_owned())
        })
    }

    /// The queue is empty: nothing waits, nothing is on its way.
    #[track_caller]
    pub fn has_empty_queue(&self) {
        wait::until("an empty queue", || self.run("postqueue", &["-j"]).is_empty().then_some(()));
    }

    /// Configuration, queue, log: everything that this Postfix writes but users' mail.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn attempts(&self, id: &str) -> Vec<Attempt> {
        let key = format!(": {id}: to=<");
        self.log().lines().filter(|line| line.contains(&key)).filter_map(Attempt::read).collect()
    }

    fn log(&self) -> String {
        let bytes = fs::read(self.directory.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Runs one of Postfix's own commands on this instance.
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        let configuration = self.directory.path().join("etc");
        let mut command = Command::new(program);
        let output = command.arg("-c").arg(configuration).args(arguments).output().expect(program);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Mta {
    fn drop(&mut self) {
        // Not Child::kill: master ends its children on SIGTERM only.
        let master = Pid::from_child(&self.master);
        let _ = kill_process(master, Signal::TERM);
        let _ = self.master.wait();
    }
}

impl Attempt {
    /// Reads `... status=deferred (reason)`.
    fn read(line: &str) -> Option<Self> {
        let (status, reason) = line.split_once(" status=")?.1.split_once(" (")?;
        Some(Attempt { status: status.to_owned(), reason: reason.trim_end_matches(')').to_owned() })
    }

    #[track_caller]
    pub fn is_sent(&self) {
        assert_eq!(self.status, "sent", "{}", self.reason);
    }

    /// Deferred, for a reason with these words.
    #[track_caller]
    pub fn is_deferred(&self, words: &str) {
        assert_eq!(self.status, "deferred", "{}", self.reason);
        assert!(self.reason.contains(words), "{words:?} is not in {:?}", self.reason);
    }

    /// Bounced, for a reason with these words.
    #[track_caller]
    pub fn is_bounced(&self, words: &str) {
        assert_eq!(self.status, "bounced", "{}", self.reason);
        assert!(self.reason.contains(words), "{words:?} is not in {:?}", self.reason);
    }
}

/// Writes main.cf and master.cf and makes the queue, as `postfix post-install` would.
fn configure(directory: &Path, port: u16, settings: &[&str]) {
    fs::set_permissions(directory, Permissions::from_mode(0o755)).expect("a mode");
    let own = format!(
        "queue_directory = {0}/queue\ndata_directory = {0}/data\nmaillog_file = {0}/log\n\
         maillog_file_prefixes = {0}\n{1}\n",
        directory.display(),
        settings.join("\n")
    );
    fs::create_dir(directory.join("etc")).expect("a directory");
    fs::write(directory.join("etc/main.cf"), format!("{MAIN}{own}")).expect("main.cf");
    let master = format!("127.0.0.1:{port} inet n - n - - smtpd\n{MASTER}");
    fs::write(directory.join("etc/master.cf"), master).expect("master.cf");
    let (postfix, postdrop) = (user("postfix"), group("postdrop"));
    make(directory.join("queue"), 0o755, (0, 0));
    make(directory.join("queue/pid"), 0o755, (0, 0));
    make(directory.join("data"), 0o700, (postfix, 0));
    make(directory.join("queue/public"), 0o710, (postfix, postdrop));
    make(directory.join("queue/maildrop"), 0o1730, (postfix, postdrop));
    for name in [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved",
        "trace",
    ] {
        make(directory.join("queue").join(name), 0o700, (postfix, 0));
    }
}

fn make(path: PathBuf, mode: u32, (user, group): (u32, u32)) {
    fs::create_dir(&path).expect("a directory");
    chown(&path, Some(user), Some(group)).expect("an owner");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
}

fn user(name: &str) -> u32 {
    identity("/etc/passwd", name)
}

fn group(name: &str) -> u32 {
    identity("/etc/group", name)
}

/// The number of `name` in a file of the form `name:x:number:...`.
fn identity(file: &str, name: &str) -> u32 {
    let text = fs::read_to_string(file).expect(file);
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let line = lines.find(|fields| fields[0] == name);
    line.and_then(|fields| fields[2].parse().ok())
        .unwrap_or_else(|| panic!("{name} is not in {file}: apt-get install postfix procmail"))
}
