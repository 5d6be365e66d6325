//! REAL-TIME: channels become one. Nothing in this file allocates, locks, logs or makes a system call, except
//! [`Downmixer::new`].
//!
//! A microphone that is wired in reverse, or a balanced line on a stereo input, delivers two channels of which one is
//! the inverse of the other. Their average is silence. So each channel is correlated with the sum of those before it,
//! above [`HIGH_PASS_HZ`] since offset and hum are alike in channels whose sound is not, and a channel that would cancel
//! that sum is added inverted. All other channels are averaged as they are, and the average is exact.

use std::f64::consts::TAU;

use super::Sample;

/// Below it nothing counts for the correlation, by a filter of second order.
const HIGH_PASS_HZ: f64 = 100.0;
/// The time constant of the correlation.
const MEMORY_SECONDS: f64 = 0.1;
/// How much sound it takes before a channel is inverted.
const WARM_UP_SECONDS: f64 = 0.05;
/// How long a channel takes to change its sign, so that there is no click.
const FADE_SECONDS: f64 = 0.02;
/// A channel that correlates less than this with those before it is inverted: below -0.9 the sum of two equal channels is
/// at least 10 dB weaker than what they hold.
const INVERT_BELOW: f64 = -0.9;
/// … and above this it is inverted no more.
const RESTORE_ABOVE: f64 = -0.5;
/// How much of a recording's beginning shows whether its channels cancel, in seconds.
pub(super) const PRIMING_SECONDS: u64 = 1;
/// Mean squares below it, -120 dB, are silence and decide nothing.
const SILENCE: f64 = 1e-12;

/// Mixes interleaved channels to mono: their average, with a channel that is the inverse of the others inverted.
///
/// What it does depends on the samples before only, not on how they are cut into blocks.
///
/// ```
/// use sordino::capture::Downmixer;
///
/// let mut not_finite = 0;
/// let mut downmixer = Downmixer::new(48_000, 2);
/// assert_eq!(downmixer.mix(&[0.5_f32, 0.25], &mut not_finite), 0.375);
/// ```
#[derive(Clone, Debug)]
pub struct Downmixer {
    channels: Box<[Channel]>,
    has_begun: bool,
    /// The pole of the high-pass.
    pole: f64,
    /// What is left of a mean after one frame.
    memory: f64,
    warm_up: u32,
    fade_step: f64,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    last: f64,
    /// After the first and the second half of the high-pass.
    half_passed: f64,
    passed: f64,
    /// Mean squares of this channel and of the sum of those before it, and the mean of their product.
    energy: f64,
    sum_energy: f64,
    product: f64,
    /// Frames in which neither was silent, up to the warm-up.
    heard: u32,
    is_inverted: bool,
    /// What the channel is multiplied with: 1, -1 or on the way.
    gain: f64,
}

impl Downmixer {
    /// For `channels` channels, at least one, at `rate` Hz. It allocates.
    pub fn new(rate: u32, channels: u16) -> Self {
        let rate = f64::from(rate.max(1));
        Self {
            channels: vec![Channel::default(); usize::from(channels.max(1))].into(),
            has_begun: false,
            pole: (-TAU * HIGH_PASS_HZ / rate).exp(),
            memory: (-1.0 / (MEMORY_SECONDS * rate)).exp(),
            warm_up: (WARM_UP_SECONDS * rate) as u32,
            // From 1 to -1.
            fade_step: 2.0 / (FADE_SECONDS * rate),
        }
    }

    /// One frame, a sample of each channel, as mono. NaN and infinity count as silence and are added to `not_finite`.
    pub fn mix<S: Sample>(&mut self, frame: &[S], not_finite: &mut u64) -> f32 {
        let (mut sum, mut passed_sum) = (0.0, 0.0);
        let is_alone = self.channels.len() == 1;
        for (channel, sample) in self.channels.iter_mut().zip(frame) {
            let mut value = sample.to_unit();
            // Above f32's range it would turn infinite on the way out.
            if value.is_nan() || value.abs() > f64::from(f32::MAX) {
                *not_finite += 1;
                value = 0.0;
            }
            if !is_alone {
                if !self.has_begun {
                    channel.last = value;
                }
                channel.pass(value, self.pole);
                channel.correlate(passed_sum, self.memory, self.warm_up);
                channel.fade(self.fade_step);
                passed_sum += channel.sign() * channel.passed;
            }
            sum += channel.gain * value;
        }
        self.has_begun = true;
        (sum / self.channels.len() as f64) as f32
    }

