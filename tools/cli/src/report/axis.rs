//! The axis of time that all pictures of a recording share.

use sordino::sampler::Note;

use super::{
    model::{Removed, SampleView},
    sound::Sound,
    timeline::sound_span,
};

/// Length of a recording's axis of time, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Axis(pub(super) f64);

impl Axis {
    /// The axis of a recording: the length of its original sound if there is one, else the end of its last known part.
    pub(super) fn new(view: &SampleView, before: Option<&Sound>, after: Option<&Sound>) -> Self {
        if let Some(before) = before {
            return Self(before.seconds().clamp(SHORTEST, LONGEST));
        }
        let kept = view.kept.iter().map(|span| (span.0, span.1));
        let removed = view.removed.iter().map(|gap| (gap.start_s, gap.end_s));
        let last = kept
            .chain(removed)
            .filter(|&(start, end)| sound_span(start, end))
            .map(|(_, end)| end)
            .fold(after.map_or(0.0, Sound::seconds), f64::max);
        Self(last.clamp(SHORTEST, LONGEST))
    }

    /// Left edge and width in percent; `None` outside.
    pub(super) fn place(self, start: f64, end: f64) -> Option<(f64, f64)> {
        let (start, end) = (start.max(0.0), end.min(self.0));
        (end > start).then(|| (start / self.0 * 100.0, (end - start) / self.0 * 100.0))
    }

    /// Like [`Self::place`]; a note without an offset is drawn short.
    pub(super) fn place_note(self, note: &Note) -> Option<(f64, f64)> {
        let onset = note.onset;
        let offset = note.offset.unwrap_or(onset + 0.15);
        self.place(onset, offset)
    }

    /// The labels: time in seconds, and position from the left in percent. At most 17 up to 10 minutes.
    pub(super) fn ticks(self) -> impl Iterator<Item = (f64, f64)> {
        let step = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0]
            .into_iter()
            .find(|step| self.0 / step <= 16.0)
            .unwrap_or(600.0);
        (0..)
            .map(move |index| f64::from(index) * step)
            .take_while(move |time| *time <= self.0)
            .map(move |time| (time, time / self.0 * 100.0))
    }

    /// The removed parts within the axis: start, end and reason.
    pub(super) fn spans(self, removed: &[Removed]) -> impl Iterator<Item = (f64, f64, &str)> {
        removed
            .iter()
            .filter(move |gap| sound_span(gap.start_s, gap.end_s) && gap.start_s < self.0)
            .map(move |gap| (gap.start_s, gap.end_s.min(self.0), gap.reason.as_str()))
    }
}

/// The longest axis, in seconds; spans and notes beyond are not shown.
const LONGEST: f64 = 3_600.0;
/// The shortest axis, in seconds.
const SHORTEST: f64 = 0.1;
