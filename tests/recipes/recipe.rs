//! A recipe of contrib/ in place, and what becomes of each kind of message in each kind of trouble.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use memchr::memmem;

use crate::host::Host;
use crate::resident::{CERTIFICATE, PROGRAMS, Resident};
use crate::world::fixture;
use crate::world::gpg::Gpg;
use crate::world::letter::{WORDS, encrypted_by, lf, original};
use crate::world::readable::{mail, readable};
use crate::world::smtp::Transfer;

const BOB: &[u8] = b"bob@host.example";

/// A readable message with all the fields that hosts add where they are missing.
pub const LETTER: &[u8] = b"From: Bob <bob@elsewhere.example>\r\nTo: Alice <alice@host.example>\r\n\
    Subject: elderberry wine\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@elsewhere.example>\r\n\
    MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    The juniper is in bloom.\r\n";

/// Fields that the one encrypted by its sender lacks.
pub const FIELDS: &[u8] = b"To: Alice <alice@host.example>\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\n\
    Message-ID: <2@elsewhere.example>\r\n";

/// The fingerprint of Alice's certificate, as gpg --show-keys tells it.
const FINGERPRINT: &[u8] = b"71B787390432D933243FBA38F845F615DABE35C5";

/// A shipped file in its place, on a running host.
pub struct Recipe<'a> {
    /// Its line in the table.
    pub name: &'a str,
    pub host: &'a (dyn Host + Sync),
    /// Alice's address.
    pub address: &'a str,
    /// Where the recipe finds the programs.
    pub programs: PathBuf,
    /// Where it finds Alice's certificate.
    pub certificate: PathBuf,
    /// Alice's mailbox, a Maildir.
    pub maildir: PathBuf,
    /// What the host adds behind a message, which no filter can tell from it.
    pub suffix: &'static [u8],
    /// Puts the page's line for refusing readable mail in place, or (false) takes it away again.
    pub refuse: Option<&'a dyn Fn(bool)>,
}

/// Where mail may lie readable for no time at all: stores, and what an agent writes beside them.
const STORES: [&str; 4] = ["/home/alice", "/var/mail", "/srv", "/var/lib/dovecot"];

/// What became of one message.
#[derive(Default)]
struct Seen {
    sealed: Vec<Vec<u8>>,
    /// Stored as it came.
    clear: Vec<Vec<u8>>,
    waiting: usize,
    told: Vec<Vec<u8>>,
}

/// What happens to the program that seals.
pub const TROUBLES: [(&str, Option<&str>); 5] = [
    ("status 1", Some("cat >/dev/null; exit 1")),
    ("signal", Some("cat >/dev/null; kill -9 $$")),
    ("hangs", Some("exec sleep 1000")),
    // It works, and says something about it.
    ("complains", Some("echo noise >&2; exec \"$(realpath \"$0\").away\" \"$@\"")),
    ("gone", None),
];

/// A line that refuses readable mail in a file of `user`'s, or (false) the file as it is shipped.
pub fn refusing<'a>(user: &'a Resident, file: &'a str, shipped: &'a str) -> impl Fn(bool) + 'a {
    move |on| {
        let certificate = user.path(".config/selfseal/cert.asc");
        let command = format!("is-encrypted --require --offer {} encrypt-to-self", certificate.display());
        let text = if on { shipped.replace("encrypt-to-self", &command) } else { shipped.to_owned() };
        user.write(file, text);
    }
}

/// A line that refuses readable mail in a file of `user`'s own, which goes before what holds for all users; or (false)
/// no such file.
pub fn refusing_first<'a>(user: &'a Resident, file: &'a str, line: &'a str) -> impl Fn(bool) + 'a {
    move |on| match on {
        true => drop(user.write(file, line)),
        false => fs::remove_file(user.path(file)).expect("removed"),
    }
}

impl<'a> Recipe<'a> {
    /// One for Alice alone, with the programs and the certificate in her home.
    pub fn of_one(name: &'a str, host: &'a (dyn Host + Sync), alice: &Resident) -> Self {
        Recipe {
            name,
            host,
            address: "alice@host.example",
            programs: alice.path(".cargo/bin"),
            certificate: alice.path(".config/selfseal/cert.asc"),
            maildir: alice.path("Maildir"),
            suffix: b"",
            refuse: None,
        }
    }

    /// One for all users of a host; [`everybody`](crate::resident::everybody) says where things are.
    pub fn of_all(name: &'a str, host: &'a (dyn Host + Sync), alice: &Resident) -> Self {
        let (programs, certificate) = (PROGRAMS.into(), CERTIFICATE.into());
        Recipe { programs, certificate, ..Recipe::of_one(name, host, alice) }
    }

    /// Goes through all cases, and holds the line of the table against what was seen.
    pub fn prove(&self) {
        crate::table::hold(self.name, &self.cases());
    }

