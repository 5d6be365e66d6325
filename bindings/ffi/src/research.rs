//! What a researcher does at the desk: anonymize a recording, open a sealed sample. No device has it.

use crate::{Error, scalars};
use sordino::{
    anonymize::{Anonymizer, RejectionReason, Removal, RemovalReason, Settings, Span},
    open::{self, NoIdentity},
    sampler::{Annotation, RawClip, Selection, Trigger},
};

/// What is left of a recording without voices and without what points to a person.
#[derive(uniffi::Record)]
pub struct AnonymizedSound {
    /// Mono, 16 bit, little-endian; empty where the recording is withheld.
    pub samples: Vec<u8>,
    /// Samples a second of it; 0 where the recording is withheld.
    pub rate: u32,
    /// Why nothing of the recording is safe to keep, where nothing is.
    pub withheld: Option<RejectionReason>,
    /// Which parts of the recording stand in `samples`, in their order.
    pub kept: Vec<SoundSpan>,
    /// Which parts were taken out, and why.
    pub removed: Vec<RemovedSpan>,
    /// Out of which parts of what was kept a voice was erased: the music there has lost something too.
    pub erased: Vec<SoundSpan>,
}

/// A stretch of a recording, to within 5 ms and 0.1 %: its clock and its ends are changed by chance.
#[derive(uniffi::Record)]
pub struct SoundSpan {
    /// Seconds from the recording's start.
    pub start_s: f64,
    /// Seconds from the recording's start.
    pub end_s: f64,
}

/// A stretch that was taken out of a recording.
#[derive(uniffi::Record)]
pub struct RemovedSpan {
    /// Seconds from the recording's start.
    pub start_s: f64,
    /// Seconds from the recording's start.
    pub end_s: f64,
    /// Why.
    pub reason: RemovalReason,
}

/// Why a stretch was taken out.
#[uniffi::remote(Enum)]
pub enum RemovalReason {
    /// The detector heard a voice there, or so near that a word's edge could be.
    Voice,
    /// Too short to be of use, between two stretches that were taken out.
    Fragment,
}

/// Why a whole recording is withheld.
#[uniffi::remote(Enum)]
#[uniffi(name = "WithheldSound")]
pub enum RejectionReason {
    /// Too little is left without the voice, or what is left still seemed to hold one.
    Voice,
    /// What is left is silence, or too quiet to tell from the microphone's noise.
    Silence,
    /// Shorter than a second to begin with.
    TooShort,
    /// A step could not do its work, so nothing is known of what the recording holds.
    Failed,
}

/// A sealed sample that was opened and found whole.
#[derive(uniffi::Record)]
pub struct OpenedSound {
    /// Mono, 16 bit, little-endian.
    pub samples: Vec<u8>,
    /// Samples a second.
    pub rate: u32,
    /// What is known of it: `manifest.json`, checked.
    pub manifest: String,
}

/// Why a sealed sample was not opened.
#[derive(Debug, thiserror::Error, uniffi::Error)]
#[uniffi(flat_error)]
pub enum OpenError {
    /// What was given as the identity is none: a line of it is no age X25519 identity.
    #[error(transparent)]
    Identity(#[from] NoIdentity),
    /// The sample is sealed to other keys.
    #[error("{0}")]
    WrongIdentity(open::OpenError),
    /// It is no sample of Sordino's, or was damaged or forged; nothing of it is given back.
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

/// Takes voices, and what else points to a person, out of a recording, as a device does before it seals.
/// Two calls differ a little: the clock, the ends and the noise floor are drawn anew each time.
///
/// `samples` are mono 32-bit floats in little-endian bytes, full scale at ±1, at `rate` Hz. With
/// `keep_time` what is removed becomes silence, so that times stay those of the recording. The call takes
/// about a tenth of the recording's length.
///
/// Raises `Argument` for bytes that are not whole floats, and `Clip` for no sound, for NaN and for a rate
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
    let samples = scalars::floats_of(samples)?;
    let clip = RawClip::new(samples, rate, selection, Annotation::default())?;
    let outcome = Anonymizer::new()?.anonymize(clip, Settings { keep_time });
    Ok(match outcome {
        Ok(anonymous) => AnonymizedSound {
            samples: bytes_of(anonymous.samples()),
            rate: anonymous.rate(),
            withheld: None,
            kept: spans_of(anonymous.kept()),
            removed: removed_of(anonymous.removed()),
            erased: spans_of(anonymous.erased()),
        },
        Err(withheld) => AnonymizedSound {
            samples: Vec::new(),
            rate: 0,
            withheld: Some(withheld.reason),
            kept: Vec::new(),
            removed: removed_of(&withheld.removed),
            erased: Vec::new(),
        },
    })
}

/// Opens a sealed sample. Nothing in it is believed: lengths are bounded, and what is not as Sordino seals
/// it is refused as a whole.
///
/// `sealed` is the age file's content; `identity` the text of an identity file, as `sordino keygen` and
/// `age-keygen` write it. No error quotes it.
#[uniffi::export]
pub fn open_sealed(sealed: &[u8], identity: &str) -> Result<OpenedSound, OpenError> {
    let identities = open::read_identities(identity)?;
    let opened = open::open_sample(sealed, &identities)?;
    let manifest = serde_json::to_string(&opened.manifest)
        .map_err(|error| open::OpenError::Archive(error.to_string()))?;
    Ok(OpenedSound {
        samples: bytes_of(&opened.samples),
        rate: opened.rate,
        manifest,
    })
}

/// Decodes a sample's FLAC, as it lies in a pulled dataset: mono, 16 bit, little-endian.
///
/// Raises `Refused` for sound that Sordino did not make.
#[uniffi::export]
pub fn decode_sample(flac: &[u8]) -> Result<SampleSound, OpenError> {
    let (samples, rate) = open::decode_flac(flac)?;
    Ok(SampleSound {
        samples: bytes_of(&samples),
        rate,
    })
}

/// The sound of a sample.
#[derive(uniffi::Record)]
pub struct SampleSound {
    /// Mono, 16 bit, little-endian.
    pub samples: Vec<u8>,
    /// Samples a second.
    pub rate: u32,
}

fn bytes_of(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|s| s.to_le_bytes()).collect()
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
