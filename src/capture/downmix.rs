//! REAL-TIME: downmix to mono. Nothing in this file allocates, locks, logs or makes a system call, except
//! [`Downmixer::new`].
//!
//! A microphone with reversed polarity, or a balanced line on a stereo input, delivers two channels of which one is the
//! inverse of the other; their average is silence. So the Pearson correlation of each channel with the sum of the
//! previous ones is tracked by exponential averages, above [`HIGH_PASS_HZ`] since offset and hum are the same in both
//! channels. A channel that would cancel the sum is added inverted. Other channels are averaged exactly.

use std::f64::consts::TAU;

use super::sample::Sample;

/// The cutoff of the second-order high-pass before the correlation, in Hz.
const HIGH_PASS_HZ: f64 = 100.0;
/// The time constant of the exponential averages, in seconds.
const TIME_CONSTANT_SECONDS: f64 = 0.1;
/// The time with signal before a channel can be inverted, in seconds.
const WARM_UP_SECONDS: f64 = 0.05;
/// The time over which a channel changes its sign, in seconds, so that it does not click.
const FADE_SECONDS: f64 = 0.02;
/// A channel with a correlation below this is inverted: below -0.9, the sum of two equally loud channels is at least
/// 10 dB weaker than either.
const INVERT_BELOW: f64 = -0.9;
/// An inverted channel with a correlation above this is restored.
const RESTORE_ABOVE: f64 = -0.5;
/// The length of the start of a recording from which the polarity of its channels is determined, in seconds.
pub(super) const PRIMING_SECONDS: u64 = 1;
/// Channels with a mean square below this, -120 dB, are silent and not correlated.
const MIN_ENERGY: f64 = 1e-12;

/// Mixes interleaved channels to mono: their average, where a channel that is the inverse of the others is inverted.
///
/// It is causal, and its output does not depend on the block size.
///
/// ```
/// use sordino::capture::Downmixer;
///
/// let mut non_finite = 0;
/// let mut downmixer = Downmixer::new(48_000, 2);
/// assert_eq!(downmixer.mix(&[0.5_f32, 0.25], &mut non_finite), 0.375);
/// ```
#[derive(Clone, Debug)]
pub struct Downmixer {
    channels: Box<[Channel]>,
    has_started: bool,
    /// The pole of the high-pass.
    pole: f64,
    /// The decay of the averages per frame.
    decay: f64,
    warm_up: u32,
    fade_step: f64,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    last: f64,
    /// The outputs of the first and the second section of the high-pass.
    first_section: f64,
    filtered: f64,
    /// The mean squares of this channel and of the sum of the previous ones, and the mean of their product.
    energy: f64,
    sum_energy: f64,
    product: f64,
    /// Frames in which neither was silent, up to the warm-up.
    active: u32,
    is_inverted: bool,
    /// The factor of the channel: 1, -1 or in between while it fades.
    gain: f64,
}

impl Downmixer {
    /// For at least one channel at `rate` Hz. It allocates.
    pub fn new(rate: u32, channels: u16) -> Self {
        let rate = f64::from(rate.max(1));
        Self {
            channels: vec![Channel::default(); usize::from(channels.max(1))].into(),
            has_started: false,
            pole: (-TAU * HIGH_PASS_HZ / rate).exp(),
            decay: (-1.0 / (TIME_CONSTANT_SECONDS * rate)).exp(),
            warm_up: (WARM_UP_SECONDS * rate) as u32,
            // From 1 to -1.
            fade_step: 2.0 / (FADE_SECONDS * rate),
        }
    }

    /// Mixes one frame, a sample of each channel. NaN and infinity become silence and are added to `non_finite`.
    pub fn mix<S: Sample>(&mut self, frame: &[S], non_finite: &mut u64) -> f32 {
        let (mut sum, mut filtered_sum) = (0.0, 0.0);
        let is_mono = self.channels.len() == 1;
        for (channel, sample) in self.channels.iter_mut().zip(frame) {
            let mut value = sample.to_unit();
            // A value beyond the range of f32 would become infinite in the output.
            if value.is_nan() || value.abs() > f64::from(f32::MAX) {
                *non_finite += 1;
                value = 0.0;
            }
            if !is_mono {
                if !self.has_started {
                    channel.last = value;
                }
                channel.high_pass(value, self.pole);
                channel.correlate(filtered_sum, self.decay, self.warm_up);
                channel.fade(self.fade_step);
                filtered_sum += channel.sign() * channel.filtered;
            }
            sum += channel.gain * value;
        }
        self.has_started = true;
        (sum / self.channels.len() as f64) as f32
    }

