//! Mains hum out: 50 or 60 Hz and its harmonics, which say on which grid, and by their drift even
//! when, a recording was made.
//!
//! A notch that is narrow enough for music rings for long and does nothing at a clip's beginning. So
//! the hum is followed, measured and subtracted. Its frequency wanders by some hundredths of a hertz,
//! all harmonics together: first the mean offset is read off the phases of the lowest four, then the
//! wander off all of them. At the frequency so found each harmonic's amplitude and phase are measured
//! under a Hann window of two seconds, which tells 98 Hz from 100 Hz. A line is hum only as far as it
//! never stops: no more is subtracted than little more than what is there in a quiet moment, so that a
//! note at a line's pitch stays.
//!
//! Only kept sound is heard, each part at its time in the clip, so that phases run on over a cut.

use std::f64::consts::TAU;

use zeroize::Zeroizing;

use self::{
    lines::{Blocks, LINES, Lines},
    low::{BLOCK, Low, RATE as LOW_RATE},
};
use super::cut::Part;

mod lines;
mod low;

/// The frequencies of the world's mains, in Hz.
pub(crate) const MAINS_HZ: [f64; 2] = [50.0, 60.0];
/// Harmonics above it are weaker than the noise of a microphone.
const HIGHEST_HZ: f64 = 1_000.0;
/// Harmonics that stay within the window's width of their place at any offset.
const SURE: usize = 4;
/// The most that a grid, and a clip's changed clock, put the mains beside their frequency, in Hz.
const FARTHEST_HZ: f64 = 0.3;
/// Blocks between two measurements: 0.1 s.
const HOP: usize = 5;
/// Blocks under the window: 2 s.
const WINDOW: usize = 100;
/// Measurements over which the wander is smoothed, on either side: 0.6 s.
const SMOOTH: usize = 6;
/// Of all measurements of a line, the share that must reach what counts as its standing level.
const QUIET: f64 = 0.25;
/// How far above its standing level a hum may waver.
const WAVER: f32 = 1.4;

/// What was taken out.
#[derive(Default)]
pub(crate) struct Hum {
    /// Of each harmonic, the fundamental first: full scale is 1, and 0 where there was none.
    pub(crate) amplitudes: [f32; LINES],
}

/// Takes the hum out of `samples` (16 kHz): `parts` of a clip, joined.
pub(crate) fn remove_hum(samples: &mut [f32], parts: &[Part]) -> Hum {
    let low = Low::new(samples, parts);
    let count = low.blocks();
    if count == 0 {
        return Hum::default();
    }
    let still = |mains: f64| vec![mains; count];
    let mut found = MAINS_HZ.map(|mains| {
        let measured = Measured::new(&low, &still(mains), SURE);
        (measured.standing(), mains, measured)
    });
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    let [(_, mains, measured), _] = found;

    let count_of_lines = (HIGHEST_HZ / mains) as usize;
    let mean = mains + measured.mean_offset();
    let followed = Measured::new(&low, &still(mean), count_of_lines);
    let hertz: Vec<f64> = followed
        .offsets()
        .iter()
        .map(|offset| (mean + offset).clamp(mains - FARTHEST_HZ, mains + FARTHEST_HZ))
        .collect();
    let mut hum = Measured::new(&low, &hertz, count_of_lines);
    let amplitudes = hum.limit();
    let wave = hum.wave(&low);
    low.subtract(&wave, samples, parts);
    Hum { amplitudes }
}

/// The amplitudes of all lines, every tenth of a second.
struct Measured {
    count: usize,
    /// One for each hop, and one more at the end.
    amplitudes: Vec<Lines>,
    /// What share of the window lay on kept sound.
    weights: Vec<f32>,
    /// The fundamental of each block, in Hz.
    hertz: Vec<f64>,
}

impl Measured {
    /// Measures the first `count` harmonics of a fundamental that is at `hertz`, block by block.
    fn new(low: &Low, hertz: &[f64], count: usize) -> Self {
        let sums: Vec<Lines> = Blocks::new(hertz, count)
            .enumerate()
            .map(|(block, mut turning)| turning.measure(low.block(block)))
            .collect();
        let window: Vec<f32> = (0..WINDOW)
            .map(|n| (0.5 - 0.5 * (TAU * (n as f64 + 0.5) / WINDOW as f64).cos()) as f32)
            .collect();
        let centers = sums.len().div_ceil(HOP) + 1;
        let mut amplitudes = Vec::with_capacity(centers);
        let mut weights = Vec::with_capacity(centers);
        for center in 0..centers {
            let mut sum = Lines::default();
            let mut weight = 0.0;
            for (index, share) in window.iter().enumerate() {
                let block = (center * HOP + index).checked_sub(WINDOW / 2);
                let Some(lines) = block.and_then(|block| sums.get(block)) else {
                    continue;
                };
                sum.add(lines, *share);
                weight += share * low.weight(center * HOP + index - WINDOW / 2);
            }
            sum.scale(2.0 / weight.max(1.0));
            amplitudes.push(sum);
            weights.push(weight);
        }
        Self {
            count,
            amplitudes,
            weights,
            hertz: hertz.to_vec(),
        }
    }

