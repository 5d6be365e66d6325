//! The layers of the network, from features to voice probability and mask. Each matrix is applied to four columns,
//! bands or frames, at once.

use std::{array, ops::Range};

use zeroize::Zeroizing;

use super::{
    bands::Features,
    config::{
        BAND_PADDING, BAND_TAPS, BANDS, CHANNELS, DILATIONS, HALF_BANDS, NARROW, PLANES,
        PROJECTION_INPUTS, TAPS, TIME_TAPS, WIDE,
    },
    weights::{BlockWeights, Weights},
};
use crate::nn::{COLUMNS, relu, relu_in_place, sigmoid};

/// The channels of a frame after the first convolution, with zero padding around its bands.
type ConvOutput = [[f32; NARROW]; HALF_BANDS + 2 * BAND_PADDING];
/// The channels of a frame after the projection.
type Row = [f32; CHANNELS];

pub(super) struct Network(Weights);

impl Network {
    pub(super) fn new(weights: Weights) -> Self {
        Self(weights)
    }

    /// Calls `emit` with the voice probability and the mask, both in [0, 1] or NaN, of each frame in `wanted`, in
    /// order.
    pub(super) fn forward(
        &self,
        features: &[Features],
        wanted: Range<usize>,
        mut emit: impl FnMut(f32, &[f32; BANDS]),
    ) {
        let mut rows = self.project(features);
        let mut next = Zeroizing::new(vec![[0.0; CHANNELS]; rows.len()]);
        for (block, dilation) in self.0.blocks.iter().zip(DILATIONS) {
            block.forward(&rows, features.len(), dilation, &mut next);
            std::mem::swap(&mut rows, &mut next);
        }
        relu_in_place(rows.as_flattened_mut());
        let mut masks = [[0.0; BANDS]; COLUMNS];
        for (index, four) in rows.as_chunks::<COLUMNS>().0.iter().enumerate() {
            self.0.mask.forward(columns(four), &mut masks);
            for (offset, (row, mask)) in four.iter().zip(&mut masks).enumerate() {
                if wanted.contains(&(index * COLUMNS + offset)) {
                    let sum: f32 = row.iter().zip(&self.0.voice).map(|(x, w)| x * w).sum();
                    mask.iter_mut().for_each(|value| *value = sigmoid(*value));
                    emit(sigmoid(sum + self.0.voice_bias), mask);
                }
            }
        }
    }

    /// The convolutions and the projection to channels; the number of rows is rounded up to a multiple of four.
    fn project(&self, features: &[Features]) -> Zeroizing<Vec<Row>> {
        let count = features.len().next_multiple_of(COLUMNS);
        let mut rows = Zeroizing::new(vec![[0.0; CHANNELS]; count]);
        let no_features: Features = [[0.0; PLANES]; BANDS + 2 * BAND_PADDING];
        let no_output: ConvOutput = [[0.0; NARROW]; HALF_BANDS + 2 * BAND_PADDING];
        // The first convolution of the previous, the current and the next frame.
        let mut outputs = Zeroizing::new([no_output; TIME_TAPS]);
        let conv = |frame: usize, out: &mut ConvOutput| match features.get(frame) {
            None => *out = no_output,
            Some(at) => {
                let before = frame
                    .checked_sub(1)
                    .map_or(&no_features, |last| &features[last]);
                let after = features.get(frame + 1).unwrap_or(&no_features);
                self.conv([before, at, after], out);
            }
        };
        conv(0, &mut outputs[2]);
        let mut inputs = Zeroizing::new([[0.0; PROJECTION_INPUTS]; COLUMNS]);
        for (index, four) in rows.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate() {
            for (offset, inputs) in inputs.iter_mut().enumerate() {
                let frame = index * COLUMNS + offset;
                outputs.rotate_left(1);
                conv(frame + 1, &mut outputs[2]);
                if frame < features.len() {
                    self.separable_conv(&outputs, inputs);
                }
            }
            self.0
                .projection
                .forward(inputs.each_ref().map(|row| &row[..]), four);
            relu_in_place(four.as_flattened_mut());
        }
        rows
    }