    /// Determines from the start of a recording which channels are inverted; to be followed by
    /// [`Self::finish_priming`].
    pub fn prime<S: Sample>(&mut self, interleaved: &[S]) {
        for frame in interleaved.chunks_exact(self.channels.len()) {
            self.mix(frame, &mut 0);
        }
    }

    /// Resets the filters but keeps the polarities, so that the whole recording is mixed with them.
    pub fn finish_priming(&mut self) {
        for channel in &mut self.channels {
            channel.gain = channel.sign();
            channel.first_section = 0.0;
            channel.filtered = 0.0;
        }
        self.has_started = false;
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            last: 0.0,
            first_section: 0.0,
            filtered: 0.0,
            energy: 0.0,
            sum_energy: 0.0,
            product: 0.0,
            active: 0,
            is_inverted: false,
            gain: 1.0,
        }
    }
}

impl Channel {
    fn high_pass(&mut self, value: f64, pole: f64) {
        let first_section = flush_denormal(pole * (self.first_section + value - self.last));
        self.filtered = flush_denormal(pole * (self.filtered + first_section - self.first_section));
        self.first_section = first_section;
        self.last = value;
    }

    fn correlate(&mut self, sum: f64, decay: f64, warm_up: u32) {
        let average = |mean: f64, value: f64| flush_denormal(decay * mean + (1.0 - decay) * value);
        self.energy = average(self.energy, self.filtered * self.filtered);
        self.sum_energy = average(self.sum_energy, sum * sum);
        self.product = average(self.product, sum * self.filtered);
        if self.energy < MIN_ENERGY || self.sum_energy < MIN_ENERGY {
            return;
        }
        self.active = (self.active + 1).min(warm_up);
        let is_below = |correlation: f64| {
            let limit = correlation * correlation * self.energy * self.sum_energy;
            self.product < 0.0 && self.product * self.product > limit
        };
        self.is_inverted = match self.is_inverted {
            false => self.active == warm_up && is_below(INVERT_BELOW),
            true => is_below(RESTORE_ABOVE),
        };
    }

    fn fade(&mut self, step: f64) {
        let sign = self.sign();
        if self.gain != sign {
            self.gain = (self.gain + sign * step).clamp(-1.0, 1.0);
        }
    }

    fn sign(&self) -> f64 {
        if self.is_inverted { -1.0 } else { 1.0 }
    }
}

/// Mixes a whole recording to mono, by a [`Downmixer`] that was primed with its start. `interleaved`: frames of
/// `channels` samples at `rate` Hz; an incomplete frame at the end is ignored. A frame with NaN or infinity becomes
/// NaN.
pub fn downmix(interleaved: &[f32], rate: u32, channels: u16) -> Vec<f32> {
    let mut downmixer = Downmixer::new(rate, channels);
    let frames = interleaved.chunks_exact(usize::from(channels.max(1)));
    let start = frames
        .clone()
        .take(PRIMING_SECONDS as usize * rate as usize);
    start.for_each(|frame| downmixer.prime(frame));
    downmixer.finish_priming();
    let mixed = frames.map(|frame| {
        let mut non_finite = 0;
        let mono = downmixer.mix(frame, &mut non_finite);
        if non_finite == 0 { mono } else { f32::NAN }
    });
    mixed.collect()
}

