//! Sealed mail in the programs that people read it with: notmuch, mutt, neomutt, Thunderbird.
//!
//! Each reader runs in a temporary home of its own and is stopped by its process id. What is expected
//! of each message stands in `tests/fixtures/readers/INDEX.tsv`.
mod database;
mod gnupg;
mod marionette;
mod mutt;
mod notmuch;
mod originals;
mod programs;
mod quickstart;
mod rest;
mod thunderbird;

#[path = "../world/mod.rs"]
mod world;
