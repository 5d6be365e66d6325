//! Types of the engine that cross as they are: text for what has a text form, and plain enums and
//! records, whose shape the compiler holds to the engine's own.

use crate::Error;
use sordino::{
    Id, Purpose, Purposes, Week, WithheldReason,
    capture::Format,
    consent::{AgeBand, ConsentState, GuardianMethod},
    outbox::SampleState,
    sampler::{Annotation, MarkOutcome, Moment, MomentNote, Note, Trigger},
    signed::PublicKey,
    upload::{Endpoint, TaskStatus, UploadTask as Task},
};

/// A type that crosses as its text.
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
    /// The collector's base URL: `https://…`, or `http://…` on this very machine.
    Endpoint,
    /// What a request is about. Keep it with the request; it means the same after a restart.
    Task,
    /// An ISO 8601 week in UTC, such as `2026-W48`: the finest time that leaves the device.
    Week,
}

uniffi::custom_type!(
    /// Purposes, each granted by itself.
    Purposes,
    Vec<Purpose>,
    {
        remote,
        lower: |purposes| purposes.iter().collect(),
        try_lift: |purposes| Ok(Purposes::from_iter(purposes)),
    }
);

/// One use that a person can agree to.
#[uniffi::remote(Enum)]
pub enum Purpose {
    /// Finding out why the app's recognizer erred.
    QualityAssurance,
    /// Making acoustic recognition better.
    RecognitionResearch,
}

/// How old the person is. Never more is taken than this; a birth date never.
#[uniffi::remote(Enum)]
pub enum AgeBand {
    /// Decides alone.
    Adult,
    /// A parent or guardian decides.
    Child,
    /// Counts as a child.
    Unknown,
}

/// How the app made sure that it was the guardian: the methods that the COPPA rule lists, 16 CFR
/// 312.5(b)(2).
#[uniffi::remote(Enum)]
pub enum GuardianMethod {
    /// A form signed and sent back by post, fax or scan.
    SignedForm,
    /// A payment with a card or account whose holder is told of it.
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

/// Where consent stands.
#[uniffi::remote(Enum)]
pub enum ConsentState {
    /// Nobody was asked, or nobody answered.
    // Swift's optionals have a `none` of their own.
    #[uniffi(name = "Unanswered")]
    None,
    /// A child said yes; its guardian has not.
    AwaitingGuardian,
    /// There is a standing yes.
    Granted,
    /// The person said no after a yes.
    Withdrawn,
    /// The yes ran out and is to be asked again.
    Expired,
    /// The question has changed since: another notice, or a child that came of age. It is asked anew.
    Outdated,
}

/// Why a moment is not sampled.
// In Kotlin a variant of that name would hide a type of that name.
#[uniffi::remote(Enum)]
#[uniffi(name = "WithheldReason")]
pub enum WithheldReason {
    /// No plan is in force.
    NoPlan,
    /// The plan has expired.
    PlanExpired,
    /// The organization has not said lately enough that the plan is the newest: see `Plan.fresh_days`.
    PlanNotFresh,
    /// The plan's kill switch is set.
    Paused,
    /// Nobody said yes, or the yes does not stand.
    NoConsent,
    /// Today's samples or bytes are spent.
    Budget,
    /// A voice, or what may be one, could not be taken out safely.
    Voice,
    /// There is nothing to hear in it.
    Silence,
    /// Too little is left of it.
    TooShort,
    /// The person was to hear it first, and did not say yes.
    Unreviewed,
    /// A stage failed. When in doubt, it is withheld.
    Failed,
}

/// What became of a sample.
#[uniffi::remote(Enum)]
pub enum SampleState {
    /// It waits on this device.
    Pending,
    /// The collector has it.
    Sent,
    /// Its deletion is asked of the collector, which has not acknowledged it yet.
    DeletionAsked,
    /// It is gone, here and at the collector.
    Deleted,
    /// It went for want of room, or its file was lost; the collector never had it.
    Dropped,
    /// The collector would not take it.
    Refused,
}

/// What chose a moment.
#[uniffi::remote(Enum)]
pub enum Trigger {
    /// The app marked it: the recognizer was unsure or wrong.
    Mark,
    /// The plan's random draw.
    Random,
}

/// What became of a mark.
#[uniffi::remote(Enum)]
pub enum MarkOutcome {
    /// Its moment was drawn; a clip is being made.
    Selected,
    /// It lies in a marked clip that is still being made; what it tells was added to that.
    Merged,
    /// Nothing will come of it: its moment was not drawn, or the clip in which it lies is complete.
    Skipped,
}

/// What the engine made of what came of a request.
#[uniffi::remote(Enum)]
#[uniffi(name = "Finished")]
pub enum TaskStatus {
    /// Done and acknowledged.
    Done,
    /// Not now; it is due again later.
    #[uniffi(name = "Later")]
    Retry {
        /// What stood in the way.
        reason: String,
    },
    /// The collector will not have it, and asking again would not change that.
    Refused {
        /// The answer's status.
        status: u16,
        /// What the collector said.
        reason: String,
    },
}

/// A moment worth sampling, because the recognizer was unsure or wrong. Never free text, so that
/// nothing personal slips in.
#[uniffi::remote(Record)]
pub struct Moment {
    /// Where it lies: a position in the stream as frames count them; the newest sample if `null`.
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
    /// Seconds from the moment; `null` where the app does not know it.
    #[uniffi(default = None)]
    pub offset: Option<f64>,
}

/// What the app says of a recording that it offers. Never free text, so that nothing personal slips
/// in.
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
    /// Seconds from the recording's start; `null` where the app does not know it.
    #[uniffi(default = None)]
    pub offset: Option<f64>,
}

/// What a source delivers before it becomes mono.
#[uniffi::remote(Record)]
#[uniffi(name = "SourceFormat")]
pub struct Format {
    /// The device, as a person would know it.
    pub device: String,
    /// Samples a second.
    pub rate: u32,
    /// Channels, whose average is taken.
    pub channels: u16,
}

/// The floats that little-endian `bytes` are.
pub(crate) fn floats_of(bytes: &[u8]) -> Result<Vec<f32>, Error> {
    let (floats, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Error::Argument(format!(
            "{} bytes are not whole 32-bit floats of 4 bytes each",
            bytes.len()
        )));
    }
    Ok(floats
        .iter()
        .map(|float| f32::from_le_bytes(*float))
        .collect())
}

/// Little-endian bytes of `floats`.
pub(crate) fn bytes_of(floats: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_of_val(floats));
    for float in floats {
        bytes.extend_from_slice(&float.to_le_bytes());
    }
    bytes
}
