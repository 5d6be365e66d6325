//! One recording: before, after and the notes, over one axis of time.

use askama::Template;
use sordino_scoring::ONSET_TOLERANCE;

use super::{
    axis::Axis,
    comparison::Comparison,
    model::{Disposition, ReportError, SampleView},
    piano_roll::PianoRoll,
    picture::{COLUMNS, ROWS},
    sound::Sound,
    timeline::Timeline,
    track::{Track, hertz_labels},
};

/// A recording as an `article`.
#[derive(Template)]
#[template(path = "report/sample.html", whitespace = "minimize")]
struct SampleCard<'a> {
    /// The id of the heading.
    id: &'a str,
    view: &'a SampleView,
    disposition: Disposition,
    /// The app's tag.
    tag: Option<&'a str>,
    axis: Axis,
    tracks: Vec<Track<'a>>,
    /// Whether no track shows the anonymized sound.
    is_nothing_left: bool,
    roll: Option<PianoRoll>,
}

/// A recording as an `article` whose heading has the id `id`.
pub(super) fn render(view: &SampleView, id: &str) -> Result<String, ReportError> {
    let before = view.before.as_ref().and_then(Sound::prepared);
    let after = view.after.as_ref().and_then(Sound::prepared);
    let axis = Axis::new(view, before.as_ref(), after.as_ref());
    let tolerance = view.onset_tolerance.unwrap_or(ONSET_TOLERANCE);
    let compared = |annotation| Comparison::new(annotation, tolerance);
    let comparison = view.annotation.as_ref().map(compared);
    let comparison = comparison.filter(|comparison| !comparison.is_empty());
    let disposition = view.outcome.disposition;

    let track = |class, heading, sound: &Sound, timeline: Timeline| {
        Track::new(
            view,
            axis,
            comparison.as_ref(),
            class,
            heading,
            sound,
            &timeline,
        )
    };
    let mut tracks = Vec::new();
    if let Some(sound) = &before {
        let timeline = Timeline::whole(sound.seconds());
        let heading = "Before: as the microphone heard it";
        tracks.push(track("before", heading, sound, timeline)?);
    }
    if let Some(sound) = &after {
        let timeline = Timeline::of_kept(&view.kept, sound.seconds());
        tracks.push(track(
            "after",
            disposition.after_heading(),
            sound,
            timeline,
        )?);
    }
    let card = SampleCard {
        id,
        view,
        disposition,
        tag: view
            .annotation
            .as_ref()
            .and_then(|annotation| annotation.tag.as_deref()),
        axis,
        tracks,
        is_nothing_left: after.is_none(),
        roll: comparison
            .as_ref()
            .and_then(|comparison| PianoRoll::new(comparison, axis)),
    };
    Ok(card.render()?)
}
