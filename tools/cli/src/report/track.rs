//! Waveform, spectrogram and player of one sound, with notes and removed parts over them.

use sordino::sampler::Note;

use super::{
    axis::Axis,
    comparison::{Comparison, note_class},
    model::{ReportError, SampleView},
    picture,
    sound::Sound,
    timeline::Timeline,
};

/// Frequencies named on the axis, in Hz.
const NAMED_FREQUENCIES: [(f64, &str); 6] = [
    (100.0, "100"),
    (250.0, "250"),
    (500.0, "500"),
    (1_000.0, "1k"),
    (2_000.0, "2k"),
    (5_000.0, "5k"),
];
/// A removed part narrower than this share of the picture has no label, in percent.
const MIN_LABEL_WIDTH: f64 = 7.0;

/// One sound of a recording.
pub(super) struct Track<'a> {
    /// `before` or `after`.
    pub(super) class: &'static str,
    pub(super) heading: &'static str,
    /// The [`Timeline`], for the script.
    pub(super) timeline_json: String,
    /// The sound as a `data:` URI.
    pub(super) sound_uri: String,
    /// The `d` of the waveform's path, in a view box of 400 by 100.
    pub(super) wave_path: String,
    /// The spectrogram as a `data:` URI.
    pub(super) picture_uri: String,
    /// A description of the spectrogram for screen readers.
    pub(super) alternative_text: String,
    /// The notes over the spectrogram; `None` without notes.
    pub(super) overlay: Option<Vec<NoteMark>>,
    pub(super) gaps: Vec<Gap<'a>>,
}

/// A note as a line in a view box of 100 by 100.
pub(super) struct NoteMark {
    pub(super) class: &'static str,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) y: f64,
}

/// A removed part as a block over the picture.
pub(super) struct Gap<'a> {
    pub(super) reason: &'a str,
    /// Seconds.
    pub(super) start: f64,
    /// Seconds.
    pub(super) end: f64,
    /// Percent of the picture.
    pub(super) left: f64,
    /// Percent of the picture.
    pub(super) width: f64,
}

impl<'a> Track<'a> {
    pub(super) fn new(
        view: &'a SampleView,
        axis: Axis,
        comparison: Option<&Comparison>,
        class: &'static str,
        heading: &'static str,
        sound: &Sound,
        timeline: &Timeline,
    ) -> Result<Self, ReportError> {
        let sample = || view.name.clone();
        let png = picture::spectrogram(sound, timeline, axis.0).map_err(|reason| {
            ReportError::Picture {
                sample: sample(),
                reason,
            }
        })?;
        let sound_uri = sound.data_uri().map_err(|reason| ReportError::Sound {
            sample: sample(),
            reason,
        })?;
        Ok(Self {
            class,
            heading,
            timeline_json: timeline.to_json(),
            sound_uri,
            wave_path: picture::waveform(sound, timeline, axis.0),
            picture_uri: picture::data_uri(&png),
            alternative_text: alternative_text(view, axis, comparison, class),
            overlay: comparison.map(|comparison| overlay(comparison, axis)),
            gaps: gaps(view, axis),
        })
    }
}

impl Gap<'_> {
    pub(super) fn has_label(&self) -> bool {
        self.width >= MIN_LABEL_WIDTH
    }
}

fn gaps(view: &SampleView, axis: Axis) -> Vec<Gap<'_>> {
    let gap = |(start, end, reason)| {
        let (left, width) = axis.place(start, end)?;
        Some(Gap {
            reason,
            start,
            end,
            left,
            width,
        })
    };
    axis.spans(&view.removed).filter_map(gap).collect()
}

/// The notes at their pitch.
fn overlay(comparison: &Comparison, axis: Axis) -> Vec<NoteMark> {
    let mark = |note: &Note, class| {
        let hertz = 440.0 * ((f64::from(note.midi) - 69.0) / 12.0).exp2();
        let y = picture::height_of(hertz) * 100.0;
        let (left, width) = axis.place_note(note)?;
        (0.0..=100.0).contains(&y).then_some(NoteMark {
            class,
            left,
            right: left + width,
            y,
        })
    };
    let expected = comparison.expected.iter();
    let expected = expected.filter_map(|(note, _)| mark(note, "expected"));
    let recognized = comparison.recognized.iter();
    let recognized = recognized.filter_map(|(note, status)| mark(note, note_class(*status)));
    expected.chain(recognized).collect()
}

fn alternative_text(
    view: &SampleView,
    axis: Axis,
    comparison: Option<&Comparison>,
    class: &str,
) -> String {
    let removed: Vec<String> = axis
        .spans(&view.removed)
        .map(|(start, end, reason)| format!("{start:.1} to {end:.1} s ({reason})"))
        .collect();
    let gaps = match (removed.is_empty(), class) {
        (true, _) => "Nothing was taken out.".to_owned(),
        (_, "before") => format!("Marked as taken out: {}.", removed.join(", ")),
        _ => format!("Empty where taken out: {}.", removed.join(", ")),
    };
    let notes = comparison.map(Comparison::summary).unwrap_or_default();
    format!(
        "Spectrogram of {:.1} s, {class} anonymizing. {gaps} {notes}",
        axis.0
    )
}

/// Labels of the axis of frequency: distance from the top in percent, and name.
pub(super) fn hertz_labels() -> impl Iterator<Item = (f64, &'static str)> {
    NAMED_FREQUENCIES
        .into_iter()
        .map(|(hertz, name)| (picture::height_of(hertz) * 100.0, name))
}
