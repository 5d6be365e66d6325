//! The embedded weights, `dsp/weights/voice_net.f16`.

use super::config::{
    BAND_TAPS, CHANNELS, CONTEXTS, DECODER_INPUTS, DILATIONS, EMBEDDINGS, GROUP_BANDS, GROUPS,
    HIDDEN, NARROW, PLANES, TAPS, TIME_TAPS, WIDE,
};
use crate::nn::{Linear, WeightReader, WeightsError};

/// models/voice/README.md specifies the layout.
static EMBEDDED: &[u8] = include_bytes!("../../weights/voice_net.f16");

const MAGIC: [u8; 8] = *b"SORDVOX2";

pub(super) struct Weights {
    /// The first convolution, as a matrix over its taps.
    pub(super) conv: Linear,
    /// The depthwise convolution: a row of channels for each tap.
    pub(super) depthwise: Vec<[f32; NARROW]>,
    pub(super) pointwise: Linear,
    pub(super) projection: Linear,
    pub(super) blocks: Vec<BlockWeights>,
    pub(super) voice: Vec<f32>,
    pub(super) voice_bias: f32,
    /// From the channels of the blocks to what the decoder gets of them.
    pub(super) context: Linear,
    /// The decoder of each group: its hidden layer, and the mask of its bands.
    pub(super) merge: Vec<Linear>,
    pub(super) mask: Vec<Linear>,
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
            projection: reader.linear(EMBEDDINGS, CHANNELS)?,
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
            voice: reader.take(CHANNELS)?,
            voice_bias: reader.take(1)?[0],
            context: reader.linear(CHANNELS, CONTEXTS)?,
            merge: grouped(&mut reader, DECODER_INPUTS, HIDDEN)?,
            mask: grouped(&mut reader, HIDDEN, GROUP_BANDS)?,
        };
        reader.finish()?;
        Ok(weights)
    }
}

fn rows<const N: usize>(values: &[f32]) -> Vec<[f32; N]> {
    values.as_chunks().0.to_vec()
}

/// A layer for each group.
fn grouped(
    reader: &mut WeightReader,
    inputs: usize,
    outputs: usize,
) -> Result<Vec<Linear>, WeightsError> {
    (0..GROUPS)
        .map(|_| reader.linear(inputs, outputs))
        .collect()
}
