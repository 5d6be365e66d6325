//! The manifest of a sample: everything that is known about the audio, and nothing about the
//! person.
//!
//! `docs/manifest.schema.json` is its JSON Schema; a test compares the two.

use serde::{Deserialize, Serialize};

use crate::{
    anonymize::{AnonymizerInfo, AnonymousClip, Removal, Span},
    consent::Grants,
    id::Id,
    purpose::Purposes,
    sampler::{Annotation, AnnotationError, Selection},
    text::printable_line,
    week::Week,
};

/// `manifest.json`. There is no field for a name, an address, a device, a locale or a clock time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the schema: [`Manifest::SCHEMA`].
    pub schema: u32,
    /// Random, the sample's own.
    pub sample: Id,
    /// The purposes that it may be used for; at least one.
    pub purposes: Purposes,
    /// The consent record that covers it.
    pub consent: Id,
    /// The version of the notice that was consented to, from 1.
    pub notice_version: u32,
    /// The week in which it was sealed; no finer time is recorded.
    pub week: Week,
    /// Version of the SDK that sealed it.
    pub sdk_version: String,
    /// The operating system, never a model or a version.
    pub platform: Platform,
    /// Sample rate of the microphone, in Hz.
    pub input_rate: u32,
    /// Sample rate of `audio.flac`, in Hz.
    pub rate: u32,
    /// The parts of the input in `audio.flac`, in its order; seconds of the input.
    pub kept: Vec<Span>,
    /// The parts that were removed, and why; seconds of the input.
    pub removed: Vec<Removal>,
    /// The kept parts from which a voice was erased, in seconds of the input; the music there is
    /// degraded too.
    pub erased: Vec<Span>,
    /// Why the moment was selected, and with what probability.
    pub selection: Selection,
    /// The app's annotation; seconds of the input.
    pub annotation: Annotation,
    /// The anonymizer and its settings.
    pub anonymizer: AnonymizerInfo,
}

/// Families of systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// Android.
    Android,
    /// iOS and iPadOS.
    Ios,
    /// macOS.
    Macos,
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// Any other.
    Other,
}

/// Why a manifest is invalid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or not a manifest.
    #[error("the manifest cannot be read: {0}")]
    Json(String),
    /// Written by a version of the SDK that this one does not know.
    #[error(
        "the manifest has schema {0}, but this version reads schema {schema}; use a newer version",
        schema = Manifest::SCHEMA
    )]
    Schema(u64),
    /// A value out of its bounds.
    #[error("the manifest's `{field}` {reason}")]
    Field {
        /// The member that is wrong.
        field: &'static str,
        /// The problem.
        reason: &'static str,
    },
    /// An annotation out of its bounds.
    #[error("the manifest's `annotation` is refused: {0}")]
    Annotation(#[from] AnnotationError),
}

impl Manifest {
    /// The schema version that is written and read.
    pub const SCHEMA: u32 = 1;

    /// Reads `manifest.json` and checks it.
    ///
    /// # Errors
    /// Not JSON, a schema that this version does not know, an unknown or missing member, or a value
    /// out of its bounds.
    pub fn from_json(json: &[u8]) -> Result<Self, ManifestError> {
        // The error may quote control characters of a hostile sender.
        let unreadable = |error: serde_json::Error| {
            ManifestError::Json(printable_line(&error.to_string()).into_owned())
        };
        // Checked first, so that a later schema is reported as such and not as an unknown member.
        let Version { schema } = serde_json::from_slice(json).map_err(unreadable)?;
        if schema != u64::from(Self::SCHEMA) {
            return Err(ManifestError::Schema(schema));
        }
        let manifest: Self = serde_json::from_slice(json).map_err(unreadable)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The manifest as it is sealed: validated, as readable JSON.
    pub(super) fn to_json(&self) -> Result<Vec<u8>, ManifestError> {
        self.check()?;
        let mut json = serde_json::to_vec_pretty(self)
            .map_err(|error| ManifestError::Json(error.to_string()))?;
        json.push(b'\n');
        Ok(json)
    }

    pub(super) fn new(clip: &AnonymousClip, grants: &Grants, sample: Id, week: Week) -> Self {
        Self {
            schema: Self::SCHEMA,
            sample,
            purposes: grants.purposes(),
            consent: grants.record(),
            notice_version: grants.notice_version(),
            week,
            sdk_version: env!("CARGO_PKG_VERSION").to_owned(),
            platform: Platform::CURRENT,
            input_rate: clip.input_rate(),
            rate: clip.rate(),
            kept: clip.kept().to_vec(),
            removed: clip.removed().to_vec(),
            erased: clip.erased().to_vec(),
            selection: clip.selection(),
            annotation: clip.annotation().clone(),
            anonymizer: clip.anonymizer().clone(),
        }
    }

    /// Checks the bounds that the fields' types do not enforce.
    fn check(&self) -> Result<(), ManifestError> {
        let rate = |rate: u32| (8_000..=384_000).contains(&rate);
        // Also false for NaN, which JSON cannot hold.
        let span = |start: f64, end: f64| 0.0 <= start && start <= end && end.is_finite();
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let probability = self.selection.probability;
        let anonymizer = &self.anonymizer;
        let bounds = [
            ("purposes", !self.purposes.is_empty(), "names none"),
            (
                "notice_version",
                self.notice_version >= 1,
                "must be at least 1",
            ),
            (
                "input_rate",
                rate(self.input_rate),
                "must be 8000 to 384000",
            ),
            ("rate", rate(self.rate), "must be 8000 to 384000"),
            (
                "kept",
                self.kept.iter().all(|kept| span(kept.0, kept.1)),
                "must hold spans of [start, end] in seconds from 0",
            ),
            (
                "erased",
                self.erased.iter().all(|erased| span(erased.0, erased.1)),
                "must hold spans of [start, end] in seconds from 0",
            ),
            (
                "removed",
                self.removed
                    .iter()
                    .all(|removal| span(removal.start_s, removal.end_s)),
                "must hold spans from start to end in seconds from 0",
            ),
            (
                "selection.probability",
                probability > 0.0 && probability <= 1.0,
                "must be above 0 and at most 1",
            ),
            (
                "anonymizer",
                share(anonymizer.threshold)
                    && share(anonymizer.gate_threshold)
                    && anonymizer.padding_s >= 0.0
                    && anonymizer.shortest_kept_s >= 0.0
                    && rate(anonymizer.rate),
                "states a setting that cannot be",
            ),
        ];
        if let Some((field, _, reason)) = bounds.into_iter().find(|(_, holds, _)| !holds) {
            return Err(ManifestError::Field { field, reason });
        }
        Ok(self.annotation.check()?)
    }
}

impl Platform {
    /// The family of the system that this was built for.
    pub const CURRENT: Self = if cfg!(target_os = "android") {
        Self::Android
    } else if cfg!(target_os = "ios") {
        Self::Ios
    } else if cfg!(target_os = "macos") {
        Self::Macos
    } else if cfg!(target_os = "linux") {
        Self::Linux
    } else if cfg!(target_os = "windows") {
        Self::Windows
    } else {
        Self::Other
    };
}

/// The one member that every schema has.
#[derive(Deserialize)]
struct Version {
    schema: u64,
}
