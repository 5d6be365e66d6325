//! Plays recordings to a device like a microphone, with the app's mark near the end.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;
use sordino::{
    Event, Id, Sordino, WithheldReason,
    capture::{self, Frame, Pace, WavFile, WavInfo},
    plan::Plan,
    sampler::{Annotation, MarkError, Moment, MomentNote, Note},
};

use crate::error::CliError;

/// The result of playing one recording.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Playback {
    /// The recording.
    pub(crate) file: PathBuf,
    /// Samples that were queued, marked and drawn ones.
    pub(crate) queued: Vec<Id>,
    /// The reasons for which other clips were not queued.
    pub(crate) withheld: Vec<WithheldReason>,
    /// Errors.
    pub(crate) failed: Vec<String>,
    /// The number of frames that the app's recognizer received.
    pub(crate) frames: u64,
}

/// Plays `file` and waits until the selected clips are queued. With an `annotation` the app
/// marks a moment so that the clip ends with the recording.
pub(crate) fn play(
    device: &Sordino,
    file: &Path,
    annotation: Option<Annotation>,
    pace: Pace,
) -> Result<Playback, CliError> {
    let played = Arc::new(Mutex::new(Playback {
        file: file.to_owned(),
        ..Playback::default()
    }));
    device.on_event({
        let played = Arc::clone(&played);
        move |event| lock(&played).note(event)
    });
    let mut mark = match annotation {
        Some(annotation) => Some(PendingMark::new(device, file, annotation)?),
        None => None,
    };
    let listening = device.listen(WavFile::new(file, pace), {
        let (device, played) = (device.clone(), Arc::clone(&played));
        move |frame: Frame<'_>| {
            lock(&played).frames += 1;
            if let Some(due) = mark.take_if(|mark| mark.is_due(&frame)) {
                let outcome = device.mark(due.moment);
                // A mark that the random draw skips is not an error.
                if let Err(error) = outcome {
                    lock(&played).not_marked(&device, &error);
                }
            }
        }
    });
    listening
        .and_then(sordino::CaptureSession::wait)
        .map_err(CliError::content(file))?;
    Ok(lock(&played).clone())
}

fn lock(played: &Mutex<Playback>) -> std::sync::MutexGuard<'_, Playback> {
    played.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Playback {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Queued(sample) => self.queued.push(*sample),
            Event::Withheld(reason) => self.withheld.push(*reason),
            Event::Failed(reason) => self.failed.push(reason.clone()),
            Event::ClipDropped => self
                .failed
                .push("a clip was dropped: the device is too busy".to_owned()),
            _ => {}
        }
    }

    fn not_marked(&mut self, device: &Sordino, error: &MarkError) {
        match (error, device.sampling_blocked()) {
            (MarkError::NotPermitted, Ok(Some(reason))) => self.withheld.push(reason),
            (error, _) => self.failed.push(error.to_string()),
        }
    }
}

/// A mark that is not made yet.
struct PendingMark {
    at: u64,
    moment: Moment,
}

impl PendingMark {
    fn new(device: &Sordino, file: &Path, annotation: Annotation) -> Result<Self, CliError> {
        let WavInfo { rate, samples, .. } = capture::wav_info(file).map_err(CliError::message)?;
        let after = device
            .plan()
            .map_or(0, |plan: Plan| plan.clip_seconds - plan.pre_roll_seconds);
        let at = samples.saturating_sub(u64::from(after) * u64::from(rate));
        let seconds = at as f64 / f64::from(rate);
        let notes = |notes: &[Note]| notes.iter().map(|note| relative(note, seconds)).collect();
        let moment = Moment {
            at: Some(at),
            expected: notes(&annotation.expected),
            recognized: notes(&annotation.recognized),
            tag: annotation.tag,
        };
        Ok(Self { at, moment })
    }

    fn is_due(&self, frame: &Frame<'_>) -> bool {
        frame.position + frame.samples.len() as u64 >= self.at
    }
}

fn relative(note: &Note, moment: f64) -> MomentNote {
    MomentNote {
        midi: note.midi,
        onset: note.onset - moment,
        offset: note.offset.map(|offset| offset - moment),
    }
}
