use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    highpass, level, sample_rate::SAMPLE_RATE, settings::Settings, silero_vad,
    thresholds::Thresholds, timeline, voice_net, voice_removal,
};

/// The version of the anonymizer. It increases with every change to the kept samples.
pub const VERSION: &str = "4";

/// The anonymizer and its parameters, as a clip's manifest states them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnonymizerInfo {
    /// [`VERSION`].
    pub version: Cow<'static, str>,
    /// The network that detects and erases voices, and its version.
    pub detector: Cow<'static, str>,
    /// The probability by `detector` alone from which on a frame of the input counts as a voice.
    pub threshold: f64,
    /// The padding that is removed on either side of a voice, in seconds.
    pub padding_s: f64,
    /// The second detector, which analyzes the input too and verifies the rendered clip, and its version.
    pub gate: Cow<'static, str>,
    /// The probability by `gate` from which on a frame of the rendered clip counts as a voice. It is lower where
    /// a detector suspected a voice in the input.
    pub gate_threshold: f64,
    /// The minimum length of a kept part between two removed ones, in seconds.
    pub shortest_kept_s: f64,
    /// The sample rate of the output, in Hz.
    pub rate: u32,
    /// The -3 dB frequency of the high-pass, in Hz.
    pub high_pass_hz: f64,
    /// The level of the output, in dBFS (root mean square).
    pub level_dbfs: f64,
    /// The maximum peak of the output, in dBFS.
    pub ceiling_dbfs: f64,
    /// Whether removed parts were replaced by silence.
    pub keep_time: bool,
}

impl Settings {
    /// The anonymizer and its parameters under these settings.
    pub fn info(&self) -> AnonymizerInfo {
        let seconds = |samples: usize| samples as f64 / f64::from(SAMPLE_RATE);
        AnonymizerInfo {
            version: VERSION.into(),
            detector: voice_net::NAME.into(),
            threshold: Thresholds::CALIBRATED.network,
            padding_s: seconds(voice_removal::PADDING),
            gate: silero_vad::NAME.into(),
            gate_threshold: Thresholds::CALIBRATED.rendered,
            shortest_kept_s: seconds(timeline::MIN_KEPT),
            rate: SAMPLE_RATE,
            high_pass_hz: highpass::CORNER_HZ,
            level_dbfs: level::TARGET_DBFS,
            ceiling_dbfs: level::CEILING_DBFS,
            keep_time: self.keep_time,
        }
    }
}
