//! What the trace fields of a message prove about its way (RFC 5321, 4.4): each Received field as a hop, and the
//! border between evidence and claims.
//!
//! A parser has no errors: what cannot be read is a hop in doubt, and its state is unknown. Nothing here
//! guesses, and nothing that a client chose counts: HELO and reverse names, ident, comments, addresses of
//! sender and recipient.

mod border;
mod clauses;
mod formats;
mod hop;
mod ours;
mod peer;
mod tls;
mod tokens;

pub use border::{Judgement, arrival, judge};
pub use hop::{Hop, Passage, State};
pub use ours::{NoHost, Ours};
pub use peer::Peer;
pub use tls::{Tls, Version};
pub use tokens::Doubt;
