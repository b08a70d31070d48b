//! Real certificates, each with its oddity (`tests/fixtures/keys/README.md`), looked up as the programs do.

use std::fs;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use sequoia_openpgp::types::PublicKeyAlgorithm::{self, ECDH, MLKEM768_X25519, RSAEncryptSign, X25519};
use sequoia_openpgp::types::SymmetricAlgorithm::AES256;
use tempfile::TempDir;

use super::*;

/// 2027-01-01 00:00:00 UTC: all fixtures exist, one has expired.
fn new_year_2027() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_798_761_600)
}

/// Certificates of `tests/fixtures/keys`, copied to where nobody else can write: a checkout may lie in
/// directories of a group.
pub struct Given {
    directory: TempDir,
    sources: Sources,
}

impl Deref for Given {
    type Target = Sources;

    fn deref(&self) -> &Sources {
        &self.sources
    }
}

impl Given {
    /// The copies under other names, below a directory.
    fn named(files: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        for (name, source) in files {
            let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(source);
            let path = directory.path().join(name);
            let Ok(bytes) = fs::read(&fixture) else { continue };
            let below = path.parent().unwrap();
            fs::create_dir_all(below).unwrap();
            fs::write(&path, bytes).unwrap();
            for above in path.ancestors().take_while(|above| *above != directory.path()) {
                let mode = if above == path { 0o644 } else { 0o755 };
                fs::set_permissions(above, PermissionsExt::from_mode(mode)).unwrap();
            }
        }
        Given { directory, sources: Sources::default() }
    }

    /// Where the only one is.
    pub fn path(&self) -> &Path {
        &self.sources.files[0]
    }
}

/// These files by `--cert`; a name without a fixture is a missing file.
pub fn given(names: &[&str]) -> Given {
    let files: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
    let mut given = Given::named(&files);
    given.sources.files = names.iter().map(|name| given.directory.path().join(name)).collect();
    given
}

fn one_file(name: &str) -> Given {
    given(&[name])
}

fn readers_of(sources: &Sources) -> Result<Readers, String> {
    readers_for(sources, None)
}

