//! The summary as a page for the wall: one file, no script, nothing from anywhere else.
//!
//! Whatever comes from mail passes [`shown`] before it gets here. The page forbids itself all but its own
//! style sheet, so a fault in that could still run nothing and call nobody.

use std::fmt::Write;

use super::day::{Day, Month};
use super::figures::{Counts, Figures, VERSIONS, Verdict, is_withdrawn, version_word};
use super::senders::Sender;
use super::svg::{self, Column, class};
use super::text::notes;
use super::words::{counted, grouped, share};
use crate::escape;

const STYLE: &str = include_str!("page.css");

/// How many months the charts show. The table below them has the years before, too.
const MONTHS: u16 = 36;

/// How many domains are listed.
const DOMAINS: usize = 10;

/// How many unread files are listed.
const UNREAD: usize = 10;

const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The page, made on `today`.
pub fn report(figures: &Figures, today: Day) -> String {
    let left = hero(figures) + &by_month(figures);
    let right = versions(figures) + &domains(figures) + &unread(figures);
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>Mail over TLS</title>
<style>
{STYLE}</style>
</head>
<body>
<main>
<header>
<h1>Mail over TLS</h1>
<p>{}</p>
</header>
<div class="left">
{left}</div>
<div class="right">
{right}</div>
<footer>
<p>Read from the Received field that our own server wrote when a message came in from outside. What other
servers claim is not believed. The sending domain is what the sender claims; the host is the one that our
server saw.</p>
<p>Made on {today} by tls-audit {}.</p>
</footer>
</main>
</body>
</html>
"#,
        extent(figures),
        env!("CARGO_PKG_VERSION"),
    )
}

fn extent(figures: &Figures) -> String {
    let mut text = counted(figures.messages(), "message", "messages");
    if figures.mailboxes > 0 {
        text += &format!(" in {}", counted(figures.mailboxes, "mailbox", "mailboxes"));
    }
    if let (Some((first, _)), Some((last, _))) =
        (figures.months.first_key_value(), figures.months.last_key_value())
    {
        text += &format!("<br>{}", spoken(*first));
        if first != last {
            text += &format!(" to {}", spoken(*last));
        }
    }
    text
}

/// A month in words.
fn spoken(month: Month) -> String {
    let name = NAMES.get(usize::from(month.month).wrapping_sub(1)).copied().unwrap_or_default();
    format!("{name} {}", month.year)
}

fn hero(figures: &Figures) -> String {
    let (tls, told) = (figures.verdicts.of(Verdict::Tls), figures.told());
    let mut section = String::from("<section class=\"hero\" aria-label=\"How it came\">\n");
    section += &match told {
        0 => "<p class=\"number\">\u{2013}</p>\n<p class=\"claim\">No message tells whether it came over TLS.</p>\n"
            .to_owned(),
        told => format!(
            "<p class=\"number\">{}</p>\n<p class=\"claim\">of the mail that tells came over TLS:<br>{} of {} messages</p>\n",
            escaped(&share(tls, told)).replace(" %", "<span class=\"unit\">\u{202f}%</span>"),
            grouped(tls),
            grouped(told)
        ),
    };
    section += &svg::stacked_bar(&figures.verdicts, &in_words(&figures.verdicts));
    section += "\n<dl class=\"legend\">\n";
    for verdict in Verdict::ALL {
        let count = figures.verdicts.of(verdict);
        let _ = writeln!(
            section,
            "<div><dt><i class=\"{}\"></i>{}</dt><dd><b>{}</b> <span>{}</span></dd><dd class=\"meaning\">{}</dd></div>",
            class(verdict),
            name(verdict),
            grouped(count),
            escaped(&share(count, figures.messages())),
            meaning(verdict)
        );
    }
    section += "</dl>\n";
    for note in notes(figures) {
        let _ = writeln!(section, "<p class=\"note\">{note}</p>");
    }
    section + "</section>\n"
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Tls => "over TLS",
        Verdict::Plain => "in the clear",
        verdict => verdict.as_str(),
    }
}

fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Tls => "encrypted on its way in",
        Verdict::Plain => "readable by anybody on its way in",
        Verdict::Local => "never crossed a network",
        Verdict::Unknown => "its trace does not say",
        Verdict::NotVisible => "sealed, its trace too",
    }
}

fn in_words(counts: &Counts) -> String {
    let words = Verdict::ALL
        .map(|verdict| format!("{} {}", name(verdict), escaped(&share(counts.of(verdict), counts.total()))));
    words.join(", ")
}

fn by_month(figures: &Figures) -> String {
    let periods = figures.periods(MONTHS);
    if periods.months.is_empty() {
        return String::new();
    }
    let mut section = String::from("<section>\n<h2>By month</h2>\n");
    let most = periods.months.iter().map(|(_, counts)| counts.total()).max().unwrap_or_default();
    let volume: Vec<Column> = periods
        .months
        .iter()
        .map(|(month, counts)| Column::of_counts(counts, in_one_line(*month, counts)))
        .collect();
    let top = svg::scale(most as f64);
    let chart = svg::columns(&volume, top, "Messages by month; the table below has the numbers");
    section += &framed("messages", &chart, [&grouped(top as u64), "0"], &periods.months);
    let shares: Vec<f64> = periods.months.iter().map(|(_, counts)| percent_plain(counts)).collect();
    let top = svg::scale(shares.iter().copied().fold(0.0, f64::max));
    if figures.verdicts.of(Verdict::Plain) > 0 {
        let columns = |((month, counts), percent): (&(Month, Counts), &f64)| Column {
            title: in_one_line(*month, counts),
            pieces: vec![("plain", *percent)],
        };
        let plain: Vec<Column> = periods.months.iter().zip(&shares).map(columns).collect();
        let chart = svg::columns(&plain, top, "Share in the clear by month; the table below has the numbers");
        section += &framed("share in the clear", &chart, [&format!("{top} %"), "0 %"], &periods.months);
    }
    section += &table(figures, &periods.labelled());
    section + "</section>\n"
}

fn percent_plain(counts: &Counts) -> f64 {
    counts.of(Verdict::Plain) as f64 * 100.0 / counts.total().max(1) as f64
}

fn in_one_line(month: Month, counts: &Counts) -> String {
    let messages = counted(counts.total(), "message", "messages");
    let plain = escaped(&share(counts.of(Verdict::Plain), counts.total()));
    format!("{}: {messages}, {plain} in the clear", spoken(month))
}

/// A chart with its name, its scale, and the months below it.
fn framed(title: &str, chart: &str, [top, bottom]: [&str; 2], months: &[(Month, Counts)]) -> String {
    let mut labels = String::new();
    for (at, (month, _)) in months.iter().enumerate() {
        let letter = NAMES.get(usize::from(month.month).wrapping_sub(1)).map_or("", |name| &name[..1]);
        let year = if at == 0 || month.month == 1 { month.year.to_string() } else { String::new() };
        let _ = write!(labels, "<span>{letter}<b>{year}</b></span>");
    }
    format!(
        r#"<figure style="--months:{}">
<figcaption>{title}</figcaption>
<div class="scale" aria-hidden="true"><span>{top}</span><span>{bottom}</span></div>
{chart}
<div class="months" aria-hidden="true">{labels}</div>
</figure>
"#,
        months.len()
    )
}

/// All the numbers behind the charts, for whoever wants them or cannot see the charts.
fn table(figures: &Figures, periods: &[(String, Counts)]) -> String {
    let mut rows = String::new();
    let undated = (figures.undated.total() > 0).then(|| ("no date".to_owned(), figures.undated));
    for (label, counts) in periods.iter().cloned().chain(undated).rev() {
        let _ = write!(rows, "<tr><th scope=\"row\">{label}</th><td>{}</td>", grouped(counts.total()));
        for verdict in Verdict::ALL {
            let _ = write!(rows, "<td>{}</td>", grouped(counts.of(verdict)));
        }
        let plain = escaped(&share(counts.of(Verdict::Plain), counts.total()));
        let _ = writeln!(rows, "<td>{plain}</td></tr>");
    }
    let heads: String =
        Verdict::ALL.map(|verdict| format!("<th scope=\"col\">{}</th>", name(verdict))).concat();
    format!(
        "<details>\n<summary>The numbers</summary>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">month</th>\
         <th scope=\"col\">messages</th>{heads}<th scope=\"col\">share in the clear</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></div>\n</details>\n"
    )
}

