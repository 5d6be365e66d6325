//! Our own net: finds voices in music, and says how to erase them.
//!
//! From a clip at 16 kHz it gives, for each frame of 256 samples, the probability of a voice, and a
//! mask of 160 bands that takes the voice out of the spectrum and leaves the music. It looks two
//! seconds both ways, since a clip is whole before it is anonymized. What stands here is the
//! inference; `models/voice/` has the data, the training and the layout of the weights, and numbers
//! the steps: `spectrum` and `bands` are 1 to 3, `layers` 4 to 8, `erase` 9.
//!
//! Long sound is heard in pieces of half a minute, each with what the net sees around it, so that
//! memory does not grow with the square of anything. Nothing is allocated for a frame, and what is
//! held of the sound is wiped when it has been heard.

mod bands;
mod erase;
mod layers;
mod spectrum;
mod weights;

#[cfg(test)]
mod tests;

use std::ops::Range;

use zeroize::Zeroizing;

use self::{bands::Bands, layers::Layers, spectrum::Spectrum};
use super::nn::WeightsError;

/// What stands in the manifest.
pub(super) const NAME: &str = "sordino-voice 1";

/// Samples from one frame to the next; frame t is centered on sample t · HOP.
pub(super) const HOP: usize = 256;
/// Samples of a frame's window.
const WINDOW: usize = 1024;
const BINS: usize = WINDOW / 2 + 1;
/// Bands of features and mask.
const BANDS: usize = 160;
/// Frames heard together: half a minute, as long as a clip can be.
const PIECE: usize = 30 * 16_000 / HOP;
/// Frames on either side that an answer depends on: 124 by the blocks, two by the convolutions.
const CONTEXT: usize = 126;

/// Made once, used for any number of clips.
pub(super) struct VoiceNet {
    spectrum: Spectrum,
    bands: Bands,
    layers: Layers,
}

/// What the net says of a clip, frame by frame.
pub(super) struct Heard {
    /// The probability of a voice; 1 where there is no number to say it with.
    pub(super) voice: Vec<f32>,
    /// What of each band is music, of 65 535; 0 where there is no number.
    mask: Zeroizing<Vec<[u16; BANDS]>>,
}

impl VoiceNet {
    /// Reads the weights that the library carries.
    ///
    /// # Errors
    /// They are not what this code was written for.
    pub(super) fn new() -> Result<Self, WeightsError> {
        Ok(Self {
            spectrum: Spectrum::new(),
            bands: Bands::new(),
            layers: Layers::new(weights::Weights::carried()?),
        })
    }

    /// Hears `samples`: mono, 16 kHz, full scale at ±1.
    pub(super) fn hear(&mut self, samples: &[f32]) -> Heard {
        let frames = samples.len() / HOP + 1;
        let mut heard = Heard {
            voice: Vec::with_capacity(frames),
            mask: Zeroizing::new(Vec::with_capacity(frames)),
        };
        for start in (0..frames).step_by(PIECE) {
            let end = (start + PIECE).min(frames);
            let around = start.saturating_sub(CONTEXT)..(end + CONTEXT).min(frames);
            let logs = self.logarithms(samples, around.clone());
            let answers = start - around.start..end - around.start;
            self.layers
                .answer(&bands::features(&logs), answers, |voice, mask| {
                    heard.voice.push(probability(voice));
                    heard.mask.push(mask.map(share_of));
                });
        }
        self.spectrum.wipe();
        heard
    }

    /// The logarithm of each band's power in each of `frames`.
    fn logarithms(
        &mut self,
        samples: &[f32],
        frames: Range<usize>,
    ) -> Zeroizing<Vec<[f32; BANDS]>> {
        let mut out = Zeroizing::new(vec![[0.0; BANDS]; frames.len()]);
        for (row, frame) in out.iter_mut().zip(frames) {
            match self.spectrum.of(samples, frame) {
                Ok(bins) => self.bands.logarithms(bins, row),
                // It cannot happen; no number counts as a voice.
                Err(_) => row.fill(f32::NAN),
            }
        }
        out
    }
}

/// What the network could not answer with a number in [0, 1] counts as a voice.
fn probability(answer: f32) -> f32 {
    if (0.0..=1.0).contains(&answer) {
        answer
    } else {
        1.0
    }
}

/// `as` makes a zero of NaN: nothing is left where there is no answer.
fn share_of(mask: f32) -> u16 {
    (mask * f32::from(u16::MAX) + 0.5) as u16
}
