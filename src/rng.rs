//! The system's random number generator.

use ring::rand::{SecureRandom as _, SystemRandom};

/// The system's random number generator failed. Nothing can be sealed or sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random source is not available")]
pub struct RngError;

/// The generator for ring.
pub(crate) fn system() -> SystemRandom {
    SystemRandom::new()
}

/// A uniformly distributed number in [0, 1), with 53 bits.
pub(crate) fn uniform() -> Result<f64, RngError> {
    const STEPS: f64 = (1u64 << 53) as f64;
    Ok((u64::from_le_bytes(bytes()?) >> 11) as f64 / STEPS)
}

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], RngError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes` in place, so that a secret leaves no copy behind.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), RngError> {
    #[cfg(test)]
    if crate::testing::draws::fill(bytes) {
        return Ok(());
    }
    system().fill(bytes).map_err(|_| RngError)
}
