//! Functions for readers of samples: anonymizing a recording, opening a sealed sample. Libraries for apps are built
//! without them.

use sordino::{
    anonymize::{Anonymizer, RejectionReason, Removal, RemovalReason, Settings, Span},
    open::{self, NoIdentity},
    sampler::{Annotation, RawClip, Selection, Trigger},
};

use crate::{bytes, error::Error};

/// A recording without voices and without other traits of a person.
#[derive(uniffi::Record)]
pub struct AnonymizedSound {
    /// Mono, 16 bit, little-endian; empty if the recording is rejected.
    pub samples: Vec<u8>,
    /// Samples per second; 0 if the recording is rejected.
    pub rate: u32,
    /// Why the recording is rejected; `null` if it is not.
    pub rejected: Option<RejectionReason>,
    /// The parts of the recording that are in `samples`, in order.
    pub kept: Vec<SoundSpan>,
    /// The removed parts, with their reasons.
    pub removed: Vec<RemovedSpan>,
    /// The kept parts from which a voice was erased; the music there is incomplete too.
    pub erased: Vec<SoundSpan>,
}

/// A part of a recording, accurate to 5 ms and 0.1 %: its clock and its ends are changed at random.
#[derive(uniffi::Record)]
pub struct SoundSpan {
    /// Seconds from the recording's start.
    pub start_s: f64,
    /// Seconds from the recording's start.
    pub end_s: f64,
}

/// A removed part of a recording.
#[derive(uniffi::Record)]
pub struct RemovedSpan {
    /// Seconds from the recording's start.
    pub start_s: f64,
    /// Seconds from the recording's start.
    pub end_s: f64,
    /// The reason.
    pub reason: RemovalReason,
}

/// The reason why a part was removed.
#[uniffi::remote(Enum)]
pub enum RemovalReason {
    /// A voice was detected there or nearby.
    Voice,
    /// Too short to be useful, between two removed parts.
    Fragment,
}

/// The reason why a recording is rejected.
#[uniffi::remote(Enum)]
pub enum RejectionReason {
    /// Too little is left without the voice, or a voice was still detected in the rest.
    Voice,
    /// The rest is silent, or too quiet to tell from the microphone's noise.
    Silence,
    /// The recording is shorter than a second.
    TooShort,
    /// A stage failed.
    Failed,
}

/// A sealed sample that was opened and verified.
#[derive(uniffi::Record)]
pub struct OpenedSound {
    /// Mono, 16 bit, little-endian.
    pub samples: Vec<u8>,
    /// Samples per second.
    pub rate: u32,
    /// Its `manifest.json`, validated.
    pub manifest: String,
}

/// An error of opening a sealed sample.
#[derive(Debug, thiserror::Error, uniffi::Error)]
#[uniffi(flat_error)]
pub enum OpenError {
    /// The identity is invalid: a line of it is not an age X25519 identity.
    #[error(transparent)]
    Identity(#[from] NoIdentity),
    /// The sample is sealed to other keys.
    #[error("{0}")]
    WrongIdentity(open::OpenError),
    /// It is not a sample of Sordino, or it is corrupt or forged; nothing of it is returned.
    #[error("{0}")]
    Refused(open::OpenError),
}

impl From<open::OpenError> for OpenError {
    fn from(error: open::OpenError) -> Self {
        match error {
            open::OpenError::WrongIdentity => Self::WrongIdentity(error),
            error => Self::Refused(error),
        }
    }
}

/// Removes voices and other traits of a person from a recording, as a device does before it seals.
/// Two calls give slightly different results: the clock, the ends and the noise floor are random.
///
/// `samples` are mono 32-bit floats in little-endian bytes, full scale at ±1, at `rate` Hz. With
/// `keep_time` removed parts become silence, so that times stay aligned. The call takes
/// about a tenth of the recording's length.
///
/// Raises `Argument` for bytes that are not whole floats, and `Clip` for an empty recording, NaN, or a rate
/// outside 8 to 384 kHz.
#[uniffi::export]
pub fn anonymize_sound(
    samples: &[u8],
    rate: u32,
    keep_time: bool,
) -> Result<AnonymizedSound, Error> {
    let selection = Selection {
        trigger: Trigger::Mark,
        probability: 1.0,
    };
    let samples = bytes::to_floats(samples)?;
    let clip = RawClip::new(samples, rate, selection, Annotation::default())?;
    let outcome = Anonymizer::new()?.anonymize(clip, Settings { keep_time });
    Ok(match outcome {
        Ok(anonymous) => AnonymizedSound {
            samples: bytes::from_i16(anonymous.samples()),
            rate: anonymous.rate(),
            rejected: None,
            kept: spans_of(anonymous.kept()),
            removed: removed_of(anonymous.removed()),
            erased: spans_of(anonymous.erased()),
        },
        Err(rejected) => AnonymizedSound {
            samples: Vec::new(),
            rate: 0,
            rejected: Some(rejected.reason),
            kept: Vec::new(),
            removed: removed_of(&rejected.removed),
            erased: Vec::new(),
        },
    })
}

/// Opens a sealed sample. Its content is untrusted: lengths are bounded, and a file that Sordino would not have
/// produced is refused as a whole.
///
/// `sealed` is the content of the age file, `identity` the text of an identity file, as `sordino keygen` and
/// `age-keygen` write it. No error contains it.
#[uniffi::export]
pub fn open_sealed(sealed: &[u8], identity: &str) -> Result<OpenedSound, OpenError> {
    let identities = open::read_identities(identity)?;
    let opened = open::open_sample(sealed, &identities)?;
    let manifest = serde_json::to_string(&opened.manifest)
        .map_err(|error| open::OpenError::Archive(error.to_string()))?;
    Ok(OpenedSound {
        samples: bytes::from_i16(&opened.samples),
        rate: opened.rate,
        manifest,
    })
}

/// Decodes the FLAC file of a sample in a pulled dataset: mono, 16 bit, little-endian.
///
/// Raises `Refused` for a file that Sordino would not have produced.
#[uniffi::export]
pub fn decode_sample(flac: &[u8]) -> Result<SampleSound, OpenError> {
    let (samples, rate) = open::decode_flac(flac)?;
    Ok(SampleSound {
        samples: bytes::from_i16(&samples),
        rate,
    })
}

/// The audio of a sample.
#[derive(uniffi::Record)]
pub struct SampleSound {
    /// Mono, 16 bit, little-endian.
    pub samples: Vec<u8>,
    /// Samples per second.
    pub rate: u32,
}

fn spans_of(spans: &[Span]) -> Vec<SoundSpan> {
    let spans = spans.iter();
    spans
        .map(|&Span(start_s, end_s)| SoundSpan { start_s, end_s })
        .collect()
}

fn removed_of(removed: &[Removal]) -> Vec<RemovedSpan> {
    let removed = removed.iter();
    removed
        .map(|removal| RemovedSpan {
            start_s: removal.start_s,
            end_s: removal.end_s,
            reason: removal.reason,
        })
        .collect()
}
