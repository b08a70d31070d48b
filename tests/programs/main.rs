//! The built programs, driven with real bytes: one module a program or promise.
#[path = "../world/mod.rs"]
mod world;
