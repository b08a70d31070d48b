//! The hops of one message for a person, and for a program.

use crate::escape;
use crate::json;
use crate::trace::{Hop, Judgement, Passage};

/// The widest name in the table, in characters.
const WIDEST: usize = 44;

/// The verdict in one line, and a table: a hop a line, the border and what is only claimed marked.
pub fn table(judgement: &Judgement) -> String {
    let mut text = format!("verdict: {}\n", summary(judgement));
    let rows: Vec<[String; 6]> =
        judgement.hops.iter().enumerate().map(|(at, hop)| row(judgement, at, hop)).collect();
    let heads = ["", "state", "version", "from", "by", "software"].map(str::to_owned);
    let widths: [usize; 6] = std::array::from_fn(|column| {
        rows.iter().chain([&heads]).map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    for row in [&heads].into_iter().filter(|_| !rows.is_empty()).chain(&rows) {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

fn summary(judgement: &Judgement) -> String {
    let Some(hop) = judgement.border_hop() else {
        let why = if judgement.hops.is_empty() { "no trace field" } else { "the trail is lost; see --ours" };
        return format!("{} ({why})", judgement.verdict.as_str());
    };
    let mut facts: Vec<String> = Vec::new();
    facts.extend(hop.tls.version.map(|version| version.as_str().to_owned()));
    facts.extend(hop.tls.cipher.map(escape::foreign));
    facts.extend(hop.tls.bits.map(|bits| format!("{bits} bits")));
    facts.extend(hop.tls.verified.map(|verified| {
        if verified { "certificate verified" } else { "certificate not verified" }.to_owned()
    }));
    facts.extend(hop.doubt.map(|doubt| format!("not believed: {}", doubt.name())));
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    format!("{}{facts}", judgement.verdict.as_str())
}

fn row(judgement: &Judgement, at: usize, hop: &Hop) -> [String; 6] {
    let mark = match () {
        () if judgement.border == Some(at) => "border",
        () if is_claimed(judgement, at) => "claim",
        () => "ours",
    };
    let address = hop.from.address.map(|address| format!("[{address}]"));
    let name = from(hop).map(cut);
    let from = [name, address].into_iter().flatten().collect::<Vec<_>>().join(" ");
    [
        mark.to_owned(),
        hop.state.as_str().to_owned(),
        hop.tls.version.map_or("", |version| version.as_str()).to_owned(),
        from,
        hop.by.map(cut).unwrap_or_default(),
        hop.software.unwrap_or_default().to_owned(),
    ]
}

fn is_claimed(judgement: &Judgement, at: usize) -> bool {
    at >= judgement.proven
}

/// The name that was looked up, else what the client called itself.
fn from<'a>(hop: &Hop<'a>) -> Option<&'a [u8]> {
    hop.from.name.or(hop.from.helo)
}

fn cut(name: &[u8]) -> String {
    let shown = escape::foreign(name);
    match shown.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}...", &shown[..end]),
        None => shown,
    }
}

/// One JSON object in one line, as `tls-audit(1)` documents it.
pub fn json(judgement: &Judgement) -> String {
    let hops = judgement.hops.iter().enumerate().map(|(at, hop)| hop_as_json(hop, is_claimed(judgement, at)));
    let object = json::object(&[
        ("verdict", text(Some(judgement.verdict.as_str().as_bytes()))),
        ("border", json::or_null(judgement.border.map(|at| at.to_string()))),
        ("hops", json::array(hops)),
    ]);
    object + "\n"
}

