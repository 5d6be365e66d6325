//! Seal: encrypts an anonymous clip to a file that only the QA key opens.
//!
//! * **Input**: an [`AnonymousClip`], the [`Grants`] that allow it, and the plan's recipients.
//! * **Output**: a [`SealedSample`]: an age v1 file of a padded tar with `manifest.json` and
//!   `audio.flac`. `age -d -i qa.key sample.age | tar x` opens it.
//! * **Guarantees**: the manifest holds only [`Manifest`]'s fields; the size reveals little of
//!   what was played; no sample comes out if consent was withdrawn before the last byte was sealed.
//! * **Never**: writes to disk, keeps a key, or opens anything. A device cannot read what it sealed.

mod age;
mod archive;
mod flac;
mod manifest;
mod pad;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt, io};

use ring::digest::{SHA256, digest};

pub use archive::{AUDIO_NAME, MANIFEST_NAME};
pub use flac::FlacError;
pub use manifest::{Manifest, ManifestError, Platform};

use crate::{
    anonymize::AnonymousClip, consent::Grants, id::Id, plan::Recipient, purpose::Purposes,
    rng::RngError, sampler::Selection, week::Week,
};
use age::{AgeError, AgeWriter};

/// A sample that only the holders of the recipients' keys can open. Only [`seal`] makes one.
pub struct SealedSample {
    id: Id,
    consent: Id,
    purposes: Purposes,
    week: Week,
    recipients_sha256: [u8; 32],
    seconds: f64,
    selection: Selection,
    bytes: Vec<u8>,
    sha256: [u8; 32],
}

/// Why a clip was not sealed. The clip is wiped.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Consent was withdrawn before the sample was sealed.
    #[error("the sample was dropped: its consent was withdrawn")]
    Withdrawn,
    /// The clip has no audio.
    #[error("the clip is empty: nothing of it was safe to keep")]
    Empty,
    /// The plan has no recipients.
    #[error("the plan has no recipients; a sample must be sealed to at least one")]
    NoRecipients,
    /// A recipient with which anyone could open the sample.
    #[error(
        "the recipient {0} is a point of low order, which anybody could open; make a new key with `sordino keygen`"
    )]
    WeakRecipient(Recipient),
    /// No randomness is available.
    #[error(transparent)]
    Entropy(#[from] RngError),
    /// The clip, its selection or its annotation is out of bounds.
    #[error("the sample was dropped: {0}")]
    Manifest(#[from] ManifestError),
    /// The sound could not be encoded.
    #[error(transparent)]
    Flac(#[from] FlacError),
    /// The file could not be written, which does not happen in memory.
    #[error("the sample could not be encrypted: {0}")]
    Write(#[from] io::Error),
}

/// Seals `clip` for `recipients` (order and repetitions do not matter), under a new random id.
/// `week` is stored in the manifest.
///
/// # Errors
/// [`SealError::Withdrawn`] if `grants` were revoked before or during sealing; otherwise the clip
/// is empty or out of bounds, the recipients are missing or weak, or the system has no randomness.
pub fn seal(
    clip: AnonymousClip,
    grants: &Grants,
    recipients: &[Recipient],
    week: Week,
) -> Result<SealedSample, SealError> {
    check_live(grants)?;
    if clip.samples().is_empty() {
        return Err(SealError::Empty);
    }
    let recipients = distinct(recipients);
    let id = Id::random()?;
    let manifest = Manifest::new(&clip, grants, id, week);
    let audio = flac::encode(clip.samples(), clip.rate())?;
    let age_file = AgeWriter::new(&recipients, Vec::with_capacity(audio.len() * 5 / 4))?;
    let bytes = archive::write(age_file, &manifest.to_json()?, &audio)?.finish()?;
    // A later withdrawal finds the sample in the outbox.
    check_live(grants)?;

    Ok(SealedSample {
        id,
        consent: manifest.consent,
        purposes: manifest.purposes,
        week,
        recipients_sha256: recipients_digest(&recipients),
        seconds: clip.samples().len() as f64 / f64::from(clip.rate()),
        selection: clip.selection(),
        sha256: sha256(&bytes),
        bytes,
    })
}

/// The value of `Sordino-Recipients`: SHA-256 of the recipients, sorted and without duplicates, one
/// `age1…` per line, each line ended by a line feed.
pub fn recipients_digest(recipients: &[Recipient]) -> [u8; 32] {
    let mut lines: BTreeSet<String> = BTreeSet::new();
    lines.extend(recipients.iter().map(|recipient| format!("{recipient}\n")));
    sha256(lines.into_iter().collect::<String>().as_bytes())
}

impl SealedSample {
    /// A sample that holds `bytes` instead of ciphertext, for tests of later stages.
    #[cfg(test)]
    pub(crate) fn for_test(consent: Id, purposes: Purposes, bytes: Vec<u8>) -> Self {
        Self {
            id: Id::random().expect("random"),
            consent,
            purposes,
            week: Week::from_timestamp(jiff::Timestamp::UNIX_EPOCH),
            recipients_sha256: [7; 32],
            seconds: 10.0,
            selection: Selection {
                trigger: crate::sampler::Trigger::Mark,
                probability: 1.0,
            },
            sha256: sha256(&bytes),
            bytes,
        }
    }

    /// The sample's own random id.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The consent record that covers it.
    pub fn consent(&self) -> Id {
        self.consent
    }

    /// The purposes that it may be used for.
    pub fn purposes(&self) -> &Purposes {
        &self.purposes
    }

    /// The week in its manifest.
    pub fn week(&self) -> Week {
        self.week
    }

    /// The [`recipients_digest`] of its recipients.
    pub fn recipients_sha256(&self) -> &[u8; 32] {
        &self.recipients_sha256
    }

    /// The length of its audio, in seconds.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Why it was selected.
    pub fn selection(&self) -> Selection {
        self.selection
    }

    /// The age file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of [`Self::bytes`].
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

impl fmt::Debug for SealedSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedSample({} bytes)", self.bytes.len())
    }
}

impl From<AgeError> for SealError {
    fn from(error: AgeError) -> Self {
        match error {
            AgeError::NoRecipients => Self::NoRecipients,
            AgeError::LowOrder(recipient) => Self::WeakRecipient(recipient),
            AgeError::Entropy(unavailable) => Self::Entropy(unavailable),
            AgeError::Write(error) => Self::Write(error),
        }
    }
}

fn check_live(grants: &Grants) -> Result<(), SealError> {
    if grants.is_live() {
        Ok(())
    } else {
        Err(SealError::Withdrawn)
    }
}

/// Sorted, so that the order of the stanzas reveals nothing about the plan.
fn distinct(recipients: &[Recipient]) -> Vec<Recipient> {
    let distinct: BTreeSet<Recipient> = recipients.iter().copied().collect();
    distinct.into_iter().collect()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sha256
}