fn versions(figures: &Figures) -> String {
    let under_tls = figures.verdicts.of(Verdict::Tls);
    if under_tls == 0 {
        return String::new();
    }
    let mut rows = String::new();
    for version in VERSIONS {
        let count = figures.version(version);
        if count > 0 {
            let class = match version {
                None => "faint",
                version if is_withdrawn(version) => "plain",
                _ => "tls",
            };
            let _ = writeln!(
                rows,
                "<tr><th scope=\"row\">{}</th><td class=\"chart\">{}</td><td>{}</td><td>{}</td></tr>",
                version_word(version),
                svg::bar(count, under_tls, class),
                grouped(count),
                escaped(&share(count, under_tls))
            );
        }
    }
    format!("<section>\n<h2>TLS version</h2>\n<table class=\"rows\">\n{rows}</table>\n</section>\n")
}

fn domains(figures: &Figures) -> String {
    let plain = figures.verdicts.of(Verdict::Plain);
    if plain == 0 {
        return String::new();
    }
    let worst = figures.senders.worst(DOMAINS);
    let most = worst.first().map_or(1, |(_, sender)| sender.messages);
    let listed: u64 = worst.iter().map(|(_, sender)| sender.messages).sum();
    let mut rows: String =
        worst.into_iter().map(|(domain, sender)| domain_row(domain, sender, most)).collect();
    let others = plain.saturating_sub(listed + figures.without_domain);
    for (count, who) in [(others, "other domains"), (figures.without_domain, "no domain")] {
        if count > 0 {
            let _ = writeln!(
                rows,
                "<tr class=\"rest\"><th scope=\"row\">{who}</th><td class=\"chart\"></td><td>{}</td><td></td></tr>",
                grouped(count)
            );
        }
    }
    let bounds = match figures.senders.is_exact() {
        true => "",
        false => {
            "<p class=\"note\">So many domains that the least were forgotten: the counts are lower bounds.</p>\n"
        }
    };
    format!(
        "<section class=\"domains\">\n<h2>Most mail in the clear</h2>\n<table class=\"rows\">\n<thead><tr><th scope=\"col\">sending domain</th>\
         <td class=\"chart\"></td><th scope=\"col\">messages</th><th scope=\"col\">last</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n\
         {bounds}</section>\n"
    )
}

fn domain_row(domain: &str, sender: &Sender, most: u64) -> String {
    let host = match sender.host.as_str() {
        "" => String::new(),
        host => format!("<small><bdi>{}</bdi></small>", shown(host.as_bytes())),
    };
    format!(
        "<tr><th scope=\"row\"><bdi>{}</bdi>{host}</th><td class=\"chart\">{}</td><td>{}</td><td>{}</td></tr>\n",
        shown(domain.as_bytes()),
        svg::bar(sender.messages, most, "plain"),
        grouped(sender.messages),
        sender.last.map_or_else(|| "no date".to_owned(), |day| day.to_string())
    )
}

fn unread(figures: &Figures) -> String {
    if figures.unread == 0 {
        return String::new();
    }
    let mut items = String::new();
    for line in figures.unread_names.iter().take(UNREAD) {
        let _ = writeln!(items, "<li><bdi>{}</bdi></li>", escaped(line));
    }
    let more = figures.unread.saturating_sub(UNREAD as u64);
    if more > 0 {
        let _ = writeln!(items, "<li>and {} more</li>", grouped(more));
    }
    format!(
        "<section class=\"unread\">\n<h2>Not read: {}</h2>\n<ul>\n{items}</ul>\n</section>\n",
        grouped(figures.unread)
    )
}

/// Foreign bytes as text of the page: harmless, cut, no markup.
fn shown(bytes: &[u8]) -> String {
    escaped(&escape::foreign(bytes))
}

/// `text` without any character that means something to HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
