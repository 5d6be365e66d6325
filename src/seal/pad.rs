//! The length of a padded archive: PADMÉ, from Nikitin, Barman, Lueks, Underwood, Hubaux and Ford,
//! "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019(4),
//! section 4.2: <https://doi.org/10.2478/popets-2019-0056>.
//!
//! A length keeps only as many significant bits as its own bit length has: 2^E ≤ length < 2^(E+1) is
//! rounded up to a multiple of 2^(E − S), S being the number of bits in which E is written. Of a
//! file of any size only O(log log n) bits of its length can be seen, and it grows by less than
//! 12 %.

/// The minimum size of a sample in bytes. The size of a clip from which nearly everything was
/// removed would reveal that someone spoke; below this size, about a second and a half of audio,
/// all samples have the same size.
pub(super) const FLOOR_BYTES: u64 = 32 * 1024;

/// The length to which `length` bytes are padded. From [`FLOOR_BYTES`] on, less than 12 % more.
pub(super) fn padded_length(length: u64) -> u64 {
    let length = length.max(FLOOR_BYTES);
    let exponent = length.ilog2();
    let kept_bits = exponent.ilog2() + 1;
    // Never negative: an exponent is at least as large as the number of bits it is written in.
    let granule = 1u64 << (exponent - kept_bits);
    // Lengths past 2^63 have nothing to be rounded up to; they stay as they are.
    length.checked_next_multiple_of(granule).unwrap_or(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lengths evenly over their orders of magnitude, not all of them huge.
    fn lengths() -> impl Strategy<Value = u64> {
        (0u32..40, any::<u64>()).prop_map(|(bits, noise)| (noise >> 24) >> (39 - bits))
    }

    proptest! {
        #[test]
        fn padding_never_shortens_and_stays_below_12_percent(length in lengths()) {
            let padded = padded_length(length);
            prop_assert!(padded >= length);
            prop_assert!((padded as f64) < length.max(FLOOR_BYTES) as f64 * 1.12);
        }

        #[test]
        fn a_longer_archive_is_never_padded_to_less(one in lengths(), other in lengths()) {
            let (short, long) = (one.min(other), one.max(other));
            prop_assert!(padded_length(short) <= padded_length(long));
        }

        #[test]
        fn padding_twice_is_padding_once(length in lengths()) {
            prop_assert_eq!(padded_length(padded_length(length)), padded_length(length));
        }

        #[test]
        fn the_padded_length_is_one_of_few(length in FLOOR_BYTES..(1 << 30)) {
            let exponent = padded_length(length).ilog2();
            let granule = 1u64 << (exponent - (exponent.ilog2() + 1));
            prop_assert_eq!(padded_length(length) % granule, 0);
            prop_assert_eq!(padded_length(length) % 512, 0, "a tar is a multiple of its block");
        }
    }

    #[test]
    fn all_that_is_shorter_than_the_floor_looks_alike() {
        assert_eq!(padded_length(0), FLOOR_BYTES);
        assert_eq!(padded_length(FLOOR_BYTES), FLOOR_BYTES);
        assert!(padded_length(FLOOR_BYTES + 1) > FLOOR_BYTES);
    }

    #[test]
    fn between_32_and_512_kib_there_are_only_this_many_lengths() {
        let distinct: std::collections::BTreeSet<_> =
            (FLOOR_BYTES..512 * 1024).map(padded_length).collect();
        assert_eq!(distinct.len(), 1 + 16 + 32 + 32 + 32);
    }

    #[test]
    fn the_longest_length_does_not_overflow() {
        assert_eq!(padded_length(u64::MAX), u64::MAX);
    }
}