fn readers_for(sources: &Sources, recipient: Option<&str>) -> Result<Readers, String> {
    let recipient = recipient.map(|text| Address::parse(text.as_bytes()).unwrap());
    match find(sources, recipient.as_ref(), Expired::Defer, Subkeys::Strongest, new_year_2027()) {
        Ok(Some(readers)) => Ok(readers),
        Ok(None) => Err("none".into()),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn algorithms(readers: &Readers) -> Vec<PublicKeyAlgorithm> {
    readers.subkeys.iter().map(Key::pk_algo).collect()
}

#[test]
fn certificates_of_all_kinds_are_sealed_to() {
    for (name, algorithm, reads_seipd_v2) in [
        ("alice.asc", ECDH, false),
        ("rosa.asc", RSAEncryptSign, false),
        ("rsa4096.asc", RSAEncryptSign, false),
        ("rsa4096.gpg", RSAEncryptSign, false),
        ("v4-seipd2.asc", ECDH, true),
        ("v6.asc", X25519, true),
        ("v6-pq.asc", MLKEM768_X25519, true),
        ("v4-pq-and-classical.asc", MLKEM768_X25519, true),
        ("expires-2036.asc", ECDH, false),
        ("subkey-revoked-and-new.asc", ECDH, false),
    ] {
        let readers = readers_of(&one_file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(algorithms(&readers), [algorithm], "{name}");
        assert_eq!(readers.all_read_seipd_v2, reads_seipd_v2, "{name}");
        assert_eq!(readers.cipher, AES256, "{name}");
    }
}

#[test]
fn a_certificate_that_cannot_be_used_defers_and_says_why() {
    for (name, words) in [
        ("expired.asc", "expired on 2025-01-01; extend it, or give --expired=seal"),
        ("revoked.asc", "is revoked"),
        ("subkey-revoked.asc", "no usable subkey for encryption (revoked)"),
        ("rsa1024-subkey.asc", "RSA of 1024 bits, fewer than 2048"),
        ("rsa1024-primary.asc", "no self-signature that holds today"),
        ("elgamal.asc", "ElGamal, which must not be used any more"),
        ("sign-only.asc", "has no subkey for encryption; add one"),
        ("subkeys-17.asc", "17 subkeys for encryption are more than 16"),
    ] {
        let said = readers_of(&one_file(name)).unwrap_err();
        assert!(
            said.contains(words) && said.contains(name) || name == "subkeys-17.asc" && said == words,
            "{said}"
        );
    }
    assert_eq!(readers_of(&one_file("subkeys-16.asc")).unwrap().subkeys.len(), 16);
}

#[test]
fn expired_seal_waives_expiry_alone() {
    let sealed = |name: &str| {
        let found = find(&one_file(name), None, Expired::Seal, Subkeys::Strongest, new_year_2027());
        found.map(|readers| readers.unwrap().subkeys.len()).map_err(|error| format!("{error:#}"))
    };
    assert_eq!(sealed("expired.asc"), Ok(1));
    assert_eq!(sealed("alice.asc"), Ok(1));
    for name in ["revoked.asc", "subkey-revoked.asc", "rsa1024-subkey.asc", "elgamal.asc", "sign-only.asc"] {
        assert!(sealed(name).is_err(), "{name}");
    }
}

#[test]
fn a_certificate_of_the_future_is_not_used() {
    let new_year_2025 = UNIX_EPOCH + Duration::from_secs(1_735_689_600);
    let found = find(&one_file("v6.asc"), None, Expired::Seal, Subkeys::All, new_year_2025);
    assert!(found.unwrap_err().to_string().contains("no self-signature that holds today"));
}

#[test]
fn a_classical_subkey_beside_a_post_quantum_one_is_used_only_on_request() {
    let of = |subkeys| {
        let found =
            find(&one_file("v4-pq-and-classical.asc"), None, Expired::Defer, subkeys, new_year_2027());
        algorithms(&found.unwrap().unwrap())
    };
    assert_eq!(of(Subkeys::Strongest), [MLKEM768_X25519]);
    assert_eq!(of(Subkeys::All), [ECDH, MLKEM768_X25519]);
}

#[test]
fn several_certificates_are_several_readers() {
    let both = readers_of(&one_file("alice-and-rosa.asc")).unwrap();
    assert_eq!(algorithms(&both), [ECDH, RSAEncryptSign]);
    let readers = readers_of(&given(&["v6.asc", "alice.asc", "alice.asc"])).unwrap();
    assert_eq!(algorithms(&readers), [X25519, ECDH], "each subkey once");
    assert!(!readers.all_read_seipd_v2, "one of them cannot");
}

#[test]
fn a_reader_who_cannot_be_sealed_to_is_never_left_out_in_silence() {
    assert!(readers_of(&given(&["alice.asc", "revoked.asc"])).unwrap_err().contains("is revoked"));
    assert!(readers_of(&given(&["alice.asc", "missing.asc"])).unwrap_err().contains("no such file"));
    assert_eq!(readers_of(&one_file("missing.asc")).unwrap_err(), "none");
}

#[test]
fn a_secret_key_in_the_file_works_and_its_secret_is_dropped() {
    let found = find::look(&one_file("alice.key"), None).unwrap().unwrap();
    let (file, certificate) = found.certificates().next().unwrap();
    assert!(file.parsed.had_secret);
    assert!(!certificate.is_tsk());
    assert_eq!(readers_of(&one_file("alice.key")).unwrap().subkeys.len(), 1);
}

#[test]
fn a_day_is_written_as_the_calendar_has_it() {
    for (seconds, day) in [
        (0, "1970-01-01"),
        (86_399, "1970-01-01"),
        (951_782_400, "2000-02-29"),
        (951_868_800, "2000-03-01"),
        (1_798_761_599, "2026-12-31"),
        (1_798_761_600, "2027-01-01"),
        (4_107_542_400, "2100-03-01"),
    ] {
        assert_eq!(date(UNIX_EPOCH + Duration::from_secs(seconds)), day);
    }
}

/// A directory of certificates.
struct Certs(Given);

impl Certs {
    fn with(files: &[(&str, &str)]) -> Self {
        Certs(Given::named(files))
    }

    fn find(&self, layout: Layout, recipient: &str) -> Result<Vec<PublicKeyAlgorithm>, String> {
        self.find_with(Sources { layout, ..Sources::default() }, recipient)
    }

    fn find_with(&self, sources: Sources, recipient: &str) -> Result<Vec<PublicKeyAlgorithm>, String> {
        let sources = Sources { directory: Some(self.0.directory.path().to_owned()), ..sources };
        let recipient = Address::parse(recipient.as_bytes()).unwrap();
        let found = directory::look(self.0.directory.path(), sources.layout, sources.tags, &recipient);
        match found.map_err(|error| format!("{error:#}"))? {
            Some(found) => readers(&found, Expired::Defer, Subkeys::Strongest, new_year_2027())
                .map(|readers| algorithms(&readers))
                .map_err(|error| format!("{error:#}")),
            None => Err("none".into()),
        }
    }
}

#[test]
fn each_layout_finds_the_recipient_whatever_the_case() {
    for (layout, name) in [
        (Layout::Address, "alice@example.org.asc"),
        (Layout::Domain, "example.org/alice.asc"),
        // gpg --with-wkd-hash --list-keys
        (Layout::Wkd, "example.org/hu/kei1q4tipxxu1yj79k9kfukdhfy631xe"),
        (Layout::Wkd, "hu/kei1q4tipxxu1yj79k9kfukdhfy631xe"),
        (Layout::CertD, "71/b787390432d933243fba38f845f615dabe35c5"),
    ] {
        let certs = Certs::with(&[(name, "alice.gpg")]);
        for recipient in ["alice@example.org", "ALICE@Example.ORG", "alice+tag@example.org"] {
            assert_eq!(certs.find(layout, recipient), Ok(vec![ECDH]), "{name} {recipient}");
        }
        for stranger in
            ["bob@example.org", "alice@example.net", "alice.b@example.org", "tag+alice@example.org"]
        {
            assert_eq!(certs.find(layout, stranger), Err("none".into()), "{name} {stranger}");
        }
    }
}

#[test]
fn an_address_of_another_script_is_folded_too() {
    let certs = Certs::with(&[("j\u{f6}rg@b\u{fc}cher.example.asc", "alice.asc")]);
    for recipient in ["j\u{f6}rg@b\u{fc}cher.example", "J\u{d6}RG+x@B\u{dc}cher.example"] {
        assert_eq!(certs.find(Layout::Address, recipient), Ok(vec![ECDH]), "{recipient}");
    }
}

#[test]
fn the_cipher_is_the_strongest_that_all_readers_list() {
    use sequoia_openpgp::types::SymmetricAlgorithm::{AES128, AES192, Camellia256};
    let reader = |reads_seipd_v2, v1: &[SymmetricAlgorithm], v2: &[SymmetricAlgorithm]| Reader {
        subkeys: Vec::new(),
        reads_seipd_v2,
        ciphers_v1: v1.to_vec(),
        ciphers_v2: v2.to_vec(),
    };
    let strong = || reader(true, &[AES256, AES192, AES128], &[AES256, AES128]);
    for (name, other, cipher) in [
        ("the same", strong(), AES256),
        ("v1 without AES-256", reader(false, &[AES192, AES128], &[AES256, AES128]), AES192),
        ("v2 with AES-128 only", reader(true, &[AES256], &[AES128]), AES128),
        ("a favourite that is not used", reader(false, &[Camellia256, AES128], &[AES128]), AES128),
    ] {
        assert_eq!(gather(vec![strong(), other]).unwrap().cipher, cipher, "{name}");
    }
    assert!(gather(vec![strong(), reader(false, &[Camellia256], &[])]).is_err());
}

#[test]
fn a_tag_has_a_certificate_of_its_own_only_on_request() {
    let certs = Certs::with(&[("alice@x.asc", "alice.asc"), ("alice+rsa@x.asc", "rosa.asc")]);
    assert_eq!(certs.find(Layout::Address, "alice+rsa@x"), Ok(vec![ECDH]));
    let with_tags = || Sources { tags: true, ..Sources::default() };
    assert_eq!(certs.find_with(with_tags(), "Alice+RSA@x"), Ok(vec![RSAEncryptSign]));
    assert_eq!(certs.find_with(with_tags(), "alice+other@x"), Ok(vec![ECDH]));
    assert_eq!(certs.find_with(with_tags(), "alice@x"), Ok(vec![ECDH]));
}

/// In a Web Key Directory the sign for kelvin stays what it is.
#[test]
fn a_kelvin_is_refused_only_where_it_would_become_a_k() {
    let certs = Certs::with(&[("x/karl.asc", "alice.asc")]);
    for layout in [Layout::Address, Layout::Domain, Layout::CertD] {
        let said = certs.find(layout, "\u{212a}arl@x").unwrap_err();
        assert!(said.contains("cannot be part of a file name"), "{said}");
    }
    assert_eq!(certs.find(Layout::Wkd, "\u{212a}arl@x"), Err("none".into()));
}

#[test]
fn an_address_that_is_a_path_never_touches_the_file_system() {
    let certs = Certs::with(&[("x/alice.asc", "alice.asc")]);
    for recipient in
        ["/etc/alice@x", "x/alice@x", "\"../x/alice\"@x", "\".hidden\"@x", "alice@[../x]", "\"a\\\\b\"@x"]
    {
        for layout in [Layout::Address, Layout::Domain, Layout::Wkd, Layout::CertD] {
            let said = certs.find(layout, recipient).unwrap_err();
            assert!(said.contains("cannot be part of a file name; give --cert FILE"), "{recipient}: {said}");
        }
    }
    for bytes in [&b"../x/alice@x"[..], b".hidden@x", b"a\0lice@x", b"alice@..", &[b'a'; 300]] {
        assert_eq!(Address::parse(bytes), None, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_directory_that_is_not_there_is_no_stranger() {
    let sources = Sources { directory: Some("/nonexistent/certs".into()), ..Sources::default() };
    assert_eq!(readers_for(&sources, Some("a@x")).unwrap_err(), "/nonexistent/certs: no such directory");
    let said = readers_for(&sources, None).unwrap_err();
    assert_eq!(said, "--certs: the recipient is not known; give --recipient=ADDRESS");
}

#[test]
fn a_web_key_directory_is_asked_for_the_user_id() {
    // The name is a hash of the local part alone: here is somebody else's alice.
    let certs = Certs::with(&[("hu/kei1q4tipxxu1yj79k9kfukdhfy631xe", "rosa.asc")]);
    assert_eq!(certs.find(Layout::Wkd, "alice@example.org"), Err("none".into()));
}

#[test]
fn an_old_certificate_beside_the_new_one_of_the_same_person_is_passed_over() {
    let certs = Certs::with(&[("otto@x.asc", "old-and-new.asc")]);
    assert_eq!(certs.find(Layout::Address, "otto@x"), Ok(vec![ECDH]));
    let certs = Certs::with(&[("otto@x.asc", "expired.asc")]);
    assert!(certs.find(Layout::Address, "otto@x").unwrap_err().contains("expired on 2025-01-01"));
}

#[test]
fn two_live_certificates_that_claim_one_address_are_refused() {
    let certs = Certs::with(&[
        ("71/b787390432d933243fba38f845f615dabe35c5", "alice.gpg"),
        ("72/b787390432d933243fba38f845f615dabe35c5", "alice-of-a-stranger.gpg"),
    ]);
    let said = certs.find(Layout::CertD, "alice@example.org").unwrap_err();
    assert_eq!(said, "--certs: 2 certificates claim the address; keep one of them");
}

#[test]
fn a_layout_has_one_name() {
    for (name, layout) in Layout::NAMES {
        assert_eq!(name.parse::<Layout>().unwrap(), layout);
    }
    assert!("maildir".parse::<Layout>().is_err());
}

fn check_of(name: &str, subkeys: Subkeys, now: SystemTime) -> check::Report {
    check::report(&one_file(name), None, Expired::Seal, subkeys, now, |_| Ok(()))
}

#[test]
fn the_check_says_what_would_be_used_and_until_when() {
    let given = one_file("subkey-revoked-and-new.asc");
    let report = check::report(&given, None, Expired::Defer, Subkeys::Strongest, new_year_2027(), |_| Ok(()));
    // The fingerprints are gpg's words.
    let expected = format!(
        "{}\n  certificate 84AC0CFF65DC21978E0956B35C89AF4AF46D003E \"Sara <sara@example.org>\"\n    \
         subkey 341B4DF503FD25BCBDF3E05E95785A040283021E ECDH Curve25519, does not expire\n    \
         subkey A74352AA0CD51197408BE418314F8A05C68F7D93 ECDH Curve25519, revoked, not used\n\
         seals with SEIPDv1, AES-256; subkeys used: 1\n",
        given.path().display()
    );
    assert_eq!((report.text, report.is_good), (expected, true));
    let report = check_of("v6-pq.asc", Subkeys::Strongest, new_year_2027());
    assert!(report.text.ends_with("seals with SEIPDv2 (OCB), AES-256, post-quantum; subkeys used: 1\n"));
}

#[test]
fn the_check_warns_from_30_days_before_the_end() {
    let end = UNIX_EPOCH + Duration::from_secs(2_082_801_600);
    let day = Duration::from_secs(24 * 60 * 60);
    for (days, is_good, words) in
        [(31, true, "until 2036-01-01"), (30, false, "expires on 2036-01-01; extend it")]
    {
        let report = check_of("expires-2036.asc", Subkeys::Strongest, end - day * days);
        assert_eq!(report.is_good, is_good, "{}", report.text);
        assert!(report.text.contains(words), "{}", report.text);
    }
    let report = check_of("expires-2036.asc", Subkeys::Strongest, end);
    assert!(report.text.contains("warning: ") && report.text.contains("expired on 2036-01-01; extend it"));
}

#[test]
fn the_check_names_each_danger() {
    for (name, subkeys, words) in [
        (
            "alice.key",
            Subkeys::Strongest,
            "alice.key: holds a secret key, which does not belong on this machine",
        ),
        ("v4-pq-and-classical.asc", Subkeys::All, "warning: a classical subkey beside a post-quantum one"),
        ("revoked.asc", Subkeys::Strongest, "is revoked; put the new certificate there"),
        ("elgamal.asc", Subkeys::Strongest, "ElGamal, which must not be used any more, not used"),
        ("missing.asc", Subkeys::Strongest, "problem: no certificate in "),
        ("README.md", Subkeys::Strongest, "holds no OpenPGP certificate"),
    ] {
        let report = check_of(name, subkeys, new_year_2027());
        assert!(report.text.contains(words), "{name}: {}", report.text);
        assert!(!report.is_good, "{name}");
    }
}

#[test]
fn a_trial_that_fails_is_a_problem_of_the_check() {
    let failing = |_: &Readers| bail!("no such cipher");
    let report =
        check::report(&one_file("alice.asc"), None, Expired::Defer, Subkeys::All, new_year_2027(), failing);
    assert!(report.text.ends_with("problem: sealing: no such cipher\n"), "{}", report.text);
    assert!(!report.is_good);
}

/// Each user of a directory: the name in the table, and what is wrong.
fn users_of(layout: Layout, tags: bool, files: &[(&str, &str)]) -> Vec<(String, String)> {
    let certs = Given::named(files);
    let directory = Some(certs.directory.path().to_owned());
    let sources = Sources { directory, layout, tags, ..Sources::default() };
    let users = users(&sources, Expired::Defer, Subkeys::Strongest, new_year_2027(), |_| Ok(()));
    let tell = |user: User| (user.name().to_owned(), user.wrong.unwrap_or_default());
    users.unwrap().into_iter().map(tell).collect()
}

fn told(name: &str, wrong: &str) -> (String, String) {
    (name.to_owned(), wrong.to_owned())
}

#[test]
fn the_names_of_each_layout_lead_back_to_its_users() {
    let alice = "kei1q4tipxxu1yj79k9kfukdhfy631xe";
    let alice = [&format!("example.org/hu/{alice}"), &format!("hu/{alice}")];
    let nobody = "no address leads to this name";
    for (layout, files, expected) in [
        (
            Layout::Address,
            &[
                ("alice@example.org.asc", "alice.asc"),
                ("Rosa@example.org.asc", "rosa.asc"),
                ("otto+tag@x.asc", "rosa.asc"),
                ("example.org/alice.asc", "alice.asc"),
                ("alice@example.org.asc~", "alice.asc"),
                (".alice@example.org.asc.swp", "alice.asc"),
            ][..],
            &[
                told("Rosa@example.org.asc", nobody),
                told("alice@example.org.asc~", nobody),
                told("example.org", nobody),
                told("otto+tag@x.asc", nobody),
                told("alice@example.org", ""),
            ][..],
        ),
        (
            Layout::Domain,
            &[("example.org/alice.asc", "alice.asc"), ("x/b@c.asc", "rosa.asc"), ("README", "README.md")],
            &[told("README", "is no directory"), told("x/b@c.asc", nobody), told("alice@example.org", "")],
        ),
        (
            Layout::Wkd,
            &[(alice[0], "alice.gpg"), (alice[1], "rosa.asc"), ("hu/x", "rosa.asc"), ("policy", "README.md")],
            &[
                told(alice[1], "no User ID leads to this name"),
                told("hu/x", "no User ID leads to this name"),
                told("alice@example.org", ""),
            ],
        ),
        (
            Layout::CertD,
            &[
                ("71/b787390432d933243fba38f845f615dabe35c5", "alice.gpg"),
                ("9d/3f6a80196894307b93b8ed70debee478f3fb24", "revoked.asc"),
                ("9d/not-a-fingerprint", "README.md"),
                ("trust-root", "rsa4096.gpg"),
            ],
            &[
                told("rene@example.org", "is revoked; put the new certificate there"),
                told("alice@example.org", ""),
            ],
        ),
    ] {
        assert_eq!(users_of(layout, false, files), expected, "{layout:?}");
    }
    let tagged = users_of(Layout::Address, true, &[("otto+tag@x.asc", "rosa.asc")]);
    assert_eq!(tagged, [told("otto+tag@x", "")]);
}

#[test]
fn of_several_who_claim_an_address_the_one_that_is_good_counts() {
    let alice = ("71/b787390432d933243fba38f845f615dabe35c5", "alice.gpg");
    let stranger = ("72/b787390432d933243fba38f845f615dabe35c5", "alice-of-a-stranger.gpg");
    let two = users_of(Layout::CertD, false, &[alice, stranger]);
    assert_eq!(two, [told("alice@example.org", "2 certificates claim the address; keep one of them")]);
    let old_and_new = users_of(Layout::Address, false, &[("otto@x.asc", "old-and-new.asc")]);
    assert_eq!(old_and_new, [told("otto@x", "")]);
}

#[test]
fn what_is_wrong_with_one_is_wrong_in_the_table_too() {
    let mut wrong = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys")).unwrap() {
        let fixture = entry.unwrap().file_name().into_string().unwrap();
        // Several in a file are several readers of one mailbox there, old and new ones of one person here.
        if fixture == "old-and-new.asc" {
            continue;
        }
        let certs = Given::named(&[("a@x.asc", &fixture)]);
        let sources = Sources { directory: Some(certs.directory.path().to_owned()), ..Sources::default() };
        for (expired, subkeys) in [(Expired::Defer, Subkeys::Strongest), (Expired::Seal, Subkeys::All)] {
            let alone =
                check::report(&one_file(&fixture), None, expired, subkeys, new_year_2027(), |_| Ok(()));
            let users = users(&sources, expired, subkeys, new_year_2027(), |_| Ok(())).unwrap();
            let [user] = &users[..] else { panic!("{fixture}: {} users", users.len()) };
            assert_eq!(user.wrong.is_none(), alone.is_good, "{fixture}: {}", alone.text);
            wrong += usize::from(user.wrong.is_some());
        }
    }
    assert!(wrong > 20, "{wrong}");
}

#[test]
fn the_table_warns_from_30_days_before_the_end() {
    let certs = Given::named(&[("a@x.asc", "expires-2036.asc")]);
    let sources = Sources { directory: Some(certs.directory.path().to_owned()), ..Sources::default() };
    let end = UNIX_EPOCH + Duration::from_secs(2_082_801_600);
    for (days, expired, wrong, is_sealed_to) in [
        (31, Expired::Defer, None, true),
        (30, Expired::Defer, Some("expires on 2036-01-01; extend it"), true),
        (0, Expired::Defer, Some("expired on 2036-01-01; extend it, or give --expired=seal"), false),
        (0, Expired::Seal, Some("expired on 2036-01-01; extend it"), true),
    ] {
        let now = end - Duration::from_secs(24 * 60 * 60) * days;
        let users = users(&sources, expired, Subkeys::Strongest, now, |_| Ok(())).unwrap();
        assert_eq!((users[0].wrong.as_deref(), users[0].sealing.is_some()), (wrong, is_sealed_to), "{days}");
    }
}

#[test]
fn many_users_are_all_told_in_order_and_sealed_to() {
    let names: Vec<String> = (100..400).map(|n| format!("user{n}@x.asc")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "alice.gpg")).collect();
    let certs = Given::named(&files);
    let sources = Sources { directory: Some(certs.directory.path().to_owned()), ..Sources::default() };
    let trials = std::sync::atomic::AtomicUsize::new(0);
    let trial = |_: &Readers| match trials.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        7 => bail!("no such cipher"),
        _ => Ok(()),
    };
    let users = users(&sources, Expired::Defer, Subkeys::All, new_year_2027(), trial).unwrap();
    assert_eq!((trials.into_inner(), users.len()), (300, 300));
    assert_eq!(users[0].wrong.as_deref(), Some("sealing: no such cipher"));
    assert!(users[1..].iter().all(|user| user.wrong.is_none() && user.sealing.is_some()));
    assert!(users[1..].is_sorted_by_key(|user| user.name().to_owned()));
}

#[test]
fn a_directory_without_certificates_is_told() {
    let said = |directory: &Path| {
        let sources = Sources { directory: Some(directory.to_owned()), ..Sources::default() };
        let users = users(&sources, Expired::Defer, Subkeys::All, new_year_2027(), |_| Ok(()));
        users.err().map(|error| format!("{error:#}")).unwrap_or_default()
    };
    let empty = TempDir::new().unwrap();
    fs::write(empty.path().join(".keep"), "").unwrap();
    let words = ": holds no certificate; put one there for each user";
    assert_eq!(said(empty.path()), format!("{}{words}", empty.path().display()));
    assert!(said(&empty.path().join("missing")).ends_with("missing: no such directory"));
    fs::set_permissions(empty.path(), PermissionsExt::from_mode(0o777)).unwrap();
    assert!(said(empty.path()).ends_with("is writable by others; chmod go-w"));
}
