//! Self-sealing envelopes for Unix mail: the nouns behind the programs in `src/bin`.
//!
//! The order of the lines below is the law: a module imports only from lines above its own, so a
//! parser knows no file, a store knows no cryptography, and nothing but `exit` knows a status.
#![forbid(unsafe_code)]

pub mod escape;
pub mod json;
pub mod progress;
pub mod message;
pub mod clock;
pub mod deadline;
pub mod input;
pub mod place;
pub mod mime;
pub mod openpgp;
pub mod cms;
pub mod kind;
pub mod address;
pub mod envelope;
pub mod trace;
pub mod rsa;
pub mod cert;
pub mod outer;
pub mod payload;
pub mod seal;
pub mod refusal;
pub mod audit;
pub mod chain;
pub mod forward;
pub mod exit;
pub mod store;
pub mod mailbox;
pub mod purge;
pub mod summary;
pub mod cli;
