//! Mixing of several channels to mono.

use sordino::capture;

use crate::{bytes, error::Error};

/// Mixes a recording of several channels to mono: their mean, with a channel that is the inverse of the others
/// inverted, so that channels do not cancel.
///
/// `interleaved` are 32-bit floats in little-endian bytes, in frames of `channels` samples, at `rate` Hz. The result has
/// one sample for each frame, in the same form. A frame with NaN or infinity becomes NaN.
///
/// Raises `Argument` for 0 channels and for bytes that are not whole frames.
#[uniffi::export]
pub fn downmix(interleaved: &[u8], rate: u32, channels: u16) -> Result<Vec<u8>, Error> {
    let samples = bytes::to_floats(interleaved)?;
    if channels == 0 || !samples.len().is_multiple_of(usize::from(channels)) {
        return Err(Error::argument(format!(
            "{} samples are not whole frames of {channels} channels",
            samples.len()
        )));
    }
    let mono = capture::downmix(&samples, rate, channels);
    Ok(bytes::from_floats(&mono))
}
