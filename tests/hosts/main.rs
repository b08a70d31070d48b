//! Real hosts, real users, the built programs: one module a host.
//!
//! Runs as root, because a host takes on its users' identities. Everything that a test starts or makes
//! goes away with it.
#[path = "../world/mod.rs"]
mod world;

mod account;
mod dovecot;
mod foreign;
mod mail;
mod mta;
mod postfix;
mod procmail;
mod purge;
mod stranger;

use world::{smtp, wait};
