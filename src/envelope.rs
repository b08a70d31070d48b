//! Envelope sender and recipient: from options, or from the environment as each host sets it.
//!
//! Postfix, OpenSMTPD, Exim, qmail and Courier say RECIPIENT; Exim also says LOCAL_PART and DOMAIN. No
//! field of the message is believed: a field may confirm what the environment says, and nothing more.

use std::env;
use std::ffi::{OsStr, OsString};

use anyhow::{Context, Result, ensure};

use crate::address::Address;
use crate::escape;
use crate::message::{Arrival, Entity, Header};

/// The envelope sender: `option`, or `$SENDER`. None is the null sender `<>`, and so is whatever does not
/// parse (MAILER-DAEMON, which Postfix's pipe(8) says instead, among it).
pub fn sender(option: Option<&OsStr>) -> Option<Address> {
    sender_from(option, |name| env::var_os(name))
}

/// The envelope sender as [`sender`] has it; where neither option nor environment says anything, as the host
/// wrote it on top of the message: Return-Path, or the frame of an mbox (procmail, Sendmail).
pub fn sender_or_trace(option: Option<&OsStr>, arrival: &Arrival) -> Option<Address> {
    sender_or_trace_from(option, arrival, |name| env::var_os(name))
}

/// The envelope recipient: `option`, or what the host put into the environment; None when nobody tells.
///
/// # Errors
/// What was told is no address; or it may not be the true one: Postfix writes `_` for every octet that
/// a shell could take amiss, so an address with `_` counts only if the topmost Delivered-To says the same.
pub fn recipient(option: Option<&OsStr>, header: Header) -> Result<Option<Address>> {
    recipient_from(option, header, |name| env::var_os(name))
}

fn sender_from(option: Option<&OsStr>, environment: impl Fn(&str) -> Option<OsString>) -> Option<Address> {
    let told = option.map(OsStr::to_owned).or_else(|| environment("SENDER"))?;
    Address::parse(told.as_encoded_bytes())
}

