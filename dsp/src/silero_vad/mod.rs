//! Silero VAD 6.2.3 (MIT, <https://github.com/snakers4/silero-vad>): a voice activity detector, by our own inference.
//!
//! The input of a step is a frame of 512 samples at 16 kHz and the 64 samples before it; the output is the probability
//! that the frame contains a voice. The network is a short-time Fourier transform (256 samples under a Hann window, hop
//! 128, the end reflected), four convolutions, an LSTM cell of 128 units (S. Hochreiter and J. Schmidhuber, "Long
//! short-term memory", Neural Computation 9(8), 1997, with forget gates) and one output unit. Four frames are processed
//! together, except by the LSTM, which is sequential. Inference does not allocate per frame, and the state is zeroed
//! after every clip.
//!
//! `models/silero/` documents the source of the weights and their layout.

mod config;
mod stft;
mod weights;

#[cfg(test)]
pub(crate) mod reference;

use zeroize::Zeroize as _;

pub(crate) use self::config::FRAME;
use self::{
    config::{BINS, CONTEXT, GATES, NARROW, PADDING, WIDE, WINDOWS},
    stft::{FftFailed, Stft},
    weights::Weights,
};
use crate::nn::{COLUMNS as BLOCK, WeightsError, relu, relu_in_place, sigmoid, tanh};

/// The name and version in the manifest.
pub(crate) const NAME: &str = "silero-vad 6.2.3";

/// The detector. Create it once and use it for any number of clips.
pub(crate) struct SileroVad {
    weights: Weights,
    stft: Stft,
    state: Box<State>,
}

impl SileroVad {
    /// Reads the embedded weights.
    ///
    /// # Errors
    /// They are corrupt.
    pub(crate) fn new() -> Result<Self, WeightsError> {
        Ok(Self {
            weights: Weights::embedded()?,
            stft: Stft::new(),
            state: Box::new(State::zero()),
        })
    }

    /// The probability of a voice in each frame of `samples` (mono, 16 kHz, full scale at ±1); silence completes the
    /// last frame. An output that is not in [0, 1] counts as 1.
    pub(crate) fn predict(&mut self, samples: &[f32]) -> Vec<f32> {
        let mut probabilities = Vec::with_capacity(samples.len().div_ceil(FRAME) + BLOCK);
        for start in (0..samples.len()).step_by(BLOCK * FRAME) {
            match self.predict_block(samples, start) {
                Ok(block) => probabilities.extend(block),
                Err(FftFailed) => probabilities.extend([1.0; BLOCK]),
            }
        }
        probabilities.truncate(samples.len().div_ceil(FRAME));
        self.state.wipe();
        self.stft.wipe();
        probabilities
    }

    /// Four frames from `start`; before and after the clip is silence.
    fn predict_block(&mut self, samples: &[f32], start: usize) -> Result<[f32; BLOCK], FftFailed> {
        let state = &mut *self.state;
        for (index, magnitudes) in state.magnitudes.iter_mut().enumerate() {
            let frame = start + index * FRAME;
            fill(&mut state.input, samples, frame);
            let rows = magnitudes[BINS..].as_chunks_mut().0;
            self.stft.magnitudes(&state.input, rows)?;
            // The activations of the LSTM saturate: after an infinity its output could be finite again.
            state.saw_non_finite |= !magnitudes.iter().all(|value| value.is_finite());
            state.non_finite[index] = state.saw_non_finite;
        }
        self.convolve();
        let mut probabilities = [1.0; BLOCK];
        for (index, probability) in probabilities.iter_mut().enumerate() {
            *probability = self.lstm_step(index);
        }
        Ok(probabilities)
    }

