//! A moment that the app marks, and the conversion of its times to those of a clip.

use super::annotation::{Annotation, AnnotationError, MAX_NOTES, Note};

/// The maximum distance of a note from its moment, in seconds.
const MAX_DISTANCE_SECONDS: f64 = 3_600.0;
/// Notes of one pitch whose onsets differ by less are the same note, in seconds: no one can strike a key twice in that
/// time.
const MAX_ONSET_DIFFERENCE_SECONDS: f64 = 0.010;

/// A moment worth sampling, because the recognizer was unsure or wrong.
///
/// ```
/// use sordino::sampler::{Moment, MomentNote};
///
/// // At sample 96 000 of the stream the recognizer missed a C that should have started 0.4 s earlier.
/// let moment = Moment {
///     at: Some(96_000),
///     expected: vec![MomentNote { midi: 60, onset: -0.4, offset: None }],
///     tag: Some("hanon/1/bar-3".to_owned()),
///     ..Moment::default()
/// };
/// # let _ = moment;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moment {
    /// Its position in the stream, as in [`Frame::position`](crate::capture::Frame); `None` for the newest sample.
    pub at: Option<u64>,
    /// The notes that the exercise asks for.
    pub expected: Vec<MomentNote>,
    /// The notes that the recognizer reported.
    pub recognized: Vec<MomentNote>,
    /// The exercise, as in [`Annotation::tag`].
    pub tag: Option<String>,
}

/// A note near a moment. Its times are seconds from the moment: -1.5 is a second and a half before it. From a position
/// in the stream, the time is `(position as f64 - at as f64) / rate as f64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MomentNote {
    /// MIDI note number, 0–127; 60 is middle C.
    pub midi: u8,
    /// Seconds from the moment, at most an hour.
    pub onset: f64,
    /// Seconds from the moment; `None` if unknown.
    pub offset: Option<f64>,
}

/// The annotation of an incomplete clip; times in seconds from its start.
#[derive(Default)]
pub(super) struct Notes {
    expected: Vec<MomentNote>,
    recognized: Vec<MomentNote>,
    tag: Option<String>,
}

impl Moment {
    /// Checks the notes and the tag.
    pub(super) fn check(&self) -> Result<(), AnnotationError> {
        let tag_alone = Annotation {
            tag: self.tag.clone(),
            ..Annotation::default()
        };
        tag_alone.check()?;
        for (list, notes) in [
            ("expected", &self.expected),
            ("recognised", &self.recognized),
        ] {
            check_count(list, notes.len())?;
            if let Some((index, reason)) = notes
                .iter()
                .enumerate()
                .find_map(|(index, note)| Some((index, note.fault()?)))
            {
                return Err(AnnotationError::Note {
                    list,
                    index,
                    reason,
                });
            }
        }
        Ok(())
    }
}

impl MomentNote {
    fn fault(&self) -> Option<&'static str> {
        let near = |seconds: f64| (-MAX_DISTANCE_SECONDS..=MAX_DISTANCE_SECONDS).contains(&seconds);
        if self.midi > 127 {
            Some("midi is above 127")
        } else if !near(self.onset) {
            Some("onset is not within 3600 s of the moment")
        } else if self
            .offset
            .is_some_and(|offset| !near(offset) || offset < self.onset)
        {
            Some("offset is before the onset or not within 3600 s of the moment")
        } else {
            None
        }
    }

    fn shifted_by(self, seconds: f64) -> Self {
        Self {
            onset: self.onset + seconds,
            offset: self.offset.map(|offset| offset + seconds),
            ..self
        }
    }

    /// The part of the note within a clip of `seconds`. A note that started before the clip starts with it and keeps
    /// its end; if its end is unknown, so is whether it is in the clip, and it is dropped.
    fn clipped_to(self, seconds: f64) -> Option<Note> {
        let ended_before = self
            .offset
            .map_or(self.onset < 0.0, |offset| offset <= 0.0 && self.onset < 0.0);
        if ended_before || self.onset >= seconds {
            return None;
        }
        Some(Note {
            midi: self.midi,
            onset: to_milliseconds(self.onset.max(0.0)).min(seconds),
            offset: self
                .offset
                .map(|offset| to_milliseconds(offset).min(seconds)),
        })
    }
}

/// Rounds to milliseconds: no recognizer is more accurate, and manifests are easier to read.
fn to_milliseconds(seconds: f64) -> f64 {
    (seconds * 1_000.0).round() / 1_000.0
}

impl Notes {
    /// Adds the notes of a moment `at` seconds after the start of the clip. A note that is already there is replaced;
    /// the first tag is kept.
    ///
    /// # Errors
    /// Too many notes for an annotation; nothing is added then.
    pub(super) fn add(&mut self, moment: Moment, at: f64) -> Result<(), AnnotationError> {
        let expected = merged(&self.expected, &moment.expected, at);
        let recognized = merged(&self.recognized, &moment.recognized, at);
        check_count("expected", expected.len())?;
        check_count("recognised", recognized.len())?;
        *self = Self {
            expected,
            recognized,
            tag: self.tag.take().or(moment.tag),
        };
        Ok(())
    }

