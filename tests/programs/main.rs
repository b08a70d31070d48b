//! The built programs, driven with real bytes: one module a program or promise.
#[path = "../world/mod.rs"]
mod world;

mod certificates;
mod chain;
mod check;
mod crash;
mod deliver_maildir;
mod deliver_mbox;
mod deliver_server;
mod encrypt_to_self;
mod fuzz;
mod is_encrypted;
mod kind;
mod layers;
mod linking;
mod pages;
mod purge_nightly;
mod purge_mbox;
mod purge_old;
mod refusal;
mod roundtrip;
mod shortage;
mod summary;
mod tls_audit;
mod units;
