//! The weights that the library carries: `models/silero/silero_vad_16k.f16`, read once.

use super::{BINS, GATES, NARROW, WIDE, layer::Layer};

/// Laid out as models/silero/README.md says.
static CARRIED: &[u8] = include_bytes!("../../../models/silero/silero_vad_16k.f16");

const MAGIC: &[u8; 8] = b"SILERO16";
const LAYOUT: u32 = 1;
/// Magic, layout, count of values.
const HEADER: usize = 16;

/// The carried weights cannot be used. Only a damaged build can bring it about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WeightsError {
    #[error("they do not begin as a file of layout {LAYOUT} does")]
    Header,
    #[error("they end too early or too late")]
    Length,
    #[error("they hold a value that is not finite")]
    NotFinite,
}

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
        Self::parse(CARRIED)
    }

    fn parse(file: &[u8]) -> Result<Self, WeightsError> {
        let (header, body) = file.split_at_checked(HEADER).ok_or(WeightsError::Header)?;
        let begins = [&MAGIC[..], &LAYOUT.to_le_bytes()].concat();
        if !header.starts_with(&begins) {
            return Err(WeightsError::Header);
        }
        let (halves, odd) = body.as_chunks::<2>();
        let count = halves.len() as u32;
        if !odd.is_empty() || !header.ends_with(&count.to_le_bytes()) {
            return Err(WeightsError::Length);
        }
        let values: Vec<f32> = halves.iter().copied().map(half).collect();
        if !values.iter().all(|value| value.is_finite()) {
            return Err(WeightsError::NotFinite);
        }

        let mut reader = Reader(&values);
        let weights = Self {
            convolutions: [
                reader.layer(3 * BINS, WIDE)?,
                reader.layer(3 * WIDE, NARROW)?,
                reader.layer(2 * NARROW, NARROW)?,
                reader.layer(NARROW, WIDE)?,
            ],
            // The recurrent matrix lies between the input's matrix and the bias of both.
            input: {
                let matrix = reader.take(WIDE * GATES)?;
                let bias = Reader(reader.0.get(WIDE * GATES..).ok_or(WeightsError::Length)?)
                    .take(GATES)?;
                Layer::new(matrix, bias.to_vec()).ok_or(WeightsError::Length)?
            },
            recurrent: reader.layer(WIDE, GATES)?,
            output: reader.take(WIDE)?.to_vec(),
            output_bias: reader.take(1)?[0],
        };
        match reader.0 {
            [] => Ok(weights),
            _ => Err(WeightsError::Length),
        }
    }
}

struct Reader<'a>(&'a [f32]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [f32], WeightsError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(WeightsError::Length)?;
        self.0 = rest;
        Ok(taken)
    }

    fn layer(&mut self, inputs: usize, outputs: usize) -> Result<Layer, WeightsError> {
        let matrix = self.take(inputs * outputs)?;
        let bias = self.take(outputs)?.to_vec();
        Layer::new(matrix, bias).ok_or(WeightsError::Length)
    }
}

/// IEEE 754 binary16, little-endian, to the same number in binary32.
fn half(bytes: [u8; 2]) -> f32 {
    let bits = u16::from_le_bytes(bytes);
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f32::from(bits & 0x3ff) / 1024.0;
    sign * match exponent {
        0 => fraction * 2f32.powi(-14),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => (1.0 + fraction) * 2f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read_as_ieee_754_says() {
        let of = |bits: u16| half(bits.to_le_bytes());
        assert_eq!(of(0x3c00), 1.0);
        assert_eq!(of(0xc000), -2.0);
        assert_eq!(of(0x7bff), 65_504.0);
        assert_eq!(of(0x0001), 2f32.powi(-24));
        assert_eq!(of(0x0400), 2f32.powi(-14));
        assert_eq!(of(0x3555), 0.333_251_95);
        assert_eq!(of(0xfc00), f32::NEG_INFINITY);
        assert!(of(0x7e00).is_nan());
    }

    #[test]
    fn damaged_weights_are_refused() {
        let refused = |file: &[u8]| Weights::parse(file).err();
        assert_eq!(refused(&CARRIED[..7]), Some(WeightsError::Header));
        assert_eq!(refused(&CARRIED[1..]), Some(WeightsError::Header));
        assert_eq!(
            refused(&CARRIED[..CARRIED.len() - 2]),
            Some(WeightsError::Length)
        );
        let mut file = CARRIED.to_vec();
        file[HEADER..][..2].copy_from_slice(&0x7e00u16.to_le_bytes());
        assert_eq!(refused(&file), Some(WeightsError::NotFinite));
        let mut short = CARRIED[..HEADER + 2_000].to_vec();
        short[12..16].copy_from_slice(&1_000u32.to_le_bytes());
        assert_eq!(refused(&short), Some(WeightsError::Length));
    }
}
