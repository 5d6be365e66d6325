//! Sample formats.

/// A sample in any format that a device or an app delivers.
///
/// `[u8; 2]` and `[u8; 4]` are a 16-bit integer and a 32-bit float in little-endian bytes.
pub trait Sample: Copy + sealed::Sealed {
    /// The value with full scale at ±1. Integers convert as exactly as f64 permits; floats are not checked.
    #[doc(hidden)]
    fn to_unit(self) -> f64;
}

mod sealed {
    pub trait Sealed {}
}

/// Signed integers of `$bits` bits, and unsigned ones, whose origin is half their range.
macro_rules! integers {
    ($($signed:ty, $unsigned:ty, $bits:literal;)*) => { $(
        impl sealed::Sealed for $signed {}
        impl Sample for $signed {
            fn to_unit(self) -> f64 {
                self as f64 / (1u64 << ($bits - 1)) as f64
            }
        }

        impl sealed::Sealed for $unsigned {}
        impl Sample for $unsigned {
            fn to_unit(self) -> f64 {
                self.wrapping_sub(1 << ($bits - 1)).cast_signed().to_unit()
            }
        }
    )* };
}

integers! {
    i8, u8, 8;
    i16, u16, 16;
    i32, u32, 32;
    i64, u64, 64;
}

impl sealed::Sealed for f32 {}
impl Sample for f32 {
    fn to_unit(self) -> f64 {
        f64::from(self)
    }
}

impl sealed::Sealed for f64 {}
impl Sample for f64 {
    fn to_unit(self) -> f64 {
        self
    }
}

impl sealed::Sealed for [u8; 2] {}
impl Sample for [u8; 2] {
    fn to_unit(self) -> f64 {
        i16::from_le_bytes(self).to_unit()
    }
}

impl sealed::Sealed for [u8; 4] {}
impl Sample for [u8; 4] {
    fn to_unit(self) -> f64 {
        f32::from_le_bytes(self).to_unit()
    }
}

/// 24 bits in four bytes, as cpal delivers them.
#[cfg(feature = "microphone")]
mod packed {
    use super::{Sample, sealed::Sealed};

    const FULL_SCALE: f64 = (1 << 23) as f64;

    impl Sealed for cpal::I24 {}
    impl Sample for cpal::I24 {
        fn to_unit(self) -> f64 {
            f64::from(self.inner()) / FULL_SCALE
        }
    }

    impl Sealed for cpal::U24 {}
    impl Sample for cpal::U24 {
        fn to_unit(self) -> f64 {
            f64::from(self.inner()) / FULL_SCALE - 1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::capture::Downmixer;

    fn mix<S: Sample>(frame: &[S], non_finite: &mut u64) -> f32 {
        Downmixer::new(48_000, frame.len() as u16).mix(frame, non_finite)
    }

    fn alone<S: Sample>(sample: S) -> f32 {
        mix(&[sample], &mut 0)
    }

    #[test]
    fn integers_convert_with_full_scale_at_1_and_origin_at_0() {
        assert_eq!((alone(i8::MIN), alone(0_i8)), (-1.0, 0.0));
        assert_eq!((alone(u8::MIN), alone(128_u8)), (-1.0, 0.0));
        assert_eq!((alone(i16::MIN), alone(0_i16)), (-1.0, 0.0));
        assert_eq!((alone(u16::MIN), alone(1_u16 << 15)), (-1.0, 0.0));
        assert_eq!((alone(i32::MIN), alone(0_i32)), (-1.0, 0.0));
        assert_eq!((alone(u32::MIN), alone(1_u32 << 31)), (-1.0, 0.0));
        assert_eq!((alone(i64::MIN), alone(0_i64)), (-1.0, 0.0));
        assert_eq!((alone(u64::MIN), alone(1_u64 << 63)), (-1.0, 0.0));
        assert_eq!(alone(i16::MAX), 32_767.0 / 32_768.0);
        assert_eq!(alone(u8::MAX), 127.0 / 128.0);
        assert_eq!(alone(i16::MIN.to_le_bytes()), -1.0);
        assert_eq!(alone(0.25_f32.to_le_bytes()), 0.25);
    }

    #[cfg(feature = "microphone")]
    #[test]
    fn integers_of_24_bits_convert_like_the_others() {
        let signed = |value| cpal::I24::new(value).expect("in range");
        let unsigned = |value| cpal::U24::new(value).expect("in range");
        assert_eq!((alone(signed(-(1 << 23))), alone(signed(0))), (-1.0, 0.0));
        assert_eq!((alone(unsigned(0)), alone(unsigned(1 << 23))), (-1.0, 0.0));
    }

    #[test]
    fn non_finite_samples_become_silence_and_are_counted() {
        let mut count = 0;
        let frame = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.0];
        assert_eq!(mix(&frame, &mut count), 0.25);
        assert_eq!(mix(&[1e300_f64, 0.5], &mut count), 0.25);
        assert_eq!(count, 4);
    }

    proptest! {
        #[test]
        fn any_bit_pattern_becomes_a_finite_sample(bits in prop::collection::vec(any::<u32>(), 1..9)) {
            let frame: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
            prop_assert!(mix(&frame, &mut 0).is_finite());
        }

        #[test]
        fn equal_channels_average_to_themselves(value in any::<i16>(), channels in 1_usize..64) {
            prop_assert_eq!(mix(&vec![value; channels], &mut 0), f32::from(value) / 32_768.0);
        }
    }
}
