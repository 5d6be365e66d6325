use std::fmt;

use serde::{Deserialize, Serialize};
use sordino_dsp::INPUT_RATES;
use zeroize::Zeroizing;

use super::annotation::Annotation;

/// Why a moment was sampled, and with what probability, so that a researcher can weight an unbiased estimate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// The trigger that selected it.
    pub trigger: Trigger,
    /// The probability with which such a moment is selected, in (0, 1].
    pub probability: f64,
}

/// The trigger of a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// The app marked it: the recognizer was unsure or wrong.
    Mark,
    /// Random sampling at the plan's rate.
    Random,
}

/// A clip as the microphone recorded it, which may contain voices.
///
/// It cannot be cloned, printed or serialized, is never written to disk, and is zeroed on drop. Only
/// [`crate::anonymize`] uses it.
pub struct RawClip {
    samples: Zeroizing<Vec<f32>>,
    rate: u32,
    selection: Selection,
    annotation: Annotation,
}

/// Why samples cannot become a clip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// There are no samples.
    #[error("the clip has no samples")]
    Empty,
    /// A sample is NaN or infinite.
    #[error("sample {index} is not a finite number")]
    NonFinite {
        /// The index of the sample.
        index: usize,
    },
    /// The sample rate is not supported.
    #[error("a sample rate of {rate} Hz is outside 8000 to 384000 Hz")]
    Rate {
        /// The sample rate, in Hz.
        rate: u32,
    },
}

impl RawClip {
    /// A clip of `samples` (mono, full scale at ±1) at `rate` Hz.
    ///
    /// # Errors
    /// `samples` is empty or contains non-finite values, or `rate` is outside 8 to 384 kHz. The samples are zeroed then
    /// too.
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

    /// Sample rate, in Hz.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// Keeps only the last `seconds`, and removes the earlier notes of the annotation.
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

    /// Why it was selected.
    pub fn selection(&self) -> Selection {
        self.selection
    }

    /// The annotation by the app.
    pub fn annotation(&self) -> &Annotation {
        &self.annotation
    }
}

impl fmt::Debug for RawClip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawClip({:.1} s at {} Hz)", self.seconds(), self.rate)
    }
}
