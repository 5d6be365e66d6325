use std::fmt;

use serde::{Deserialize, Serialize};
use sordino_dsp::INPUT_RATES;
use zeroize::Zeroizing;

use super::Annotation;

/// Why a moment became a sample, and how likely that was, so that a researcher can weight an
/// unbiased estimate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// What chose it.
    pub trigger: Trigger,
    /// The probability with which a moment like it is chosen, in (0, 1].
    pub probability: f64,
}

/// What chose a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// The app marked it: the recognizer was unsure or wrong.
    Mark,
    /// The plan's random draw.
    Random,
}

/// A stretch of sound as the microphone heard it, with everything a living room holds.
///
/// It can be neither cloned, printed nor serialized, is never written to disk, and wipes itself on
/// drop. The only way on is [`crate::anonymize`].
pub struct RawClip {
    samples: Zeroizing<Vec<f32>>,
    rate: u32,
    selection: Selection,
    annotation: Annotation,
}

/// Why samples are not a clip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// Nothing to hear.
    #[error("there is not one sample in it")]
    Empty,
    /// A sample that is NaN or infinite.
    #[error("sample {index} is not a finite number")]
    NonFinite {
        /// Which sample, from 0.
        index: usize,
    },
    /// A rate at which no microphone delivers.
    #[error("a sample rate of {rate} Hz is outside 8000 to 384000 Hz")]
    Rate {
        /// The rate asked for, in Hz.
        rate: u32,
    },
}

impl RawClip {
    /// Takes over `samples` (mono, full scale at ±1) at `rate` Hz.
    ///
    /// # Errors
    /// Empty, non-finite or at a rate outside 8 to 384 kHz. The samples are wiped then too.
    pub fn new(
        samples: Vec<f32>,
        rate: u32,
        selection: Selection,
        annotation: Annotation,
    ) -> Result<Self, ClipError> {
        let samples = Zeroizing::new(samples);
        if !INPUT_RATES.contains(&rate) {
            return Err(ClipError::Rate { rate });
        }
        if samples.is_empty() {
            return Err(ClipError::Empty);
        }
        if let Some(index) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(ClipError::NonFinite { index });
        }
        Ok(Self {
            samples,
            rate,
            selection,
            annotation,
        })
    }

    /// Mono, full scale at ±1.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// Only its last `seconds`; notes of the annotation that lie before them go too.
    pub(crate) fn keep_last(mut self, seconds: f64) -> Self {
        let wanted = (seconds * f64::from(self.rate)).round() as usize;
        let Some(cut) = self
            .samples
            .len()
            .checked_sub(wanted)
            .filter(|&cut| cut > 0)
        else {
            return self;
        };
        self.samples = Zeroizing::new(self.samples[cut..].to_vec());
        self.annotation.shift(cut as f64 / f64::from(self.rate));
        self
    }

    /// Why it was chosen.
    pub fn selection(&self) -> Selection {
        self.selection
    }

    /// What the app said of it.
    pub fn annotation(&self) -> &Annotation {
        &self.annotation
    }
}

impl fmt::Debug for RawClip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawClip({:.1} s at {} Hz)", self.seconds(), self.rate)
    }
}
