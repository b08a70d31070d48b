//! "Try again using this certificate": what a sender of readable mail is told, and who is never told.
//!
//! The text becomes a bounce. Postfix takes 4,096 octets, reads a leading enhanced status code and turns
//! line breaks into blanks; OpenSMTPD shows the last line only; a sender's program shows what it likes.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::address::Address;
use crate::cert::Minimal;
use crate::message::Header;

/// The longest text, below the 4,096 octets that Postfix reads.
const TEXT: usize = 4_000;

/// The characters in a line of armor.
const ARMOR_LINE: usize = 64;

/// Whom a refusal would not reach, or would harm (RFC 3834, 2; RFC 5321, 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spared {
    /// Nobody is there to tell: a bounce, or a host that does not say who the sender is.
    NullSender,
    /// A program wrote it, and would answer or drop the answer.
    Automatic,
    /// A refusal counts as a bounce there, and in the end the recipient is unsubscribed.
    List,
}

/// Why a message from `sender` is not to be refused, if so.
pub fn spares(sender: Option<&Address>, header: Header) -> Option<Spared> {
    let is_null = sender.is_none_or(|sender| sender.local().eq_ignore_ascii_case("MAILER-DAEMON"));
    if is_null {
        return Some(Spared::NullSender);
    }
    header.fields().find_map(|field| {
        let value = field.unfolded();
        if field.is("Auto-Submitted") {
            return (!first_word(&value).eq_ignore_ascii_case(b"no")).then_some(Spared::Automatic);
        }
        if field.is("Precedence") {
            let is_bulk = [&b"bulk"[..], b"list", b"junk"]
                .iter()
                .any(|word| first_word(&value).eq_ignore_ascii_case(word));
            return is_bulk.then_some(Spared::List);
        }
        let name = field.name();
        name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"List-")).then_some(Spared::List)
    })
}

/// The keyword at the beginning of a field body. A comment before it makes none, so it spares.
fn first_word(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|octet| matches!(octet, b' ' | b'\t' | b';' | b'('));
    &value[..end.unwrap_or(value.len())]
}

/// Whether COMMAND is one that readable mail may be handed to.
///
/// # Errors
/// It would store in the clear what is not refused.
pub fn check_command(command: &[OsString]) -> Result<()> {
    let program = command.first().map(Path::new).and_then(Path::file_name);
    ensure!(
        program.is_some_and(|name| name == "encrypt-to-self"),
        "--require: COMMAND has to be encrypt-to-self, which seals the mail that nobody can be told about"
    );
    Ok(())
}

/// # Errors
/// `url` is longer than its line, or holds what a host would change on the way.
pub fn check_url(url: &str) -> Result<()> {
    let is_plain = url.len() <= 250 && url.bytes().all(|octet| octet.is_ascii_graphic());
    ensure!(is_plain && !url.is_empty(), "--offer-at: at most 250 printable ASCII characters without blanks");
    Ok(())
}

/// What standard error says to the sender: one line; and if the certificate fits, the certificate and the
/// line again.
pub fn text(offer: Option<&Minimal>, url: Option<&str>) -> String {
    let Some(certificate) = offer else { return line(&[url.map(at)]) };
    let named = format!("encrypt it to the OpenPGP certificate {}", certificate.fingerprint);
    let whole =
        line(&[Some(format!("{named}, which is in this notice")), url.map(|url| format!("and at {url}"))]);
    let text = format!("{whole}\n{}\n{whole}", armored(&certificate.octets));
    if text.len() < TEXT { text } else { line(&[Some(named), url.map(|url| format!("at {url}"))]) }
}

/// The line, with what to do in it.
fn line(advice: &[Option<String>]) -> String {
    let advice: Vec<&str> = advice.iter().flatten().map(String::as_str).collect();
    let advice = if advice.is_empty() { "encrypt it".to_owned() } else { advice.join(" ") };
    format!("5.7.1 This mailbox accepts encrypted mail only. Please {advice}, and send your message again.")
}

fn at(url: &str) -> String {
    format!("encrypt it to the OpenPGP certificate at {url}")
}

