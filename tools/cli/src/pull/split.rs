//! The split of a person's samples: determined by their consent record alone, so that it is the same in every
//! dataset.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use sordino::Id;

/// The share of records in the test split.
const TEST_SHARE: f64 = 0.1;
/// The share of records in the validation split.
const VALIDATION_SHARE: f64 = 0.1;

/// A split of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Split {
    /// For training.
    Train,
    /// For choosing between models.
    Validation,
    /// For the final measurement.
    Test,
}

impl Split {
    pub(crate) const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The split of all samples under the consent record `consent`: SHA-256 of the 32 digits of its
    /// id, of which the first 8 bytes, big-endian, are a share of 2^64.
    pub(crate) fn of(consent: Id) -> Self {
        let digest = digest(&SHA256, consent.to_string().as_bytes());
        let number = digest
            .as_ref()
            .iter()
            .take(8)
            .fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
        // Rounded to 53 bits, as any language's double is.
        let share = number as f64 / 2_f64.powi(64);
        if share < TEST_SHARE {
            Self::Test
        } else if share < TEST_SHARE + VALIDATION_SHARE {
            Self::Validation
        } else {
            Self::Train
        }
    }

    /// The name in files.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(bytes: [u8; 16]) -> Id {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        hex.parse().unwrap()
    }

    proptest! {
        /// The rule in integers: bounds of 1/10 and 2/10 of 2^64.
        #[test]
        fn the_split_depends_only_on_the_record_id(bytes: [u8; 16]) {
            let record = id(bytes);
            let hash = digest(&SHA256, record.to_string().as_bytes());
            let first: [u8; 8] = hash.as_ref()[..8].try_into().unwrap();
            let tenths = (u128::from(u64::from_be_bytes(first)) * 10) >> 64;
            let expected = match tenths {
                0 => Split::Test,
                1 => Split::Validation,
                _ => Split::Train,
            };
            prop_assert_eq!(Split::of(record), expected);
        }
    }

    #[test]
    fn test_and_validation_get_a_tenth_each() {
        let mut counts = [0_u32; 3];
        for number in 0..10_000_u128 {
            counts[Split::of(id(number.to_be_bytes())) as usize] += 1;
        }
        for (count, expected) in counts.into_iter().zip([8_000, 1_000, 1_000]) {
            // Five standard deviations of a binomial draw.
            assert!(count.abs_diff(expected) < 200, "{counts:?}");
        }
    }

    /// Others compute splits by the rule in docs/formats.md, so the results must not change.
    #[test]
    fn the_split_of_known_records_does_not_change() {
        // int.from_bytes(hashlib.sha256(b"%032x" % number).digest()[:8], "big") / 2**64
        for (number, split) in [
            (0_u128, Split::Train),
            (3, Split::Validation),
            (5, Split::Validation),
            (21, Split::Test),
            (30, Split::Test),
        ] {
            assert_eq!(Split::of(id(number.to_be_bytes())), split, "{number}");
        }
    }
}
