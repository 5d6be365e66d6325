//! 513 bins to 160 bands, one a bin up to 750 Hz, then 35 cents apart up to 7750 Hz; and what the
//! net looks at: the logarithm of each band's power, against three means of it.

use zeroize::Zeroizing;

use super::{BANDS, BINS, WINDOW, spectrum::Bins};

/// Planes of features: against the clip's mean, the local one, and the band's own.
pub(super) const PLANES: usize = 3;
/// Bands of zeros on either side of a row of features, for the convolution over it.
pub(super) const EDGE: usize = 2;
/// A row of features: band by band, the planes side by side.
pub(super) type Features = [[f32; PLANES]; BANDS + 2 * EDGE];

/// In bins, the first center; and where they begin to lie in geometric progression, and end.
const FIRST: usize = 4;
const BEND: usize = 48;
const LAST: f64 = 496.0;
/// Power below which nothing is told apart: -100 dB of a full-scale sine.
const FLOOR: f32 = 1e-10;
/// Frames on either side over which the local mean goes: 0.5 s.
const NEAR: usize = 31;

/// For each bin the band on its left, and how much of the bin belongs to the band after that.
pub(super) struct Bands([(u8, f32); BINS]);

impl Bands {
    pub(super) fn new() -> Self {
        let bent = BANDS - (BEND - FIRST);
        let step = (LAST / BEND as f64).powf(1.0 / (bent - 1) as f64);
        let centers: Vec<f64> = (FIRST..BEND)
            .map(|bin| bin as f64)
            .chain((0..bent).map(|index| BEND as f64 * step.powi(index as i32)))
            .collect();
        Self(std::array::from_fn(|bin| {
            let right = centers.partition_point(|center| *center < bin as f64);
            match (right.checked_sub(1), centers.get(right)) {
                (None, _) => (0, 0.0),
                (Some(_), None) => (BANDS as u8 - 2, 1.0),
                (Some(left), Some(next)) => {
                    let apart = next - centers[left];
                    (left as u8, ((bin as f64 - centers[left]) / apart) as f32)
                }
            }
        }))
    }

    /// Writes the logarithm of each band's power.
    pub(super) fn logarithms(&self, bins: &Bins, out: &mut [f32; BANDS]) {
        const FULL_SCALE: f32 = 4.0 / (WINDOW as f32 / 2.0 * (WINDOW as f32 / 2.0));
        out.fill(0.0);
        for (bin, &(left, share)) in bins.iter().zip(&self.0) {
            let power = bin.re * bin.re + bin.im * bin.im;
            out[usize::from(left)] += power * (1.0 - share);
            out[usize::from(left) + 1] += power * share;
        }
        for value in out {
            *value = (*value * FULL_SCALE + FLOOR).ln();
        }
    }

    /// What each bin is multiplied by, from what each band is.
    pub(super) fn gains(&self, bands: &[f32; BANDS]) -> impl Iterator<Item = f32> {
        self.0.iter().map(|&(left, share)| {
            let left = usize::from(left);
            bands[left] * (1.0 - share) + bands[left + 1] * share
        })
    }
}

/// What the net looks at, from the logarithms of a piece.
pub(super) fn features(logs: &[[f32; BANDS]]) -> Zeroizing<Vec<Features>> {
    let frames = logs.len() as f32;
    let mut of_band = [0.0f32; BANDS];
    let mut of_frame = Vec::with_capacity(logs.len());
    for row in logs {
        of_frame.push(row.iter().sum::<f32>() / BANDS as f32);
        of_band
            .iter_mut()
            .zip(row)
            .for_each(|(sum, value)| *sum += value / frames);
    }
    let of_clip = of_frame.iter().sum::<f32>() / frames;

    let mut out = Zeroizing::new(vec![[[0.0; PLANES]; BANDS + 2 * EDGE]; logs.len()]);
    for (frame, (row, out)) in logs.iter().zip(out.iter_mut()).enumerate() {
        let near = &of_frame[frame.saturating_sub(NEAR)..(frame + NEAR + 1).min(of_frame.len())];
        let near = near.iter().sum::<f32>() / near.len() as f32;
        for ((value, band), out) in row.iter().zip(&of_band).zip(&mut out[EDGE..]) {
            *out = [of_clip, near, *band].map(|mean| (value - mean) / 4.0);
        }
    }
    out
}
