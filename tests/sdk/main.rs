//! The SDK from outside: what an app, a microphone and the compiler see of it. One program, since each costs a link.

mod capture;
mod compile_fail;
#[cfg(all(feature = "microphone", target_os = "linux"))]
mod microphone;