    /// Learns from frames of the beginning of a recording which channels are inverted; then [`Self::settle`].
    pub fn prime<S: Sample>(&mut self, interleaved: &[S]) {
        for frame in interleaved.chunks_exact(self.channels.len()) {
            self.mix(frame, &mut 0);
        }
    }

    /// Goes back to the beginning with what was learned from it, so that the whole recording is mixed by that.
    pub fn finish_priming(&mut self) {
        for channel in &mut self.channels {
            channel.gain = channel.sign();
            channel.half_passed = 0.0;
            channel.passed = 0.0;
        }
        self.has_begun = false;
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            last: 0.0,
            half_passed: 0.0,
            passed: 0.0,
            energy: 0.0,
            sum_energy: 0.0,
            product: 0.0,
            heard: 0,
            is_inverted: false,
            gain: 1.0,
        }
    }
}

impl Channel {
    fn pass(&mut self, value: f64, pole: f64) {
        let half_passed = audible(pole * (self.half_passed + value - self.last));
        self.passed = audible(pole * (self.passed + half_passed - self.half_passed));
        self.half_passed = half_passed;
        self.last = value;
    }

    fn correlate(&mut self, sum: f64, memory: f64, warm_up: u32) {
        let average = |mean: f64, value: f64| audible(memory * mean + (1.0 - memory) * value);
        self.energy = average(self.energy, self.passed * self.passed);
        self.sum_energy = average(self.sum_energy, sum * sum);
        self.product = average(self.product, sum * self.passed);
        if self.energy < SILENCE || self.sum_energy < SILENCE {
            return;
        }
        self.heard = (self.heard + 1).min(warm_up);
        let is_below = |correlation: f64| {
            let limit = correlation * correlation * self.energy * self.sum_energy;
            self.product < 0.0 && self.product * self.product > limit
        };
        self.is_inverted = match self.is_inverted {
            false => self.heard == warm_up && is_below(INVERT_BELOW),
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

/// A whole recording as mono, by a [`Downmixer`] that was primed with its beginning. `interleaved`: frames of `channels`
/// samples, at `rate` Hz; an incomplete one at the end is left out. A frame with NaN or infinity becomes NaN.
pub fn downmix(interleaved: &[f32], rate: u32, channels: u16) -> Vec<f32> {
    let mut downmixer = Downmixer::new(rate, channels);
    let frames = interleaved.chunks_exact(usize::from(channels.max(1)));
    let beginning = frames
        .clone()
        .take(PRIMING_SECONDS as usize * rate as usize);
    beginning.for_each(|frame| downmixer.prime(frame));
    downmixer.finish_priming();
    let mixed = frames.map(|frame| {
        let mut not_finite = 0;
        let mono = downmixer.mix(frame, &mut not_finite);
        if not_finite == 0 { mono } else { f32::NAN }
    });
    mixed.collect()
}

/// Zero rather than a number so small that the processor computes with it slowly.
fn audible(value: f64) -> f64 {
    if value.abs() < 1e-60 { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::cases;

    const RATE: u32 = 8_000;
    /// Warm-up and fade of one channel are over by then.
    const SETTLED: usize = 600;

    /// Noise of a fixed seed, within ±1.
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
    fn an_inverted_pair_is_mixed_to_its_sound_from_the_first_sample_on_where_it_was_primed() {
        let sound = noise(7, 4_000);
        let interleaved: Vec<f64> = sound.iter().flat_map(|x| [*x, -x]).collect();
        let mut downmixer = Downmixer::new(RATE, 2);
        downmixer.prime(&interleaved);
        downmixer.finish_priming();
        for (frame, sample) in interleaved.chunks(2).zip(&sound) {
            assert_eq!(downmixer.mix(frame, &mut 0), *sample as f32);
        }
    }

    /// Offset and hum are alike in both channels of a cheap interface, and stronger than the sound.
    #[test]
    fn a_common_offset_and_hum_hide_no_inverted_pair() {
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

        /// One sound in any number of channels, each with a level and a polarity of its own.
        #[test]
        fn no_polarity_of_the_channels_cancels_their_sound(
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

        /// Inverted pairs beside channels with sounds of their own: all sounds are heard.
        #[test]
        fn an_inverted_pair_is_heard_beside_other_channels(
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
