//! The summary for a terminal, a mail from cron, a file.

use super::bars::{BOLD, FAINT, cell, colour, single, stacked};
use super::figures::{Counts, Figures, VERSIONS, Verdict, is_withdrawn, version_word};
use super::look::Look;
use super::words::{counted, grouped, share};
use crate::escape;

/// How many months have a line of their own; the years before them have one each.
const MONTHS: u16 = 24;

/// How many domains are listed.
const DOMAINS: usize = 10;

/// How many unread files are listed. All of them are on standard error.
const UNREAD: usize = 10;

/// Columns of the label and of the share before a bar.
const LABEL: usize = 12;
const SHARE: usize = 7;

/// The report, its last line end included.
pub fn report(figures: &Figures, look: Look) -> String {
    let sections = [
        head(figures, look),
        by_verdict(figures, look),
        by_version(figures, look),
        by_month(figures, look),
        by_domain(figures, look),
        unread(figures, look),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
}

fn head(figures: &Figures, look: Look) -> String {
    let mut text = counted(figures.messages(), "message", "messages");
    if figures.mailboxes > 0 {
        text += &format!(" in {}", counted(figures.mailboxes, "mailbox", "mailboxes"));
    }
    if let (Some((first, _)), Some((last, _))) =
        (figures.months.first_key_value(), figures.months.last_key_value())
    {
        text += &format!(", {first} to {last}");
    }
    let mut head = wrapped("", &text, look);
    if figures.told() > 0 {
        let under_tls = share(figures.verdicts.of(Verdict::Tls), figures.told());
        head += &format!("{} over TLS (tls, of tls and plain)\n", look.paint(BOLD, &under_tls));
    }
    head
}

fn by_verdict(figures: &Figures, look: Look) -> String {
    if figures.messages() == 0 {
        return String::new();
    }
    let mut text = heading("How it came", look);
    for verdict in Verdict::ALL {
        let count = figures.verdicts.of(verdict);
        text += &row(verdict.as_str(), count, figures.messages(), verdict, figures, look);
    }
    for note in notes(figures) {
        text += &wrapped("  ", &note, look);
    }
    text
}

/// What the verdicts leave open.
pub fn notes(figures: &Figures) -> Vec<String> {
    let mut notes = Vec::new();
    if figures.gone > 0 {
        let some = counted(figures.gone, "message", "messages");
        notes.push(format!("{some} went away or got another name before being read."));
    }
    if figures.without_trace > 0 {
        let some = counted(figures.without_trace, "message has", "messages have");
        notes.push(format!("{some} no trace field at all, like drafts and sent mail."));
    }
    notes
}

fn by_version(figures: &Figures, look: Look) -> String {
    let under_tls = figures.verdicts.of(Verdict::Tls);
    if under_tls == 0 {
        return String::new();
    }
    let mut text = heading("TLS version", look);
    for version in VERSIONS {
        let count = figures.version(version);
        if count > 0 {
            let verdict = if is_withdrawn(version) { Verdict::Plain } else { Verdict::Tls };
            text += &row(version_word(version), count, under_tls, verdict, figures, look);
        }
    }
    text
}

/// One line: label, count, share, bar.
fn row(label: &str, count: u64, whole: u64, verdict: Verdict, figures: &Figures, look: Look) -> String {
    let number = number_width(figures);
    let room = look.width.saturating_sub(2 + LABEL + 1 + number + 2 + SHARE + 2);
    let bar = single(count, whole, room, verdict, look);
    let line =
        format!("  {label:LABEL$} {:>number$}  {:>SHARE$}  {bar}", grouped(count), share(count, whole));
    line.trim_end().to_owned() + "\n"
}

/// Room for the largest number, which is that of all messages, and for a heading of it.
fn number_width(figures: &Figures) -> usize {
    grouped(figures.messages()).len().max("messages".len())
}

fn by_month(figures: &Figures, look: Look) -> String {
    let periods = figures.periods(MONTHS).labelled();
    let undated = figures.undated.total() > 0;
    if periods.is_empty() && !undated {
        return String::new();
    }
    let number = number_width(figures);
    let mut text = heading("By month", look);
    text += &look.paint(FAINT, &format!("  {:LABEL$} {:>number$}  {:>SHARE$}", "", "messages", "plain"));
    text += "\n";
    let undated = undated.then(|| ("no date".to_owned(), figures.undated));
    for (label, counts) in periods.into_iter().chain(undated) {
        text += &month_row(&label, &counts, number, look);
    }
    let legend: Vec<String> = Verdict::ALL
        .into_iter()
        .filter(|verdict| figures.verdicts.of(*verdict) > 0)
        .map(|verdict| format!("{} {}", look.paint(colour(verdict), cell(verdict, look)), verdict.as_str()))
        .collect();
    text + "  " + &legend.join("   ") + "\n"
}

fn month_row(label: &str, counts: &Counts, number: usize, look: Look) -> String {
    let room = look.width.saturating_sub(2 + LABEL + 1 + number + 2 + SHARE + 2);
    let plain = match counts.total() {
        0 => String::new(),
        total => share(counts.of(Verdict::Plain), total),
    };
    let bar = stacked(counts, room, look);
    let line = format!("  {label:LABEL$} {:>number$}  {plain:>SHARE$}  {bar}", grouped(counts.total()));
    line.trim_end().to_owned() + "\n"
}

fn by_domain(figures: &Figures, look: Look) -> String {
    if figures.verdicts.of(Verdict::Plain) == 0 {
        return String::new();
    }
    let number = number_width(figures);
    let mut text = heading("Most mail in the clear", look);
    text +=
        &look.paint(FAINT, &format!("  {:>number$}  {:10}  sending domain, last host", "messages", "last"));
    text += "\n";
    let worst = figures.senders.worst(DOMAINS);
    let listed: u64 = worst.iter().map(|(_, sender)| sender.messages).sum();
    for (domain, sender) in worst {
        let last = sender.last.map_or_else(|| "no date".to_owned(), |day| day.to_string());
        let room = look.width.saturating_sub(2 + number + 2 + 10 + 2);
        let host = if sender.host.is_empty() { String::new() } else { format!("  {}", shown(&sender.host)) };
        let names = fitted(&(shown(domain) + &host), room);
        text += &format!("  {:>number$}  {last:10}  {names}\n", grouped(sender.messages));
    }
    let others = figures.verdicts.of(Verdict::Plain).saturating_sub(listed + figures.without_domain);
    for (count, who) in [(others, "other domains"), (figures.without_domain, "no domain")] {
        if count > 0 {
            text += &format!("  {:>number$}  {:10}  {who}\n", grouped(count), "");
        }
    }
    if !figures.senders.is_exact() {
        text += &wrapped(
            "  ",
            "So many domains that the least were forgotten: the counts are lower bounds.",
            look,
        );
    }
    text
}

fn unread(figures: &Figures, look: Look) -> String {
    if figures.unread == 0 {
        return String::new();
    }
    let mut text = heading(&format!("Not read: {}", grouped(figures.unread)), look);
    for line in figures.unread_names.iter().take(UNREAD) {
        text += &format!("  {}\n", middle_cut(line, look.width.saturating_sub(2)));
    }
    let more = figures.unread.saturating_sub(UNREAD as u64);
    if more > 0 {
        text += &format!("  and {} more, on standard error\n", grouped(more));
    }
    text
}

fn heading(text: &str, look: Look) -> String {
    look.paint(BOLD, text) + "\n"
}

fn shown(text: &str) -> String {
    escape::foreign(text.as_bytes())
}

/// `text` in lines that fit, `margin` before each.
fn wrapped(margin: &str, text: &str, look: Look) -> String {
    let mut lines = String::new();
    let mut line = margin.to_owned();
    for word in text.split(' ') {
        if line.len() + 1 + word.len() > look.width && line.len() > margin.len() {
            lines += &(line + "\n");
            line = margin.to_owned();
        }
        if line.len() > margin.len() {
            line.push(' ');
        }
        line += word;
    }
    lines + &line + "\n"
}

/// `text` cut to `room` columns. A character beyond ASCII may take two of them.
fn fitted(text: &str, room: usize) -> String {
    let columns = |c: char| if c.is_ascii() { 1 } else { 2 };
    if text.chars().map(columns).sum::<usize>() <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(3);
    let kept = text.chars().take_while(|c| {
        let fits = columns(*c) <= left;
        left = left.saturating_sub(columns(*c));
        fits
    });
    kept.collect::<String>() + "..."
}

/// `text` cut to `room` columns in its middle: a path begins with the mailbox, and its end says what is so.
fn middle_cut(text: &str, room: usize) -> String {
    let half = room.saturating_sub(3) / 2;
    let end: String = text.chars().rev().collect();
    match fitted(text, room) {
        whole if whole == text => whole,
        _ => {
            let [begin, end] = [text, end.as_str()].map(|text| fitted(text, half + 3));
            let end: String = end.trim_end_matches("...").chars().rev().collect();
            begin + &end
        }
    }
}
