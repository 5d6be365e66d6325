//! The layers between features and answers. Four columns, bands or frames, pass a matrix together.

use std::{array, ops::Range};

use zeroize::Zeroizing;

use super::{
    BANDS,
    bands::{EDGE, Features, PLANES},
    weights::{Block, Weights},
};
use crate::nn::{COLUMNS, rectified, rectify, sigmoid};

/// The convolutions' reach: frames by bands.
pub(super) const TIME_TAPS: usize = 3;
pub(super) const BAND_TAPS: usize = 5;
/// Planes after the first two convolutions and after the third.
pub(super) const NARROW: usize = 8;
pub(super) const WIDE: usize = 16;
/// Bands after the first convolution and after the second.
const HALF: usize = BANDS / 2;
const QUARTER: usize = BANDS / 4;
/// All that a frame knows of its bands, before it becomes channels.
pub(super) const GATHERED: usize = QUARTER * WIDE;
pub(super) const CHANNELS: usize = 96;
/// Frames that a block looks at, so far apart.
pub(super) const TAPS: usize = 5;
pub(super) const DILATIONS: [usize; 10] = [1, 2, 4, 8, 16, 1, 2, 4, 8, 16];

/// A frame after the first convolution, bands of zeros around it.
type Half = [[f32; NARROW]; HALF + 2 * EDGE];
type Row = [f32; CHANNELS];

pub(super) struct Layers(Weights);

impl Layers {
    pub(super) fn new(weights: Weights) -> Self {
        Self(weights)
    }

    /// Tells `to` the voice and the mask, both in [0, 1] or NaN, of those of the frames that are
    /// `wanted`, in order.
    pub(super) fn answer(
        &self,
        features: &[Features],
        wanted: Range<usize>,
        mut to: impl FnMut(f32, &[f32; BANDS]),
    ) {
        let mut rows = self.gather(features);
        let mut next = Zeroizing::new(vec![[0.0; CHANNELS]; rows.len()]);
        for (block, dilation) in self.0.blocks.iter().zip(DILATIONS) {
            block.pass(&rows, features.len(), dilation, &mut next);
            std::mem::swap(&mut rows, &mut next);
        }
        rectify(rows.as_flattened_mut());
        let mut masks = [[0.0; BANDS]; COLUMNS];
        for (index, four) in rows.as_chunks::<COLUMNS>().0.iter().enumerate() {
            self.0.mask.apply(columns(four), &mut masks);
            for (offset, (row, mask)) in four.iter().zip(&mut masks).enumerate() {
                if wanted.contains(&(index * COLUMNS + offset)) {
                    let sum: f32 = row.iter().zip(&self.0.voice).map(|(x, w)| x * w).sum();
                    mask.iter_mut().for_each(|value| *value = sigmoid(*value));
                    to(sigmoid(sum + self.0.voice_bias), mask);
                }
            }
        }
    }

    /// From features to channels; rows up to a multiple of four.
    fn gather(&self, features: &[Features]) -> Zeroizing<Vec<Row>> {
        let count = features.len().next_multiple_of(COLUMNS);
        let mut rows = Zeroizing::new(vec![[0.0; CHANNELS]; count]);
        let nothing: Features = [[0.0; PLANES]; BANDS + 2 * EDGE];
        let silent: Half = [[0.0; NARROW]; HALF + 2 * EDGE];
        // The first convolution of the frames before, at and after the one in hand.
        let mut halves = Zeroizing::new([silent; TIME_TAPS]);
        let first = |frame: usize, out: &mut Half| match features.get(frame) {
            None => *out = silent,
            Some(at) => {
                let before = frame
                    .checked_sub(1)
                    .map_or(&nothing, |last| &features[last]);
                let after = features.get(frame + 1).unwrap_or(&nothing);
                self.first([before, at, after], out);
            }
        };
        first(0, &mut halves[2]);
        let mut gathered = Zeroizing::new([[0.0; GATHERED]; COLUMNS]);
        for (index, four) in rows.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate() {
            for (offset, gathered) in gathered.iter_mut().enumerate() {
                let frame = index * COLUMNS + offset;
                halves.rotate_left(1);
                first(frame + 1, &mut halves[2]);
                if frame < features.len() {
                    self.second(&halves, gathered);
                }
            }
            self.0
                .gather
                .apply(gathered.each_ref().map(|row| &row[..]), four);
            rectify(four.as_flattened_mut());
        }
        rows
    }

