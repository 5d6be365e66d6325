//! Anonymize.

mod clip;
mod detector;

pub use clip::{AnonymousClip, Removal, RemovalReason, Span};
