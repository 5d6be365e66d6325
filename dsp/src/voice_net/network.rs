//! The layers of the network, from features to voice probability and mask. Each matrix is applied to four columns,
//! bands or frames, at once.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{
    bands::Features,
    config::{
        BAND_PADDING, BAND_TAPS, BANDS, CHANNELS, CONTEXT, CONTEXTS, DECODER_INPUTS, DILATIONS,
        EMBEDDING, EMBEDDINGS, GROUP_BANDS, GROUP_WIDTH, HALF_BANDS, HIDDEN, LOCAL_PLANE, NARROW,
        PLANES, TAPS, TIME_TAPS, WIDE,
    },
    weights::{BlockWeights, Weights},
};
use crate::nn::{COLUMNS, relu, relu_in_place, sigmoid};

/// The channels of a frame after the first convolution, with zero padding around its bands.
type ConvOutput = [[f32; NARROW]; HALF_BANDS + 2 * BAND_PADDING];
/// The channels of a frame in the temporal blocks.
type Row = [f32; CHANNELS];
/// The output of the convolutions over bands: the channels of each of 40 bands.
type Embeddings = [f32; EMBEDDINGS];
/// Four consecutive frames.
type Four<T> = [T; COLUMNS];

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
        let embeddings = self.embed(features);
        let mut rows = self.project(&embeddings);
        let mut next = Zeroizing::new(vec![[0.0; CHANNELS]; rows.len()]);
        for (block, dilation) in self.0.blocks.iter().zip(DILATIONS) {
            block.forward(&rows, features.len(), dilation, &mut next);
            std::mem::swap(&mut rows, &mut next);
        }
        relu_in_place(rows.as_flattened_mut());
        let mut decoder = Decoder::new(&self.0);
        let fours = rows.as_chunks().0.iter().zip(embeddings.as_chunks().0);
        for (index, (rows, embeddings)) in fours.enumerate() {
            let frames = index * COLUMNS..(index + 1) * COLUMNS;
            if frames.end <= wanted.start || wanted.end <= frames.start {
                continue;
            }
            let masks = decoder.decode(rows, embeddings, features, frames.start);
            for (frame, (row, mask)) in frames.zip(rows.iter().zip(masks)) {
                if wanted.contains(&frame) {
                    let sum: f32 = row.iter().zip(&self.0.voice).map(|(x, w)| x * w).sum();
                    emit(sigmoid(sum + self.0.voice_bias), mask);
                }
            }
        }
    }

    /// The convolutions over bands: the embeddings of all frames. Their number is rounded up to a multiple of four.
    fn embed(&self, features: &[Features]) -> Zeroizing<Vec<Embeddings>> {
        let count = features.len().next_multiple_of(COLUMNS);
        let mut embeddings = Zeroizing::new(vec![[0.0; EMBEDDINGS]; count]);
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
        for (frame, embeddings) in embeddings[..features.len()].iter_mut().enumerate() {
            outputs.rotate_left(1);
            conv(frame + 1, &mut outputs[2]);
            self.separable_conv(&outputs, embeddings);
        }
        embeddings
    }

    /// From the embeddings to the channels of the blocks.
    fn project(&self, embeddings: &[Embeddings]) -> Zeroizing<Vec<Row>> {
        let mut rows = Zeroizing::new(vec![[0.0; CHANNELS]; embeddings.len()]);
        let fours = rows.as_chunks_mut::<COLUMNS>().0.iter_mut();
        for (rows, embeddings) in fours.zip(embeddings.as_chunks().0) {
            self.0.projection.forward(columns(embeddings), rows);
            relu_in_place(rows.as_flattened_mut());
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
    fn separable_conv(&self, inputs: &[ConvOutput; TIME_TAPS], out: &mut Embeddings) {
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

/// Decodes the mask of each group from the temporal blocks, the group's embedding and its features.
struct Decoder<'a> {
    weights: &'a Weights,
    context: Zeroizing<Four<[f32; CONTEXTS]>>,
    inputs: Zeroizing<Four<[f32; DECODER_INPUTS]>>,
    hidden: Zeroizing<Four<[f32; HIDDEN]>>,
    bands: Zeroizing<Four<[f32; GROUP_BANDS]>>,
    masks: Zeroizing<Four<[f32; BANDS]>>,
}

impl<'a> Decoder<'a> {
    fn new(weights: &'a Weights) -> Self {
        Self {
            weights,
            context: Zeroizing::new([[0.0; CONTEXTS]; COLUMNS]),
            inputs: Zeroizing::new([[0.0; DECODER_INPUTS]; COLUMNS]),
            hidden: Zeroizing::new([[0.0; HIDDEN]; COLUMNS]),
            bands: Zeroizing::new([[0.0; GROUP_BANDS]; COLUMNS]),
            masks: Zeroizing::new([[0.0; BANDS]; COLUMNS]),
        }
    }

    /// The masks of four frames from `first` on. Beyond the end of `features` they are those of silence.
    fn decode(
        &mut self,
        rows: &Four<Row>,
        embeddings: &Four<Embeddings>,
        features: &[Features],
        first: usize,
    ) -> &Four<[f32; BANDS]> {
        self.weights
            .context
            .forward(columns(rows), &mut self.context[..]);
        relu_in_place(self.context.as_flattened_mut());
        let layers = self.weights.merge.iter().zip(&self.weights.mask);
        for (group, (merge, mask)) in layers.enumerate() {
            for (offset, input) in self.inputs.iter_mut().enumerate() {
                let (context, rest) = input.split_at_mut(CONTEXT);
                let (embedding, local) = rest.split_at_mut(EMBEDDING);
                context.copy_from_slice(&self.context[offset][group * CONTEXT..][..CONTEXT]);
                embedding.copy_from_slice(&embeddings[offset][group * EMBEDDING..][..EMBEDDING]);
                local.fill(0.0);
                if let Some(frame) = features.get(first + offset) {
                    let bands = &frame[group * GROUP_BANDS..][..GROUP_WIDTH];
                    for (local, planes) in local.iter_mut().zip(bands) {
                        *local = planes[LOCAL_PLANE];
                    }
                }
            }
            merge.forward(columns(&self.inputs), &mut self.hidden[..]);
            relu_in_place(self.hidden.as_flattened_mut());
            mask.forward(columns(&self.hidden), &mut self.bands[..]);
            for (row, bands) in self.masks.iter_mut().zip(self.bands.iter()) {
                row[group * GROUP_BANDS..][..GROUP_BANDS].copy_from_slice(&bands.map(sigmoid));
            }
        }
        &self.masks
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

fn columns<const N: usize>(rows: &Four<[f32; N]>) -> [&[f32]; COLUMNS] {
    rows.each_ref().map(|row| &row[..])
}
