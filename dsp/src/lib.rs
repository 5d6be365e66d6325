//! The signal processing and the networks of Sordino's anonymizer.
//!
//! Mono f32 of any rate comes in; out comes 16 kHz mono in 16 bit, without what holds a voice, and with
//! a list of what was kept and what was taken out. [`Pipeline::process`] does it, in this order:
//!
//! 1. `highpass`, `resample`, `stretch`, `ends`: peaks beyond full scale brought to it; DC and infrasound
//!    out, before anything listens; to 16 kHz, more than 90 dB against aliases; a random clock within
//!    0.1 %, a random beginning, a rounded length.
//! 2. `find` (`voice_net`): our own net says where a voice is, looking two seconds both ways, and masks
//!    it out of the spectrum, with 0.16 s on either side. Where little is left then it is cut.
//! 3. `timeline`, `cut`: kept stretches shorter than 0.5 s go too. From here on nothing sees a sample
//!    of what went.
//! 4. `finish`: mains hum (`hum`) and the microphone's floor (`floor`) out, false hum over what is left of
//!    the true (`decoy`), short fades, about one level for all, peaks below the ceiling (`level`), the
//!    same noise over every clip (`veil`), TPDF dither to 16 bit (`dither`); joined, or in its place with
//!    silence between.
//! 5. `gate` (`detector`, `raise`, `voice`): a second detector, of other features and other training,
//!    hears the finished clip, as it is and with its quiet parts raised by up to 40 dB. What it takes
//!    for a voice is cut too, with 0.16 s on either side, or half a second where one was erased, and 3
//!    to 5 are done again, up to eight times in all; a voice even then withholds the clip. Only what
//!    has passed becomes an [`Anonymized`].
//!
//! All that is random depends on one seed (`random`), which is recorded nowhere.
//!
//! It promises that no [`Anonymized`] holds a frame that the gate's detector takes for a voice, and
//! that `kept` adds up to the sound in it, to the sample; and that with the same cuts and draws what is
//! kept does not depend, to the bit, on what stood in what was cut. It never passes a clip on because
//! something failed: an answer that is no number counts as a voice, and an error withholds the clip.
//! Every copy of the sound that it makes is wiped.
//!
//! What it does not do: it does not give the music back as it was where a voice sounded over it
//! (`erased` says where), and it does not hide what an instrument or a room sounds like.
//!
//! This is a crate of its own so that only it is optimized in development builds: unoptimized, the networks
//! take minutes to test. Apps use it through `sordino::anonymize`, which alone knows where a clip comes from
//! and where it goes; nothing here opens a file, starts a thread or asks the system for anything.

mod cut;
mod decoy;
mod detector;
mod dither;
mod ends;
mod find;
mod finish;
mod floor;
mod gate;
mod highpass;
mod hum;
mod info;
mod level;
mod nn;
mod pipeline;
mod raise;
mod random;
mod rejection;
mod resample;
mod spans;
mod stretch;
mod timeline;
mod veil;
mod voice;
mod voice_net;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use detector::RATE;
pub use info::{AnonymizerInfo, VERSION};
pub use pipeline::{Anonymized, Pipeline, RATES, Settings};
pub use random::Seed;
pub use rejection::{AnonymizeError, RejectedClip, RejectionReason};
pub use spans::{Removal, RemovalReason, Span};
