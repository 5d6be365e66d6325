//! Audio samples as little-endian bytes: the form in which they are passed to and from the app.

use crate::error::Error;

/// The 32-bit floats in little-endian `bytes`.
pub(crate) fn to_floats(bytes: &[u8]) -> Result<Vec<f32>, Error> {
    let (floats, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Error::argument(format!(
            "{} bytes are not whole 32-bit floats of 4 bytes each",
            bytes.len()
        )));
    }
    Ok(floats
        .iter()
        .map(|float| f32::from_le_bytes(*float))
        .collect())
}

/// Little-endian bytes of `floats`.
pub(crate) fn from_floats(floats: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_of_val(floats));
    for float in floats {
        bytes.extend_from_slice(&float.to_le_bytes());
    }
    bytes
}

/// Little-endian bytes of 16-bit `samples`.
pub(crate) fn from_i16(samples: &[i16]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect()
}
