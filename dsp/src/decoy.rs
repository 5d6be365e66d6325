//! False hum over what is left of the true: at each harmonic of both mains a tone whose amplitude and phase
//! wander at random within the second, so that what follows a line follows a draw. Each is as much
//! weaker than the hum that stood there as the hum is after it was subtracted, so that a clip
//! without hum gets none that could be heard.

use realfft::{FftError, RealFftPlanner, num_complex::Complex};

use super::{
    detector::RATE,
    hum::{Hum, MAINS_HZ},
    random::Draws,
};

/// The amplitude of a false line, against the true one's that was subtracted: -17 dB.
const SHARE: f32 = 0.14;
/// All lines' common period: 0.1 s.
const PERIOD: usize = 1_600;
/// The distance of two bins of a period's spectrum, in Hz.
const BIN_HZ: f64 = RATE as f64 / PERIOD as f64;
/// Over which a line's amplitude goes from one draw to the next: 0.4 s.
const HOP: usize = 4 * PERIOD;

/// Lays false lines over `samples` (16 kHz), out of which `hum` was taken.
///
/// # Errors
/// The FFT failed, which it does not.
pub(crate) fn lay_decoy(samples: &mut [f32], hum: &Hum, draws: &mut Draws) -> Result<(), FftError> {
    let inverse = RealFftPlanner::<f32>::new().plan_fft_inverse(PERIOD);
    let mut scratch = inverse.make_scratch_vec();
    let mut bins = inverse.make_input_vec();
    let (mut from, mut to) = (inverse.make_output_vec(), inverse.make_output_vec());
    let lines = lines(hum);
    let mut next = |wave: &mut Vec<f32>| {
        bins.fill(Complex::default());
        for &(bin, amplitude) in &lines {
            // A line's wave is twice its bin; each part of an amplitude is drawn with a power of 1/3.
            let mut part = || amplitude * (draws.even() * 1.5f64.sqrt() / 2.0) as f32;
            bins[bin] += Complex::new(part(), part());
        }
        inverse.process_with_scratch(&mut bins, wave, &mut scratch)
    };
    next(&mut to)?;
    for samples in samples.chunks_mut(HOP) {
        std::mem::swap(&mut from, &mut to);
        next(&mut to)?;
        for (index, sample) in samples.iter_mut().enumerate() {
            let share = index as f32 / HOP as f32;
            let (from, to) = (from[index % PERIOD], to[index % PERIOD]);
            *sample += from + share * (to - from);
        }
    }
    Ok(())
}

/// The bins of a period in which a hum could stand, and the amplitude that each gets. On which of the two
/// mains it stood must not be told by the false ones.
fn lines(hum: &Hum) -> Vec<(usize, f32)> {
    let of = |mains: f64| {
        (1..).zip(&hum.amplitudes).map(move |(k, amplitude)| {
            ((f64::from(k) * mains / BIN_HZ) as usize, SHARE * amplitude)
        })
    };
    MAINS_HZ.iter().flat_map(|mains| of(*mains)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        random::{Seed, Step},
        testing::level,
    };

    #[test]
    fn both_mains_get_lines_as_strong_as_the_hum_was_and_silence_gets_none() {
        let mut hum = Hum::default();
        let mut draws = Seed::for_test(1).draws(Step::Decoy);
        let mut samples = vec![0.0; 160_000];
        lay_decoy(&mut samples, &hum, &mut draws).expect("laid");
        assert!(samples.iter().all(|&sample| sample == 0.0));

        hum.amplitudes[..3].fill(0.1);
        lay_decoy(&mut samples, &hum, &mut draws).expect("laid");
        // Six lines. Between two draws there is less of either: two thirds of the power.
        let one = 20.0 * (0.1 * f64::from(SHARE) / 2f64.sqrt()).log10();
        let expected = one + 10.0 * (6.0f64 * 2.0 / 3.0).log10();
        assert!(
            (level(&samples) - expected).abs() < 1.5,
            "{}",
            level(&samples)
        );
    }
}
