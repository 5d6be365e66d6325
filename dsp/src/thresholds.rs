//! The thresholds of the two detectors. `eval/calibrate.py` chooses all of them together.

/// From which probabilities on something counts as a voice.
///
/// `voice_net` and the VAD (`silero_vad`) analyze the input; the VAD analyzes the rendered clip as well. Both are
/// independent: they have other features and other training data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// The network's probability for a frame of the input.
    pub network: f64,
    /// The VAD's probability for a frame of the input.
    pub vad: f64,
    /// The probability that both of them reach for a frame of the input.
    pub both: f64,
    /// The VAD's probability for a frame of the rendered clip, when it is analyzed first.
    pub rendered: f64,
    /// The same for the clip without the parts that were cut since. A cut takes samples away and adds none; what the VAD
    /// finds only after it is mostly the joint.
    pub rendered_again: f64,
    /// The same where a voice was masked or one of the detectors reaches [`Self::both`] in the input, and near it.
    pub rendered_suspect: f64,
    /// The minimum share of the power that the mask must keep within half a second. Below it the voice was louder than the
    /// music or alone, and the part is cut.
    pub min_residual: f64,
}

impl Thresholds {
    /// The calibrated ones, as in `models/voice/calibration.json`.
    pub const CALIBRATED: Self = Self {
        network: 0.5,
        vad: 0.5,
        both: 0.25,
        rendered: 0.6,
        rendered_again: 0.75,
        rendered_suspect: 0.45,
        min_residual: 0.3,
    };

    /// Whether a frame of the input is voiced. NaN counts as a voice.
    pub(crate) fn is_voiced(&self, network: f32, vad: f32) -> bool {
        let (network, vad) = (f64::from(network), f64::from(vad));
        network.is_nan()
            || vad.is_nan()
            || network >= self.network
            || vad >= self.vad
            || network.min(vad) >= self.both
    }

    /// The threshold for a frame of the rendered clip in the pass with this number, from 0.
    pub(crate) fn for_rendered(&self, pass: usize, is_suspect: bool) -> f64 {
        match (is_suspect, pass) {
            (true, _) => self.rendered_suspect,
            (false, 0) => self.rendered,
            (false, _) => self.rendered_again,
        }
    }

    /// Whether a frame of the input may be voiced.
    pub(crate) fn is_suspect(&self, network: f32, vad: f32) -> bool {
        self.is_voiced(network, vad) || f64::from(network.max(vad)) >= self.both
    }
}
