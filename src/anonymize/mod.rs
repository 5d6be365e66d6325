//! Anonymize.

mod clip;

pub use clip::{AnonymizerInfo, AnonymousClip, Removal, RemovalReason, Span};
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct AnonymizeError;
#[derive(Default)]
pub struct Settings { pub keep_time: bool }
pub struct Anonymizer;
pub enum WithheldReason { Voice, Silence, TooShort, Failed }
pub struct Withheld { pub reason: WithheldReason }
impl Anonymizer { pub fn new() -> Result<Self, AnonymizeError> { Ok(Self) } pub fn anonymize(&mut self, _c: crate::sampler::RawClip, _s: Settings) -> Result<AnonymousClip, Withheld> { Err(Withheld{reason: WithheldReason::Failed}) } }
