//! The picture of a whole mailbox: which of its mail crossed the network under TLS, and which did not.
//!
//! Gathered from header sections only, counted in bounded memory, shown as text, as JSON, or as a page for
//! the wall. Months and days are those that our own hosts wrote, never the sender's Date.

mod bars;
mod day;
mod facts;
mod figures;
mod gather;
mod html;
mod json;
mod look;
mod page;
mod senders;
mod svg;
mod text;
mod words;

use std::path::Path;

use anyhow::{Context, Result, anyhow};

use crate::exit::{CANTCREAT, Sysexit, line_of};

pub use day::{Day, Month};
pub use facts::of as facts;
pub use figures::{Counts, Facts, Figures, Verdict};
pub use gather::gather;
pub use html::report as html;
pub use json::report as json;
pub use look::Look;
pub use text::report as text;

/// Writes the page, made at the moment `now`, to `path`: whole, or not at all.
///
/// # Errors
/// The system cannot write it there, status 73 (EX_CANTCREAT of sysexits.h); or the clock is wrong.
pub fn write_page(path: &Path, figures: &Figures, now: i64) -> Result<()> {
    let today = Day::of(now).context("the clock shows no year that can be written")?;
    page::write(path, &html(figures, today)).map_err(|error| anyhow!(Sysexit(CANTCREAT, line_of(&error))))
}

#[cfg(test)]
mod tests;
