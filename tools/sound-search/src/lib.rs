//! Finds a recording in whatever bytes a program wrote. For tests: a crate of its own, so that it alone is optimized
//! where they are built to be built soon.
//!
//! * **In**: a recording, and buffers of bytes.
//! * **Out**: which buffer holds the recording or a part of it, and how it was found: a run of its samples to the bit,
//!   or a stretch that is alike whatever its level, filtered a little, at its rate or at a third of it.

mod likeness;
mod runs;

use std::path::Path;

use likeness::Likeness;
use runs::Runs;

/// How a sample may be written.
pub type Encode = fn(f32) -> Vec<u8>;

/// The ways, with their names.
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

/// A recording, made ready to be found.
pub struct Sound {
    samples: Vec<f32>,
    runs: Runs,
    likeness: Likeness,
}

impl Sound {
    /// Reads a WAV file of one channel and 16 bits.
    ///
    /// # Errors
    /// What the reader says, also where the file is another kind of WAV.
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
            runs: Runs::of(&samples),
            likeness: Likeness::of(&samples),
            samples,
        })
    }

    /// Its samples, in -1 to 1.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Which buffer holds it, and how it was found.
    pub fn found_in(&self, written: &[Vec<u8>]) -> Option<(usize, String)> {
        written.iter().enumerate().find_map(|(index, bytes)| {
            let how = self
                .runs
                .found_in(bytes)
                .or_else(|| self.likeness.found_in(bytes))?;
            Some((index, how))
        })
    }
}

/// Every third of the sound's rate, as an anonymized recording has it: the mean of each three samples.
fn slower(samples: &[f32]) -> Vec<f32> {
    samples
        .chunks(3)
        .map(|three| three.iter().sum::<f32>() / 3.0)
        .collect()
}

#[cfg(test)]
mod tests;
