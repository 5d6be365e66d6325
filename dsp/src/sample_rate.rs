//! The sample rates of the pipeline: the one that it works at, and those that it accepts.

use std::ops::RangeInclusive;

/// The sample rate at which the pipeline works and of its output, in Hz. Both networks were trained at it.
pub const SAMPLE_RATE: u32 = 16_000;

/// The accepted input sample rates, in Hz: from telephony to the fastest audio converters.
pub const INPUT_RATES: RangeInclusive<u32> = 8_000..=384_000;
