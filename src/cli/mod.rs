//! What can be typed: one file a program.

pub mod deliver;
