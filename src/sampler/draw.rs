use crate::rng::RngError;

/// Draws a uniform random number from [0, 1).
pub(super) type Draw = Box<dyn FnMut() -> Result<f64, RngError> + Send>;
