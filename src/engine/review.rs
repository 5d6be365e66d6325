//! Review: the person listens to clips before they are sealed.
//!
//! If the plan or the host requires review, an anonymous clip waits here, in memory only, until the
//! person accepts it. Withdrawal, new consent or the end of the app wipe it.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use super::{Event, Inner, Sordino, SubmitOutcome, WithheldReason};
use crate::{
    Error, anonymize::AnonymousClip, id::Id, purpose::Purposes, sampler::Selection, week::Week,
};

/// The number of clips that may wait, each at most 1 MB; the oldest is dropped first.
const MAX_PREVIEWS: usize = 4;

/// A clip that awaits review.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// The preview's id; the sample gets another one.
    pub id: Id,
    /// When it was made.
    pub week: Week,
    /// Why it was selected, and with what probability.
    pub selection: Selection,
    /// Its length.
    pub seconds: f64,
    /// The purposes that the sample may be used for.
    pub purposes: Purposes,
}

/// The audio that would be sent: mono, 16 bit.
#[derive(Clone, Debug, PartialEq)]
pub struct PreviewSound {
    /// Sample rate in Hz.
    pub rate: u32,
    /// Full scale is ±32 767.
    pub samples: Vec<i16>,
}

/// The clips that await review.
#[derive(Default)]
pub(super) struct ReviewQueue(Mutex<VecDeque<PendingClip>>);

struct PendingClip {
    preview: Preview,
    /// The consent record that covers it.
    record: Id,
    clip: AnonymousClip,
}

impl ReviewQueue {
    fn lock(&self) -> MutexGuard<'_, VecDeque<PendingClip>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wipes clips of any record other than `record`; all clips with `None`.
    pub(super) fn keep_only(&self, record: Option<Id>) {
        self.lock().retain(|waiting| Some(waiting.record) == record);
    }

    fn take(&self, id: Id) -> Result<PendingClip, Error> {
        let mut waiting = self.lock();
        let place = waiting.iter().position(|waiting| waiting.preview.id == id);
        let taken = place.and_then(|place| waiting.remove(place));
        taken.ok_or(Error::NoPreview(id))
    }
}

impl Sordino {
    /// The clips that await review, oldest first.
    pub fn previews(&self) -> Vec<Preview> {
        let Ok(inner) = self.inner() else {
            return Vec::new();
        };
        let waiting = inner.reviews.lock();
        waiting
            .iter()
            .map(|waiting| waiting.preview.clone())
            .collect()
    }

    /// The sound that would be sent, to be played to the person.
    ///
    /// # Errors
    /// [`Error::NoPreview`].
    pub fn preview(&self, id: Id) -> Result<PreviewSound, Error> {
        let waiting = self.inner()?.reviews.lock();
        let found = waiting.iter().find(|waiting| waiting.preview.id == id);
        let clip = &found.ok_or(Error::NoPreview(id))?.clip;
        Ok(PreviewSound {
            rate: clip.rate(),
            samples: clip.samples().to_vec(),
        })
    }

    /// The person consents to this clip: it is sealed and queued, if consent, plan and budget still
    /// allow it.
    ///
    /// # Errors
    /// [`Error::NoPreview`], or a stage failed. The clip is wiped then too.
    pub fn accept_preview(&self, id: Id) -> Result<SubmitOutcome, Error> {
        let inner = self.inner()?;
        let PendingClip { record, clip, .. } = inner.reviews.take(id)?;
        let outcome = match inner.sampling_permit()? {
            Err(reason) => SubmitOutcome::Withheld { reason },
            Ok(permit) if permit.grants.record() != record => SubmitOutcome::Withheld {
                reason: WithheldReason::NoConsent,
            },
            Ok(permit) => inner.seal(clip, &permit)?,
        };
        inner.emit(&outcome.into());
        Ok(outcome)
    }

    /// The person rejects this clip: it is wiped.
    ///
    /// # Errors
    /// [`Error::NoPreview`].
    pub fn discard_preview(&self, id: Id) -> Result<(), Error> {
        self.inner()?.reviews.take(id)?;
        Ok(())
    }
}

impl Inner {
    /// Queues `clip` for review.
    pub(super) fn queue_for_review(
        &self,
        clip: AnonymousClip,
        record: Id,
        purposes: Purposes,
    ) -> Result<SubmitOutcome, Error> {
        let preview = Preview {
            id: Id::random().map_err(crate::seal::SealError::from)?,
            week: Week::from_timestamp(self.state.monotonic_time()),
            selection: clip.selection(),
            seconds: clip.samples().len() as f64 / f64::from(clip.rate()),
            purposes,
        };
        let preview_id = preview.id;
        let crowded_out = {
            let mut waiting = self.reviews.lock();
            waiting.push_back(PendingClip {
                preview,
                record,
                clip,
            });
            (waiting.len() > MAX_PREVIEWS).then(|| waiting.pop_front())
        };
        if crowded_out.is_some() {
            self.emit(&Event::Withheld(WithheldReason::Unreviewed));
        }
        Ok(SubmitOutcome::AwaitsReview { preview_id })
    }
}
