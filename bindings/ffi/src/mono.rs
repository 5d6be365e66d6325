//! A recording's channels as one.

use crate::{
    Error,
    scalars::{bytes_of, floats_of},
};
use sordino::capture;

/// A recording of several channels as mono: their average, with a channel that is the inverse of the others inverted,
/// so that none cancel.
///
/// `interleaved` are 32-bit floats in little-endian bytes, in frames of `channels` samples, at `rate` Hz; so is the
/// result, a sample for each frame. A frame with NaN or infinity becomes NaN.
///
/// Raises `Argument` for no channel and for bytes that are not whole frames.
#[uniffi::export]
pub fn downmix(interleaved: &[u8], rate: u32, channels: u16) -> Result<Vec<u8>, Error> {
    let samples = floats_of(interleaved)?;
    if channels == 0 || !samples.len().is_multiple_of(usize::from(channels)) {
        return Err(Error::Argument(format!(
            "{} samples are not whole frames of {channels} channels",
            samples.len()
        )));
    }
    Ok(bytes_of(&capture::downmix(&samples, rate, channels)))
}
