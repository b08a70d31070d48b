//! What becomes of a message by its verdict: a field on top, a warning in its subject, a refusal, or a report.
//!
//! Nothing but header fields is ever written, and of those only the ones named here; the rest of a message
//! passes byte for byte.

mod annotation;
mod level;
mod report;
mod warning;

pub use annotation::{Annotated, FIELD, annotate, field, this_host};
pub use level::Level;
pub use report::{json, table};
pub use warning::Prefix;
