//! What can be typed: one file a program, and the groups that they share.

mod certificates;
pub mod deliver;
pub mod encrypt_to_self;
pub mod is_encrypted;
pub mod purge_old;
pub mod tls_audit;
