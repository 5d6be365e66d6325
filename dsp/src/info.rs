use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Settings, detector, find, highpass, level, timeline, voice, voice_net};

/// The anonymizer's version. It changes with whatever changes what is kept of a sound.
pub const VERSION: &str = "3";

/// What was done to a clip, for its manifest: enough to know what a sample can and cannot show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnonymizerInfo {
    /// [`VERSION`].
    pub version: Cow<'static, str>,
    /// What found the voices and erased them, and its version.
    pub detector: Cow<'static, str>,
    /// At which probability a frame of the input counts as a voice, and is erased or cut.
    pub threshold: f64,
    /// What goes with a voice on either side of it, in seconds.
    pub padding_s: f64,
    /// The second detector, which hears the finished clip, and its version.
    pub gate: Cow<'static, str>,
    /// At which probability a frame of the finished clip counts as a voice for it.
    pub gate_threshold: f64,
    /// The shortest stretch that is kept between two that go, in seconds.
    pub shortest_kept_s: f64,
    /// Samples a second of what comes out.
    pub rate: u32,
    /// Where the high-pass is 3 dB down, in Hz.
    pub high_pass_hz: f64,
    /// The level of what comes out, in dB below full scale (root mean square).
    pub level_dbfs: f64,
    /// What no peak exceeds, in dB below full scale.
    pub ceiling_dbfs: f64,
    /// Whether silence stands where something was taken out.
    pub keep_time: bool,
}

impl Settings {
    /// What an [`Pipeline`](super::Pipeline) does under these settings.
    pub fn info(&self) -> AnonymizerInfo {
        let seconds = |samples: usize| samples as f64 / f64::from(detector::RATE);
        AnonymizerInfo {
            version: VERSION.into(),
            detector: voice_net::NAME.into(),
            threshold: find::THRESHOLD,
            padding_s: seconds(find::PADDING),
            gate: detector::NAME.into(),
            gate_threshold: voice::THRESHOLD,
            shortest_kept_s: seconds(timeline::SHORTEST_KEPT),
            rate: detector::RATE,
            high_pass_hz: highpass::CORNER_HZ,
            level_dbfs: level::TARGET_DBFS,
            ceiling_dbfs: level::CEILING_DBFS,
            keep_time: self.keep_time,
        }
    }
}
