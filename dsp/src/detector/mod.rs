//! The voice detector: Silero VAD 6 (MIT, <https://github.com/snakers4/silero-vad>), by our own
//! inference.
//!
//! 512 samples at 16 kHz go in together with the 64 before them; out comes the probability that a
//! voice is among them. The network is a short-time spectrum (a Hann-windowed DFT of 256 samples,
//! hop 128, the end reflected), four convolutions, an LSTM cell of 128 and one output. Four frames
//! at a time pass all but the LSTM, which has to take them one by one. Nothing is allocated for a
//! frame, and what the network remembers of the sound is wiped after every clip.
//!
//! `models/silero/` says where the weights come from and how they are laid out.

mod spectrum;
mod weights;

#[cfg(test)]
pub(super) mod reference;

use zeroize::Zeroize as _;

use self::{
    spectrum::{BINS, FftFailed, Spectrum, WINDOWS},
    weights::Weights,
};

use super::nn::{COLUMNS as BLOCK, WeightsError, rectified, rectify, sigmoid, tanh};

/// Samples a second that the detector takes.
pub const RATE: u32 = 16_000;
/// Samples that one probability speaks of.
pub(crate) const FRAME: usize = 512;
/// What stands in the manifest.
pub(crate) const NAME: &str = "silero-vad 6.2.3";

/// Samples before a frame that are heard with it.
const CONTEXT: usize = 64;
/// Channels after the first convolution.
const WIDE: usize = 128;
/// Channels after the second and the third.
const NARROW: usize = 64;
/// The LSTM's gates: input, forget, cell, output.
const GATES: usize = 4 * WIDE;
/// Rows of zeros around what a convolution with three taps takes: one in front, one behind.
const EDGES: usize = 2;

/// Says, frame by frame, how likely a voice is. Made once, used for any number of clips.
pub(crate) struct Detector {
    weights: Weights,
    spectrum: Spectrum,
    scratch: Box<Scratch>,
}

impl Detector {
    /// Reads the weights that the library carries.
    ///
    /// # Errors
    /// They are not what this code was written for.
    pub(crate) fn new() -> Result<Self, WeightsError> {
        Ok(Self {
            weights: Weights::carried()?,
            spectrum: Spectrum::new(),
            scratch: Box::new(Scratch::silent()),
        })
    }

    /// The probability of a voice, one for each begun frame of `samples` (mono, 16 kHz, full scale
    /// at ±1). Whatever the network cannot answer with a number in [0, 1] counts as a voice.
    pub(crate) fn hear(&mut self, samples: &[f32]) -> Vec<f32> {
        let mut probabilities = Vec::with_capacity(samples.len().div_ceil(FRAME) + BLOCK);
        for start in (0..samples.len()).step_by(BLOCK * FRAME) {
            match self.hear_block(samples, start) {
                Ok(block) => probabilities.extend(block),
                Err(FftFailed) => probabilities.extend([1.0; BLOCK]),
            }
        }
        probabilities.truncate(samples.len().div_ceil(FRAME));
        self.scratch.wipe();
        self.spectrum.wipe();
        probabilities
    }

    /// Four frames from `start`; what lies before and after the clip is silence.
    fn hear_block(&mut self, samples: &[f32], start: usize) -> Result<[f32; BLOCK], FftFailed> {
        let scratch = &mut *self.scratch;
        for (index, magnitudes) in scratch.magnitudes.iter_mut().enumerate() {
            let frame = start + index * FRAME;
            fill(&mut scratch.heard, samples, frame);
            let rows = magnitudes[BINS..].as_chunks_mut().0;
            self.spectrum.magnitudes(&scratch.heard, rows)?;
            // The LSTM's curves are flat far out: an infinity could come through as a number.
            scratch.lost |= !magnitudes.iter().all(|value| value.is_finite());
            scratch.unheard[index] = scratch.lost;
        }
        self.convolve();
        let mut answers = [1.0; BLOCK];
        for (index, answer) in answers.iter_mut().enumerate() {
            *answer = self.recall(index);
        }
        Ok(answers)
    }

