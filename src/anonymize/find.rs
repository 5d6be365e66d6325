//! Where the voices are, in the whole sound as it came in. What is heard here decides what is cut and
//! nothing else: no sample of it goes on from here.

use std::ops::Range;

use super::{
    cut::Part,
    detector::{Detector, WeightsError},
    highpass::high_pass,
    hum::remove_hum,
    raise::raised,
    voice::{self, THRESHOLD},
};

/// Finds voices. Made once, used for any number of clips; keeps nothing of them.
pub(super) struct Finder {
    detector: Detector,
}

impl Finder {
    pub(super) fn new() -> Result<Self, WeightsError> {
        Ok(Self {
            detector: Detector::new()?,
        })
    }

    /// The stretches of `sound` (16 kHz) that must go, in any order; they may overlap and reach
    /// beyond its end. The detector hears it as it is, and with its quiet parts raised; each frame
    /// gets the worse answer. Hum and DC would hide how quiet a part is.
    pub(super) fn find(&mut self, sound: &[f32]) -> Vec<Range<usize>> {
        let mut cleaned = zeroize::Zeroizing::new(sound.to_vec());
        high_pass(&mut cleaned);
        remove_hum(&mut cleaned, &[Part::whole(sound.len())]);
        let plain = self.detector.hear(sound);
        let raised = self.detector.hear(&raised(&cleaned));
        voice::stretches(&voice::worse(&plain, &raised), THRESHOLD)
    }
}