    /// What is seen in each case, in the words of the table.
    pub fn cases(&self) -> Vec<(&'static str, String)> {
        let gpg = Gpg::with_keys(&["alice"]);
        let mut line = vec![("readable", self.send(&gpg, LETTER)), ("encrypted", self.encrypted(&gpg))];
        line.push(("no certificate", self.without_certificate(&gpg)));
        line.push(("refused", self.refused(&gpg)));
        for (name, script) in TROUBLES {
            eprintln!("{}: {name}", self.name);
            line.push((name, self.in_trouble(&gpg, name, script)));
        }
        line.push(("20 at once", self.twenty(&gpg)));
        line.push((
            "9 MB",
            self.send(&gpg, &[LETTER, &b"juniper and more of it\r\n".repeat(390_000)].concat()),
        ));
        line.push(("8-bit", self.send(&gpg, &[LETTER, b"caf\xe9 \xff\r\n"].concat())));
        line.push(("NUL", self.nul(&gpg)));
        if self.host.has_names() {
            line.push(("+tag", self.to(&gpg, &self.tagged("work"))));
            line.push(("hostile names", self.hostile(&gpg)));
        } else {
            line.extend(["+tag", "hostile names"].map(|name| (name, "–".to_owned())));
        }
        for (name, outcome) in &line {
            eprintln!("{}: {name}: {outcome}", self.name);
        }
        line
    }

    /// With `tls-audit` in the shipped `.forward`, as the page shows it: its verdict stands on the message.
    pub fn prove_audited(&self, alice: &Resident, shipped: &str, page: &str) {
        let audited = shipped.replace("encrypt-to-self", "tls-audit encrypt-to-self");
        assert!(page.contains(&audited), "{audited} is not on the page");
        alice.write(".forward", audited);
        let gpg = Gpg::with_keys(&["alice"]);
        self.offer(LETTER).expect("taken");
        self.host.settle();
        let seen = self.seen();
        assert_eq!(seen.outcome(), "sealed", "{}", self.name);
        let found = original(&gpg, &seen.sealed[0]);
        assert!(memmem::find(&found, b"TLS-Audit: ").is_some(), "{}: {}", self.name, found.escape_ascii());
        assert!(found.ends_with(&self.carried(LETTER)), "{}: {}", self.name, found.escape_ascii());
    }

    /// A message as a program on this host gets it, behind the fields that the host adds.
    fn carried(&self, message: &[u8]) -> Vec<u8> {
        [&lf(message), self.suffix].concat()
    }

    fn offer(&self, message: &[u8]) -> Result<(), String> {
        self.host.offer(BOB, self.address.as_bytes(), message, Transfer::Data)
    }

    /// A message when all is well.
    fn send(&self, gpg: &Gpg, message: &[u8]) -> String {
        match self.offer(message) {
            Ok(()) => self.sealed(gpg, message),
            Err(_) => "refused".to_owned(),
        }
    }

    /// Waits for the one that was sent; its outcome.
    fn sealed(&self, gpg: &Gpg, message: &[u8]) -> String {
        self.host.settle();
        let seen = self.seen();
        if let [sealed] = &seen.sealed[..] {
            let found = original(gpg, sealed);
            if !found.ends_with(&self.carried(message)) {
                eprintln!("{}: altered:\n{}", self.name, found[..found.len().min(2000)].escape_ascii());
                return "sealed, altered".to_owned();
            }
        }
        seen.outcome()
    }

    fn encrypted(&self, gpg: &Gpg) -> String {
        let message = [FIELDS, &encrypted_by(gpg)].concat();
        if let Err(refusal) = self.offer(&message) {
            panic!("{}: {refusal}", self.name);
        }
        self.host.settle();
        let seen = self.seen();
        let carried = self.carried(&message);
        let body = memmem::find(&carried, b"\n\n").expect("a header section");
        match &seen.sealed[..] {
            [stored] if stored.ends_with(&carried) => "as it came".to_owned(),
            [stored] if stored.ends_with(&carried[body..]) => "**header altered**".to_owned(),
            [stored] => panic!("{}: altered:\n{}", self.name, stored.escape_ascii()),
            _ => seen.outcome(),
        }
    }

    fn without_certificate(&self, gpg: &Gpg) -> String {
        let away = self.certificate.with_extension("away");
        fs::rename(&self.certificate, &away).expect("renamed");
        let before = self.unsealed();
        fs::rename(&away, &self.certificate).expect("renamed");
        self.afterwards(gpg, before)
    }

