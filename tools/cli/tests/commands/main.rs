//! Every command of `sordino`, run as a script runs it: words in, one document or lines out, and an
//! exit status.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod consent;
mod desk;
mod device;
mod keys_and_plans;
mod recordings;
mod sealing;
#[path = "../support/mod.rs"]
mod support;
mod usage;
