//! The signal processing and the neural networks of Sordino's anonymizer.
//!
//! [`Pipeline::process`] takes mono f32 samples at any rate from 8 to 384 kHz. It returns 16 kHz, mono, 16-bit
//! samples without voices, and lists which parts of the input were kept and which were removed. The steps, in
//! order:
//!
//! 1. **Preprocessing.** `highpass`: peaks above full scale are scaled down, then a Butterworth high-pass
//!    removes DC and infrasound. `resample`: to 16 kHz, aliases below -90 dB. `clock_jitter`: a random change of
//!    the clock within 0.1 %. `random_trim`: a random start and a rounded length.
//! 2. **Voice removal.** `voice_removal` runs two independent detectors on a copy without mains hum: `voice_net`, which
//!    predicts a voice probability for each frame and a time-frequency mask, and `silero_vad`. A frame is voiced if one
//!    of them reaches its threshold, or both reach a lower one (`thresholds`). Voiced frames are masked, with 0.16 s on
//!    either side. Where the mask leaves little power, the frames are cut.
//! 3. **Splicing.** `timeline` drops kept regions shorter than 0.5 s, and `splice` joins the others. No later step
//!    sees a sample of a removed region.
//! 4. **Postprocessing.** `postprocess` removes mains hum (`hum`), attenuates the noise floor by a Wiener filter
//!    (`noise_suppression`), adds decoy hum (`decoy_hum`), normalizes the level with some jitter (`level`), adds
//!    masking noise (`masking_noise`) and quantizes to 16 bit with TPDF dither (`dither`).
//! 5. **Verification.** `vad_gate` runs `silero_vad` on the rendered clip, as it is and with its quiet parts amplified by
//!    up to 40 dB (`agc`). Its threshold is stricter where a detector suspected a voice in the input. Segments with a
//!    voice are cut, and steps 3 to 5 run again, at most eight times. If the gate still finds a voice, the clip is
//!    rejected.
//!
//! All random numbers come from one seed (`rng`), which is never recorded.
//!
//! # Guarantees
//!
//! * No [`Anonymized`] clip contains a frame that the gate takes for a voice, by the threshold of its place.
//! * The spans in [`Anonymized::kept`] add up to the length of the output, to the sample.
//! * With the same cuts and the same seed, the kept samples do not depend, to the bit, on the samples that were cut.
//! * An error rejects the clip, and a non-finite network output counts as a voice.
//! * Every buffer that held samples is zeroed.
//!
//! # Limits
//!
//! If a voice overlapped the music, the music is attenuated too; [`Anonymized::erased`] lists the spans. The
//! sound of an instrument or a room is not hidden.
//!
//! # Why a separate crate
//!
//! Development builds optimize only this crate; unoptimized, the networks take minutes to test. It performs no I/O and
//! starts no threads. Apps use it through `sordino::anonymize`.

mod agc;
mod clock_jitter;
mod decoy_hum;
mod dither;
mod highpass;
mod hum;
mod info;
mod kaiser;
mod level;
mod masking_noise;
mod nn;
mod noise_suppression;
mod pipeline;
mod postprocess;
mod random_trim;
mod rejection;
mod resample;
mod rng;
mod sample_rate;
mod segments;
mod settings;
mod silero_vad;
mod spans;
mod splice;
mod thresholds;
mod timeline;
mod vad_gate;
mod voice_net;
mod voice_removal;

#[cfg(test)]
mod privacy_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use info::{AnonymizerInfo, VERSION};
pub use pipeline::{Anonymized, Pipeline};
pub use rejection::{AnonymizeError, RejectedClip, RejectionReason};
pub use rng::Seed;
pub use sample_rate::{INPUT_RATES, SAMPLE_RATE};
pub use settings::Settings;
pub use spans::{Removal, RemovalReason, Span};
pub use thresholds::Thresholds;
