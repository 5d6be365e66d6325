//! Sampler.

mod annotation;
pub(crate) mod budget;
mod clip;

pub use annotation::{Annotation, AnnotationError, Note};
pub use clip::{ClipError, RawClip, Selection, Trigger};
