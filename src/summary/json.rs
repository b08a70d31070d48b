//! The summary for programs. Names and meanings are in tls-audit(1); they only ever get more.

use super::figures::{Counts, Figures, VERSIONS, Verdict, version_word};
use super::senders::Sender;
use crate::json::{array, object, or_null, string};

/// How many domains are listed.
const DOMAINS: usize = 1000;

/// One JSON object in one line.
pub fn report(figures: &Figures) -> String {
    let worst = figures.senders.worst(DOMAINS);
    let months = figures.months.iter().map(|(month, counts)| {
        let mut members = vec![("month", string(month.to_string().as_bytes()))];
        members.extend(by_verdict(counts));
        object(&members)
    });
    let versions: Vec<_> = VERSIONS
        .into_iter()
        .map(|version| (name(version_word(version)), figures.version(version).to_string()))
        .collect();
    let unread = object(&[
        ("count", figures.unread.to_string()),
        ("named", array(figures.unread_names.iter().map(|line| quoted(line)))),
    ]);
    let whole = object(&[
        ("messages", figures.messages().to_string()),
        ("mailboxes", figures.mailboxes.to_string()),
        ("without_trace", figures.without_trace.to_string()),
        ("verdicts", object(&by_verdict(&figures.verdicts))),
        ("versions", object(&versions)),
        ("months", array(months)),
        ("undated", object(&by_verdict(&figures.undated))),
        ("domains", array(worst.into_iter().map(|(domain, sender)| of_domain(domain, sender)))),
        ("domains_exact", figures.senders.is_exact().to_string()),
        ("without_domain", figures.without_domain.to_string()),
        ("gone", figures.gone.to_string()),
        ("unread", unread),
    ]);
    whole + "\n"
}

/// A word of the reports as a name in JSON.
fn name(word: &'static str) -> &'static str {
    match word {
        "not visible" => "not_visible",
        "not stated" => "not_stated",
        word => word,
    }
}

fn by_verdict(counts: &Counts) -> Vec<(&'static str, String)> {
    Verdict::ALL.into_iter().map(|verdict| (name(verdict.as_str()), counts.of(verdict).to_string())).collect()
}

fn of_domain(domain: &str, sender: &Sender) -> String {
    let last = or_null(sender.last.map(|day| string(day.to_string().as_bytes())));
    let host = or_null((!sender.host.is_empty()).then(|| string(sender.host.as_bytes())));
    object(&[
        ("domain", string(domain.as_bytes())),
        ("plain", sender.messages.to_string()),
        ("last", last),
        ("host", host),
    ])
}

/// Harmless text as a JSON string, with no backslash doubled but by JSON itself.
fn quoted(line: &str) -> String {
    format!("\"{}\"", line.replace('\\', "\\\\").replace('"', "\\\""))
}
