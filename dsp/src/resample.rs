//! Any rate to 16 kHz, by rubato's FFT resampler.
//!
//! Its filter has linear phase and its delay is taken off, so that a sample of the output stands at
//! the same time as in the input. The tests measure what its README leaves open: more than 90 dB
//! against what lies above the new Nyquist frequency, and a flat passband.

use rubato::{
    Fft, FixedSync, Indexing, Resampler as _, WindowFunction,
    audioadapter_buffers::direct::SequentialSlice,
};
use zeroize::Zeroizing;

use super::detector::RATE;

/// Samples of the output that one FFT makes: a transition of some 250 Hz, and 16 ms of delay.
const BLOCK: usize = 512;

/// The sound could not be brought to 16 kHz.
#[derive(Debug)]
pub(crate) struct ResamplingFailed;

/// Keeps the tables for the rate it last saw.
#[derive(Default)]
pub(crate) struct Resampler {
    made: Option<(u32, Fft<f32>)>,
}

impl Resampler {
    /// `sound` at 16 kHz, from `rate` Hz; as many samples as whole ones fit into its time, and at least one.
    pub(crate) fn resample(
        &mut self,
        sound: &[f32],
        rate: u32,
    ) -> Result<Zeroizing<Vec<f32>>, ResamplingFailed> {
        let turned_down = turned_down(sound);
        let samples = turned_down.as_ref().map_or(sound, |samples| samples);
        if rate == RATE {
            return Ok(Zeroizing::new(samples.to_vec()));
        }
        let exact = samples.len() as u64 * u64::from(RATE) / u64::from(rate);
        let length = usize::try_from(exact).map_err(|_| ResamplingFailed)?.max(1);

        let fft = self.at(rate)?;
        fft.reset();
        let room = fft.process_all_needed_output_len(samples.len());
        let mut out = Zeroizing::new(vec![0.0; room]);
        let input = SequentialSlice::new(samples, 1, samples.len()).map_err(failed)?;
        let mut output = SequentialSlice::new_mut(&mut out, 1, room).map_err(failed)?;
        let done = fft.process_all_into_buffer(&input, &mut output, samples.len(), None);
        wipe(fft)?;
        done.map_err(failed)?;
        // Never longer than `room`, so nothing is moved and left behind.
        out.truncate(length);
        Ok(out)
    }

    fn at(&mut self, rate: u32) -> Result<&mut Fft<f32>, ResamplingFailed> {
        if self
            .made
            .as_ref()
            .is_none_or(|(made_for, _)| *made_for != rate)
        {
            let block = BLOCK * rate as usize / RATE as usize;
            let window = WindowFunction::BlackmanHarris2;
            let [from, to] = [rate, RATE].map(|rate| rate as usize);
            let fft = Fft::new_custom(from, to, block, 1, 1, window, FixedSync::Both);
            self.made = Some((rate, fft.map_err(failed)?));
        }
        self.made
            .as_mut()
            .map(|(_, fft)| fft)
            .ok_or(ResamplingFailed)
    }
}

/// A copy with its peak at full scale, where a peak exceeds it, as floating-point sound may: the
/// detector knows no such sound, and rubato panics where its sums overflow.
fn turned_down(samples: &[f32]) -> Option<Zeroizing<Vec<f32>>> {
    let peak = samples
        .iter()
        .fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
    let copy = || Zeroizing::new(samples.iter().map(|sample| sample / peak).collect());
    (peak > 1.0).then(copy)
}

/// Overwrites what the resampler holds of the sound: a block of silence runs through its transforms,
/// which `reset` does not clear, then `reset` clears the rest.
fn wipe(fft: &mut Fft<f32>) -> Result<(), ResamplingFailed> {
    let silence = Indexing::new().partial_len(0);
    let mut sink = Zeroizing::new(vec![0.0; fft.output_frames_max()]);
    let frames = sink.len();
    let mut sink = SequentialSlice::new_mut(&mut sink, 1, frames).map_err(failed)?;
    let nothing = SequentialSlice::new(&[], 1, 0).map_err(failed)?;
    fft.process_into_buffer(&nothing, &mut sink, Some(&silence))
        .map_err(failed)?;
    fft.reset();
    Ok(())
}

fn failed<E>(_: E) -> ResamplingFailed {
    ResamplingFailed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{level, sine, sum};

    /// The middle of the resampled clip: its ends ring, as every cut-off sine does.
    fn resampled(samples: Vec<f32>, rate: u32) -> Vec<f32> {
        let out = Resampler::default()
            .resample(&samples, rate)
            .expect("resampled");
        out[out.len() / 4..out.len() * 3 / 4].to_vec()
    }

    #[test]
    fn what_lies_above_the_new_nyquist_frequency_is_90_db_down() {
        for rate in [22_050, 44_100, 48_000, 96_000, 192_000, 384_000] {
            for step in 0..40 {
                let hz = 8_000.0 + (f64::from(rate) / 2.0 - 8_020.0) * f64::from(step) / 39.0;
                let left = level(&resampled(sine(hz, 1.0, rate, 1.0), rate)) - level(&[1.0, -1.0]);
                assert!(
                    left + 3.01 < -90.0,
                    "{hz} Hz at {rate} Hz: {left} dB are left"
                );
            }
        }
    }

    #[test]
    fn the_passband_is_flat_to_7_khz() {
        for rate in [22_050, 44_100, 48_000, 96_000, 384_000] {
            for hz in [20.0, 27.5, 110.0, 440.0, 1_760.0, 4_186.0, 6_000.0, 7_000.0] {
                let change = level(&resampled(sine(hz, 0.5, rate, 2.0), rate))
                    - level(&sine(hz, 0.5, 16_000, 2.0));
                assert!(change.abs() < 0.05, "{hz} Hz at {rate} Hz: {change} dB");
            }
        }
    }

    #[test]
    fn a_click_stays_at_its_time() {
        for rate in [8_000, 11_025, 22_050, 44_100, 48_000, 192_000] {
            let mut samples = vec![0.0; rate as usize];
            samples[rate as usize / 2] = 1.0;
            let out = Resampler::default()
                .resample(&samples, rate)
                .expect("resampled");
            let peak = (0..out.len())
                .max_by(|&a, &b| out[a].total_cmp(&out[b]))
                .expect("some");
            assert_eq!(out.len(), 16_000);
            assert!(peak.abs_diff(8_000) <= 1, "{rate} Hz: at {peak}");
        }
    }

    #[test]
    fn odd_rates_and_lengths_come_out_as_long_as_they_went_in() {
        for rate in [
            8_000, 8_001, 15_999, 16_000, 16_001, 44_099, 48_000, 383_999,
        ] {
            for length in [1, 2, 1_000, 50_001] {
                let sound = vec![0.25; length];
                let out = Resampler::default()
                    .resample(&sound, rate)
                    .expect("resampled");
                let exact = length as u64 * 16_000 / u64::from(rate);
                assert_eq!(out.len() as u64, exact.max(1), "{length} at {rate} Hz");
                assert!(out.iter().all(|sample| sample.is_finite()));
            }
        }
    }

    #[test]
    fn a_clip_leaves_nothing_for_the_next() {
        let mut resampler = Resampler::default();
        let noise = sum(&[
            sine(440.0, 0.5, 48_000, 1.0),
            sine(3_000.0, 0.5, 48_000, 1.0),
        ]);
        resampler.resample(&noise, 48_000).expect("resampled");
        let silence = resampler
            .resample(&[0.0; 48_000], 48_000)
            .expect("resampled");
        assert!(silence.iter().all(|&sample| sample == 0.0));
    }
}
