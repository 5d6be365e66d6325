//! The SDK from outside: what an app, a microphone and the compiler see of it. One program, since each costs a link.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod capture;
mod checkout;
mod compile_fail;
mod examples;
#[cfg(all(feature = "microphone", target_os = "linux"))]
mod microphone;
