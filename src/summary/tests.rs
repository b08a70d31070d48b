//! The reports over figures whose every number is known.

use serde_json::Value;

use super::bars::{BOLD, FAINT};
use super::day::Day;
use super::figures::{Facts, Figures, Verdict};
use super::look::Look;
use super::{html, json, text};
use crate::escape;
use crate::trace::Version;

/// `date -u -d 2026-11-25T12:00:00 +%s`
pub const NOW: i64 = 1_795_608_000;

/// Facts of a message that came on the day of `seconds`.
pub fn facts(verdict: Verdict, seconds: i64) -> Facts {
    let day = Day::of(seconds);
    Facts { verdict, version: None, day, has_trace: true, domain: None, host: String::new() }
}

const ASCII: Look = Look { width: 80, has_colours: false, has_blocks: false };

/// 40 messages of three months, and one without a date.
fn figures() -> Figures {
    let mut figures = Figures::default();
    figures.mailboxes = 2;
    let mut add = |times: u32, verdict, version, days: i64, domain: Option<&str>, host: &str| {
        let day = Day::of(NOW - days * 86_400);
        let (domain, host) = (domain.map(str::to_owned), host.to_owned());
        let facts = Facts { verdict, version, day, has_trace: true, domain, host };
        (0..times).for_each(|_| figures.count(&facts));
    };
    add(18, Verdict::Tls, Some(Version::Tls1_3), 0, None, "");
    add(5, Verdict::Tls, Some(Version::Tls1_2), 35, None, "");
    add(1, Verdict::Tls, Some(Version::Tls1_0), 70, None, "");
    add(2, Verdict::Tls, None, 1, None, "");
    add(4, Verdict::Plain, None, 33, Some("example.net"), "mail.example.net");
    add(2, Verdict::Plain, None, 70, Some("old.example"), "");
    add(1, Verdict::Plain, None, 71, None, "");
    add(3, Verdict::Local, None, 2, None, "");
    add(2, Verdict::Unknown, None, 36, None, "");
    let undated = Facts { day: None, has_trace: false, ..facts(Verdict::NotVisible, NOW) };
    figures.count(&undated);
    figures.miss("/home/alice/Maildir/cur/1.a:2,S: permission denied".to_owned());
    figures
}

/// As a terminal of 80 columns without UTF-8 has it. All sums and shares are by hand.
const TEXT: &str = "\
39 messages in 2 mailboxes, 2026-09 to 2026-11
78.8 % over TLS (tls, of tls and plain)

How it came
  tls                26   66.7 %  ===============================
  plain               7   17.9 %  ########
  local               3    7.7 %  ----
  unknown             2    5.1 %  ??
  not visible         1    2.6 %  .
  1 message has no trace field at all, like drafts and sent mail.

TLS version
  TLSv1.3            18   69.2 %  ================================
  TLSv1.2             5   19.2 %  =========
  TLSv1.0             1    3.8 %  ##
  not stated          2    7.7 %  ====

By month
               messages    plain
  2026-09             4   75.0 %  ##################################============
  2026-10            11   36.4 %  #################=====================????????
  2026-11            23      0 %  ========================================------
  no date             1      0 %  ..............................................
  = tls   # plain   - local   ? unknown   . not visible

Most mail in the clear
  messages  last        sending domain, last host
         4  2026-10-23  example.net  mail.example.net
         2  2026-09-16  old.example
         1              no domain

Not read: 1
  /home/alice/Maildir/cur/1.a:2,S: permission denied
";

#[test]
fn the_text_has_every_figure() {
    assert_eq!(text::report(&figures(), ASCII), TEXT);
}

#[test]
fn what_the_verdicts_leave_open_is_in_text_and_page() {
    let mut figures = figures();
    figures.gone = 2;
    let (text, page) = (text::report(&figures, ASCII), html::report(&figures, day()));
    for note in [
        "2 messages went away or got another name before being read.",
        "1 message has no trace field at all, like drafts and sent mail.",
    ] {
        assert!(text.contains(&format!("\n  {note}\n")), "{text}");
        assert!(page.contains(note), "{page}");
    }
}

#[test]
fn no_mail_is_said_in_a_line() {
    assert_eq!(text::report(&Figures::default(), ASCII), "0 messages\n");
    let page = html::report(&Figures::default(), day());
    assert!(page.contains("No message tells whether it came over TLS."));
}

fn day() -> Day {
    Day::of(NOW).expect("a day")
}