    /// The level that line `line` never falls below for long.
    fn level(&self, line: usize) -> f32 {
        let heard = self.amplitudes.iter().zip(&self.weights);
        let mut levels: Vec<f32> = heard
            .filter(|(_, weight)| **weight > 1.0)
            .map(|(lines, _)| lines.norm(line))
            .collect();
        levels.sort_unstable_by(f32::total_cmp);
        let quiet = (levels.len() as f64 * QUIET) as usize;
        levels.get(quiet).copied().unwrap_or_default()
    }

    /// How much of all this never stops.
    fn standing(&self) -> f32 {
        (0..self.count).map(|line| self.level(line)).sum()
    }

    /// By how many hertz the fundamental lies beside `hertz` on the whole.
    fn mean_offset(&self) -> f64 {
        let mut turns = Turns::default();
        for center in 1..self.amplitudes.len().saturating_sub(1) {
            turns.add(&self.turn(center));
        }
        turns.offset(self.count)
    }

    /// By how many hertz it lies beside it in each block.
    fn offsets(&self) -> Vec<f64> {
        let last = self.amplitudes.len() - 1;
        let turns: Vec<Turns> = (0..=last)
            .map(|center| match center {
                0 => Turns::default(),
                center if center == last => Turns::default(),
                center => self.turn(center),
            })
            .collect();
        let at_hops: Vec<f64> = (0..=last)
            .map(|center| {
                let around = center.saturating_sub(SMOOTH)..=(center + SMOOTH).min(last);
                let mut sum = Turns::default();
                turns[around].iter().for_each(|turn| sum.add(turn));
                sum.offset(self.count)
            })
            .collect();
        (0..self.hertz.len())
            .map(|block| {
                let share = (block % HOP) as f64 / HOP as f64;
                let (from, to) = (at_hops[block / HOP], at_hops[block / HOP + 1]);
                from + (to - from) * share
            })
            .collect()
    }

    /// By what the phases turn around `center`.
    fn turn(&self, center: usize) -> Turns {
        let (from, to) = (&self.amplitudes[center - 1], &self.amplitudes[center + 1]);
        let mut turns = Turns::default();
        for line in 0..self.count {
            turns.re[line] = f64::from(from.re[line] * to.re[line] + from.im[line] * to.im[line]);
            turns.im[line] = f64::from(from.re[line] * to.im[line] - from.im[line] * to.re[line]);
        }
        turns
    }

    /// Holds every line at little more than its standing level, and tells those levels.
    fn limit(&mut self) -> [f32; LINES] {
        let mut levels = [0.0; LINES];
        for (line, standing) in levels.iter_mut().enumerate().take(self.count) {
            *standing = self.level(line);
            let most = *standing * WAVER;
            for amplitudes in &mut self.amplitudes {
                let level = amplitudes.norm(line);
                if level > most {
                    amplitudes.re[line] *= most / level;
                    amplitudes.im[line] *= most / level;
                }
            }
        }
        levels
    }

    /// The hum itself, at the lower rate.
    fn wave(&self, low: &Low) -> Zeroizing<Vec<f32>> {
        let mut wave = Zeroizing::new(vec![0.0; low.blocks() * BLOCK]);
        let blocks = Blocks::new(&self.hertz, self.count).zip(wave.chunks_mut(BLOCK));
        for (block, (mut turning, wave)) in blocks.enumerate() {
            let (from, to) = (
                &self.amplitudes[block / HOP],
                &self.amplitudes[block / HOP + 1],
            );
            let share = |index: usize| index as f32 / HOP as f32;
            let start = Lines::between(from, to, share(block % HOP));
            let end = Lines::between(from, to, share(block % HOP + 1));
            turning.sound(&start, &end, wave);
        }
        wave
    }
}

/// For each line, the product of its amplitude a hop later with the conjugate of that a hop earlier.
struct Turns {
    re: [f64; LINES],
    im: [f64; LINES],
}

impl Default for Turns {
    fn default() -> Self {
        let [re, im] = [[0.0; LINES]; 2];
        Self { re, im }
    }
}

impl Turns {
    fn add(&mut self, other: &Self) {
        for line in 0..LINES {
            self.re[line] += other.re[line];
            self.im[line] += other.im[line];
        }
    }

    /// The offset of the fundamental, in Hz, that explains the turns of the first `count` lines best.
    fn offset(&self, count: usize) -> f64 {
        let seconds = (2 * HOP * BLOCK) as f64 / f64::from(LOW_RATE);
        let (mut turned, mut sure) = (0.0, f64::MIN_POSITIVE);
        for line in 0..count {
            let (k, weight) = ((line + 1) as f64, self.re[line].hypot(self.im[line]));
            turned += weight * k * self.im[line].atan2(self.re[line]);
            sure += weight * k * k;
        }
        (turned / sure / (TAU * seconds)).clamp(-FARTHEST_HZ, FARTHEST_HZ)
    }
}

#[cfg(test)]
mod tests;
