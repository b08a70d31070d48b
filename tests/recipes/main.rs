//! Every recipe of contrib/, on the real host that it is for: one module a host.
//!
//! Each test runs as root on a machine of its own (world::machine), where the shipped file lies in its place and
//! Alice has her home. What becomes of a message is a row of the table in contrib/README.md, written by
//! `SELFSEAL_WRITE_TABLE=yes cargo test --test recipes` and by no hand.
#[path = "../world/mod.rs"]
mod world;

mod agent;
mod apart;
mod check;
mod courier;
mod dovecot;
mod enrolment;
mod exim;
mod fdm;
mod fetchmail;
mod getmail;
mod host;
mod limit;
mod maildrop;
mod mpop;
mod opensmtpd;
mod postfix;
mod procmail;
mod pulled;
mod qmail;
mod recipe;
mod resident;
mod sendmail;
mod table;

use world::machine;