    /// The convolutions and the LSTM's view of the input. A row is a time, a column a channel, so
    /// that the three taps of a convolution are one stretch of memory.
    fn convolve(&mut self) {
        let Scratch {
            magnitudes,
            first,
            second,
            third,
            fourth,
            gates,
            ..
        } = &mut *self.scratch;
        for (magnitudes, first) in magnitudes.iter().zip(first.iter_mut()) {
            let columns = [0, 1, 2, 3].map(|time| &magnitudes[time * BINS..]);
            let rows = first[WIDE..].as_chunks_mut::<WIDE>().0;
            self.weights.convolutions[0].apply(columns, rows);
            rectify(&mut first[WIDE..][..WINDOWS * WIDE]);
        }
        for (pair, second) in first
            .as_chunks::<2>()
            .0
            .iter()
            .zip(second.as_chunks_mut::<2>().0)
        {
            let columns = [0, 1, 2, 3].map(|index| &pair[index / 2][index % 2 * 2 * WIDE..]);
            let rows = second.as_flattened_mut().as_chunks_mut::<NARROW>().0;
            self.weights.convolutions[1].apply(columns, rows);
        }
        rectify(second.as_flattened_mut());
        self.weights.convolutions[2].apply(second.each_ref().map(|rows| &rows[..]), third);
        rectify(third.as_flattened_mut());
        self.weights.convolutions[3].apply(third.each_ref().map(|row| &row[..]), fourth);
        rectify(fourth.as_flattened_mut());
        self.weights
            .input
            .apply(fourth.each_ref().map(|row| &row[..]), gates);
    }

    /// One step of the LSTM, and the answer.
    fn recall(&mut self, index: usize) -> f32 {
        let Scratch {
            gates,
            hidden,
            cell,
            unheard,
            ..
        } = &mut *self.scratch;
        let gates = &mut gates[index];
        self.weights.recurrent.add(hidden, gates);
        let (input, rest) = gates.split_at_mut(WIDE);
        let (forget, rest) = rest.split_at_mut(WIDE);
        let (candidate, output) = rest.split_at_mut(WIDE);
        for gate in [&mut *input, forget, output] {
            gate.iter_mut().for_each(|value| *value = sigmoid(*value));
        }
        candidate.iter_mut().for_each(|value| *value = tanh(*value));
        for unit in 0..WIDE {
            cell[unit] = forget[unit] * cell[unit] + input[unit] * candidate[unit];
            hidden[unit] = output[unit] * tanh(cell[unit]);
        }
        let sum: f32 = hidden
            .iter()
            .zip(&self.weights.output)
            .map(|(value, weight)| rectified(*value) * weight)
            .sum();
        let answer = sigmoid(sum + self.weights.output_bias);
        let believable = !unheard[index] && (0.0..=1.0).contains(&answer);
        if believable { answer } else { 1.0 }
    }
}

/// What the network holds of four frames. The rows of zeros around `magnitudes` and `first` are
/// what the convolutions find beyond a frame's ends; they stay zero.
struct Scratch {
    heard: [f32; CONTEXT + FRAME],
    magnitudes: [[f32; (WINDOWS + EDGES) * BINS]; BLOCK],
    first: [[f32; (WINDOWS + EDGES) * WIDE]; BLOCK],
    second: [[f32; 2 * NARROW]; BLOCK],
    third: [[f32; NARROW]; BLOCK],
    fourth: [[f32; WIDE]; BLOCK],
    gates: [[f32; GATES]; BLOCK],
    hidden: [f32; WIDE],
    cell: [f32; WIDE],
    /// Whether the sound went beyond what numbers can hold; all from there on counts as a voice.
    lost: bool,
    /// The same, as it was at each frame of the block.
    unheard: [bool; BLOCK],
}

