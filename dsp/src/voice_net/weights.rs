//! The weights that the library carries: `models/voice/voice_net.f16`, read once.

use super::{
    BANDS,
    bands::PLANES,
    layers::{BAND_TAPS, CHANNELS, DILATIONS, GATHERED, NARROW, TAPS, TIME_TAPS, WIDE},
};
use crate::nn::{Layer, Values, WeightsError};

/// Laid out as models/voice/README.md says.
static CARRIED: &[u8] = include_bytes!("../../../models/voice/voice_net.f16");

const MAGIC: [u8; 8] = *b"SORDVOX1";

pub(super) struct Weights {
    pub(super) first: Layer,
    pub(super) second: Vec<[f32; NARROW]>,
    pub(super) widen: Layer,
    pub(super) gather: Layer,
    pub(super) blocks: Vec<Block>,
    pub(super) mask: Layer,
    pub(super) voice: Vec<f32>,
    pub(super) voice_bias: f32,
}

pub(super) struct Block {
    pub(super) time: Vec<[f32; CHANNELS]>,
    pub(super) bias: Vec<f32>,
    pub(super) mix: Layer,
}

impl Weights {
    pub(super) fn carried() -> Result<Self, WeightsError> {
        let mut values = Values::parse(CARRIED, MAGIC)?;
        let weights = Self {
            first: values.layer(TIME_TAPS * BAND_TAPS * PLANES, NARROW)?,
            second: rows(&values.take(TIME_TAPS * BAND_TAPS * NARROW)?),
            widen: values.layer(NARROW, WIDE)?,
            gather: {
                let matrix = by_band(&values.take(GATHERED * CHANNELS)?);
                Layer::new(&matrix, values.take(CHANNELS)?).ok_or(WeightsError::Length)?
            },
            blocks: DILATIONS
                .iter()
                .map(|_| {
                    Ok(Block {
                        time: rows(&values.take(TAPS * CHANNELS)?),
                        bias: values.take(CHANNELS)?,
                        mix: values.layer(CHANNELS, CHANNELS)?,
                    })
                })
                .collect::<Result<_, _>>()?,
            mask: values.layer(CHANNELS, BANDS)?,
            voice: values.take(CHANNELS)?,
            voice_bias: values.take(1)?[0],
        };
        values.end()?;
        Ok(weights)
    }
}

fn rows<const N: usize>(values: &[f32]) -> Vec<[f32; N]> {
    values.as_chunks().0.to_vec()
}

/// The file's rows go plane by plane; what is computed goes band by band.
fn by_band(matrix: &[f32]) -> Vec<f32> {
    let rows = matrix.as_chunks::<CHANNELS>().0;
    let bands = GATHERED / WIDE;
    (0..GATHERED)
        .flat_map(|row| rows[row % WIDE * bands + row / WIDE])
        .collect()
}