    fn refused(&self, gpg: &Gpg) -> String {
        let Some(refuse) = self.refuse else { return "–".to_owned() };
        refuse(true);
        let seen = self.unsealed();
        assert!(self.host.offer(b"", self.address.as_bytes(), LETTER, Transfer::Data).is_ok());
        let null = self.sealed(gpg, LETTER);
        refuse(false);
        assert_eq!(null, "sealed", "{}: a null sender is told nothing", self.name);
        match (&seen.told[..], seen.outcome().as_str()) {
            ([told], "bounces") => format!("bounces with {}", offer_in(told)),
            (_, outcome) => outcome.to_owned(),
        }
    }

    /// The program that seals does what `script` does, or is not there.
    fn in_trouble(&self, gpg: &Gpg, name: &str, script: Option<&str>) -> String {
        let program = self.programs.join("encrypt-to-self");
        let away = self.programs.join("encrypt-to-self.away");
        fs::rename(&program, &away).expect("renamed");
        if let Some(script) = script {
            fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a script");
            fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("a mode");
        }
        let hangs = name == "hangs";
        if hangs {
            self.host.hurry(true);
        }
        let before = self.unsealed();
        fs::rename(&away, &program).expect("renamed");
        if hangs {
            self.host.hurry(false);
        }
        if before.sealed.iter().any(|stored| memmem::find(stored, b"noise\n").is_some()) {
            return "**sealed, with the complaint in it**".to_owned();
        }
        self.afterwards(gpg, before)
    }

    /// Sends a letter that may not be sealed, and looks what became of it.
    fn unsealed(&self) -> Seen {
        if let Err(refusal) = self.offer(LETTER) {
            panic!("{}: {refusal}", self.name);
        }
        self.host.settle();
        self.seen()
    }

    /// After the cause is gone: what waited is sealed.
    fn afterwards(&self, gpg: &Gpg, before: Seen) -> String {
        let outcome = before.outcome();
        self.host.retry();
        let after = self.seen();
        match (outcome.as_str(), after.outcome().as_str()) {
            ("waits", "sealed") if original(gpg, &after.sealed[0]).ends_with(&self.carried(LETTER)) => {
                outcome
            }
            ("waits", then) => format!("**waits, then {then}**"),
            (_, "**lost**") => outcome,
            (_, then) => format!("**{outcome}, then {then}**"),
        }
    }

    fn twenty(&self, gpg: &Gpg) -> String {
        let letters: Vec<_> =
            (0..20).map(|n| [LETTER, format!("Number {n}.\r\n").as_bytes()].concat()).collect();
        let (host, address) = (self.host, self.address.as_bytes());
        thread::scope(|scope| {
            for letter in &letters {
                scope.spawn(move || host.offer(BOB, address, letter, Transfer::Data).expect("taken"));
            }
        });
        self.host.settle();
        let mut seen = self.seen();
        // A host that sets a limit on what it does at once has some of them wait.
        for _ in 0..letters.len() {
            if seen.waiting == 0 {
                break;
            }
            self.host.retry();
            let more = self.seen();
            seen.sealed.extend(more.sealed);
            seen.clear.extend(more.clear);
            seen.told.extend(more.told);
            seen.waiting = more.waiting;
        }
        let originals: Vec<_> = seen.sealed.iter().map(|sealed| original(gpg, sealed)).collect();
        let once = |letter: &&Vec<u8>| {
            originals.iter().filter(|found| found.ends_with(&self.carried(letter))).count() == 1
        };
        let count = letters.iter().filter(once).count();
        match (count, originals.len(), seen.clear.len()) {
            (20, 20, 0) => "sealed".to_owned(),
            (count, all, clear) => format!("**{count} of {all} are as sent, {clear} in the clear**"),
        }
    }

    fn nul(&self, gpg: &Gpg) -> String {
        let message = [LETTER, b"a \0 b\r\n"].concat();
        let chunk = self.host.offer(BOB, self.address.as_bytes(), &message, Transfer::Chunk);
        match chunk.or_else(|_| self.offer(&message)) {
            Ok(()) => self.sealed(gpg, &message),
            Err(_) => "refused".to_owned(),
        }
    }

    fn tagged(&self, tag: &str) -> Vec<u8> {
        let (local, domain) = self.address.split_once('@').expect("an address");
        format!("{local}+{tag}@{domain}").into_bytes()
    }

    fn to(&self, gpg: &Gpg, recipient: &[u8]) -> String {
        match self.host.offer(BOB, recipient, LETTER, Transfer::Data) {
            Ok(()) => self.sealed(gpg, LETTER),
            Err(_) => "refused".to_owned(),
        }
    }