/// Zero instead of a tiny value, before it becomes denormal and slow to compute with.
fn flush_denormal(value: f64) -> f64 {
    if value.abs() < 1e-60 { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::cases;

    const RATE: u32 = 8_000;
    /// The samples after which warm-up and fade of one channel are over.
    const SETTLED: usize = 600;

    /// Reproducible noise within ±1.
    fn noise(seed: u32, length: usize) -> Vec<f64> {
        let mut state = seed.wrapping_mul(2_654_435_761).max(1);
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0
        };
        (0..length).map(|_| next()).collect()
    }

    fn mixed(frames: &[Vec<f64>]) -> Vec<f32> {
        let mut downmixer = Downmixer::new(RATE, frames[0].len() as u16);
        let mix = |frame: &Vec<f64>| downmixer.mix(frame, &mut 0);
        frames.iter().map(mix).collect()
    }

    fn energy(samples: &[f32]) -> f64 {
        let square = |sample: &f32| f64::from(*sample).powi(2);
        samples.iter().map(square).sum()
    }

    #[test]
    fn a_primed_mixer_inverts_a_channel_from_the_first_sample_on() {
        let sound = noise(7, 4_000);
        let interleaved: Vec<f64> = sound.iter().flat_map(|x| [*x, -x]).collect();
        let mut downmixer = Downmixer::new(RATE, 2);
        downmixer.prime(&interleaved);
        downmixer.finish_priming();
        for (frame, sample) in interleaved.chunks(2).zip(&sound) {
            assert_eq!(downmixer.mix(frame, &mut 0), *sample as f32);
        }
    }

    /// Cheap interfaces add the same offset and hum to both channels, stronger than the signal.
    #[test]
    fn common_offset_and_hum_do_not_hide_an_inverted_pair() {
        let sound = noise(7, 8_000);
        let frames: Vec<Vec<f64>> = sound
            .iter()
            .enumerate()
            .map(|(at, x)| {
                let common = 0.3 + 0.1 * (at as f64 * TAU * 50.0 / f64::from(RATE)).sin();
                vec![common + 0.2 * x, common - 0.2 * x]
            })
            .collect();
        let mixed = mixed(&frames);
        for (at, sample) in mixed.iter().enumerate().skip(SETTLED) {
            assert!((f64::from(*sample) - 0.2 * sound[at]).abs() < 1e-6);
        }
    }

    #[test]
    fn a_pair_that_is_no_longer_inverted_is_averaged_again() {
        let sound = noise(3, 24_000);
        let frames: Vec<Vec<f64>> = sound
            .iter()
            .enumerate()
            .map(|(at, x)| vec![*x, if at < 12_000 { -x } else { *x }])
            .collect();
        let mixed = mixed(&frames);
        let second = &mixed[18_000..];
        assert!(
            second
                .iter()
                .zip(&sound[18_000..])
                .all(|(mix, x)| *mix == *x as f32)
        );
    }

    proptest! {
        #![proptest_config(cases(64, 2_000))]

        /// One signal in any number of channels, with any levels and polarities.
        #[test]
        fn no_combination_of_polarities_cancels_the_signal(
            gains in prop::collection::vec((0.1_f64..1.0, any::<bool>()), 2..9),
            seed in 1_u32..1_000,
        ) {
            let gain = |&(gain, inverted): &(f64, bool)| if inverted { -gain } else { gain };
            let gains: Vec<f64> = gains.iter().map(gain).collect();
            let sound = noise(seed, 8_000);
            let frames: Vec<Vec<f64>> = sound
                .iter()
                .map(|x| gains.iter().map(|gain| gain * x).collect())
                .collect();
            let level = gains.iter().map(|gain| gain.abs()).sum::<f64>() / gains.len() as f64;
            for (mix, x) in mixed(&frames).iter().zip(&sound).skip(SETTLED * gains.len()) {
                prop_assert!((f64::from(mix.abs()) - level * x.abs()).abs() < 1e-6);
            }
        }

        /// An inverted pair and channels with other signals.
        #[test]
        fn an_inverted_pair_is_kept_among_other_channels(
            others in prop::collection::vec(0.0_f64..1.0, 1..5),
            seed in 1_u32..1_000,
        ) {
            let sound = noise(seed, 8_000);
            let sounds: Vec<Vec<f64>> = (0..others.len())
                .map(|at| noise(seed + 1_000 + at as u32, 8_000))
                .collect();
            let frames: Vec<Vec<f64>> = (0..8_000)
                .map(|at| {
                    let other = |channel: usize| others[channel] * sounds[channel][at];
                    let pair = [sound[at], -sound[at]];
                    pair.into_iter().chain((0..others.len()).map(other)).collect()
                })
                .collect();
            let count = (others.len() + 2) as f64;
            let of_pair: Vec<f32> = sound.iter().map(|x| (2.0 * x / count) as f32).collect();
            prop_assert!(energy(&mixed(&frames)[SETTLED..]) > 0.8 * energy(&of_pair[SETTLED..]));
        }

        #[test]
        fn channels_that_do_not_cancel_are_averaged_exactly(
            channels in 1_usize..9,
            shared in 0.0_f64..1.0,
            seed in 1_u32..1_000,
        ) {
            let common = noise(seed, 4_000);
            let own: Vec<Vec<f64>> = (0..channels)
                .map(|at| noise(seed + 1_000 + at as u32, 4_000))
                .collect();
            let frames: Vec<Vec<f64>> = (0..4_000)
                .map(|at| own.iter().map(|own| shared * common[at] + own[at]).collect())
                .collect();
            for (mix, frame) in mixed(&frames).iter().zip(&frames) {
                prop_assert_eq!(*mix, (frame.iter().sum::<f64>() / channels as f64) as f32);
            }
        }
    }
}
