//! The collector as its clients meet it: a service that was really started, over TCP.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod commands;
mod consents;
mod crashes;
mod races;
mod samples;
mod signatures;
mod support;
mod tools;
mod transport;
