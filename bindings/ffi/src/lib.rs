//! The shared library that Kotlin, Swift and Python load: the SDK's API through UniFFI.
//!
//! * **In**: calls from the host's language; sound as little-endian bytes, never a list of numbers.
//! * **Out**: the engine's results in types that UniFFI can pass; [`Error`](error::Error)s with a kind, a code and a
//!   message.
//! * **Promises**: an exception in a callback of the app stops nothing. A panic becomes an error
//!   of the host's language and closes the engine; it never unwinds into the host.
//! * **Never**: decides anything. It converts and passes on; all rules are in [`sordino::Sordino`].
//!
//! What is exported does not depend on the features `microphone` and `http`: bindings
//! generated from one library load another. A call that needs a missing feature raises an error that says so.
//! `research` adds functions for readers of samples; no app has it.
//!
//! The docs of exported items are written for the reader of KDoc, DocC and docstrings.

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
