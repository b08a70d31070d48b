//! hcp_shy (RFC 9788, 3.2.2): addresses without display names, the Date in UTC.

use mail_parser::DateTime;

use super::{OuterField, clean};
use crate::message::Field;
use crate::mime;

/// The field as the shy policy shows it. What does not parse falls through unchanged.
pub fn shown(field: &Field, outer: OuterField) -> OuterField {
    let text = match () {
        () if field.is("From") || field.is("Sender") => {
            clean::addresses(field).filter(|list| list.len() == 1).map(|list| format!(" {}", list[0]))
        }
        () if field.is("To") || field.is("Cc") || field.is("Reply-To") => clean::addresses(field)
            .filter(|list| !list.is_empty())
            .map(|list| format!(" {}", list.join(",\n "))),
        () if field.is("Date") => mime::date(field).map(|date| format!(" {}", in_utc(&date))),
        () => None,
    };
    let shy =
        OuterField { text: text.map_or_else(|| outer.text.clone(), String::into_bytes), ..outer.clone() };
    if shy.is_clean() { shy } else { outer }
}

fn in_utc(date: &DateTime) -> String {
    DateTime::from_timestamp(date.to_timestamp()).to_rfc822()
}
