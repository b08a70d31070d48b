//! The picture of a whole mailbox: which of its mail crossed the network under TLS, and which did not.
//!
//! Gathered from header sections only, counted in bounded memory, shown as text, as JSON, or as a page for
//! the wall. Months and days are those that our own hosts wrote, never the sender's Date.

mod bars;
pub mod day;
pub mod figures;
pub mod html;
pub mod json;
pub mod look;
pub mod page;
pub mod senders;
mod svg;
pub mod text;
mod words;

#[cfg(test)]
mod tests;