impl Scratch {
    fn silent() -> Self {
        Self {
            heard: [0.0; CONTEXT + FRAME],
            magnitudes: [[0.0; (WINDOWS + EDGES) * BINS]; BLOCK],
            first: [[0.0; (WINDOWS + EDGES) * WIDE]; BLOCK],
            second: [[0.0; 2 * NARROW]; BLOCK],
            third: [[0.0; NARROW]; BLOCK],
            fourth: [[0.0; WIDE]; BLOCK],
            gates: [[0.0; GATES]; BLOCK],
            hidden: [0.0; WIDE],
            cell: [0.0; WIDE],
            lost: false,
            unheard: [false; BLOCK],
        }
    }

    fn wipe(&mut self) {
        self.heard.zeroize();
        self.magnitudes.as_flattened_mut().zeroize();
        self.first.as_flattened_mut().zeroize();
        self.second.as_flattened_mut().zeroize();
        self.third.as_flattened_mut().zeroize();
        self.fourth.as_flattened_mut().zeroize();
        self.gates.as_flattened_mut().zeroize();
        self.hidden.zeroize();
        self.cell.zeroize();
        self.lost = false;
        self.unheard = [false; BLOCK];
    }
}

/// Copies the frame at `frame` and its context out of `samples`, with silence where there are none.
fn fill(heard: &mut [f32; CONTEXT + FRAME], samples: &[f32], frame: usize) {
    heard.fill(0.0);
    let missing = CONTEXT.saturating_sub(frame);
    let from = (frame + missing).saturating_sub(CONTEXT).min(samples.len());
    let to = (frame + FRAME).min(samples.len());
    heard[missing..][..to - from].copy_from_slice(&samples[from..to]);
}

#[cfg(test)]
mod tests {
    use super::{reference::Reference, *};

    #[test]
    fn says_what_the_published_model_says() {
        let reference = Reference::read();
        let heard = Detector::new().expect("carried").hear(&reference.signal());
        assert_eq!(heard.len(), reference.probabilities.len());
        let off = heard
            .iter()
            .zip(&reference.probabilities)
            .map(|(ours, theirs)| (ours - theirs).abs())
            .fold(0.0, f32::max);
        assert!(off < 2e-3, "off by {off}");
    }

    #[test]
    fn hears_every_clip_afresh() {
        let signal = Reference::read().signal();
        let mut detector = Detector::new().expect("carried");
        let once = detector.hear(&signal);
        detector.hear(&signal[4_000..30_001]);
        assert_eq!(once, detector.hear(&signal));
    }

    #[test]
    fn a_begun_frame_is_heard_as_if_silence_followed() {
        let mut signal = Reference::read().signal();
        let mut detector = Detector::new().expect("carried");
        signal.truncate(9 * FRAME + 1);
        let begun = detector.hear(&signal);
        assert_eq!(begun.len(), 10);
        signal.resize(10 * FRAME, 0.0);
        assert_eq!(begun, detector.hear(&signal));
    }

    #[test]
    fn what_is_no_number_counts_as_a_voice_from_there_on() {
        for poison in [f32::NAN, f32::INFINITY, 1e38] {
            let mut signal = vec![0.0; 20 * FRAME];
            signal[10 * FRAME] = poison;
            let heard = Detector::new().expect("carried").hear(&signal);
            assert!(heard[..10].iter().all(|&probability| probability < 0.5));
            assert!(
                heard[10..].iter().all(|&probability| probability == 1.0),
                "{poison}: {heard:?}"
            );
        }
    }

    #[test]
    fn nothing_of_the_sound_stays_in_it() {
        let mut detector = Detector::new().expect("carried");
        detector.hear(&Reference::read().signal());
        let Scratch {
            heard,
            magnitudes,
            gates,
            cell,
            ..
        } = &*detector.scratch;
        let rest = [
            heard.as_slice(),
            magnitudes.as_flattened(),
            gates.as_flattened(),
            cell,
        ];
        assert!(
            rest.iter()
                .all(|values| values.iter().all(|&value| value == 0.0))
        );
        assert!(detector.spectrum.is_wiped());
    }
}
