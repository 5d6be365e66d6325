//! WAV files, for people to listen to.

use std::io::Cursor;

use crate::failure::Failure;

/// Mono, 16 bit.
pub(crate) fn encode(samples: &[i16], rate: u32) -> Result<Vec<u8>, Failure> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::with_capacity(samples.len() * 2 + 44));
    let mut writer = hound::WavWriter::new(&mut bytes, spec).map_err(Failure::said)?;
    for &sample in samples {
        writer.write_sample(sample).map_err(Failure::said)?;
    }
    writer.finalize().map_err(Failure::said)?;
    Ok(bytes.into_inner())
}
