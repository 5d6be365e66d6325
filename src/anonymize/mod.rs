//! Anonymize.

mod clip;

pub use clip::{AnonymizerInfo, AnonymousClip, Removal, RemovalReason, Span};
