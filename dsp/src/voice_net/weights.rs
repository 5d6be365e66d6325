//! The embedded weights, `dsp/weights/voice_net.f16`.

use super::config::{
    BAND_TAPS, BANDS, CHANNELS, DILATIONS, NARROW, PLANES, PROJECTION_INPUTS, QUARTER_BANDS, TAPS,
    TIME_TAPS, WIDE,
};
use crate::nn::{Linear, WeightReader, WeightsError};

/// models/voice/README.md specifies the layout.
static EMBEDDED: &[u8] = include_bytes!("../../weights/voice_net.f16");

const MAGIC: [u8; 8] = *b"SORDVOX1";

pub(super) struct Weights {
    /// The first convolution, as a matrix over its taps.
    pub(super) conv: Linear,
    /// The depthwise convolution: a row of channels for each tap.
    pub(super) depthwise: Vec<[f32; NARROW]>,
    pub(super) pointwise: Linear,
    pub(super) projection: Linear,
    pub(super) blocks: Vec<BlockWeights>,
    pub(super) mask: Linear,
    pub(super) voice: Vec<f32>,
    pub(super) voice_bias: f32,
}

/// The weights of a temporal block.
pub(super) struct BlockWeights {
    /// The depthwise convolution over time: a row of channels for each tap.
    pub(super) depthwise: Vec<[f32; CHANNELS]>,
    pub(super) bias: Vec<f32>,
    pub(super) pointwise: Linear,
}

impl Weights {
    pub(super) fn embedded() -> Result<Self, WeightsError> {
        let mut reader = WeightReader::parse(EMBEDDED, MAGIC)?;
        let weights = Self {
            conv: reader.linear(TIME_TAPS * BAND_TAPS * PLANES, NARROW)?,
            depthwise: rows(&reader.take(TIME_TAPS * BAND_TAPS * NARROW)?),
            pointwise: reader.linear(NARROW, WIDE)?,
            projection: {
                let matrix = by_band(&reader.take(PROJECTION_INPUTS * CHANNELS)?);
                Linear::new(&matrix, reader.take(CHANNELS)?).ok_or(WeightsError::Length)?
            },
            blocks: DILATIONS
                .iter()
                .map(|_| {
                    Ok(BlockWeights {
                        depthwise: rows(&reader.take(TAPS * CHANNELS)?),
                        bias: reader.take(CHANNELS)?,
                        pointwise: reader.linear(CHANNELS, CHANNELS)?,
                    })
                })
                .collect::<Result<_, _>>()?,
            mask: reader.linear(CHANNELS, BANDS)?,
            voice: reader.take(CHANNELS)?,
            voice_bias: reader.take(1)?[0],
        };
        reader.finish()?;
        Ok(weights)
    }
}

fn rows<const N: usize>(values: &[f32]) -> Vec<[f32; N]> {
    values.as_chunks().0.to_vec()
}

/// Reorders the rows of the projection from channel-major, as in the file, to band-major, as in memory.
fn by_band(matrix: &[f32]) -> Vec<f32> {
    let rows = matrix.as_chunks::<CHANNELS>().0;
    (0..PROJECTION_INPUTS)
        .flat_map(|row| rows[row % WIDE * QUARTER_BANDS + row / WIDE])
        .collect()
}
