//! Anonymize.

mod clip;

pub use clip::{AnonymousClip, Removal, RemovalReason, Span};
