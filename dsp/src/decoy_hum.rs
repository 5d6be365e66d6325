//! Decoy hum: random tones that cover the residue of the mains hum.
//!
//! At each harmonic of both mains frequencies a tone is added whose amplitude and phase fluctuate at random within a
//! second, so that an attacker who tracks the electric network frequency tracks random numbers. Each tone is 17 dB
//! below the hum that was removed there, about as strong as its residue. A clip without hum gets no audible decoy.

use realfft::{FftError, RealFftPlanner, num_complex::Complex};

use crate::{
    hum::{HumLevels, MAINS_HZ},
    rng::StepRng,
    sample_rate::SAMPLE_RATE,
};

/// The amplitude of a decoy relative to the removed harmonic: -17 dB.
const RELATIVE_AMPLITUDE: f32 = 0.14;
/// The common period of all harmonics of 50 and 60 Hz, in samples: 0.1 s.
const PERIOD: usize = SAMPLE_RATE as usize / 10;
/// The spacing of the bins of one period's spectrum, in Hz.
const BIN_HZ: f64 = SAMPLE_RATE as f64 / PERIOD as f64;
/// The time between two random amplitudes, in samples: 0.4 s. Between them the waves are interpolated.
const HOP: usize = 4 * PERIOD;

/// Adds decoys to `samples` (16 kHz), from which `hum` was removed.
///
/// # Errors
/// The FFT failed, which it does only for buffers of wrong lengths.
pub(crate) fn add_decoy_hum(
    samples: &mut [f32],
    hum: &HumLevels,
    rng: &mut StepRng,
) -> Result<(), FftError> {
    let inverse = RealFftPlanner::<f32>::new().plan_fft_inverse(PERIOD);
    let mut scratch = inverse.make_scratch_vec();
    let mut bins = inverse.make_input_vec();
    let (mut from, mut to) = (inverse.make_output_vec(), inverse.make_output_vec());
    let tones = tones(hum);
    let mut next = |wave: &mut Vec<f32>| {
        bins.fill(Complex::default());
        for &(bin, amplitude) in &tones {
            // The wave of a bin has twice its amplitude, and a uniform number on [-1, 1) has a variance of 1/3.
            let mut part = || amplitude * (rng.uniform() * 1.5f64.sqrt() / 2.0) as f32;
            bins[bin] += Complex::new(part(), part());
        }
        inverse.process_with_scratch(&mut bins, wave, &mut scratch)
    };
    next(&mut to)?;
    for samples in samples.chunks_mut(HOP) {
        std::mem::swap(&mut from, &mut to);
        next(&mut to)?;
        for (index, sample) in samples.iter_mut().enumerate() {
            let fraction = index as f32 / HOP as f32;
            let (from, to) = (from[index % PERIOD], to[index % PERIOD]);
            *sample += from + fraction * (to - from);
        }
    }
    Ok(())
}

/// The bin and the amplitude of each decoy. Both mains frequencies get the same, so that the decoys do not reveal
/// which of them was removed.
fn tones(hum: &HumLevels) -> Vec<(usize, f32)> {
    let harmonics = |mains: f64| {
        (1..).zip(&hum.amplitudes).map(move |(k, amplitude)| {
            (
                (f64::from(k) * mains / BIN_HZ) as usize,
                RELATIVE_AMPLITUDE * amplitude,
            )
        })
    };
    MAINS_HZ
        .iter()
        .flat_map(|mains| harmonics(*mains))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rng::{Seed, Step},
        testing::level,
    };

    #[test]
    fn both_mains_get_decoys_in_proportion_to_the_removed_hum() {
        let mut hum = HumLevels::default();
        let mut rng = Seed::for_test(1).rng(Step::DecoyHum);
        let mut samples = vec![0.0; 160_000];
        add_decoy_hum(&mut samples, &hum, &mut rng).expect("an FFT");
        assert!(samples.iter().all(|&sample| sample == 0.0));

        hum.amplitudes[..3].fill(0.1);
        add_decoy_hum(&mut samples, &hum, &mut rng).expect("an FFT");
        // Six tones. Interpolation between two random amplitudes leaves two thirds of the power.
        let one = 20.0 * (0.1 * f64::from(RELATIVE_AMPLITUDE) / 2f64.sqrt()).log10();
        let expected = one + 10.0 * (6.0f64 * 2.0 / 3.0).log10();
        assert!(
            (level(&samples) - expected).abs() < 1.5,
            "{}",
            level(&samples)
        );
    }
}