fn sender_or_trace_from(
    option: Option<&OsStr>,
    arrival: &Arrival,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Option<Address> {
    if option.is_some() || environment("SENDER").is_some() {
        return sender_from(option, environment);
    }
    match Entity::split(arrival.message).header.all("Return-Path").next() {
        Some(field) => {
            let path = field.unfolded();
            Address::parse(path.strip_prefix(b"<")?.strip_suffix(b">")?)
        }
        // From SENDER DATE
        None => Address::parse(arrival.frame.split(|octet| *octet == b' ').nth(1)?),
    }
}

fn recipient_from(
    option: Option<&OsStr>,
    header: Header,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Address>> {
    if let Some(told) = option {
        return parsed("--recipient", told).map(Some);
    }
    let told_by = |name: &str| environment(name).filter(|value| !value.is_empty());
    // RECIPIENT is the mailbox, ORIGINAL_RECIPIENT what it was before aliases and the sender's to choose.
    for name in ["RECIPIENT", "ORIGINAL_RECIPIENT"] {
        if let Some(told) = told_by(name) {
            return confirmed(name, &told, header).map(Some);
        }
    }
    match (told_by("LOCAL_PART"), told_by("DOMAIN")) {
        (Some(mut told), Some(domain)) => {
            told.push("@");
            told.push(domain);
            confirmed("LOCAL_PART@DOMAIN", &told, header).map(Some)
        }
        _ => Ok(None),
    }
}

fn parsed(source: &str, told: &OsStr) -> Result<Address> {
    let bytes = told.as_encoded_bytes();
    Address::parse(bytes)
        .with_context(|| format!("{source}: \"{}\" is no mail address", escape::foreign(bytes)))
}

fn confirmed(source: &str, told: &OsStr, header: Header) -> Result<Address> {
    let address = parsed(source, told)?;
    ensure!(
        !address.as_str().contains('_') || delivered_to(&address, header),
        "{source}: \"{}\" has a _, which may stand for another character; give --recipient=ADDRESS",
        escape::foreign(told.as_encoded_bytes())
    );
    Ok(address)
}

/// Whether the topmost Delivered-To, which is the host's own, names `address`. Postfix writes it in lower
/// case.
fn delivered_to(address: &Address, header: Header) -> bool {
    header
        .all("Delivered-To")
        .next()
        .is_some_and(|field| field.unfolded().eq_ignore_ascii_case(address.as_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An environment of `name=value` words.
    fn environment(words: &[&str]) -> impl Fn(&str) -> Option<OsString> {
        let pairs: Vec<(String, OsString)> = words
            .iter()
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        move |wanted| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
    }

    fn recipient_of(option: Option<&str>, header: &str, words: &[&str]) -> Result<Option<String>, String> {
        recipient_from(option.map(OsStr::new), Header(header.as_bytes()), environment(words))
            .map(|address| address.map(|address| address.to_string()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_recipient_is_what_the_host_says() {
        for (name, words, recipient) in [
            ("nobody", &[][..], None),
            ("Postfix", &["RECIPIENT=a@x", "ORIGINAL_RECIPIENT=alias@x", "DOMAIN=x"], Some("a@x")),
            ("an alias alone", &["ORIGINAL_RECIPIENT=alias@x"], Some("alias@x")),
            ("Exim", &["LOCAL_PART=a", "DOMAIN=x"], Some("a@x")),
            ("Exim with both", &["LOCAL_PART=b", "DOMAIN=y", "RECIPIENT=a@x"], Some("a@x")),
            ("a domain alone", &["DOMAIN=x"], None),
            ("an empty variable", &["RECIPIENT=", "LOCAL_PART=a", "DOMAIN=x"], Some("a@x")),
        ] {
            assert_eq!(recipient_of(None, "", words), Ok(recipient.map(str::to_owned)), "{name}");
        }
    }

    #[test]
    fn the_option_wins_over_the_environment() {
        let found = recipient_of(Some("first_last@x"), "", &["RECIPIENT=b@x"]);
        assert_eq!(found, Ok(Some("first_last@x".to_owned())));
    }

    #[test]
    fn a_recipient_that_is_no_address_defers() {
        for words in [&["RECIPIENT=../../root@x"][..], &["RECIPIENT=alice"], &["LOCAL_PART=a b", "DOMAIN=x"]]
        {
            let said = recipient_of(None, "", words).unwrap_err();
            assert!(said.ends_with("is no mail address"), "{said}");
        }
        assert!(recipient_of(Some(""), "", &["RECIPIENT=a@x"]).is_err(), "an empty option is a mistake");
    }

    #[test]
    fn an_underscore_that_postfix_may_have_written_needs_the_topmost_delivered_to() {
        let words = &["RECIPIENT=first_last@x"];
        for (name, header, is_believed) in [
            ("no Delivered-To", "To: first_last@x\n", false),
            ("it agrees", "Return-Path: <>\nDelivered-To: First_Last@x\n", true),
            ("the true octet was another", "Delivered-To: first&last@x\n", false),
            (
                "only a lower one agrees, which the sender wrote",
                "Delivered-To: first&last@x\nDelivered-To: first_last@x\n",
                false,
            ),
        ] {
            assert_eq!(recipient_of(None, header, words).is_ok(), is_believed, "{name}");
        }
        let exim = recipient_of(None, "", &["LOCAL_PART=a_b", "DOMAIN=x"]).unwrap_err();
        assert!(exim.contains("give --recipient=ADDRESS"), "{exim}");
    }

    #[test]
    fn the_hosts_trace_tells_the_sender_where_nothing_else_does() {
        for (name, words, message, sender) in [
            ("nothing", &[][..], "To: b@x\n\n", None),
            ("Return-Path", &[], "Return-Path: <a@x>\n\n", Some("a@x")),
            ("a null Return-Path", &[], "Return-Path: <>\nReturn-Path: <a@x>\n\n", None),
            ("the frame", &[], "From a@x  Mon Jan  1 00:00:00 2026\nTo: b@x\n\n", Some("a@x")),
            ("a null frame", &[], "From MAILER-DAEMON Mon Jan  1 00:00:00 2026\nTo: b@x\n\n", None),
            ("both", &[], "From a@x Mon\nReturn-Path: <b@x>\n\n", Some("b@x")),
            ("a host that says null", &["SENDER="], "Return-Path: <a@x>\n\n", None),
            ("a host that says more", &["SENDER=c@x"], "Return-Path: <a@x>\n\n", Some("c@x")),
        ] {
            let arrival = Arrival::read(message.as_bytes());
            let found = sender_or_trace_from(None, &arrival, environment(words));
            assert_eq!(found.map(|a| a.to_string()), sender.map(str::to_owned), "{name}");
        }
    }

    #[test]
    fn a_sender_that_does_not_parse_is_the_null_sender() {
        for (name, option, words, sender) in [
            ("nobody", None, &[][..], None),
            ("a host", None, &["SENDER=a@x"][..], Some("a@x")),
            ("the option", Some("b@x"), &["SENDER=a@x"], Some("b@x")),
            ("a bounce", None, &["SENDER="], None),
            ("pipe(8)'s null sender", None, &["SENDER=MAILER-DAEMON"], None),
            ("an option that says null", Some("<>"), &["SENDER=a@x"], None),
            ("an injected line", None, &["SENDER=a@x>\r\nDATA"], None),
        ] {
            let found = sender_from(option.map(OsStr::new), environment(words));
            assert_eq!(found.map(|a| a.to_string()), sender.map(str::to_owned), "{name}");
        }
    }
}