    /// 3 × 5 frames by bands, every other band.
    fn first(&self, frames: [&Features; TIME_TAPS], out: &mut Half) {
        const TAKEN: usize = BAND_TAPS * PLANES;
        let mut taken = [[0.0; TIME_TAPS * TAKEN]; COLUMNS];
        let bands = out[EDGE..][..HALF].as_chunks_mut::<COLUMNS>().0;
        for (index, bands) in bands.iter_mut().enumerate() {
            for (offset, taken) in taken.iter_mut().enumerate() {
                let band = 2 * (index * COLUMNS + offset);
                for (part, frame) in taken.chunks_exact_mut(TAKEN).zip(frames) {
                    part.copy_from_slice(frame[band..][..BAND_TAPS].as_flattened());
                }
            }
            self.0
                .first
                .apply(taken.each_ref().map(|row| &row[..]), bands);
            rectify(bands.as_flattened_mut());
        }
    }

    /// Each plane by itself, 3 × 5, every other band; then all planes of a band together.
    fn second(&self, halves: &[Half; TIME_TAPS], out: &mut [f32; GATHERED]) {
        let mut sums = [[0.0; NARROW]; COLUMNS];
        let mut wide = [[0.0; WIDE]; COLUMNS];
        let bands = out.as_chunks_mut::<{ COLUMNS * WIDE }>().0;
        for (index, out) in bands.iter_mut().enumerate() {
            for (offset, sum) in sums.iter_mut().enumerate() {
                let band = 2 * (index * COLUMNS + offset);
                let taken = halves.iter().flat_map(|half| &half[band..][..BAND_TAPS]);
                *sum = [0.0; NARROW];
                for (values, weights) in taken.zip(&self.0.second) {
                    for plane in 0..NARROW {
                        sum[plane] += values[plane] * weights[plane];
                    }
                }
            }
            self.0
                .widen
                .apply(sums.each_ref().map(|row| &row[..]), &mut wide);
            out.copy_from_slice(wide.as_flattened());
            rectify(out);
        }
    }
}

impl Block {
    /// `next` becomes `rows`, of which the first `length` are frames, and what this block makes of them.
    fn pass(&self, rows: &[Row], length: usize, dilation: usize, next: &mut [Row]) {
        let mut seen = Zeroizing::new([[0.0; CHANNELS]; COLUMNS]);
        let groups = next.as_chunks_mut::<COLUMNS>().0.iter_mut();
        for (index, (next, four)) in groups.zip(rows.as_chunks::<COLUMNS>().0).enumerate() {
            for (offset, seen) in seen.iter_mut().enumerate() {
                self.look(&rows[..length], index * COLUMNS + offset, dilation, seen);
            }
            self.mix.apply(columns(&seen), next);
            let added = next.as_flattened_mut().iter_mut();
            added
                .zip(four.as_flattened())
                .for_each(|(to, was)| *to += was);
        }
    }

    /// Each channel by itself, over frames `dilation` apart.
    fn look(&self, rows: &[Row], frame: usize, dilation: usize, out: &mut Row) {
        out.copy_from_slice(&self.bias);
        for (tap, weights) in self.time.iter().enumerate() {
            let at = (frame + tap * dilation).checked_sub(TAPS / 2 * dilation);
            if let Some(row) = at.and_then(|at| rows.get(at)) {
                for channel in 0..CHANNELS {
                    out[channel] += row[channel] * weights[channel];
                }
            }
        }
        for value in out {
            *value = rectified(*value);
        }
    }
}

fn columns(rows: &[Row; COLUMNS]) -> [&[f32]; COLUMNS] {
    array::from_fn(|index| &rows[index][..])
}