fn hop_as_json(hop: &Hop, claimed: bool) -> String {
    let passage = match hop.passage {
        Passage::Hop => "hop",
        Passage::Program => "program",
        Passage::Note => "note",
        Passage::Fetched => "fetched",
    };
    let address = hop.from.address.map(|address| address.to_string());
    json::object(&[
        ("state", text(Some(hop.state.as_str().as_bytes()))),
        ("claimed", claimed.to_string()),
        ("version", text(hop.tls.version.map(|version| version.as_str().as_bytes()))),
        ("cipher", text(hop.tls.cipher)),
        ("bits", json::or_null(hop.tls.bits.map(|bits| bits.to_string()))),
        ("verified", json::or_null(hop.tls.verified.map(|verified| verified.to_string()))),
        ("authenticated", hop.authenticated.to_string()),
        ("from", text(from(hop))),
        ("name", text(hop.from.name)),
        ("helo", text(hop.from.helo)),
        ("address", text(address.as_deref().map(str::as_bytes))),
        ("by", text(hop.by)),
        ("with", text(hop.with)),
        ("id", text(hop.id)),
        ("for", text(hop.recipient)),
        ("date", text(hop.date)),
        ("seconds", json::or_null(hop.seconds().map(|seconds| seconds.to_string()))),
        ("software", text(hop.software.map(str::as_bytes))),
        ("passage", text(Some(passage.as_bytes()))),
        ("doubt", text(hop.doubt.map(|doubt| doubt.name().as_bytes()))),
    ])
}

fn text(value: Option<&[u8]>) -> String {
    json::or_null(value.map(json::string))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Header;
    use crate::trace::{Ours, judge};

    const HEADER: &str = "\
Received: from localhost (localhost [127.0.0.1])
\tby mx.example.org (Postfix) with ESMTP id 2; Mon, 1 Jun 2026 10:00:01 +0200
Received: from a.example (a.example [192.0.2.1])
\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
\tby mx.example.org (Postfix) with ESMTPS id 1; Mon, 1 Jun 2026 10:00:00 +0200
Received: from x\x1b[2J (unknown [198.51.100.1]) by a.example with ESMTP; no date
";

    #[test]
    fn the_table_marks_the_border_and_the_claims() {
        let ours = Ours::default();
        assert_eq!(
            table(&judge(Header(HEADER.as_bytes()), &ours)),
            "\
verdict: tls (TLSv1.3, TLS_AES_256_GCM_SHA384, 256 bits)
        state    version  from                     by              software
ours    local             localhost [127.0.0.1]    mx.example.org  Postfix
border  tls      TLSv1.3  a.example [192.0.2.1]    mx.example.org  Postfix
claim   unknown           x\\x1b[2J [198.51.100.1]  a.example
"
        );
        assert_eq!(table(&judge(Header(b""), &ours)), "verdict: unknown (no trace field)\n");
    }

    #[test]
    fn the_object_has_each_documented_name() {
        let object = json(&judge(Header(HEADER.as_bytes()), &Ours::default()));
        let value: serde_json::Value = serde_json::from_str(&object).unwrap();
        assert_eq!(value["verdict"], "tls");
        assert_eq!(value["border"], 1);
        let hop = &value["hops"][1];
        for (name, expected) in [
            ("state", "tls"),
            ("version", "TLSv1.3"),
            ("cipher", "TLS_AES_256_GCM_SHA384"),
            ("from", "a.example"),
            ("helo", "a.example"),
            ("address", "192.0.2.1"),
            ("by", "mx.example.org"),
            ("with", "ESMTPS"),
            ("id", "1"),
            ("date", "Mon, 1 Jun 2026 10:00:00 +0200"),
            ("software", "Postfix"),
            ("passage", "hop"),
        ] {
            assert_eq!(hop[name], expected, "{name}");
        }
        // date -d "Mon, 1 Jun 2026 10:00:00 +0200" +%s
        assert_eq!(hop["seconds"], 1_780_300_800);
        assert_eq!(hop["bits"], 256);
        assert_eq!((&hop["claimed"], &value["hops"][2]["claimed"]), (&false.into(), &true.into()));
        assert_eq!(value["hops"][2]["seconds"], serde_json::Value::Null);
        assert!(!object.contains('\x1b'));
    }
}
