//! Types of the SDK that are exported as they are: types with a text form as text, and plain enums and
//! records, whose definitions here the compiler checks against the SDK's.

use crate::error::Error;
use sordino::{
    Id, Purpose, Purposes, Week, WithheldReason,
    capture::Format,
    consent::{AgeBand, ConsentState, GuardianMethod},
    outbox::SampleState,
    sampler::{Annotation, MarkOutcome, Moment, MomentNote, Note, Trigger},
    signed::PublicKey,
    upload::{Endpoint, TaskStatus, UploadTask},
};

/// A type that is exported as its text.
macro_rules! as_text {
    ($($(#[$docs:meta])* $type:ident),* $(,)?) => {
        $(uniffi::custom_type!($(#[$docs])* $type, String, {
            remote,
            lower: |value| value.to_string(),
            try_lift: |text| Ok(text.parse::<$type>().map_err(Error::from)?),
        });)*
    };
}
as_text! {
    /// The id of a sample or of a consent record: 32 hexadecimal digits, random.
    Id,
    /// An Ed25519 public key: 64 hexadecimal digits.
    PublicKey,
    /// The collector's base URL: `https://…`, or `http://…` for this machine.
    Endpoint,
    /// Identifies an upload. Keep it with the request; it stays valid after a restart.
    UploadTask,
    /// An ISO 8601 week in UTC, such as `2026-W48`: the finest time that leaves the device.
    Week,
}

uniffi::custom_type!(
    /// Purposes, each consented to separately.
    Purposes,
    Vec<Purpose>,
    {
        remote,
        lower: |purposes| purposes.iter().collect(),
        try_lift: |purposes| Ok(Purposes::from_iter(purposes)),
    }
);

/// A purpose that a person can consent to.
#[uniffi::remote(Enum)]
pub enum Purpose {
    /// Finding out why the app's recognizer was wrong.
    QualityAssurance,
    /// Improving acoustic recognition.
    RecognitionResearch,
}

/// The age of the person. A date of birth is never recorded.
#[uniffi::remote(Enum)]
pub enum AgeBand {
    /// An adult, who decides alone.
    Adult,
    /// A child, for whom a parent or guardian decides.
    Child,
    /// Unknown: treated as a child.
    Unknown,
}

/// The method by which the app verified the guardian: those of the COPPA rule, 16 CFR 312.5(b)(2).
#[uniffi::remote(Enum)]
pub enum GuardianMethod {
    /// A form signed and sent back by post, fax or scan.
    SignedForm,
    /// A payment with a card or account whose holder is notified.
    PaymentCard,
    /// A call to a toll-free number staffed by trained people.
    TollFreeCall,
    /// A video conference with trained people.
    VideoConference,
    /// A government-issued identity document checked against a database, then deleted.
    GovernmentId,
    /// Questions that only the guardian can answer.
    KnowledgeBased,
    /// A face compared with the one in a photo identity document, confirmed by a person.
    FaceMatch,
    /// An e-mail with a second step that confirms it.
    EmailPlus,
    /// A text message with a second step that confirms it.
    TextPlus,
}

/// The state of consent.
#[uniffi::remote(Enum)]
pub enum ConsentState {
    /// The person was not asked, or has not answered.
    // Swift's optionals have a `none` of their own.
    #[uniffi(name = "Unanswered")]
    None,
    /// A child consented; the guardian has not approved yet.
    AwaitingGuardian,
    /// Consent is valid.
    Granted,
    /// Consent was withdrawn.
    Withdrawn,
    /// Consent has expired; ask again.
    Expired,
    /// The notice has changed, or a child has come of age; ask again.
    Outdated,
}

/// The reason why a moment is not sampled.
#[uniffi::remote(Enum)]
pub enum WithheldReason {
    /// No plan is installed.
    NoPlan,
    /// The plan has expired.
    PlanExpired,
    /// The organization has not confirmed recently enough that the plan is the newest: see `Plan.fresh_days`.
    PlanNotFresh,
    /// The plan's kill switch is set.
    Paused,
    /// There is no valid consent.
    NoConsent,
    /// Today's budget of samples or bytes is spent.
    Budget,
    /// A voice, or a sound that may be one, could not be removed safely.
    Voice,
    /// It is silent.
    Silence,
    /// Too little is left of it.
    TooShort,
    /// The person had to review it, and did not accept it.
    Unreviewed,
    /// A stage failed.
    Failed,
}

/// The state of a sample.
#[uniffi::remote(Enum)]
pub enum SampleState {
    /// It waits on this device.
    Pending,
    /// The collector has it.
    Sent,
    /// Its deletion was requested; the collector has not acknowledged it yet.
    DeletionAsked,
    /// It is deleted, here and at the collector.
    Deleted,
    /// It was dropped because the queue was full, or its file was lost; the collector never had it.
    Dropped,
    /// The collector refused it.
    Refused,
}

/// The trigger that selected a moment.
#[uniffi::remote(Enum)]
pub enum Trigger {
    /// The app marked it: the recognizer was unsure or wrong.
    Mark,
    /// Random selection by the plan.
    Random,
}

/// The result of a mark.
#[uniffi::remote(Enum)]
pub enum MarkOutcome {
    /// The moment was selected; a clip is being made.
    Selected,
    /// The moment is within a marked clip that is still being made; its annotation was merged into that.
    Merged,
    /// The moment was not selected, or the clip that contains it is complete.
    Skipped,
}

/// The status of an upload task after its result was processed.
#[uniffi::remote(Enum)]
pub enum TaskStatus {
    /// Done and acknowledged.
    Done,
    /// It failed and is due again later.
    Retry {
        /// The reason, in one line.
        reason: String,
    },
    /// The collector refuses it permanently.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The collector's message.
        reason: String,
    },
}

/// A moment worth sampling, because the recognizer was unsure or wrong. It has no free text, so that
/// it cannot contain personal data.
#[uniffi::remote(Record)]
pub struct Moment {
    /// Its position in the stream, as frames count; the newest sample if `null`.
    #[uniffi(default = None)]
    pub at: Option<u64>,
    /// The notes that the exercise asks for.
    #[uniffi(default)]
    pub expected: Vec<MomentNote>,
    /// The notes that the recognizer reported.
    #[uniffi(default)]
    pub recognized: Vec<MomentNote>,
    /// The exercise: at most 64 characters of `a-z 0-9 . _ / -`.
    #[uniffi(default = None)]
    pub tag: Option<String>,
}

/// A note near a moment. Its times are seconds from the moment: -1.5 is a second and a half before
/// it.
#[uniffi::remote(Record)]
pub struct MomentNote {
    /// MIDI note number, 0–127; 60 is middle C.
    pub midi: u8,
    /// Seconds from the moment, at most an hour.
    pub onset: f64,
    /// Seconds from the moment; `null` if unknown.
    #[uniffi(default = None)]
    pub offset: Option<f64>,
}

/// The app's annotation of a recording that it submits. It has no free text, so that it cannot contain personal data.
#[uniffi::remote(Record)]
pub struct Annotation {
    /// The notes that the exercise asks for.
    #[uniffi(default)]
    pub expected: Vec<Note>,
    /// The notes that the recognizer reported.
    #[uniffi(default)]
    pub recognized: Vec<Note>,
    /// The exercise: at most 64 characters of `a-z 0-9 . _ / -`.
    #[uniffi(default = None)]
    pub tag: Option<String>,
}

/// A note of a recording.
#[uniffi::remote(Record)]
pub struct Note {
    /// MIDI note number, 0–127; 60 is middle C.
    pub midi: u8,
    /// Seconds from the recording's start.
    pub onset: f64,
    /// Seconds from the recording's start; `null` if unknown.
    #[uniffi(default = None)]
    pub offset: Option<f64>,
}

/// The format of a source, before it is mixed to mono.
#[uniffi::remote(Record)]
#[uniffi(name = "SourceFormat")]
pub struct Format {
    /// The name of the device.
    pub device: String,
    /// Samples per second.
    pub rate: u32,
    /// Channels, which are averaged.
    pub channels: u16,
}
