//! Real fields of hosts that cannot be installed beside Postfix: unpacked only, each in a network of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::stranger::Certificate;
use crate::world::{World, made};

/// Where `tests/unpack` puts a package.
fn unpacked(package: &str) -> PathBuf {
    let here = made(&format!("unpacked/{package}"));
    assert!(here.is_dir(), "{}: not there; run tests/unpack exim4-daemon-light opensmtpd", here.display());
    here
}

/// What the host hands on of one message in the clear and one under TLS.
fn handed_on(host: &str, package: &str) -> [String; 2] {
    let (place, certificate) = (TempDir::new().expect("a directory"), Certificate::of("mx.ours.example"));
    let copy = |from: &Path, name: &str| std::fs::copy(from, place.path().join(name)).expect("a copy");
    copy(&certificate.file(), "certificate.pem");
    copy(&certificate.key(), "key.pem");
    let output = Command::new("unshare")
        .args(["--net", "--pid", "--mount-proc", "--fork", "--kill-child", "python3"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/foreign/run.py"))
        .arg(host)
        .arg(unpacked(package).canonicalize().expect("a path"))
        .arg(place.path())
        .output()
        .expect("unshare: apt-get install util-linux");
    let log = std::fs::read(place.path().join("output")).unwrap_or_default();
    let told =
        || [output.stderr.clone(), log.clone()].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{}", told().concat());
    let value: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told().concat()));
    ["clear", "tls"].map(|name| value[name].as_str().expect("a text").to_owned())
}

/// What `tls-audit` says of the border hop.
fn judged(message: &str) -> Value {
    let world = World::new();
    let report = world.program("tls-audit").arg("--print=json").input(message.as_bytes()).run().succeeds();
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(
        (&report["border"], &report["verdict"]),
        (&0.into(), &report["hops"][0]["state"]),
        "{message}"
    );
    report["hops"][0].clone()
}

fn is_the_strangers(hop: &Value, software: &str) {
    assert_eq!(hop["software"], software, "{hop}");
    assert_eq!(
        (&hop["helo"], &hop["address"]),
        (&"mx.sender.example".into(), &"203.0.113.9".into()),
        "{hop}"
    );
    assert_eq!(hop["by"], "mx.ours.example", "{hop}");
    assert!(hop["seconds"].as_i64() > Some(1_700_000_000), "{hop}");
}

#[test]
fn exim_tells_how_each_message_came() {
    let [clear, tls] = handed_on("exim", "exim4-daemon-light");
    let hop = judged(&clear);
    assert_eq!((&hop["state"], &hop["with"]), (&"plain".into(), &"esmtp".into()), "{clear}");
    is_the_strangers(&hop, "Exim");
    let hop = judged(&tls);
    assert_eq!((&hop["state"], &hop["version"]), (&"tls".into(), &"TLSv1.3".into()), "{tls}");
    assert!(hop["cipher"].as_str().expect("a cipher").contains("AES_256_GCM"), "{tls}");
    is_the_strangers(&hop, "Exim");
}

#[test]
fn opensmtpd_tells_how_each_message_came() {
    let [clear, tls] = handed_on("opensmtpd", "opensmtpd");
    let hop = judged(&clear);
    assert_eq!((&hop["state"], &hop["with"]), (&"plain".into(), &"ESMTP".into()), "{clear}");
    is_the_strangers(&hop, "OpenSMTPD");
    let hop = judged(&tls);
    assert_eq!((&hop["state"], &hop["version"]), (&"tls".into(), &"TLSv1.3".into()), "{tls}");
    assert_eq!(
        (&hop["cipher"], &hop["verified"]),
        (&"TLS_AES_256_GCM_SHA384".into(), &false.into()),
        "{tls}"
    );
    is_the_strangers(&hop, "OpenSMTPD");
}
