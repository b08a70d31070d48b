//! Ways to make readable mail pass as encrypted, and the rule that answers each.

mod packets;
mod structure;
mod text;

use super::*;

/// The entity of an inline message with this text.
fn text(body: &str) -> String {
    part("text/plain", body)
}
