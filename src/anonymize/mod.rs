//! Anonymize: the only way from a [`RawClip`] to an [`AnonymousClip`].
//!
//! * **In**: a clip of any rate, used up and wiped.
//! * **Out**: 16 kHz mono in 16 bit, without what holds a voice, and a list of what was kept, erased and
//!   removed; or why the clip is withheld.
//! * **Promises**: no [`AnonymousClip`] holds a frame that the gate's detector takes for a voice. What is
//!   kept does not depend on what was said in what was cut. An error withholds the clip.
//! * **Never**: passes a clip on because something failed; records the seed of what is random.
//!
//! The work is that of the crate `sordino-dsp`, whose front page lists the steps and what they do not do: this
//! stage gives it the clip and a seed from the system, and makes an [`AnonymousClip`] of what its gate let pass.
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
