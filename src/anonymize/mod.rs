//! Anonymize: the only way from a [`RawClip`] to an [`AnonymousClip`].
//!
//! A clip of any rate comes in; out comes 16 kHz mono in 16 bit, without what holds a voice, and with
//! a list of what was kept and what was taken out. In this order:
//!
//! 1. `resample`: to 16 kHz, more than 90 dB against aliases; peaks beyond full scale brought to it.
//! 2. `highpass`, `hum`: DC, infrasound and mains hum out.
//! 3. `detector`, `raise`, `voice`: a voice detector hears the clip as it is and with its quiet parts
//!    raised by up to 40 dB. Each frame gets the worse of both answers, and what is taken for a voice
//!    goes with 0.3 s on either side.
//! 4. `timeline`, `cut`: kept stretches shorter than 0.5 s go too; the rest is joined with short
//!    fades, or left in its place with silence between.
//! 5. `level`, `dither`: one level for all, peaks below the ceiling, TPDF dither to 16 bit.
//! 6. The finished clip is heard once more, as it is and raised, at a stricter threshold. What is then
//!    taken for a voice is cut out, and all of it is heard again, up to four times; a voice even then
//!    withholds the clip.
//!
//! It promises that no [`AnonymousClip`] holds a frame that this version's detector takes for a voice,
//! and that `kept` adds up to the sound in it, to the sample. It never passes a clip on because
//! something failed: an answer that is no number counts as a voice, and an error withholds the clip.
//! The raw clip is used up, and every copy made of it on the way is wiped.
//!
//! What it does not do: it does not separate a voice from music that sounds at the same time (both
//! go), and it does not hide what an instrument or a room sounds like.
//!
//! [`RawClip`]: crate::sampler::RawClip

mod anonymizer;
mod clip;
mod cut;
mod description;
mod detector;
mod dither;
mod highpass;
mod hum;
mod level;
mod nn;
mod raise;
mod resample;
mod timeline;
mod voice;
mod voice_net;
mod withheld;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use anonymizer::{Anonymizer, Settings};
pub use clip::{AnonymousClip, Removal, RemovalReason, Span};
pub use description::{Description, VERSION};
pub use withheld::{AnonymizeError, Withheld, WithheldReason};
