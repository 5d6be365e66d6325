//! Samples on this device, and recordings that the app submits.

use sordino::{
    Id, Purposes, Week, WithheldReason,
    consent::ConsentState,
    outbox::{SampleEntry, SampleState},
    sampler::{Annotation, RawClip, Selection, Trigger},
};

use crate::{bytes, engine::Engine, error::Error, upload::Waiting};

/// Samples.
#[uniffi::export]
impl Engine {
    /// Why sampling is blocked; `null` if it is allowed.
    pub fn sampling_blocked(&self) -> Result<Option<WithheldReason>, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.sampling_blocked()?))
    }

    /// Submits a recording as one sample, like a mark of the app: it skips the random selection, but not
    /// consent, the budget and the anonymizer. A recording longer than the plan's clip is cut
    /// to its end. The call takes a fraction of a second.
    ///
    /// `samples` are mono 32-bit floats in little-endian bytes, full scale at ±1, at `rate` Hz. The
    /// annotation's times are seconds from the start of the recording.
    ///
    /// Raises `Argument` for bytes that are not whole floats, `Clip` for an empty recording, NaN, or a
    /// rate outside 8 to 384 kHz, and `Annotation`.
    #[uniffi::method(default(annotation = None))]
    pub fn submit(
        &self,
        samples: &[u8],
        rate: u32,
        annotation: Option<Annotation>,
    ) -> Result<SubmitOutcome, Error> {
        self.handle.with_engine(|engine| {
            let annotation = annotation.unwrap_or_default();
            annotation.check()?;
            let selection = Selection {
                trigger: Trigger::Mark,
                probability: 1.0,
            };
            let samples = bytes::to_floats(samples)?;
            let clip = RawClip::new(samples, rate, selection, annotation)?;
            Ok(engine.submit(clip)?.into())
        })
    }

    /// The status of the device.
    pub fn status(&self) -> Result<Status, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.status()?.into()))
    }

    /// Every sample that was ever made, oldest first, with its state.
    pub fn samples(&self) -> Result<Vec<Sample>, Error> {
        self.handle.with_engine(|engine| {
            let entries = engine.samples()?;
            Ok(entries.into_iter().map(Sample::from).collect())
        })
    }

    /// Deletes one sample, here at once and at the collector with the next upload.
    ///
    /// Raises `Outbox` if there is no sample with that id.
    pub fn delete(&self, sample: Id) -> Result<Sample, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.delete(sample)?.into()))
    }

    /// Deletes every sample, here at once and at the collector with the next upload. Consent does not change.
    pub fn delete_all(&self) -> Result<(), Error> {
        self.handle.with_engine(|engine| Ok(engine.delete_all()?))
    }
}

/// The result of submitting a recording.
#[derive(uniffi::Enum)]
pub enum SubmitOutcome {
    /// It is sealed and waits to be sent.
    Queued {
        /// The sample.
        sample: Id,
    },
    /// It waits for the person to hear and accept it: see `previews`.
    AwaitsReview {
        /// The id of the preview.
        preview: Id,
    },
    /// It was deleted.
    Withheld {
        /// The reason.
        reason: WithheldReason,
    },
}

impl From<sordino::SubmitOutcome> for SubmitOutcome {
    fn from(outcome: sordino::SubmitOutcome) -> Self {
        match outcome {
            sordino::SubmitOutcome::Queued { sample_id } => Self::Queued { sample: sample_id },
            sordino::SubmitOutcome::AwaitsReview { preview_id } => Self::AwaitsReview {
                preview: preview_id,
            },
            sordino::SubmitOutcome::Withheld { reason } => Self::Withheld { reason },
        }
    }
}

/// A sample, as the person may see it.
#[derive(uniffi::Record)]
pub struct Sample {
    /// Its id.
    pub id: Id,
    /// Its state.
    pub state: SampleState,
    /// The week in which it was made.
    pub week: Week,
    /// The trigger that selected it.
    pub trigger: Trigger,
    /// The probability with which a moment like it is selected, in (0, 1].
    pub probability: f64,
    /// Its length in seconds.
    pub seconds: f64,
    /// Its sealed size in bytes.
    pub bytes: u64,
    /// The purposes for which it may be used.
    pub purposes: Purposes,
    /// The consent record under which it was made.
    pub consent: Id,
}

impl From<SampleEntry> for Sample {
    fn from(entry: SampleEntry) -> Self {
        Self {
            id: entry.id,
            state: entry.state,
            week: entry.week,
            trigger: entry.selection.trigger,
            probability: entry.selection.probability,
            seconds: entry.seconds,
            bytes: entry.bytes,
            purposes: entry.purposes,
            consent: entry.consent,
        }
    }
}

/// The status of the device.
#[derive(uniffi::Record)]
pub struct Status {
    /// The state of consent.
    pub consent: ConsentState,
    /// The purposes consented to.
    pub purposes: Purposes,
    /// The number of samples that wait on this device.
    pub pending: u64,
    /// Their size in bytes.
    pub pending_bytes: u64,
    /// The number of samples that the collector has.
    pub sent: u64,
    /// The number of deletions that a collector has not acknowledged yet.
    pub deletions_pending: u64,
    /// The uploads that wait, with the reason and the time of each.
    pub waiting: Vec<Waiting>,
}

impl From<sordino::Status> for Status {
    fn from(status: sordino::Status) -> Self {
        Self {
            consent: status.consent,
            purposes: status.purposes,
            pending: status.pending as u64,
            pending_bytes: status.pending_bytes,
            sent: status.sent as u64,
            deletions_pending: status.deletions_pending as u64,
            waiting: status.waiting.into_iter().map(Waiting::from).collect(),
        }
    }
}
