use crate::plan::Plan;

/// The parameters of the sampler. Values outside their bounds are clamped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplerSettings {
    /// The length of a clip, in seconds, 2 to 30.
    pub clip_seconds: u32,
    /// The part of a marked clip before the mark, in seconds, at most `clip_seconds`.
    pub pre_roll_seconds: u32,
    /// The probability with which a marked moment is selected, 0 to 1.
    pub mark_probability: f64,
    /// The probability with which a window of `clip_seconds` is selected, 0 to 1.
    pub random_probability: f64,
}

impl From<&Plan> for SamplerSettings {
    fn from(plan: &Plan) -> Self {
        Self {
            clip_seconds: plan.clip_seconds,
            pre_roll_seconds: plan.pre_roll_seconds,
            mark_probability: plan.triggers.mark_probability,
            random_probability: plan.triggers.random_probability,
        }
    }
}

impl SamplerSettings {
    pub(super) fn clamped(self) -> Self {
        // NaN becomes 0: when in doubt, nothing is sampled.
        let probability = |value: f64| {
            if value.is_nan() {
                0.0
            } else {
                value.clamp(0.0, 1.0)
            }
        };
        let clip_seconds = self.clip_seconds.clamp(2, 30);
        Self {
            clip_seconds,
            pre_roll_seconds: self.pre_roll_seconds.min(clip_seconds),
            mark_probability: probability(self.mark_probability),
            random_probability: probability(self.random_probability),
        }
    }
}
