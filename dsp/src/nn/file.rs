//! A file of weights: eight bytes of magic, u32 layout, u32 count, then so many IEEE 754 binary16
//! values; all little-endian.

use super::Layer;

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

/// The values of a file, taken from front to back.
pub(crate) struct Values(std::vec::IntoIter<f32>);

impl Values {
    pub(crate) fn parse(file: &[u8], magic: [u8; 8]) -> Result<Self, WeightsError> {
        let (header, body) = file.split_at_checked(HEADER).ok_or(WeightsError::Header)?;
        let begins = [&magic[..], &LAYOUT.to_le_bytes()].concat();
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
        Ok(Self(values.into_iter()))
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<Vec<f32>, WeightsError> {
        let taken: Vec<f32> = self.0.by_ref().take(count).collect();
        (taken.len() == count)
            .then_some(taken)
            .ok_or(WeightsError::Length)
    }

    /// A matrix with a row an input, then a bias.
    pub(crate) fn layer(&mut self, inputs: usize, outputs: usize) -> Result<Layer, WeightsError> {
        let matrix = self.take(inputs * outputs)?;
        Layer::new(&matrix, self.take(outputs)?).ok_or(WeightsError::Length)
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<(), WeightsError> {
        match self.0.as_slice() {
            [] => Ok(()),
            _ => Err(WeightsError::Length),
        }
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
        // A normal number has the same digits, and an exponent with another bias.
        _ => f32::from_bits((exponent as u32 + 127 - 15) << 23 | u32::from(bits & 0x3ff) << 13),
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
        for bits in 0x0400..0x7c00 {
            let digits = 1.0 + f32::from(bits & 0x3ff) / 1024.0;
            assert_eq!(of(bits), digits * 2f32.powi(i32::from(bits >> 10) - 15));
        }
    }

    #[test]
    fn damaged_files_are_refused() {
        let magic = *b"SOMEMAGC";
        let mut file = [&magic[..], &1u32.to_le_bytes(), &2u32.to_le_bytes()].concat();
        file.extend([0x00, 0x3c, 0x00, 0xc0]);
        let refused = |file: &[u8]| Values::parse(file, magic).err();
        assert_eq!(refused(&file), None);
        assert_eq!(refused(&file[..7]), Some(WeightsError::Header));
        assert_eq!(refused(&file[1..]), Some(WeightsError::Header));
        assert_eq!(refused(&file[..18]), Some(WeightsError::Length));
        assert_eq!(refused(&file[..19]), Some(WeightsError::Length));
        let mut poisoned = file.clone();
        poisoned[17] = 0x7e;
        assert_eq!(refused(&poisoned), Some(WeightsError::NotFinite));
        let mut values = Values::parse(&file, magic).expect("whole");
        assert_eq!(values.take(1), Ok(vec![1.0]));
        assert_eq!(values.take(2), Err(WeightsError::Length));
        assert_eq!(
            Values::parse(&file, magic).expect("whole").end(),
            Err(WeightsError::Length)
        );
    }
}
