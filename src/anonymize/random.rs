//! What is drawn for a clip. All of it hangs on one seed from the system, so that a test can give one
//! and see the same clip twice; the seed is wiped with the clip and written nowhere.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::entropy::{self, Unavailable};

/// What a clip's draws come from.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Seed([u8; 32]);

/// The steps that draw. Each has draws of its own, so that a clip which is heard again and cut more
/// meets the same ones.
#[derive(Clone, Copy)]
pub(super) enum Step {
    Clock = 1,
    Ends,
    Level,
    Decoy,
    Noise,
    Dither,
}

impl Seed {
    /// A new one.
    pub(super) fn from_system() -> Result<Self, Unavailable> {
        entropy::bytes().map(Self)
    }

    #[cfg(test)]
    pub(super) fn for_test(number: u64) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Self(seed)
    }

    /// The draws of `step`, from the first on.
    pub(super) fn draws(&self, step: Step) -> Draws {
        let mut seed = self.0;
        seed[31] ^= step as u8;
        let draws = Draws(StdRng::from_seed(seed));
        seed.zeroize();
        draws
    }
}

/// Draws of one step.
pub(super) struct Draws(StdRng);

impl Draws {
    /// Evenly from [-1, 1).
    pub(super) fn even(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// From (-1, 1), the likelier the nearer to 0.
    pub(super) fn triangular(&mut self) -> f32 {
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
        let system = Seed::from_system().expect("randomness");
        let again = Seed::from_system().expect("randomness");
        assert_ne!(first(&system, Step::Noise), first(&again, Step::Noise));
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
