//! A client on another machine, with and without STARTTLS: Python's smtplib, and XCLIENT for its address,
//! since the tests' hosts listen on loopback only.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What the host sees of the client.
pub const NAME: &str = "mx.sender.example";
pub const ADDRESS: &str = "203.0.113.9";

/// How the client sends.
pub enum Under<'a> {
    Clear,
    /// Under TLS up to this version, as Python names it: it trusts this certificate alone, and shows one if it
    /// has one.
    Tls {
        trusts: &'a Certificate,
        shows: Option<&'a Certificate>,
        newest: &'a str,
    },
}

/// A self-signed certificate and its key.
pub struct Certificate(TempDir);

impl Certificate {
    /// For a host of this name.
    pub fn of(host: &str) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let certificate = Certificate(directory);
        let output = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args([
                "-days",
                "2",
                "-subj",
                &format!("/CN={host}"),
                "-addext",
                &format!("subjectAltName=DNS:{host}"),
            ])
            .args(["-keyout".as_ref(), certificate.key().as_os_str()])
            .args(["-out".as_ref(), certificate.file().as_os_str()])
            .output()
            .expect("openssl: apt-get install openssl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        certificate
    }

    pub fn file(&self) -> PathBuf {
        self.0.path().join("certificate.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }
}

const CLIENT: &str = "\
import smtplib, ssl, sys
port, name, address, sender, recipient, trusted, certificate, key, newest = sys.argv[1:]
client = smtplib.SMTP('127.0.0.1', int(port), local_hostname=name)
client.ehlo()
assert client.docmd('XCLIENT', f'NAME={name} ADDR={address}')[0] == 220
client.ehlo()
if trusted:
    context = ssl.create_default_context(cafile=trusted)
    context.maximum_version = ssl.TLSVersion[newest]
    if certificate:
        context.load_cert_chain(certificate, key)
    client._host = 'host.example'
    assert client.starttls(context=context)[0] == 220
    client.ehlo()
assert client.mail(sender)[0] == 250
assert client.rcpt(recipient)[0] == 250
code, answer = client.data(sys.stdin.buffer.read())
assert code == 250, answer
print(answer.split()[-1].decode())
client.quit()
";

/// Sends one message; the answer is its name in the queue.
#[track_caller]
pub fn send(port: u16, under: &Under, sender: &str, recipient: &str, message: &[u8]) -> String {
    let (trusted, shown, newest) = match under {
        Under::Clear => (None, None, ""),
        Under::Tls { trusts, shows, newest } => (Some(trusts.file()), *shows, *newest),
    };
    let path = |path: Option<PathBuf>| path.unwrap_or_default();
    let mut python = Command::new("python3")
        .args(["-c", CLIENT, &port.to_string(), NAME, ADDRESS, sender, recipient])
        .args([path(trusted), path(shown.map(Certificate::file)), path(shown.map(Certificate::key))])
        .arg(newest)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3: apt-get install python3");
    python.stdin.take().expect("a pipe").write_all(message).expect("all of it");
    let output = python.wait_with_output().expect("an end");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A setting of main.cf with a path.
pub fn setting(name: &str, path: &Path) -> String {
    format!("{name} = {}", path.display())
}
