//! The reader against libsndfile: the same samples, or one line.

mod libsndfile;
mod mixed;
mod mutations;
mod variants;
mod wave;

use std::{io::Cursor, path::Path};

use super::{Reader, WavError};

/// What a reader makes of a file: interleaved, full scale at ±1.
#[derive(Clone, Debug)]
struct Sound {
    rate: u32,
    channels: usize,
    samples: Vec<f64>,
}

impl PartialEq for Sound {
    /// Sample by sample, also where they are no numbers.
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

/// What our reader makes of a file's bytes, before its channels are mixed.
fn read(bytes: &[u8]) -> Result<Sound, WavError> {
    let mut reader = Reader::new(Cursor::new(bytes), Path::new("a.wav"))?;
    let format = reader.header.format;
    let mut samples = Vec::new();
    for _ in 0..reader.header.frames {
        reader.next_frame()?;
        samples.extend_from_slice(&reader.frame);
    }
    Ok(Sound {
        rate: format.rate,
        channels: usize::from(format.channels),
        samples,
    })
}