/// Armor without a CRC: once blanks and line breaks are gone, plain base64.
fn armored(octets: &[u8]) -> String {
    let encoded = STANDARD.encode(octets);
    let mut armor = String::from("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n");
    for line in encoded.as_bytes().chunks(ARMOR_LINE) {
        armor.extend(line.iter().copied().map(char::from));
        armor.push('\n');
    }
    armor + "-----END PGP PUBLIC KEY BLOCK-----"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cert::{self, tests::given};
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    fn new_year_2027() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_798_761_600)
    }

    fn offer(name: &str) -> Minimal {
        cert::read_minimal(given(&[name]).path(), new_year_2027()).unwrap_or_else(|error| panic!("{error:#}"))
    }

    #[test]
    fn nobody_is_told_who_cannot_or_should_not_be() {
        let sender = Address::parse(b"bob@example.net");
        for (name, sender, header, spared) in [
            ("a person", sender.as_ref(), "From: bob@example.net\n", None),
            ("a null sender", None, "From: bob@example.net\n", Some(Spared::NullSender)),
            (
                "an automatic reply",
                sender.as_ref(),
                "Auto-Submitted: auto-replied\n",
                Some(Spared::Automatic),
            ),
            ("a reply that is not automatic", sender.as_ref(), "Auto-Submitted: No (by hand)\n", None),
            (
                "a second field",
                sender.as_ref(),
                "Auto-Submitted: no\nAuto-Submitted : x\n",
                Some(Spared::Automatic),
            ),
            ("a list", sender.as_ref(), "LIST-Id: <x.example>\n", Some(Spared::List)),
            ("a list of old", sender.as_ref(), "Precedence: bulk\n", Some(Spared::List)),
            ("a class of mail", sender.as_ref(), "Precedence: first-class\n", None),
            ("a field that only looks like it", sender.as_ref(), "Listing: x\nX-List-Id: x\n", None),
        ] {
            assert_eq!(spares(sender, Header(header.as_bytes())), spared, "{name}");
        }
        let daemon = Address::parse(b"Mailer-Daemon@example.net");
        assert_eq!(spares(daemon.as_ref(), Header(b"")), Some(Spared::NullSender));
    }

    #[test]
    fn readable_mail_that_is_not_refused_can_only_be_sealed() {
        let check = |words: &[&str]| {
            let command: Vec<OsString> = words.iter().map(Into::into).collect();
            check_command(&command).is_ok()
        };
        assert!(check(&["encrypt-to-self", "deliver"]));
        assert!(check(&["/home/alice/.cargo/bin/encrypt-to-self"]));
        for command in [&[][..], &["deliver"], &["cat"], &["sh", "encrypt-to-self"], &["encrypt-to-self.sh"]]
        {
            assert!(!check(command), "{command:?}");
        }
    }

    #[test]
    fn a_refusal_is_one_line_that_begins_with_its_code() {
        let url = "https://example.org/".to_owned() + &"k".repeat(230);
        for offer in [None, Some(&offer("v6-pq.asc"))] {
            for url in [None, Some(url.as_str())] {
                let said = text(offer, url);
                assert!(said.starts_with("5.7.1 "), "{said}");
                assert!(said.len() <= 500 && said.is_ascii() && !said.contains('\n'), "{said}");
                assert_eq!(
                    said.contains("5CA1E1C49CC5C898E051C047F72EC87742284DB0B0E1722BDB17289829060FCE"),
                    offer.is_some()
                );
                assert_eq!(said.contains("https://"), url.is_some());
            }
        }
    }

    #[test]
    fn the_line_stands_before_the_certificate_and_behind_it() {
        for name in ["alice.asc", "rosa.asc", "rsa4096.asc", "v6.asc", "certified.asc", "alice.key"] {
            let said = text(Some(&offer(name)), Some("https://example.org/key"));
            let lines: Vec<&str> = said.lines().collect();
            assert!(lines.iter().all(|line| line.len() <= 500) && said.len() < 4_000, "{name}");
            assert_eq!(lines.first(), lines.last(), "{name}");
            assert!(lines[0].starts_with("5.7.1 ") && lines[0].contains("https://example.org/key"), "{name}");
            assert_eq!(lines[1], "-----BEGIN PGP PUBLIC KEY BLOCK-----", "{name}");
            assert!(!lines.iter().any(|line| line.starts_with('=')), "{name}: no CRC");
        }
    }

    #[test]
    fn a_url_that_a_host_would_change_is_a_usage_error() {
        assert!(check_url("https://example.org/~alice/key.asc?x=1").is_ok());
        for url in ["", "https://example.org/a b", "https://b\u{fc}cher.example", "a\nb", &"x".repeat(251)] {
            assert!(check_url(url).is_err(), "{url:?}");
        }
    }

    #[test]
    fn what_nobody_could_write_to_is_not_offered() {
        for (name, words) in [
            ("expired.asc", "expired on 2025-01-01"),
            ("revoked.asc", "is revoked"),
            ("sign-only.asc", "has no subkey for encryption"),
            ("alice-and-rosa.asc", "holds several certificates; offer one"),
            ("missing.asc", "no such file"),
        ] {
            let error = cert::read_minimal(given(&[name]).path(), new_year_2027()).err().unwrap();
            assert!(format!("{error:#}").contains(words), "{error:#}");
        }
    }
}