    /// The annotation of the complete clip, `seconds` long.
    pub(super) fn annotate(&self, seconds: f64) -> Annotation {
        let within = |notes: &[MomentNote]| -> Vec<Note> {
            notes
                .iter()
                .filter_map(|note| note.clipped_to(seconds))
                .collect()
        };
        Annotation {
            expected: within(&self.expected),
            recognized: within(&self.recognized),
            tag: self.tag.clone(),
        }
    }
}

/// Merges `added`, shifted by `at` seconds, into `known`, in the order of their onsets.
fn merged(known: &[MomentNote], added: &[MomentNote], at: f64) -> Vec<MomentNote> {
    let mut notes = known.to_vec();
    // Compare with the known notes only: the notes of one moment are all different.
    for note in added.iter().map(|note| note.shifted_by(at)) {
        let same = |other: &MomentNote| {
            other.midi == note.midi
                && (other.onset - note.onset).abs() < MAX_ONSET_DIFFERENCE_SECONDS
        };
        match notes[..known.len()].iter().position(same) {
            Some(index) => notes[index] = note,
            None => notes.push(note),
        }
    }
    notes.sort_by(|one, other| one.onset.total_cmp(&other.onset));
    notes
}

fn check_count(list: &'static str, count: usize) -> Result<(), AnnotationError> {
    if count > MAX_NOTES {
        return Err(AnnotationError::TooMany { list, count });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn note(midi: u8, onset: f64, offset: Option<f64>) -> MomentNote {
        MomentNote {
            midi,
            onset,
            offset,
        }
    }

    fn moment(expected: Vec<MomentNote>) -> Moment {
        Moment {
            expected,
            ..Moment::default()
        }
    }

    fn onsets(notes: &Notes, seconds: f64) -> Vec<(u8, f64, Option<f64>)> {
        let notes = notes.annotate(seconds).expected;
        let parts = notes
            .iter()
            .map(|note| (note.midi, note.onset, note.offset));
        parts.collect()
    }

    #[test]
    fn notes_are_cut_to_the_clip() {
        let mut notes = Notes::default();
        let given = vec![
            note(1, -9.0, Some(-7.0)), // ends before the clip
            note(2, -7.0, None),       // starts before the clip, end unknown
            note(3, -7.0, Some(-4.0)), // ends in the clip
            note(4, -1.0, Some(1.0)),
            note(5, 3.0, Some(9.0)), // ends after the clip
            note(6, 5.0, None),      // starts after the clip
        ];
        notes.add(moment(given), 6.0).expect("few notes");
        let expected = vec![
            (3, 0.0, Some(2.0)),
            (4, 5.0, Some(7.0)),
            (5, 9.0, Some(10.0)),
        ];
        assert_eq!(onsets(&notes, 10.0), expected);
    }

    #[test]
    fn a_note_of_two_marks_is_kept_once_with_the_last_values() {
        let mut notes = Notes::default();
        notes
            .add(moment(vec![note(60, -1.0, None)]), 6.0)
            .expect("one note");
        let again = vec![note(60, -2.0, Some(-1.5)), note(64, -2.0, None)];
        notes.add(moment(again), 7.0).expect("two notes");
        assert_eq!(
            onsets(&notes, 10.0),
            [(60, 5.0, Some(5.5)), (64, 5.0, None)]
        );
    }

    proptest! {
        #[test]
        fn every_resulting_annotation_is_valid(
            given in prop::collection::vec(
                (0_u8..128, -20.0..20.0_f64, prop::option::of(0.0..5.0_f64)), 0..60),
            at in 0.0..30.0_f64,
            seconds in 2.0..30.0_f64,
        ) {
            let given = given.into_iter().map(|(midi, onset, length)| {
                note(midi, onset, length.map(|length| onset + length))
            });
            let moment = moment(given.collect());
            moment.check().expect("within bounds");
            let mut notes = Notes::default();
            notes.add(moment, at).expect("few notes");
            let annotation = notes.annotate(seconds);
            prop_assert_eq!(annotation.check(), Ok(()));
            prop_assert!(annotation.expected.iter().all(|note| note.onset <= seconds));
        }
    }

    #[test]
    fn invalid_moments_are_refused() {
        let refused = |notes| moment(notes).check().is_err();
        assert!(refused(vec![note(128, 0.0, None)]));
        assert!(refused(vec![note(60, f64::NAN, None)]));
        assert!(refused(vec![note(60, 0.0, Some(-0.1))]));
        assert!(refused(vec![note(60, 0.0, None); MAX_NOTES + 1]));
        let tagged = Moment {
            tag: Some("Lisa's song".to_owned()),
            ..Moment::default()
        };
        assert!(tagged.check().is_err());
    }
}
