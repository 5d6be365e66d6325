//! The gate: a finished clip is heard as whoever gets it will hear it, as it is and turned up, at a
//! stricter threshold. What has passed is a type of its own, which nothing else makes.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{
    detector::Detector,
    finish::Finished,
    nn::WeightsError,
    raise::raised,
    voice::{self, THRESHOLD},
};

/// Hears finished clips. Made once, used for any number of them; keeps nothing of them.
pub(crate) struct Gate {
    detector: Detector,
}

/// Samples (16 kHz, 16 bit) in which the gate found no voice.
pub(crate) struct Passed(Zeroizing<Vec<i16>>);

impl Gate {
    pub(crate) fn new() -> Result<Self, WeightsError> {
        Ok(Self {
            detector: Detector::new()?,
        })
    }

    /// Lets `finished` pass, or says where in it a voice may be; stretches may overlap and reach
    /// beyond its end.
    pub(crate) fn hear(&mut self, finished: Finished) -> Result<Passed, Vec<Range<usize>>> {
        let samples = finished.as_float();
        let plain = self.detector.hear(&samples);
        let raised = self.detector.hear(&raised(&samples));
        let voices = voice::stretches(&voice::worse(&plain, &raised), THRESHOLD);
        if voices.is_empty() {
            Ok(Passed(finished.into_samples()))
        } else {
            Err(voices)
        }
    }
}

impl Passed {
    pub(crate) fn into_samples(self) -> Zeroizing<Vec<i16>> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detector::{RATE, reference::Reference},
        testing::melody,
    };

    #[test]
    fn music_passes_and_a_voice_does_not() {
        let mut gate = Gate::new().expect("carried");
        let music = melody(RATE, 4.0);
        assert!(gate.hear(Finished::for_test(&music)).is_ok());
        let voice = Reference::read().signal();
        for gain in [1.0, 0.01] {
            let quieter: Vec<f32> = voice.iter().map(|sample| sample * gain).collect();
            let found = gate.hear(Finished::for_test(&quieter)).err();
            assert!(found.is_some_and(|voices| !voices.is_empty()), "{gain}");
        }
    }
}
