//! A mailbox at a provider, a real Dovecot with IMAP and POP3 under TLS, and a program that pulls its mail from there.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::host::Host;
use crate::limit::Limit;
use crate::machine;
use crate::recipe::Recipe;
use crate::resident::{Resident, of_crontab, output, run, write};
use crate::world::letter::{LETTER, lf};
use crate::world::readable::{mail, take_mail};
use crate::world::smtp::Transfer;
use crate::world::wait;

const DOVECOT: &str = "\
base_dir = /run/provider
protocols = imap pop3
listen = 127.0.0.1
ssl = required
ssl_cert = </etc/ssl/provider.pem
ssl_key = </etc/ssl/provider.key
log_path = /var/log/provider
mail_location = maildir:~/Maildir
passdb {
  driver = static
  args = password=sesame
}
userdb {
  driver = static
  args = uid=provider gid=provider home=/home/provider
}
";

/// The provider's end, and Alice's.
struct Pulled<'a> {
    provider: Resident,
    alice: &'a Resident,
    /// What her crontab says.
    command: &'a str,
    count: AtomicUsize,
    limit: Limit,
}

/// Proves what a program does that pulls Alice's mail as `configuration` and `crontab` say.
pub fn prove(name: &str, place: &str, configuration: &str, crontab: &str) {
    let alice = Resident::alice();
    let provider = Resident::new("provider");
    start();
    private(&alice, ".netrc", "machine mail.example.org login alice password sesame\n");
    private(&alice, place, configuration);
    machine::close_temporary_directories();
    let limit = Limit::of(alice.path(place), configuration, "5m", "2s");
    let (command, count) = (of_crontab(crontab), AtomicUsize::new(0));
    let host = Pulled { provider, alice: &alice, command, count, limit };
    Recipe::of_one(name, &host, &alice).prove();
    // One string, or a string a word.
    let configuration = configuration
        .replace("encrypt-to-self deliver", "tls-audit encrypt-to-self deliver")
        .replace("encrypt-to-self\", \"deliver", "tls-audit\", \"encrypt-to-self\", \"deliver");
    private(&alice, place, &configuration);
    audited(&host);
}

/// With tls-audit in front, sealed mail says how it came to the provider.
fn audited(host: &Pulled) {
    let message = [
        &b"Received: from a.example (a.example [192.0.2.1])\r\n\
        \t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n\
        \tby mail.example.org (Postfix) with ESMTPS id 1;\r\n\
        \tFri, 27 Nov 2026 10:00:00 +0000 (UTC)\r\n"[..],
        LETTER,
    ];
    host.offer(b"", b"", &message.concat(), Transfer::Data).expect("taken");
    host.settle();
    let sealed = take_mail(&host.alice.path("Maildir"));
    let text = String::from_utf8_lossy(&sealed);
    let field = text.lines().find(|line| line.starts_with("TLS-Audit: ")).expect("a field");
    assert!(field.contains("; border=tls; version=TLSv1.3;"), "{field}");
}

/// Writes a file of a user's that nobody else may read.
fn private(user: &Resident, name: &str, text: &str) {
    let path = user.write(name, text.as_bytes());
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("a mode");
}

/// The provider's server, which every program here trusts under the name in the shipped files.
fn start() {
    let (key, certificate) = ("/etc/ssl/provider.key", "/etc/ssl/provider.pem");
    let name = "subjectAltName=DNS:mail.example.org";
    let subject = ["-subj", "/CN=mail.example.org", "-addext", name];
    let files = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate];
    run("openssl", &[&["req", "-x509"][..], &files, &subject].concat());
    let hash = output("openssl", &["x509", "-noout", "-subject_hash", "-in", certificate]);
    append("/etc/ssl/certs/ca-certificates.crt", &fs::read(certificate).expect("a certificate"));
    fs::copy(certificate, format!("/etc/ssl/certs/{}.0", hash.trim())).expect("a certificate");
    append("/etc/hosts", b"127.0.0.1 mail.example.org\n");
    write("/etc/dovecot/provider.conf", DOVECOT);
    // It keeps its standard error.
    run("sh", &["-c", "dovecot -c /etc/dovecot/provider.conf 2>/dev/null"]);
    for port in [993, 995] {
        wait::until("Dovecot", || TcpStream::connect(("127.0.0.1", port)).ok());
    }
}

fn append(path: &str, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(path).expect(path);
    file.write_all(bytes).expect(path);
}

impl Host for Pulled<'_> {
    /// Puts it where the provider's own host would.
    fn offer(&self, _: &[u8], _: &[u8], message: &[u8], _: Transfer) -> Result<(), String> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.provider.write(&format!("Maildir/new/{number}.provider"), lf(message));
        Ok(())
    }

    fn has_names(&self) -> bool {
        false
    }

    fn waiting(&self) -> usize {
        mail(&self.provider.path("Maildir")).len()
    }

    fn settle(&self) {
        let said = self.alice.cron(self.command);
        eprint!("{}", String::from_utf8_lossy(&said));
    }

    fn retry(&self) {
        self.settle();
    }

    fn hurry(&self, on: bool) {
        self.limit.hurry(on);
    }

    fn forget(&self) {
        unreachable!("no names, so none that nobody has");
    }
}
