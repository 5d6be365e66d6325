//! Anonymize: the only way from a [`RawClip`] to an [`AnonymousClip`].
//!
//! * **Input**: a clip of any sample rate, which is consumed and zeroed.
//! * **Output**: 16 kHz, mono, 16-bit samples without voices, and lists of what was kept, erased and removed; or the
//!   reason why the clip was rejected.
//! * **Guarantees**: no [`AnonymousClip`] contains a frame that the gate takes for a voice. Kept samples do not depend
//!   on what was said in removed parts. An error rejects the clip.
//! * **Never**: passes on a clip after a failure, or records the seed of the random numbers.
//!
//! The crate `sordino-dsp` does the work; its documentation lists the steps and their limits. This stage passes it the
//! clip and a seed from the operating system.
//!
//! [`RawClip`]: crate::sampler::RawClip

mod anonymizer;
mod clip;

pub use anonymizer::Anonymizer;
pub use clip::AnonymousClip;
pub use sordino_dsp::{
    AnonymizeError, AnonymizerInfo, RejectedClip, RejectionReason, Removal, RemovalReason,
    Settings, Span, VERSION,
};
