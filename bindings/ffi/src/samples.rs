use std::collections::HashMap;

use crate::Waiting;
use sordino::{
    Id, Purpose, Purposes, Week, WithheldReason,
    consent::{ConsentState, NoticeTerms},
    outbox::{SampleEntry, SampleState},
    plan,
    sampler::Trigger,
};

/// What became of a recording that was offered.
#[derive(uniffi::Enum)]
pub enum Offer {
    /// It is sealed and waits to be sent.
    Queued {
        /// The sample.
        sample: Id,
    },
    /// It waits for the person to hear it and say yes: see `previews`.
    AwaitsReview {
        /// Its name there.
        preview: Id,
    },
    /// It was wiped.
    Withheld {
        /// Why.
        reason: WithheldReason,
    },
}

impl From<sordino::SubmitOutcome> for Offer {
    fn from(offer: sordino::SubmitOutcome) -> Self {
        match offer {
            sordino::SubmitOutcome::Queued { sample_id } => Self::Queued { sample: sample_id },
            sordino::SubmitOutcome::AwaitsReview { preview_id } => Self::AwaitsReview {
                preview: preview_id,
            },
            sordino::SubmitOutcome::Withheld { reason } => Self::Withheld { reason },
        }
    }
}

/// A clip that waits for the person to hear it and to say yes or no.
#[derive(uniffi::Record)]
pub struct Preview {
    /// Its name here; the sample gets an id of its own.
    pub id: Id,
    /// When it was made.
    pub week: Week,
    /// What chose it.
    pub trigger: Trigger,
    /// Its length.
    pub seconds: f64,
    /// What it would be used for.
    pub purposes: Purposes,
}

impl From<sordino::Preview> for Preview {
    fn from(preview: sordino::Preview) -> Self {
        Self {
            id: preview.id,
            week: preview.week,
            trigger: preview.selection.trigger,
            seconds: preview.seconds,
            purposes: preview.purposes,
        }
    }
}

/// The very sound that would be sent.
#[derive(uniffi::Record)]
pub struct PreviewSound {
    /// Samples a second.
    pub rate: u32,
    /// Mono, 16 bit, little-endian.
    pub samples: Vec<u8>,
}

impl From<sordino::PreviewSound> for PreviewSound {
    fn from(sound: sordino::PreviewSound) -> Self {
        Self {
            rate: sound.rate,
            samples: sound.samples.iter().flat_map(|s| s.to_le_bytes()).collect(),
        }
    }
}

/// A sample, as the person may see it.
#[derive(uniffi::Record)]
pub struct Sample {
    /// Its id.
    pub id: Id,
    /// What became of it.
    pub state: SampleState,
    /// When it was made.
    pub week: Week,
    /// What chose it.
    pub trigger: Trigger,
    /// The probability with which a moment like it is chosen, in (0, 1].
    pub probability: f64,
    /// Its length.
    pub seconds: f64,
    /// Its size, sealed.
    pub bytes: u64,
    /// What it may be used for.
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

/// Where the device stands.
#[derive(uniffi::Record)]
pub struct Status {
    /// Where consent stands.
    pub consent: ConsentState,
    /// What it covers.
    pub purposes: Purposes,
    /// Samples that wait here.
    pub pending: u64,
    /// Their bytes.
    pub pending_bytes: u64,
    /// Samples that the collector has.
    pub sent: u64,
    /// Deletions that a collector has not acknowledged yet.
    pub deletions_pending: u64,
    /// What has yet to reach a collector, why it has not, and until when it waits.
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

/// A sampling plan: what the organization asks of devices. It grants nothing; only the person does.
#[derive(uniffi::Record)]
pub struct Plan {
    /// Counts up; a device never goes back to a lower one.
    pub version: u64,
    /// The first day (UTC) on which it rules nothing any more, as `2030-12-31`.
    pub expires: String,
    /// How many days after the organization last said that this is the newest plan it lets this device sample and
    /// send; none where that need not be said.
    pub fresh_days: Option<u16>,
    /// The day (UTC) on which it was signed, as `2030-12-31`; none without `fresh_days`.
    pub signed_on: Option<String>,
    /// The kill switch: nothing is sampled and nothing uploaded while it is set.
    pub paused: bool,
    /// Whose keys open the samples, as `age1…`.
    pub recipients: Vec<String>,
    /// What may be asked for.
    pub purposes: Purposes,
    /// The notice that a person must have agreed to.
    pub notice_version: u32,
    /// How long a yes lasts before it is asked again, in days.
    pub consent_days: u32,
    /// How long a purpose's samples are kept after the week in which they were sent, in days. Those of a purpose
    /// that is not here are kept until the person says no.
    pub retention_days: HashMap<Purpose, u32>,
    /// Whether the person hears each sample before it is sealed: see `previews`.
    pub review_required: bool,
    /// The probability with which a moment that the app marks is taken, 0 to 1.
    pub mark_probability: f64,
    /// The probability with which each stretch of `clip_seconds` is taken at random, 0 to 1.
    pub random_probability: f64,
    /// Samples that one device may make in a day.
    pub samples_per_day: u32,
    /// Bytes of sealed samples that one device may make in a day.
    pub bytes_per_day: u64,
    /// Length of a sample in seconds.
    pub clip_seconds: u32,
    /// How much of a marked clip lies before the mark, in seconds.
    pub pre_roll_seconds: u32,
    /// Sample rate of a sample in Hz.
    pub sample_rate: u32,
}

impl From<plan::Plan> for Plan {
    fn from(plan: plan::Plan) -> Self {
        let NoticeTerms { retention_days, .. } = (&plan).into();
        Self {
            version: plan.version,
            expires: plan.expires.to_string(),
            fresh_days: plan.fresh_days,
            signed_on: plan.signed_on.map(|day| day.to_string()),
            paused: plan.paused,
            recipients: plan.recipients.iter().map(ToString::to_string).collect(),
            purposes: plan.purposes,
            notice_version: plan.notice_version,
            consent_days: plan.consent_days,
            retention_days: retention_days.into_iter().collect(),
            review_required: plan.review == plan::Review::Required,
            mark_probability: plan.triggers.mark_probability,
            random_probability: plan.triggers.random_probability,
            samples_per_day: plan.samples_per_day,
            bytes_per_day: plan.bytes_per_day,
            clip_seconds: plan.clip_seconds,
            pre_roll_seconds: plan.pre_roll_seconds,
            sample_rate: plan.sample_rate,
        }
    }
}
