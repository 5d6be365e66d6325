//! The commands from end to end, as scripts and people run them, against a collector that runs as its own program.
//! One program for all tests, since each is linked with all dependencies of the SDK.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod bad_input;
mod commands;
mod consent_on_the_wire;
mod datasets;
#[cfg(unix)]
mod evaluation;
#[path = "../../src/compliance/facts/mod.rs"]
#[allow(dead_code, reason = "papers use all of them, tests a few")]
mod facts;
mod freshness;
mod kill;
mod network;
mod no_raw_sound;
mod on_the_wire;
mod papers;
mod quickstart;
mod reference;
mod restored;
mod support;
mod withdrawal;
