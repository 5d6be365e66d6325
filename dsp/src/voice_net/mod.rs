//! Our own network, which detects voices in music and masks them.
//!
//! For each frame of 256 samples of a clip at 16 kHz, it predicts the probability of a voice and a mask of 160 bands
//! that removes the voice from the spectrum and keeps the music. It is a convolutional network of temporal blocks with
//! dilated depthwise convolutions (after Y. Luo and N. Mesgarani, "Conv-TasNet: surpassing ideal time-frequency
//! magnitude masking for speech separation", IEEE/ACM Trans. Audio Speech Lang. Process. 27(8), 2019), not causal: its
//! receptive field is two seconds on either side.
//!
//! This module is the inference. `models/voice/` has the data, the training and the layout of the weights, and numbers
//! the steps: `stft` and `bands` are steps 1 to 3, `network` is 4 to 8, `masking` is 9.
//!
//! Long recordings are processed in chunks of half a minute with the context of the receptive field. Inference does not
//! allocate per frame, and all buffers that held samples are zeroed.

mod bands;
mod config;
mod masking;
mod network;
mod stft;
mod weights;

#[cfg(test)]
mod tests;

use std::ops::Range;

use realfft::FftError;
use zeroize::Zeroizing;

use self::{
    bands::{Bands, features},
    config::{BANDS, CHUNK, CHUNK_CONTEXT},
    network::Network,
    stft::Stft,
    weights::Weights,
};
pub(crate) use self::{config::HOP, masking::Masked};
use crate::nn::WeightsError;

/// The name and version in the manifest.
pub(crate) const NAME: &str = "sordino-voice 2";

/// The network. Create it once and use it for any number of clips.
pub(crate) struct VoiceNet {
    stft: Stft,
    bands: Bands,
    network: Network,
}

/// The output of the network for a clip, frame by frame.
pub(crate) struct Prediction {
    /// The probability of a voice; 1 if the network's output is not in [0, 1].
    pub(crate) voice: Vec<f32>,
    /// The share of music in each band, of 65 535; 0 if the network's output is not finite.
    mask: Zeroizing<Vec<[u16; BANDS]>>,
}

impl VoiceNet {
    /// Reads the embedded weights.
    ///
    /// # Errors
    /// They are corrupt.
    pub(crate) fn new() -> Result<Self, WeightsError> {
        Ok(Self {
            stft: Stft::new(),
            bands: Bands::new(),
            network: Network::new(Weights::embedded()?),
        })
    }

    /// Predicts voice and mask for `samples`: mono, 16 kHz, full scale at ±1.
    pub(crate) fn predict(&mut self, samples: &[f32]) -> Prediction {
        let frames = samples.len() / HOP + 1;
        let mut prediction = Prediction {
            voice: Vec::with_capacity(frames),
            mask: Zeroizing::new(Vec::with_capacity(frames)),
        };
        for start in (0..frames).step_by(CHUNK) {
            let end = (start + CHUNK).min(frames);
            let with_context =
                start.saturating_sub(CHUNK_CONTEXT)..(end + CHUNK_CONTEXT).min(frames);
            let log_powers = self.log_powers(samples, with_context.clone());
            let wanted = start - with_context.start..end - with_context.start;
            self.network
                .forward(&features(&log_powers), wanted, |voice, mask| {
                    prediction.voice.push(valid_probability(voice));
                    prediction.mask.push(mask.map(quantize_mask));
                });
        }
        self.stft.wipe();
        prediction
    }

    /// Removes the voice from the frames of `samples` that are `voiced`. `prediction` is that of the same samples. The
    /// mask is raised to the power of `exponent`, at least 1. Samples beyond the windows of these frames do not change,
    /// to the bit.
    ///
    /// # Errors
    /// The FFT failed, which it does only for buffers of wrong lengths.
    pub(crate) fn mask(
        &mut self,
        samples: &[f32],
        prediction: &Prediction,
        voiced: &[bool],
        exponent: f32,
    ) -> Result<Masked, FftError> {
        masking::mask_frames(
            &mut self.stft,
            &self.bands,
            samples,
            &prediction.mask,
            voiced,
            exponent,
        )
    }

    /// The logarithm of each band's power in each of `frames`.
    fn log_powers(
        &mut self,
        samples: &[f32],
        frames: Range<usize>,
    ) -> Zeroizing<Vec<[f32; BANDS]>> {
        let mut out = Zeroizing::new(vec![[0.0; BANDS]; frames.len()]);
        for (row, frame) in out.iter_mut().zip(frames) {
            match self.stft.forward(samples, frame) {
                Ok(bins) => self.bands.log_powers(bins, row),
                // It fails only for buffers of wrong lengths; NaN counts as a voice.
                Err(_) => row.fill(f32::NAN),
            }
        }
        out
    }
}

/// An output that is not in [0, 1] counts as a voice.
fn valid_probability(output: f32) -> f32 {
    if (0.0..=1.0).contains(&output) {
        output
    } else {
        1.0
    }
}

/// `as` converts NaN to 0, so that nothing is kept of a band without a finite mask.
fn quantize_mask(mask: f32) -> u16 {
    (mask * f32::from(u16::MAX) + 0.5) as u16
}
