//! Review: the person hears a clip before it is sealed.

use sordino::{Id, Purposes, Week, sampler::Trigger};

use crate::{bytes, engine::Engine, error::Error, samples::SubmitOutcome};

/// Review.
#[uniffi::export]
impl Engine {
    /// The clips that wait for review, oldest first. They are in memory only.
    pub fn previews(&self) -> Result<Vec<Preview>, Error> {
        self.handle.with_engine(|engine| {
            let previews = engine.previews();
            Ok(previews.into_iter().map(Preview::from).collect())
        })
    }

    /// The audio that would be sent.
    ///
    /// Raises `Argument` if no such clip waits.
    pub fn preview(&self, preview: Id) -> Result<PreviewSound, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.preview(preview)?.into()))
    }

    /// Accepts a clip: it is sealed and queued, if consent, plan and budget still
    /// allow it.
    ///
    /// Raises `Argument` if no such clip waits.
    pub fn accept_preview(&self, preview: Id) -> Result<SubmitOutcome, Error> {
        self.handle
            .with_engine(|engine| Ok(engine.accept_preview(preview)?.into()))
    }

    /// Discards a clip and wipes its audio.
    ///
    /// Raises `Argument` if no such clip waits.
    pub fn discard_preview(&self, preview: Id) -> Result<(), Error> {
        self.handle
            .with_engine(|engine| Ok(engine.discard_preview(preview)?))
    }
}

/// A clip that waits for the person to hear it and to accept or discard it.
#[derive(uniffi::Record)]
pub struct Preview {
    /// The id of the preview; the sample gets an id of its own.
    pub id: Id,
    /// The week in which it was made.
    pub week: Week,
    /// The trigger that selected it.
    pub trigger: Trigger,
    /// Its length in seconds.
    pub seconds: f64,
    /// The purposes for which it would be used.
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

/// The audio that would be sent.
#[derive(uniffi::Record)]
pub struct PreviewSound {
    /// Samples per second.
    pub rate: u32,
    /// Mono, 16 bit, little-endian.
    pub samples: Vec<u8>,
}

impl From<sordino::PreviewSound> for PreviewSound {
    fn from(sound: sordino::PreviewSound) -> Self {
        Self {
            rate: sound.rate,
            samples: bytes::from_i16(&sound.samples),
        }
    }
}
