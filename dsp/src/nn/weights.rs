//! The format of weight files: eight magic bytes, the u32 layout version, the u32 number of values, then the values as
//! IEEE 754 binary16. All little-endian.

use super::linear::Linear;

/// The supported layout version.
const LAYOUT: u32 = 1;
/// The length of the header, in bytes: magic, layout version, number of values.
const HEADER: usize = 16;

/// The embedded weights cannot be used, which only a corrupt build causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WeightsError {
    #[error("the header is not that of layout version {LAYOUT}")]
    Header,
    #[error("the number of values is wrong")]
    Length,
    #[error("a value is not finite")]
    NonFinite,
}

/// Reads the values of a weight file in order.
pub(crate) struct WeightReader(std::vec::IntoIter<f32>);

impl WeightReader {
    /// Checks the header of `file` and decodes its values.
    pub(crate) fn parse(file: &[u8], magic: [u8; 8]) -> Result<Self, WeightsError> {
        let (header, body) = file.split_at_checked(HEADER).ok_or(WeightsError::Header)?;
        let expected = [&magic[..], &LAYOUT.to_le_bytes()].concat();
        if !header.starts_with(&expected) {
            return Err(WeightsError::Header);
        }
        let (halves, odd) = body.as_chunks::<2>();
        let count = halves.len() as u32;
        if !odd.is_empty() || !header.ends_with(&count.to_le_bytes()) {
            return Err(WeightsError::Length);
        }
        let values: Vec<f32> = halves.iter().copied().map(f16_to_f32).collect();
        if !values.iter().all(|value| value.is_finite()) {
            return Err(WeightsError::NonFinite);
        }
        Ok(Self(values.into_iter()))
    }

    /// The next `count` values.
    pub(crate) fn take(&mut self, count: usize) -> Result<Vec<f32>, WeightsError> {
        let taken: Vec<f32> = self.0.by_ref().take(count).collect();
        (taken.len() == count)
            .then_some(taken)
            .ok_or(WeightsError::Length)
    }

    /// A linear layer: a matrix with a row for each input, then the bias.
    pub(crate) fn linear(&mut self, inputs: usize, outputs: usize) -> Result<Linear, WeightsError> {
        let matrix = self.take(inputs * outputs)?;
        Linear::new(&matrix, self.take(outputs)?).ok_or(WeightsError::Length)
    }

    /// Fails if values are left.
    pub(crate) fn finish(self) -> Result<(), WeightsError> {
        match self.0.as_slice() {
            [] => Ok(()),
            _ => Err(WeightsError::Length),
        }
    }
}

/// Converts little-endian IEEE 754 binary16 to binary32, exactly.
fn f16_to_f32(bytes: [u8; 2]) -> f32 {
    let bits = u16::from_le_bytes(bytes);
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f32::from(bits & 0x3ff) / 1024.0;
    sign * match exponent {
        0 => fraction * 2f32.powi(-14),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        // A normal number: the same fraction, and the exponent with the other bias.
        _ => f32::from_bits((exponent as u32 + 127 - 15) << 23 | u32::from(bits & 0x3ff) << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f16_values_convert_exactly() {
        let of = |bits: u16| f16_to_f32(bits.to_le_bytes());
        assert_eq!(of(0x3c00), 1.0);
        assert_eq!(of(0xc000), -2.0);
        assert_eq!(of(0x7bff), 65_504.0);
        assert_eq!(of(0x0001), 2f32.powi(-24));
        assert_eq!(of(0x0400), 2f32.powi(-14));
        assert_eq!(of(0x3555), 0.333_251_95);
        assert_eq!(of(0xfc00), f32::NEG_INFINITY);
        assert!(of(0x7e00).is_nan());
        for bits in 0x0400..0x7c00 {
            let digits = 1.0 + f32::from(bits & 0x3ff) / 1024.0;
            assert_eq!(of(bits), digits * 2f32.powi(i32::from(bits >> 10) - 15));
        }
    }

    #[test]
    fn corrupt_files_are_refused() {
        let magic = *b"SOMEMAGC";
        let mut file = [&magic[..], &1u32.to_le_bytes(), &2u32.to_le_bytes()].concat();
        file.extend([0x00, 0x3c, 0x00, 0xc0]);
        let refused = |file: &[u8]| WeightReader::parse(file, magic).err();
        assert_eq!(refused(&file), None);
        assert_eq!(refused(&file[..7]), Some(WeightsError::Header));
        assert_eq!(refused(&file[1..]), Some(WeightsError::Header));
        assert_eq!(refused(&file[..18]), Some(WeightsError::Length));
        assert_eq!(refused(&file[..19]), Some(WeightsError::Length));
        let mut poisoned = file.clone();
        poisoned[17] = 0x7e;
        assert_eq!(refused(&poisoned), Some(WeightsError::NonFinite));
        let mut reader = WeightReader::parse(&file, magic).expect("whole");
        assert_eq!(reader.take(1), Ok(vec![1.0]));
        assert_eq!(reader.take(2), Err(WeightsError::Length));
        assert_eq!(
            WeightReader::parse(&file, magic).expect("whole").finish(),
            Err(WeightsError::Length)
        );
    }
}
