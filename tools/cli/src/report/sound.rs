//! Sound as the report shows and plays it.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use flacenc::{bitsink::ByteSink, component::BitRepr as _, error::Verify as _, source::MemSource};
use realfft::{RealFftPlanner, num_complex::Complex};

/// The highest rate that a report plays, in Hz: that of a sample, and enough for the picture.
pub(super) const MAX_RATE: u32 = 16_000;

/// The rates of a FLAC stream, in Hz.
const FLAC_RATES: std::ops::RangeInclusive<u32> = 1..=96_000;

/// Mono sound, full scale at ±1.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sound {
    /// Samples; any that is not finite counts as 0.
    pub(crate) samples: Vec<f32>,
    /// Samples a second.
    pub(crate) rate: u32,
}

impl Sound {
    /// Takes over 16-bit samples.
    pub(crate) fn from_i16(samples: &[i16], rate: u32) -> Self {
        let samples = samples
            .iter()
            .map(|&sample| f32::from(sample) / 32_768.0)
            .collect();
        Self { samples, rate }
    }

    /// Length in seconds; 0 at a rate of 0.
    pub(crate) fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate.max(1))
    }

    /// The sound for the report: finite, at most at [`MAX_RATE`]; `None` if there is nothing to
    /// hear.
    pub(super) fn prepared(&self) -> Option<Self> {
        if self.samples.is_empty() || self.rate == 0 {
            return None;
        }
        let samples: Vec<f32> = self
            .samples
            .iter()
            .map(|&sample| if sample.is_finite() { sample } else { 0.0 })
            .collect();
        if self.rate <= MAX_RATE {
            return Some(Self {
                samples,
                rate: self.rate,
            });
        }
        lowered(samples, self.rate)
    }

    /// The sound as a `data:` URI of FLAC, 16 bit.
    pub(super) fn data_uri(&self) -> Result<String, String> {
        if !FLAC_RATES.contains(&self.rate) {
            return Err(format!("no FLAC stream has a rate of {} Hz", self.rate));
        }
        let mut config = flacenc::config::Encoder::default();
        // The fixed predictors pack nearly as well as the fitted ones, in a tenth of the time.
        config.subframe_coding.use_lpc = false;
        let config = config
            .into_verified()
            .map_err(|(_, error)| error.to_string())?;
        let samples: Vec<i32> = self
            .samples
            .iter()
            .map(|sample| (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i32)
            .collect();
        let source = MemSource::from_samples(&samples, 1, 16, self.rate as usize);
        let stream = flacenc::encode_with_fixed_block_size(&config, source, config.block_size)
            .map_err(|error| error.to_string())?;
        let mut sink = ByteSink::new();
        stream.write(&mut sink).map_err(|error| error.to_string())?;
        Ok(format!(
            "data:audio/flac;base64,{}",
            BASE64.encode(sink.as_slice())
        ))
    }
}

/// Resamples to [`MAX_RATE`] by cutting the spectrum. For eyes and for a listener in a
/// report that is plenty; what leaves a device goes through the SDK's own filters.
fn lowered(mut samples: Vec<f32>, rate: u32) -> Option<Sound> {
    // Some silence at the end, so that the spectrum's wrap-around falls into it, and a length that
    // both rates can have: whole tenths of a second.
    let tenths = (samples.len() * 10).div_ceil(rate as usize) + 1;
    let heard = (samples.len() as u64 * u64::from(MAX_RATE)).div_ceil(u64::from(rate)) as usize;
    samples.resize(tenths * rate as usize / 10, 0.0);
    let length = tenths * MAX_RATE as usize / 10;
    let mut planner = RealFftPlanner::<f32>::new();
    let forward = planner.plan_fft_forward(samples.len());
    let mut spectrum = forward.make_output_vec();
    forward.process(&mut samples, &mut spectrum).ok()?;
    let scale = 1.0 / samples.len() as f32;
    spectrum.resize(length / 2 + 1, Complex::default());
    if let Some(last) = spectrum.last_mut() {
        *last = Complex::default();
    }
    let inverse = planner.plan_fft_inverse(length);
    let mut lower = inverse.make_output_vec();
    inverse.process(&mut spectrum, &mut lower).ok()?;
    lower.truncate(heard);
    lower.iter_mut().for_each(|sample| *sample *= scale);
    Some(Sound {
        samples: lower,
        rate: MAX_RATE,
    })
}