#[test]
fn the_json_has_every_figure() {
    let report: Value = serde_json::from_str(&json::report(&figures())).expect("JSON");
    let expected: Value = serde_json::from_str(
        r#"{
            "messages": 39, "mailboxes": 2, "without_trace": 1,
            "verdicts": {"tls": 26, "plain": 7, "local": 3, "unknown": 2, "not_visible": 1},
            "versions": {"TLSv1.3": 18, "TLSv1.2": 5, "TLSv1.1": 0, "TLSv1.0": 1, "SSLv3": 0, "SSLv2": 0,
                "not_stated": 2},
            "months": [
                {"month": "2026-09", "tls": 1, "plain": 3, "local": 0, "unknown": 0, "not_visible": 0},
                {"month": "2026-10", "tls": 5, "plain": 4, "local": 0, "unknown": 2, "not_visible": 0},
                {"month": "2026-11", "tls": 20, "plain": 0, "local": 3, "unknown": 0, "not_visible": 0}
            ],
            "undated": {"tls": 0, "plain": 0, "local": 0, "unknown": 0, "not_visible": 1},
            "domains": [
                {"domain": "example.net", "plain": 4, "last": "2026-10-23", "host": "mail.example.net"},
                {"domain": "old.example", "plain": 2, "last": "2026-09-16", "host": null}
            ],
            "domains_exact": true, "without_domain": 1,
            "gone": 0,
            "unread": {"count": 1, "named": ["/home/alice/Maildir/cur/1.a:2,S: permission denied"]}
        }"#,
    )
    .expect("JSON");
    assert_eq!(report, expected);
}

/// What a sender, and whoever names files, may try.
const HOSTILE: [&str; 6] = [
    "</bdi><script>alert(1)</script>",
    "\"><img src=http://a.example/x onerror=alert(1)>",
    "'&#x3c;style>body{display:none}",
    "\x1b[2J\x1b]0;title\x07\r\n\0",
    "\u{202e}gro.elpmaxe\u{2066}\u{feff}\u{9b}",
    "\u{ffff}\u{10ffff}\u{e000}]]>--><!--",
];

fn hostile() -> Figures {
    let mut figures = Figures::default();
    for text in HOSTILE {
        let long = text.repeat(50_000 / text.len());
        for text in [text, long.as_str()] {
            figures.count(&Facts {
                domain: Some(text.to_owned()),
                host: text.to_owned(),
                ..facts(Verdict::Plain, NOW)
            });
            figures.miss(escape::harmless(text.as_bytes()));
        }
    }
    figures.miss(escape::harmless(b"caf\xe9\n\"<b>"));
    figures
}

#[test]
fn hostile_names_drive_no_terminal_and_stay_in_their_line() {
    for width in [60, 80, 120] {
        for has_blocks in [false, true] {
            let text = text::report(&hostile(), Look { width, has_blocks, ..ASCII });
            for line in text.split('\n') {
                assert!(line.chars().count() <= width, "{} columns: {line:?}", line.chars().count());
                assert_eq!(escape::harmless(line.as_bytes()).replace("\\\\", "\\"), line);
            }
        }
    }
}

#[test]
fn hostile_names_are_no_markup() {
    let page = html::report(&hostile(), day());
    for markup in ["<script", "<img", "style>body", "<!--", "onerror=alert(1)>"] {
        assert!(!page.contains(markup), "{markup}");
    }
    let controls = page.chars().filter(|c| c.is_control() && *c != '\n').count();
    assert_eq!(controls + page.matches(['\u{202e}', '\u{2066}', '\u{feff}']).count(), 0);
    assert!(page.len() < 100_000, "{} octets", page.len());
}

#[test]
fn hostile_names_stay_in_their_json_string() {
    let report: Value = serde_json::from_str(&json::report(&hostile())).expect("JSON");
    let domains = report["domains"].as_array().expect("an array");
    assert_eq!(domains.len(), 2 * HOSTILE.len());
    let has = |text: &str| domains.iter().any(|domain| domain["domain"] == text);
    assert!(has("</bdi><script>alert(1)</script>") && has("\\u{202e}gro.elpmaxe\\u{2066}\\u{feff}\\u{9b}"));
    assert_eq!(report["unread"]["named"][12], "caf\\xe9\\x0a\"<b>");
}

#[test]
fn the_page_asks_for_nothing_and_runs_nothing() {
    let page = html::report(&figures(), day());
    assert!(page.contains(
        r#"content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'""#
    ));
    for word in ["http:", "https:", "url(", "@import", "<script", "<link", "<img", "<iframe", "src="] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn colours_end_on_their_line() {
    let text = text::report(&figures(), Look { has_colours: true, ..ASCII });
    for line in text.lines() {
        assert_eq!(line.matches("\x1b[0m").count() * 2, line.matches("\x1b[").count(), "{line:?}");
    }
    let bare = [BOLD, FAINT, "31", "32", "33", "34", "35", "0"]
        .iter()
        .fold(text, |text, colour| text.replace(&format!("\x1b[{colour}m"), ""));
    assert_eq!(bare, TEXT);
}
