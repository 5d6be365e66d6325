//! A filter bank of 160 triangular bands over 513 bins, and the features of the network.
//!
//! The bands are one bin wide up to 750 Hz and 35 cents apart from there to 7750 Hz. The features are the logarithm of
//! each band's power, relative to three means of it.

use zeroize::Zeroizing;

use super::{
    config::{BAND_PADDING, BANDS, BINS, PLANES, WINDOW},
    stft::Bins,
};

/// A row of features: the planes of each band, with zero padding on either side.
pub(super) type Features = [[f32; PLANES]; BANDS + 2 * BAND_PADDING];

/// The center of the first band, in bins.
const FIRST_CENTER: usize = 4;
/// The center of the first band in geometric progression, in bins.
const FIRST_GEOMETRIC_CENTER: usize = 48;
/// The center of the last band, in bins.
const LAST_CENTER: f64 = 496.0;
/// Added to the power before the logarithm: -100 dB relative to a full-scale sine.
const POWER_FLOOR: f32 = 1e-10;
/// The frames on either side over which the local mean is taken: 0.5 s.
const LOCAL_MEAN_CONTEXT: usize = 31;

/// For each bin, the band on its left and the weight of the bin in the next band; the rest of its weight is in the
/// first.
pub(super) struct Bands([(u8, f32); BINS]);

impl Bands {
    pub(super) fn new() -> Self {
        let geometric = BANDS - (FIRST_GEOMETRIC_CENTER - FIRST_CENTER);
        let first_geometric = FIRST_GEOMETRIC_CENTER as f64;
        let ratio = (LAST_CENTER / first_geometric).powf(1.0 / (geometric - 1) as f64);
        let centers: Vec<f64> = (FIRST_CENTER..FIRST_GEOMETRIC_CENTER)
            .map(|bin| bin as f64)
            .chain((0..geometric).map(|index| first_geometric * ratio.powi(index as i32)))
            .collect();
        Self(std::array::from_fn(|bin| {
            let right = centers.partition_point(|center| *center < bin as f64);
            match (right.checked_sub(1), centers.get(right)) {
                (None, _) => (0, 0.0),
                (Some(_), None) => (BANDS as u8 - 2, 1.0),
                (Some(left), Some(next)) => {
                    let spacing = next - centers[left];
                    (left as u8, ((bin as f64 - centers[left]) / spacing) as f32)
                }
            }
        }))
    }

    /// Writes the logarithm of each band's power, relative to a full-scale sine.
    pub(super) fn log_powers(&self, bins: &Bins, out: &mut [f32; BANDS]) {
        /// The reciprocal of the power of a full-scale sine in its bin.
        const SCALE: f32 = 4.0 / (WINDOW as f32 / 2.0 * (WINDOW as f32 / 2.0));
        out.fill(0.0);
        for (bin, &(left, weight)) in bins.iter().zip(&self.0) {
            let power = bin.re * bin.re + bin.im * bin.im;
            out[usize::from(left)] += power * (1.0 - weight);
            out[usize::from(left) + 1] += power * weight;
        }
        for value in out {
            *value = (*value * SCALE + POWER_FLOOR).ln();
        }
    }

    /// The gain of each bin, from the gain of each band.
    pub(super) fn bin_gains(&self, band_gains: &[f32; BANDS]) -> impl Iterator<Item = f32> {
        self.0.iter().map(|&(left, weight)| {
            let left = usize::from(left);
            band_gains[left] * (1.0 - weight) + band_gains[left + 1] * weight
        })
    }
}

/// The features of a chunk, from the logarithmic powers of its bands.
pub(super) fn features(log_powers: &[[f32; BANDS]]) -> Zeroizing<Vec<Features>> {
    let frames = log_powers.len() as f32;
    let mut band_means = [0.0f32; BANDS];
    let mut frame_means = Vec::with_capacity(log_powers.len());
    for row in log_powers {
        frame_means.push(row.iter().sum::<f32>() / BANDS as f32);
        band_means
            .iter_mut()
            .zip(row)
            .for_each(|(sum, value)| *sum += value / frames);
    }
    let clip_mean = frame_means.iter().sum::<f32>() / frames;

    let mut out = Zeroizing::new(vec![
        [[0.0; PLANES]; BANDS + 2 * BAND_PADDING];
        log_powers.len()
    ]);
    for (frame, (row, out)) in log_powers.iter().zip(out.iter_mut()).enumerate() {
        let around = frame.saturating_sub(LOCAL_MEAN_CONTEXT)
            ..(frame + LOCAL_MEAN_CONTEXT + 1).min(frame_means.len());
        let around = &frame_means[around];
        let local_mean = around.iter().sum::<f32>() / around.len() as f32;
        for ((value, band_mean), out) in row.iter().zip(&band_means).zip(&mut out[BAND_PADDING..]) {
            *out = [clip_mean, local_mean, *band_mean].map(|mean| (value - mean) / 4.0);
        }
    }
    out
}
