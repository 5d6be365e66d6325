//! The shared library that Kotlin, Swift and Python load: the SDK's API through UniFFI.
//!
//! * **In**: calls from the app's language; audio as little-endian bytes, never a list of numbers.
//! * **Out**: the engine's results in types that UniFFI can pass; [`Error`](error::Error)s with a kind, a code and a
//!   message.
//! * **Promises**: an exception in a callback of the app stops nothing. A panic becomes an error
//!   and closes the engine; it never unwinds into the app.
//! * **Never**: contains policy. It converts types; all rules are in [`sordino::Sordino`].
//!
//! The exported functions do not depend on the features `microphone` and `http`: bindings generated from one library
//! load another. A call that needs a missing feature raises an error that names it.
//! `research` adds functions for readers of samples; libraries for apps are built without it.
//!
//! The docs of exported items become KDoc, DocC and docstrings.

pub mod accesses;
pub mod builder;
mod bytes;
pub mod capture;
pub mod consent;
pub mod downmix;
pub mod engine;
pub mod error;
pub mod event;
pub mod features;
mod handle;
pub mod listeners;
pub mod notice;
mod panics;
pub mod pcm_writer;
pub mod plan;
#[cfg(feature = "research")]
pub mod research;
pub mod review;
pub mod samples;
#[cfg(feature = "research")]
pub mod scoring;
mod session;
#[cfg(test)]
mod tests;
mod types;
pub mod upload;

uniffi::setup_scaffolding!();