    /// The convolutions, and the input part of the LSTM's gates. A row is a time and a column a channel, so that the
    /// taps of a convolution are contiguous in memory.
    fn convolve(&mut self) {
        let State {
            magnitudes,
            first,
            second,
            third,
            fourth,
            gates,
            ..
        } = &mut *self.state;
        for (magnitudes, first) in magnitudes.iter().zip(first.iter_mut()) {
            let columns = [0, 1, 2, 3].map(|time| &magnitudes[time * BINS..]);
            let rows = first[WIDE..].as_chunks_mut::<WIDE>().0;
            self.weights.convolutions[0].forward(columns, rows);
            relu_in_place(&mut first[WIDE..][..WINDOWS * WIDE]);
        }
        for (pair, second) in first
            .as_chunks::<2>()
            .0
            .iter()
            .zip(second.as_chunks_mut::<2>().0)
        {
            let columns = [0, 1, 2, 3].map(|index| &pair[index / 2][index % 2 * 2 * WIDE..]);
            let rows = second.as_flattened_mut().as_chunks_mut::<NARROW>().0;
            self.weights.convolutions[1].forward(columns, rows);
        }
        relu_in_place(second.as_flattened_mut());
        self.weights.convolutions[2].forward(second.each_ref().map(|rows| &rows[..]), third);
        relu_in_place(third.as_flattened_mut());
        self.weights.convolutions[3].forward(third.each_ref().map(|row| &row[..]), fourth);
        relu_in_place(fourth.as_flattened_mut());
        self.weights
            .input
            .forward(fourth.each_ref().map(|row| &row[..]), gates);
    }

    /// One step of the LSTM and the output unit.
    fn lstm_step(&mut self, index: usize) -> f32 {
        let State {
            gates,
            hidden,
            cell,
            non_finite,
            ..
        } = &mut *self.state;
        let gates = &mut gates[index];
        self.weights.recurrent.accumulate(hidden, gates);
        let (input_gate, rest) = gates.split_at_mut(WIDE);
        let (forget_gate, rest) = rest.split_at_mut(WIDE);
        let (cell_gate, output_gate) = rest.split_at_mut(WIDE);
        for gate in [&mut *input_gate, forget_gate, output_gate] {
            gate.iter_mut().for_each(|value| *value = sigmoid(*value));
        }
        cell_gate.iter_mut().for_each(|value| *value = tanh(*value));
        for unit in 0..WIDE {
            cell[unit] = forget_gate[unit] * cell[unit] + input_gate[unit] * cell_gate[unit];
            hidden[unit] = output_gate[unit] * tanh(cell[unit]);
        }
        let sum: f32 = hidden
            .iter()
            .zip(&self.weights.output)
            .map(|(value, weight)| relu(*value) * weight)
            .sum();
        let probability = sigmoid(sum + self.weights.output_bias);
        let is_valid = !non_finite[index] && (0.0..=1.0).contains(&probability);
        if is_valid { probability } else { 1.0 }
    }
}

/// The activations of four frames and the state of the LSTM. The first and the last row of `magnitudes` and `first` are
/// the zero padding of the convolutions.
struct State {
    input: [f32; CONTEXT + FRAME],
    magnitudes: [[f32; (WINDOWS + PADDING) * BINS]; BLOCK],
    first: [[f32; (WINDOWS + PADDING) * WIDE]; BLOCK],
    second: [[f32; 2 * NARROW]; BLOCK],
    third: [[f32; NARROW]; BLOCK],
    fourth: [[f32; WIDE]; BLOCK],
    gates: [[f32; GATES]; BLOCK],
    hidden: [f32; WIDE],
    cell: [f32; WIDE],
    /// Whether a frame had a non-finite magnitude; every frame from there on counts as a voice.
    saw_non_finite: bool,
    /// The value of that after each frame of the block.
    non_finite: [bool; BLOCK],
}

