//! The random numbers of a clip: one seed from the operating system, and one generator for each step.
//!
//! A fixed seed makes a clip reproducible in tests. In use, the seed is zeroed with the clip and recorded nowhere.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The seed of all random numbers of a clip: 256 bits, zeroed on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

/// The steps that use random numbers. Each has a generator of its own, so that each time a clip is rendered it gets the
/// same numbers.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    ClockJitter = 1,
    Trim,
    Level,
    DecoyHum,
    MaskingNoise,
    Dither,
}

impl Seed {
    /// A seed that `fill` writes in place, so that no copy of it remains elsewhere. `fill` takes the bytes from the
    /// operating system's random source.
    ///
    /// # Errors
    /// The error of `fill`.
    pub fn from_source<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut seed = Self([0; 32]);
        fill(&mut seed.0)?;
        Ok(seed)
    }

    #[cfg(test)]
    pub(crate) fn for_test(number: u64) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Self(seed)
    }

    /// A new generator for `step`.
    pub(crate) fn rng(&self, step: Step) -> StepRng {
        let mut seed = self.0;
        seed[31] ^= step as u8;
        let rng = StepRng(StdRng::from_seed(seed));
        seed.zeroize();
        rng
    }
}

/// The random numbers of one step.
pub(crate) struct StepRng(StdRng);

impl StepRng {
    /// Uniform on [-1, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Triangular on (-1, 1), with its mode at 0.
    pub(crate) fn triangular(&mut self) -> f32 {
        /// Bits of an f32's significand.
        const BITS: u32 = 24;
        const SCALE: f32 = 1.0 / (1 << BITS) as f32;
        let bits = self.0.next_u64();
        let one = (bits >> 40) as i32;
        let other = (bits as u32 >> (32 - BITS)) as i32;
        (one - other) as f32 * SCALE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_its_own_reproducible_numbers() {
        let first = |seed: &Seed, step| seed.rng(step).uniform();
        let [one, other] = [1, 2].map(Seed::for_test);
        assert_eq!(
            first(&one, Step::ClockJitter),
            first(&one, Step::ClockJitter)
        );
        assert_ne!(first(&one, Step::ClockJitter), first(&one, Step::Trim));
        assert_ne!(
            first(&one, Step::ClockJitter),
            first(&other, Step::ClockJitter)
        );
    }

    #[test]
    fn from_source_takes_the_bytes_or_the_error_of_its_source() {
        let filled = Seed::from_source(|bytes| {
            bytes[..8].copy_from_slice(&7_u64.to_le_bytes());
            Ok::<(), ()>(())
        });
        let [filled, known] = [filled.expect("filled"), Seed::for_test(7)]
            .map(|seed| seed.rng(Step::MaskingNoise).uniform());
        assert_eq!(filled, known);
        assert_eq!(Seed::from_source(|_| Err("none")).err(), Some("none"));
    }

    #[test]
    fn uniform_numbers_have_the_mean_and_variance_of_their_range() {
        let mut rng = Seed::for_test(7).rng(Step::Level);
        let values: Vec<f64> = (0..10_000).map(|_| rng.uniform()).collect();
        assert!(values.iter().all(|value| (-1.0..1.0).contains(value)));
        let mean = |power: i32| values.iter().map(|x| x.powi(power)).sum::<f64>() / 10_000.0;
        assert!(mean(1).abs() < 0.03 && (mean(2) - 1.0 / 3.0).abs() < 0.02);
    }
}
