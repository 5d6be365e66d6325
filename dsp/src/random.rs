//! What is drawn for a clip. All of it hangs on one seed from the system, so that a test can give one
//! and see the same clip twice; the seed is wiped with the clip and written nowhere.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What a clip's draws come from: 256 bits, wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

/// The steps that draw. Each has draws of its own, so that a clip which is heard again and cut more
/// meets the same ones.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    Clock = 1,
    Ends,
    Level,
    Decoy,
    Noise,
    Dither,
}

impl Seed {
    /// A seed that `fill` writes in place, so that no copy of it is left behind. `fill` takes the bytes
    /// from the system's random source.
    ///
    /// # Errors
    /// That of `fill`.
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

    /// The draws of `step`, from the first on.
    pub(crate) fn draws(&self, step: Step) -> Draws {
        let mut seed = self.0;
        seed[31] ^= step as u8;
        let draws = Draws(StdRng::from_seed(seed));
        seed.zeroize();
        draws
    }
}

/// Draws of one step.
pub(crate) struct Draws(StdRng);

impl Draws {
    /// Evenly from [-1, 1).
    pub(crate) fn even(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// From (-1, 1), the likelier the nearer to 0.
    pub(crate) fn triangular(&mut self) -> f32 {
        /// Bits of an f32's fraction.
        const KEPT: u32 = 24;
        const SCALE: f32 = 1.0 / (1 << KEPT) as f32;
        let bits = self.0.next_u64();
        let one = (bits >> 40) as i32;
        let other = (bits as u32 >> (32 - KEPT)) as i32;
        (one - other) as f32 * SCALE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_each_step_its_own_draws_and_always_the_same() {
        let first = |seed: &Seed, step| seed.draws(step).even();
        let [one, other] = [1, 2].map(Seed::for_test);
        assert_eq!(first(&one, Step::Clock), first(&one, Step::Clock));
        assert_ne!(first(&one, Step::Clock), first(&one, Step::Ends));
        assert_ne!(first(&one, Step::Clock), first(&other, Step::Clock));
    }

    #[test]
    fn a_seed_is_what_its_source_gives_and_none_where_it_fails() {
        let filled = Seed::from_source(|bytes| {
            bytes[..8].copy_from_slice(&7_u64.to_le_bytes());
            Ok::<(), ()>(())
        });
        let [filled, known] =
            [filled.expect("filled"), Seed::for_test(7)].map(|seed| seed.draws(Step::Noise).even());
        assert_eq!(filled, known);
        assert_eq!(Seed::from_source(|_| Err("none")).err(), Some("none"));
    }

    #[test]
    fn even_draws_fill_their_range_evenly() {
        let mut draws = Seed::for_test(7).draws(Step::Level);
        let values: Vec<f64> = (0..10_000).map(|_| draws.even()).collect();
        assert!(values.iter().all(|value| (-1.0..1.0).contains(value)));
        let mean = |power: i32| values.iter().map(|x| x.powi(power)).sum::<f64>() / 10_000.0;
        assert!(mean(1).abs() < 0.03 && (mean(2) - 1.0 / 3.0).abs() < 0.02);
    }
}
