//! The weights that the library carries: `models/silero/silero_vad_16k.f16`, read once.

use super::{BINS, GATES, NARROW, WIDE};
use crate::nn::{Layer, Values, WeightsError};

/// Laid out as models/silero/README.md says.
static CARRIED: &[u8] = include_bytes!("../../../models/silero/silero_vad_16k.f16");

const MAGIC: [u8; 8] = *b"SILERO16";

pub(super) struct Weights {
    /// The four convolutions, their taps side by side.
    pub(super) convolutions: [Layer; 4],
    /// What the LSTM's gates take from the input, with the bias of both.
    pub(super) input: Layer,
    /// What they take from the last hidden state.
    pub(super) recurrent: Layer,
    pub(super) output: Vec<f32>,
    pub(super) output_bias: f32,
}

impl Weights {
    pub(super) fn carried() -> Result<Self, WeightsError> {
        let mut values = Values::parse(CARRIED, MAGIC)?;
        let convolutions = [
            values.layer(3 * BINS, WIDE)?,
            values.layer(3 * WIDE, NARROW)?,
            values.layer(2 * NARROW, NARROW)?,
            values.layer(NARROW, WIDE)?,
        ];
        // The bias of both matrices stands behind the second.
        let input = values.take(WIDE * GATES)?;
        let recurrent = values.take(WIDE * GATES)?;
        let bias = values.take(GATES)?;
        let weights = Self {
            convolutions,
            input: Layer::new(&input, bias.clone()).ok_or(WeightsError::Length)?,
            recurrent: Layer::new(&recurrent, bias).ok_or(WeightsError::Length)?,
            output: values.take(WIDE)?,
            output_bias: values.take(1)?[0],
        };
        values.end()?;
        Ok(weights)
    }
}
