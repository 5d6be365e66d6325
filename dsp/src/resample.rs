//! Resampling from any rate to 16 kHz, by rubato's synchronous FFT resampler.
//!
//! Its filter has linear phase, and its delay is compensated, so that the output is aligned with the input. The tests
//! measure what rubato's documentation does not state: more than 90 dB of attenuation above the new Nyquist frequency,
//! and a flat passband.

use rubato::{
    Fft, FixedSync, Indexing, Resampler as _, WindowFunction,
    audioadapter_buffers::direct::SequentialSlice,
};
use zeroize::Zeroizing;

use crate::sample_rate::SAMPLE_RATE;

/// The output samples of one FFT: with 512 the transition band is some 250 Hz wide, and the delay is 16 ms.
const CHUNK_SIZE: usize = 512;

/// The samples could not be resampled.
#[derive(Debug)]
pub(crate) struct ResamplingFailed;

/// A resampler that keeps the tables of the last input rate.
#[derive(Default)]
pub(crate) struct Resampler {
    cached: Option<(u32, Fft<f32>)>,
}

impl Resampler {
    /// Resamples `samples` from `rate` Hz to 16 kHz. The length is rounded down, to at least one sample.
    ///
    /// # Errors
    /// rubato does not support the ratio of the rates.
    pub(crate) fn resample(
        &mut self,
        samples: &[f32],
        rate: u32,
    ) -> Result<Zeroizing<Vec<f32>>, ResamplingFailed> {
        let normalized = normalized(samples);
        let samples = normalized.as_ref().map_or(samples, |samples| samples);
        if rate == SAMPLE_RATE {
            return Ok(Zeroizing::new(samples.to_vec()));
        }
        let exact = samples.len() as u64 * u64::from(SAMPLE_RATE) / u64::from(rate);
        let length = usize::try_from(exact).map_err(|_| ResamplingFailed)?.max(1);

        let fft = self.fft_for(rate)?;
        fft.reset();
        let needed = fft.process_all_needed_output_len(samples.len());
        let mut out = Zeroizing::new(vec![0.0; needed]);
        let input = SequentialSlice::new(samples, 1, samples.len()).map_err(failed)?;
        let mut output = SequentialSlice::new_mut(&mut out, 1, needed).map_err(failed)?;
        let done = fft.process_all_into_buffer(&input, &mut output, samples.len(), None);
        wipe(fft)?;
        done.map_err(failed)?;
        // Never longer than `needed`, so the vector does not reallocate and leave an unzeroed copy.
        out.truncate(length);
        Ok(out)
    }

    fn fft_for(&mut self, rate: u32) -> Result<&mut Fft<f32>, ResamplingFailed> {
        if self
            .cached
            .as_ref()
            .is_none_or(|(cached_rate, _)| *cached_rate != rate)
        {
            let chunk_size = CHUNK_SIZE * rate as usize / SAMPLE_RATE as usize;
            let window = WindowFunction::BlackmanHarris2;
            let [from, to] = [rate, SAMPLE_RATE].map(|rate| rate as usize);
            let fft = Fft::new_custom(from, to, chunk_size, 1, 1, window, FixedSync::Both);
            self.cached = Some((rate, fft.map_err(failed)?));
        }
        self.cached
            .as_mut()
            .map(|(_, fft)| fft)
            .ok_or(ResamplingFailed)
    }
}

/// A copy scaled to a peak of full scale, if floating-point input exceeds it: the detector was not trained on such
/// samples, and rubato panics if its sums overflow.
fn normalized(samples: &[f32]) -> Option<Zeroizing<Vec<f32>>> {
    let peak = samples
        .iter()
        .fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
    let copy = || Zeroizing::new(samples.iter().map(|sample| sample / peak).collect());
    (peak > 1.0).then(copy)
}

/// Overwrites the samples that the resampler holds. A chunk of silence overwrites the buffers of its transforms, which
/// `reset` does not clear; `reset` clears the rest.
fn wipe(fft: &mut Fft<f32>) -> Result<(), ResamplingFailed> {
    let silence = Indexing::new().partial_len(0);
    let mut sink = Zeroizing::new(vec![0.0; fft.output_frames_max()]);
    let frames = sink.len();
    let mut sink = SequentialSlice::new_mut(&mut sink, 1, frames).map_err(failed)?;
    let empty = SequentialSlice::new(&[], 1, 0).map_err(failed)?;
    fft.process_into_buffer(&empty, &mut sink, Some(&silence))
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

    /// The middle half of the resampled clip: the filter rings where a sine starts or ends abruptly.
    fn resampled_middle(samples: Vec<f32>, rate: u32) -> Vec<f32> {
        let out = Resampler::default()
            .resample(&samples, rate)
            .expect("resampled");
        out[out.len() / 4..out.len() * 3 / 4].to_vec()
    }

    #[test]
    fn aliases_are_attenuated_by_90_db() {
        for rate in [22_050, 44_100, 48_000, 96_000, 192_000, 384_000] {
            for step in 0..40 {
                let hz = 8_000.0 + (f64::from(rate) / 2.0 - 8_020.0) * f64::from(step) / 39.0;
                let gain =
                    level(&resampled_middle(sine(hz, 1.0, rate, 1.0), rate)) - level(&[1.0, -1.0]);
                assert!(gain + 3.01 < -90.0, "{hz} Hz at {rate} Hz: {gain} dB");
            }
        }
    }

    #[test]
    fn the_passband_is_flat_to_7_khz() {
        for rate in [22_050, 44_100, 48_000, 96_000, 384_000] {
            for hz in [20.0, 27.5, 110.0, 440.0, 1_760.0, 4_186.0, 6_000.0, 7_000.0] {
                let change = level(&resampled_middle(sine(hz, 0.5, rate, 2.0), rate))
                    - level(&sine(hz, 0.5, 16_000, 2.0));
                assert!(change.abs() < 0.05, "{hz} Hz at {rate} Hz: {change} dB");
            }
        }
    }

    #[test]
    fn a_click_keeps_its_time() {
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
    fn any_rate_and_length_keep_their_duration() {
        for rate in [
            8_000, 8_001, 15_999, 16_000, 16_001, 44_099, 48_000, 383_999,
        ] {
            for length in [1, 2, 1_000, 50_001] {
                let samples = vec![0.25; length];
                let out = Resampler::default()
                    .resample(&samples, rate)
                    .expect("resampled");
                let exact = length as u64 * 16_000 / u64::from(rate);
                assert_eq!(out.len() as u64, exact.max(1), "{length} at {rate} Hz");
                assert!(out.iter().all(|sample| sample.is_finite()));
            }
        }
    }

    #[test]
    fn no_samples_remain_for_the_next_clip() {
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