impl State {
    fn zero() -> Self {
        Self {
            input: [0.0; CONTEXT + FRAME],
            magnitudes: [[0.0; (WINDOWS + PADDING) * BINS]; BLOCK],
            first: [[0.0; (WINDOWS + PADDING) * WIDE]; BLOCK],
            second: [[0.0; 2 * NARROW]; BLOCK],
            third: [[0.0; NARROW]; BLOCK],
            fourth: [[0.0; WIDE]; BLOCK],
            gates: [[0.0; GATES]; BLOCK],
            hidden: [0.0; WIDE],
            cell: [0.0; WIDE],
            saw_non_finite: false,
            non_finite: [false; BLOCK],
        }
    }

    fn wipe(&mut self) {
        self.input.zeroize();
        self.magnitudes.as_flattened_mut().zeroize();
        self.first.as_flattened_mut().zeroize();
        self.second.as_flattened_mut().zeroize();
        self.third.as_flattened_mut().zeroize();
        self.fourth.as_flattened_mut().zeroize();
        self.gates.as_flattened_mut().zeroize();
        self.hidden.zeroize();
        self.cell.zeroize();
        self.saw_non_finite = false;
        self.non_finite = [false; BLOCK];
    }
}

/// Copies the frame that starts at `frame`, and its context, from `samples`, with silence beyond both ends.
fn fill(input: &mut [f32; CONTEXT + FRAME], samples: &[f32], frame: usize) {
    input.fill(0.0);
    let missing = CONTEXT.saturating_sub(frame);
    let from = (frame + missing).saturating_sub(CONTEXT).min(samples.len());
    let to = (frame + FRAME).min(samples.len());
    input[missing..][..to - from].copy_from_slice(&samples[from..to]);
}

#[cfg(test)]
mod tests {
    use super::{reference::Reference, *};

    #[test]
    fn probabilities_match_the_published_model() {
        let reference = Reference::read();
        let probabilities = SileroVad::new()
            .expect("embedded weights")
            .predict(&reference.signal());
        assert_eq!(probabilities.len(), reference.probabilities.len());
        let error = probabilities
            .iter()
            .zip(&reference.probabilities)
            .map(|(ours, theirs)| (ours - theirs).abs())
            .fold(0.0, f32::max);
        assert!(error < 2e-3, "off by {error}");
    }

    #[test]
    fn every_clip_starts_from_zero_state() {
        let signal = Reference::read().signal();
        let mut vad = SileroVad::new().expect("embedded weights");
        let once = vad.predict(&signal);
        vad.predict(&signal[4_000..30_001]);
        assert_eq!(once, vad.predict(&signal));
    }

    #[test]
    fn silence_completes_the_last_frame() {
        let mut signal = Reference::read().signal();
        let mut vad = SileroVad::new().expect("embedded weights");
        signal.truncate(9 * FRAME + 1);
        let partial = vad.predict(&signal);
        assert_eq!(partial.len(), 10);
        signal.resize(10 * FRAME, 0.0);
        assert_eq!(partial, vad.predict(&signal));
    }

    #[test]
    fn frames_after_a_non_finite_one_count_as_a_voice() {
        for poison in [f32::NAN, f32::INFINITY, 1e38] {
            let mut signal = vec![0.0; 20 * FRAME];
            signal[10 * FRAME] = poison;
            let probabilities = SileroVad::new().expect("embedded weights").predict(&signal);
            assert!(
                probabilities[..10]
                    .iter()
                    .all(|&probability| probability < 0.5)
            );
            assert!(
                probabilities[10..]
                    .iter()
                    .all(|&probability| probability == 1.0),
                "{poison}: {probabilities:?}"
            );
        }
    }

    #[test]
    fn the_state_is_zeroed_after_a_clip() {
        let mut vad = SileroVad::new().expect("embedded weights");
        vad.predict(&Reference::read().signal());
        let State {
            input,
            magnitudes,
            gates,
            cell,
            ..
        } = &*vad.state;
        let buffers = [
            input.as_slice(),
            magnitudes.as_flattened(),
            gates.as_flattened(),
            cell,
        ];
        assert!(
            buffers
                .iter()
                .all(|values| values.iter().all(|&value| value == 0.0))
        );
        assert!(vad.stft.is_wiped());
    }
}