    /// Names that would do harm if a shell or a path took them in. Each is refused, or waits, or bounces, or is
    /// Alice's; what they would do is not done.
    fn hostile(&self, gpg: &Gpg) -> String {
        let mark = Path::new("/tmp/a-shell-was-here");
        let domain = self.address.split_once('@').expect("an address").1;
        // A certificate outside of the directory that dots would lead to.
        for above in self.certificate.parent().expect("a directory").ancestors().take(3) {
            let _ = fs::write(above.join(format!("x@{domain}.asc")), fixture("keys/rosa.asc"));
        }
        for local in [
            &br#""alice+../x""#[..],
            br#""alice+../../x""#,
            br#""../x""#,
            br#""../../x""#,
            br#""/etc/passwd""#,
            br#""alice+$(touch${IFS}/tmp/a-shell-was-here)""#,
            br#""alice+`touch /tmp/a-shell-was-here`""#,
            br#""alice+;touch /tmp/a-shell-was-here;""#,
            br#""alice+'|touch /tmp/a-shell-was-here|'""#,
            br#""alice+\"; touch /tmp/a-shell-was-here; \"""#,
            b"alice+\xe9\xff",
            // Without quotes: RFC 5321 has all of these letters in an atom.
            b"alice+`touch${IFS}/tmp/a-shell-was-here`",
            b"alice+|touch${IFS}/tmp/a-shell-was-here|",
            b"alice+/../../x",
        ] {
            let recipient = [local, b"@", domain.as_bytes()].concat();
            let outcome = match self.host.offer(BOB, &recipient, LETTER, Transfer::Data) {
                Ok(()) => self.hostile_outcome(gpg),
                Err(_) => "refused".to_owned(),
            };
            eprintln!("{}: {}: {outcome}", self.name, recipient.escape_ascii());
            if !matches!(outcome.as_str(), "sealed" | "waits" | "bounces" | "refused") {
                return format!("**{}: {outcome}**", local.escape_ascii());
            }
            assert!(!mark.exists(), "{}: a shell took {}", self.name, local.escape_ascii());
        }
        "sealed or kept".to_owned()
    }

    /// What is sealed is sealed to Alice: nobody else's key is in this ring.
    fn hostile_outcome(&self, gpg: &Gpg) -> String {
        self.host.settle();
        let seen = self.seen();
        for sealed in &seen.sealed {
            assert!(original(gpg, sealed).ends_with(&self.carried(LETTER)));
        }
        self.host.forget();
        seen.outcome()
    }

    /// Takes out of the store what rests there.
    fn seen(&self) -> Seen {
        let mut seen = Seen { waiting: self.host.waiting(), told: self.host.told(), ..Seen::default() };
        for (path, bytes) in mail(&self.maildir) {
            fs::remove_file(&path).expect("removed");
            let is_readable = WORDS.iter().any(|word| memmem::find(&bytes, word.as_bytes()).is_some());
            if is_readable { seen.clear.push(bytes) } else { seen.sealed.push(bytes) }
        }
        for store in STORES {
            let mut found = readable(Path::new(store), &WORDS);
            // What Bob was told holds a copy of the message.
            found.retain(|word| !word.ends_with("/var/mail/bob"));
            assert_eq!(found, <[String; 0]>::default(), "{}", self.name);
        }
        seen
    }
}

impl Seen {
    /// In the words of the table.
    fn outcome(&self) -> String {
        for told in &self.told {
            let words: Vec<_> =
                WORDS.iter().filter(|word| memmem::find(says(told), word.as_bytes()).is_some()).collect();
            if !words.is_empty() {
                return format!("**tells the sender {words:?}**");
            }
        }
        match (self.sealed.len(), self.clear.len(), self.waiting, self.told.len()) {
            (1, 0, 0, 0) => "sealed",
            (0, 1, 0, 0) => "**in the clear**",
            (0, 0, 1, 0) => "waits",
            (0, 0, 0, 1) => "bounces",
            (0, 0, 0, 0) => "**lost**",
            (sealed, clear, waiting, told) => {
                return format!("**{sealed} sealed, {clear} clear, {waiting} waiting, {told} told**");
            }
        }
        .to_owned()
    }
}

/// What the sender of a refused message is to seal the next one with.
#[track_caller]
pub fn offer_in(told: &[u8]) -> &'static str {
    let text: Vec<_> = told.iter().filter(|octet| !octet.is_ascii_whitespace()).copied().collect();
    let has = |words: &[u8]| memmem::find(&text, words).is_some();
    if has(FINGERPRINT) && has(b"BEGINPGPPUBLICKEYBLOCK") {
        "the key"
    } else if has(b"OpenPGPcertificateathttps://") {
        "a link to the key"
    } else {
        panic!("no key in it:\n{}", told.escape_ascii())
    }
}

/// What a bounce says in its own words: all that stands before the copy of the message.
fn says(bounce: &[u8]) -> &[u8] {
    let ends = [&b"content-type: message/rfc822"[..], b"content-type: text/rfc822-headers"];
    let lower = bounce.to_ascii_lowercase();
    let at = ends.iter().filter_map(|end| memmem::find(&lower, end)).min().unwrap_or(bounce.len());
    &bounce[..at]
}
