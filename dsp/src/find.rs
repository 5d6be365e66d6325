//! Where the voices are, in the whole sound as it came in: they are erased where the music can stay, and
//! cut where it would not be worth it.
//!
//! What is heard here decides what is cut and what is erased, and nothing else: where no voice is
//! erased, the sound goes on from here as it came, to the bit. Whether it was erased well enough is not
//! for the net that did it to say, but for the gate.

use std::ops::Range;

use realfft::FftError;
use zeroize::Zeroizing;

use super::{
    detector::RATE,
    nn::WeightsError,
    voice_net::{HOP, VoiceNet},
};

/// At which probability a frame counts as a voice: it is erased, or cut.
pub(crate) const THRESHOLD: f64 = 0.25;
/// What goes with a voice on either side of it: 10 frames, 0.16 s, since a word begins and ends in
/// sounds that no detector takes for a voice.
pub(crate) const PADDING: usize = 10 * HOP;
/// The power to which the mask acts: what it says is half voice is then mostly gone.
const EXAGGERATE: f32 = 2.0;
/// Where less than this share of half a second's power is left, the voice was stronger than the music
/// or alone, and what the mask leaves is mostly its rest: it is cut.
const WORTH: f32 = 0.1;
/// Where the gate doubts what was erased, how much more of it goes than of what was not: 0.35 s on
/// either side.
const DOUBT: usize = RATE as usize * 35 / 100;

/// Made once, used for any number of clips; keeps nothing of them.
pub(crate) struct Finder {
    net: VoiceNet,
}

/// What was found in a sound.
pub(crate) struct Found {
    /// The sound, its voices erased as well as they can be.
    pub(crate) sound: Zeroizing<Vec<f32>>,
    /// The stretches of it that must be cut, in samples; none begins beyond its end.
    pub(crate) voices: Vec<Range<usize>>,
    /// The stretches out of which a voice was erased, whether they are cut or not.
    pub(crate) erased: Vec<Range<usize>>,
}

impl Finder {
    /// # Errors
    /// The weights inside the library are damaged.
    pub(crate) fn new() -> Result<Self, WeightsError> {
        Ok(Self {
            net: VoiceNet::new()?,
        })
    }

    /// Hears `sound` (16 kHz) and erases what is a voice in it.
    ///
    /// # Errors
    /// The FFT failed, which it does not.
    pub(crate) fn find(&mut self, sound: &[f32]) -> Result<Found, FftError> {
        let heard = self.net.hear(sound);
        let voiced = widened(&heard.voice, THRESHOLD);
        let erased = self.net.erase(sound, &heard, &voiced, EXAGGERATE)?;
        let gone: Vec<bool> = (0..voiced.len())
            .map(|frame| voiced[frame] && !is_worth(erased.left_around(frame)))
            .collect();
        Ok(Found {
            sound: erased.samples,
            voices: stretches(&gone, sound.len()),
            erased: reached(&voiced, sound.len()),
        })
    }
}

impl Found {
    /// What must go where the gate doubts `stretch`: more of it where a voice was erased.
    pub(crate) fn doubted(&self, stretch: &Range<usize>) -> Vec<Range<usize>> {
        let wider = stretch.start.saturating_sub(DOUBT)..stretch.end + DOUBT;
        let within = self
            .erased
            .iter()
            .filter(|erased| erased.start < stretch.end && stretch.start < erased.end);
        let more = within.map(|erased| wider.start.max(erased.start)..wider.end.min(erased.end));
        std::iter::once(stretch.clone()).chain(more).collect()
    }
}

/// No number is worth nothing.
fn is_worth(left: f32) -> bool {
    left >= WORTH
}

/// For each frame whether one within [`PADDING`] of it reaches `threshold`.
fn widened(probabilities: &[f32], threshold: f64) -> Vec<bool> {
    let reach = PADDING / HOP;
    let mut out = vec![false; probabilities.len()];
    for (frame, &probability) in probabilities.iter().enumerate() {
        if probability.is_nan() || f64::from(probability) >= threshold {
            let end = (frame + reach + 1).min(out.len());
            out[frame.saturating_sub(reach)..end].fill(true);
        }
    }
    out
}

/// The samples that the windows of the frames that hold reach into.
fn reached(frames: &[bool], length: usize) -> Vec<Range<usize>> {
    const REACH: usize = 2 * HOP;
    let runs = stretches(frames, length).into_iter();
    runs.map(|run| run.start.saturating_sub(REACH)..(run.end + REACH).min(length))
        .collect()
}

/// The samples for which the frames stand that hold: a hop around each one's middle.
fn stretches(frames: &[bool], length: usize) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut frame = 0;
    for run in frames.chunk_by(|one, next| one == next) {
        let start = (frame * HOP).saturating_sub(HOP / 2);
        frame += run.len();
        let end = (frame * HOP - HOP / 2).min(length);
        if run[0] && start < end {
            out.push(start..end);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{detector::reference::Reference, testing::melody};

    #[test]
    fn music_is_left_as_it_is_and_a_voice_is_cut() {
        let mut finder = Finder::new().expect("carried");
        let music = melody(RATE, 4.0);
        let found = finder.find(&music).expect("an FFT");
        assert!(found.voices.is_empty() && *found.sound == music);
        let voice = Reference::read().signal();
        let found = finder.find(&voice).expect("an FFT");
        let cut: usize = found.voices.iter().map(Range::len).sum();
        assert!(cut > RATE as usize * 2, "{:?}", found.voices);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// Of mixtures of both.
        #[test]
        fn nothing_stays_as_it_was_where_the_net_hears_a_voice(
            gain in 0.02f32..2.0, offset in 0usize..40_000,
        ) {
            let mut finder = Finder::new().expect("carried");
            let mut sound = melody(RATE, 6.0);
            for (at, sample) in sound[offset..].iter_mut().zip(Reference::read().signal()) {
                *at = (*at + gain * sample).clamp(-1.0, 1.0);
            }
            let first = finder.net.hear(&sound).voice;
            let found = finder.find(&sound).expect("an FFT");
            let within = |stretches: &[Range<usize>], frame: usize| {
                let at = (frame * HOP).min(sound.len() - 1);
                stretches.iter().any(|stretch| stretch.contains(&at))
            };
            for (frame, &probability) in first.iter().enumerate() {
                if f64::from(probability) >= THRESHOLD {
                    prop_assert!(within(&found.erased, frame), "frame {frame}");
                }
            }
            for cut in &found.voices {
                prop_assert!(within(&found.erased, cut.start / HOP + 1), "cut without a voice: {cut:?}");
            }
            for (at, (ours, was)) in found.sound.iter().zip(&sound).enumerate() {
                let near = found.erased.iter().any(|stretch| stretch.contains(&at));
                prop_assert!(near || ours.to_bits() == was.to_bits(), "sample {at}");
            }
        }
    }
}