    /// The first convolution: 3 × 5 frames by bands, stride 2 over bands.
    fn conv(&self, frames: [&Features; TIME_TAPS], out: &mut ConvOutput) {
        const ROW: usize = BAND_TAPS * PLANES;
        let mut patches = [[0.0; TIME_TAPS * ROW]; COLUMNS];
        let bands = out[BAND_PADDING..][..HALF_BANDS]
            .as_chunks_mut::<COLUMNS>()
            .0;
        for (index, bands) in bands.iter_mut().enumerate() {
            for (offset, patch) in patches.iter_mut().enumerate() {
                let band = 2 * (index * COLUMNS + offset);
                for (part, frame) in patch.chunks_exact_mut(ROW).zip(frames) {
                    part.copy_from_slice(frame[band..][..BAND_TAPS].as_flattened());
                }
            }
            self.0
                .conv
                .forward(patches.each_ref().map(|row| &row[..]), bands);
            relu_in_place(bands.as_flattened_mut());
        }
    }

    /// The depthwise separable convolution: 3 × 5, stride 2 over bands, each channel by itself; then all channels of a
    /// band together.
    fn separable_conv(&self, inputs: &[ConvOutput; TIME_TAPS], out: &mut [f32; PROJECTION_INPUTS]) {
        let mut sums = [[0.0; NARROW]; COLUMNS];
        let mut wide = [[0.0; WIDE]; COLUMNS];
        let bands = out.as_chunks_mut::<{ COLUMNS * WIDE }>().0;
        for (index, out) in bands.iter_mut().enumerate() {
            for (offset, sum) in sums.iter_mut().enumerate() {
                let band = 2 * (index * COLUMNS + offset);
                let patch = inputs.iter().flat_map(|input| &input[band..][..BAND_TAPS]);
                *sum = [0.0; NARROW];
                for (values, weights) in patch.zip(&self.0.depthwise) {
                    for channel in 0..NARROW {
                        sum[channel] += values[channel] * weights[channel];
                    }
                }
            }
            self.0
                .pointwise
                .forward(sums.each_ref().map(|row| &row[..]), &mut wide);
            out.copy_from_slice(wide.as_flattened());
            relu_in_place(out);
        }
    }
}

impl BlockWeights {
    /// A temporal block with its residual connection, from `rows`, of which the first `length` are frames, to `next`.
    fn forward(&self, rows: &[Row], length: usize, dilation: usize, next: &mut [Row]) {
        let mut hidden = Zeroizing::new([[0.0; CHANNELS]; COLUMNS]);
        let groups = next.as_chunks_mut::<COLUMNS>().0.iter_mut();
        for (index, (next, four)) in groups.zip(rows.as_chunks::<COLUMNS>().0).enumerate() {
            for (offset, hidden) in hidden.iter_mut().enumerate() {
                self.depthwise(&rows[..length], index * COLUMNS + offset, dilation, hidden);
            }
            self.pointwise.forward(columns(&hidden), next);
            let residual = next.as_flattened_mut().iter_mut();
            residual
                .zip(four.as_flattened())
                .for_each(|(out, input)| *out += input);
        }
    }

    /// The dilated depthwise convolution over time, and its ReLU.
    fn depthwise(&self, rows: &[Row], frame: usize, dilation: usize, out: &mut Row) {
        out.copy_from_slice(&self.bias);
        for (tap, weights) in self.depthwise.iter().enumerate() {
            let at = (frame + tap * dilation).checked_sub(TAPS / 2 * dilation);
            if let Some(row) = at.and_then(|at| rows.get(at)) {
                for channel in 0..CHANNELS {
                    out[channel] += row[channel] * weights[channel];
                }
            }
        }
        for value in out {
            *value = relu(*value);
        }
    }
}

fn columns(rows: &[Row; COLUMNS]) -> [&[f32]; COLUMNS] {
    array::from_fn(|index| &rows[index][..])
}
