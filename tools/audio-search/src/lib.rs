//! Finds a recording in the bytes that a program wrote. For tests; a separate crate, so that development builds optimize
//! it.
//!
//! * **In**: a recording, and buffers of bytes.
//! * **Out**: the buffer that contains at least a part of the recording, and how it was found: by [`exact`] samples, or by
//!   [`correlation`] at any level, lightly filtered, at the recording's rate or a third of it.

mod correlation;
mod exact;

use std::path::Path;

use correlation::CorrelationMatcher;
use exact::ExactMatcher;

/// Encodes one sample.
pub type Encode = fn(f32) -> Vec<u8>;

/// Encodings of samples, all little-endian, with their names.
pub const ENCODINGS: [(&str, Encode); 4] = [
    ("i16", |sample| {
        ((sample * 32_768.0) as i16).to_le_bytes().to_vec()
    }),
    ("i24", |sample| {
        ((sample * 8_388_608.0) as i32).to_le_bytes()[..3].to_vec()
    }),
    ("i32", |sample| {
        ((sample * 2_147_483_648.0) as i32).to_le_bytes().to_vec()
    }),
    ("f32", |sample| sample.to_le_bytes().to_vec()),
];

/// A recording to search for.
pub struct Recording {
    samples: Vec<f32>,
    exact: ExactMatcher,
    correlation: CorrelationMatcher,
}

impl Recording {
    /// Reads a mono WAV file of 16 bits.
    ///
    /// # Errors
    /// If the file cannot be read or has another format.
    pub fn read(path: &Path) -> hound::Result<Self> {
        let mut reader = hound::WavReader::open(path)?;
        if (reader.spec().channels, reader.spec().bits_per_sample) != (1, 16) {
            return Err(hound::Error::Unsupported);
        }
        let samples = reader
            .samples::<i16>()
            .map(|sample| Ok(f32::from(sample?) / 32_768.0))
            .collect::<hound::Result<Vec<f32>>>()?;
        Ok(Self {
            exact: ExactMatcher::new(&samples),
            correlation: CorrelationMatcher::new(&samples),
            samples,
        })
    }

    /// The samples, in [-1, 1].
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// The index of the first buffer that contains a part of the recording, and how it was found.
    pub fn find_in(&self, written: &[Vec<u8>]) -> Option<(usize, String)> {
        written.iter().enumerate().find_map(|(index, bytes)| {
            let how = self
                .exact
                .find_in(bytes)
                .or_else(|| self.correlation.find_in(bytes))?;
            Some((index, how))
        })
    }
}

/// At a third of the rate, as anonymized recordings are: the mean of each three samples.
fn decimate(samples: &[f32]) -> Vec<f32> {
    samples
        .chunks(3)
        .map(|three| three.iter().sum::<f32>() / 3.0)
        .collect()
}

#[cfg(test)]
mod tests;
