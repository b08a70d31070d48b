//! Mail that is not kept: which messages go, and how they go for good.

pub mod age;
pub mod rules;
