//! Charts of the page as inline SVG. They hold shapes only: all text is HTML, so that it keeps its size.

use std::fmt::Write;

use super::figures::{Counts, Verdict};

/// The order from the base line, which mail in the clear lies on, so that lengths compare.
const ORDER: [Verdict; 5] =
    [Verdict::Plain, Verdict::Tls, Verdict::Local, Verdict::Unknown, Verdict::NotVisible];

/// Height of a column chart and width of a bar in units of its own.
const LENGTH: f64 = 1000.0;

/// Width of a column with and without the gap beside it.
const STEP: f64 = 10.0;
const COLUMN: f64 = 7.0;

/// The class of a verdict, whose colour the style sheet knows.
pub fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotVisible => "hidden",
        verdict => verdict.as_str(),
    }
}

/// One bar with all verdicts side by side. `told` says in words what it shows.
pub fn stacked_bar(counts: &Counts, told: &str) -> String {
    let mut shapes = String::new();
    let mut begin = 0.0;
    for verdict in ORDER {
        let length = length(counts.of(verdict), counts.total());
        if length > 0.0 {
            let class = class(verdict);
            let _ =
                write!(shapes, r#"<rect class="{class}" x="{begin:.2}" width="{length:.2}" height="10"/>"#);
        }
        begin += length;
    }
    picture("bar", LENGTH, 10.0, told, &shapes)
}

/// A bar that is `part` of `whole` long. It says nothing that the number beside it does not.
pub fn bar(part: u64, whole: u64, class: &str) -> String {
    // What is not nothing is seen.
    let length = if part > 0 { length(part, whole).max(4.0) } else { 0.0 };
    format!(
        r#"<svg class="row" viewBox="0 0 {LENGTH} 10" preserveAspectRatio="none" aria-hidden="true"><rect class="{class}" width="{length:.2}" height="10"/></svg>"#
    )
}

/// A column of a chart: what it says when pointed at, and its pieces from the base line up.
pub struct Column {
    /// In words, safe to stand in HTML.
    pub title: String,
    /// Class and height of each piece, in the chart's unit.
    pub pieces: Vec<(&'static str, f64)>,
}

impl Column {
    /// All verdicts of a month.
    pub fn of_counts(counts: &Counts, title: String) -> Self {
        let pieces = ORDER.into_iter().map(|verdict| (class(verdict), counts.of(verdict) as f64)).collect();
        Column { title, pieces }
    }
}

/// Columns side by side below `top`, with a line at the top and one in the middle.
pub fn columns(columns: &[Column], top: f64, told: &str) -> String {
    let width = columns.len() as f64 * STEP;
    let mut shapes = String::new();
    for height in [0.0, LENGTH / 2.0, LENGTH] {
        let _ = write!(shapes, r#"<path class="line" d="M0 {height}H{width}"/>"#);
    }
    for (at, column) in columns.iter().enumerate() {
        let left = at as f64 * STEP;
        let _ = write!(shapes, "<g><title>{}</title>", column.title);
        // The whole height answers to the pointer.
        let _ = write!(shapes, r#"<rect class="reach" x="{left}" width="{STEP}" height="{LENGTH}"/>"#);
        let mut base = LENGTH;
        for (class, value) in &column.pieces {
            // What is not nothing is seen.
            let height = if *value > 0.0 { (value / top * LENGTH).max(3.0) } else { 0.0 };
            base -= height;
            if height > 0.0 {
                let left = left + (STEP - COLUMN) / 2.0;
                let _ = write!(
                    shapes,
                    r#"<rect class="{class}" x="{left}" y="{base:.2}" width="{COLUMN}" height="{height:.2}"/>"#
                );
            }
        }
        shapes += "</g>";
    }
    picture("columns", width, LENGTH, told, &shapes)
}

/// The next number above `value` that divides a scale well: 1, 2 or 5 and zeros, halves included.
pub fn scale(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let decade = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|step| step * decade)
        .find(|top| *top >= value)
        .unwrap_or(value)
}

fn picture(class: &str, width: f64, height: f64, told: &str, shapes: &str) -> String {
    format!(
        r#"<svg class="{class}" viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" aria-label="{told}">{shapes}</svg>"#
    )
}

fn length(part: u64, whole: u64) -> f64 {
    part as f64 * LENGTH / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number() {
        for (value, top) in [
            (0.0, 1.0),
            (1.0, 1.0),
            (3.0, 4.0),
            (11.0, 20.0),
            (999.0, 1000.0),
            (1234.0, 2000.0),
            (0.04, 0.04),
        ] {
            assert!((scale(value) - top).abs() < 1e-9, "{value}: {}", scale(value));
        }
    }

    #[test]
    fn a_single_message_is_seen_in_a_chart_of_a_million() {
        let column = Column { title: "x".to_owned(), pieces: vec![("plain", 1.0), ("tls", 999_999.0)] };
        let chart = columns(&[column], 1_000_000.0, "");
        assert!(
            chart.contains(r#"<rect class="plain" x="1.5" y="997.00" width="7" height="3.00"/>"#),
            "{chart}"
        );
        assert!(bar(1, 1_000_000, "plain").contains(r#"width="4.00""#));
        assert!(bar(0, 1_000_000, "plain").contains(r#"width="0.00""#));
    }
}
