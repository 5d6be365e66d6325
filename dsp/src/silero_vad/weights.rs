//! The embedded weights, `dsp/weights/silero_vad_16k.f16`.

use super::config::{BINS, GATES, NARROW, WIDE};
use crate::nn::{Linear, WeightReader, WeightsError};

/// models/silero/README.md specifies the layout.
static EMBEDDED: &[u8] = include_bytes!("../../weights/silero_vad_16k.f16");

const MAGIC: [u8; 8] = *b"SILERO16";

pub(super) struct Weights {
    /// The four convolutions, as matrices over their taps.
    pub(super) convolutions: [Linear; 4],
    /// The input weights of the LSTM, and its bias.
    pub(super) input: Linear,
    /// The recurrent weights of the LSTM; the bias is unused.
    pub(super) recurrent: Linear,
    pub(super) output: Vec<f32>,
    pub(super) output_bias: f32,
}

impl Weights {
    pub(super) fn embedded() -> Result<Self, WeightsError> {
        let mut reader = WeightReader::parse(EMBEDDED, MAGIC)?;
        let convolutions = [
            reader.linear(3 * BINS, WIDE)?,
            reader.linear(3 * WIDE, NARROW)?,
            reader.linear(2 * NARROW, NARROW)?,
            reader.linear(NARROW, WIDE)?,
        ];
        // The file stores one bias for both matrices, after the second.
        let input = reader.take(WIDE * GATES)?;
        let recurrent = reader.take(WIDE * GATES)?;
        let bias = reader.take(GATES)?;
        let weights = Self {
            convolutions,
            input: Linear::new(&input, bias.clone()).ok_or(WeightsError::Length)?,
            recurrent: Linear::new(&recurrent, bias).ok_or(WeightsError::Length)?,
            output: reader.take(WIDE)?,
            output_bias: reader.take(1)?[0],
        };
        reader.finish()?;
        Ok(weights)
    }
}
