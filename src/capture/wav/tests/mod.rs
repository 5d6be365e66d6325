//! Tests of the WAV reader against libsndfile.

mod libsndfile;
mod mixed;
mod mutations;
mod variants;
mod wave;

use std::{io::Cursor, path::Path};

use super::{Reader, WavError};

/// The output of a reader: interleaved, full scale at ±1.
#[derive(Clone, Debug)]
struct Decoded {
    rate: u32,
    channels: usize,
    samples: Vec<f64>,
}

impl PartialEq for Decoded {
    /// Compares samples bit by bit; all NaNs are equal.
    fn eq(&self, other: &Self) -> bool {
        let bits = |samples: &[f64]| -> Vec<u64> {
            let bits = |sample: &f64| {
                if sample.is_nan() {
                    u64::MAX
                } else {
                    sample.to_bits()
                }
            };
            samples.iter().map(bits).collect()
        };
        (self.rate, self.channels) == (other.rate, other.channels)
            && bits(&self.samples) == bits(&other.samples)
    }
}

/// Decodes the bytes of a file by our reader, before the downmix.
fn read(bytes: &[u8]) -> Result<Decoded, WavError> {
    let mut reader = Reader::new(Cursor::new(bytes), Path::new("a.wav"))?;
    let format = reader.header.format;
    let mut samples = Vec::new();
    for _ in 0..reader.header.frames {
        reader.next_frame()?;
        samples.extend_from_slice(&reader.frame);
    }
    Ok(Decoded {
        rate: format.rate,
        channels: usize::from(format.channels),
        samples,
    })
}
