//! The shared library that Kotlin, Swift and Python load: what `sordino::ffi` exports, and nothing else.
//!
//! It is a crate of its own so that building the SDK links no shared library.

sordino::uniffi_reexport_scaffolding!();
