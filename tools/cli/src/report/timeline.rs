//! Maps times of a sound to times of the input.

use sordino::anonymize::Span;

/// A part of a sound, in seconds: at `heard` in the file that is played, at `shown` on
/// the axis of the input's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PlayedSpan {
    pub(super) heard: f64,
    pub(super) shown: f64,
    pub(super) seconds: f64,
}

/// Maps the time of a file that is played onto the time of the input.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline(Vec<PlayedSpan>);

impl Timeline {
    /// A sound that is the input itself.
    pub(super) fn whole(seconds: f64) -> Self {
        Self(vec![PlayedSpan {
            heard: 0.0,
            shown: 0.0,
            seconds,
        }])
    }

    /// The concatenated parts `kept`, `seconds` in all. Invalid spans are left out;
    /// without valid spans, the sound is the whole input.
    pub(super) fn of_kept(kept: &[Span], seconds: f64) -> Self {
        let mut heard = 0.0;
        let mut stretches = Vec::new();
        for &Span(start, end) in kept.iter().filter(|span| sound_span(span.0, span.1)) {
            let length = (end - start).min(seconds - heard);
            if length <= 0.0 {
                break;
            }
            stretches.push(PlayedSpan {
                heard,
                shown: start,
                seconds: length,
            });
            heard += length;
        }
        if stretches.is_empty() {
            return Self::whole(seconds);
        }
        Self(stretches)
    }

    /// The time at which `shown` seconds of the input are heard; `None` if that time was removed.
    pub(super) fn heard_at(&self, shown: f64) -> Option<f64> {
        self.0
            .iter()
            .find(|stretch| (stretch.shown..stretch.shown + stretch.seconds).contains(&shown))
            .map(|stretch| stretch.heard + shown - stretch.shown)
    }

    /// JSON for the script: `[[heard, shown, seconds], …]`.
    pub(super) fn to_json(&self) -> String {
        let rows: Vec<String> = self
            .0
            .iter()
            .map(|row| format!("[{:.3},{:.3},{:.3}]", row.heard, row.shown, row.seconds))
            .collect();
        format!("[{}]", rows.join(","))
    }
}

/// Whether a span is finite, not before 0 and not empty.
pub(super) fn sound_span(start: f64, end: f64) -> bool {
    start.is_finite() && end.is_finite() && start >= 0.0 && end > start
}
