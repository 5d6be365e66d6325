//! What the app's own code is called with. It may raise what it likes: that is told, and nothing
//! stops for it.

use std::sync::{Arc, PoisonError, RwLock};

use crate::{Event, scalars};
use sordino::capture;

/// A stretch of captured sound, for the app's recognizer.
#[derive(uniffi::Record)]
pub struct Frame {
    /// Mono 32-bit floats in little-endian bytes, full scale at ±1, finite.
    pub samples: Vec<u8>,
    /// Samples a second.
    pub rate: u32,
    /// Where the first sample stands, counted in samples since the source was last opened. Lost
    /// ones count.
    pub position: u64,
    /// How many samples were lost immediately before this frame, because nobody took them in time.
    pub lost: u64,
}

impl From<capture::Frame<'_>> for Frame {
    fn from(frame: capture::Frame<'_>) -> Self {
        Self {
            samples: scalars::bytes_of(frame.samples),
            rate: frame.rate,
            position: frame.position,
            lost: frame.lost,
        }
    }
}

/// What a listener raised.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum ListenerError {
    /// Anything at all. Listeners need not raise this one by name.
    #[error("{reason}")]
    Raised {
        /// What the host's language says of it.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ListenerError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Raised {
            reason: error.reason,
        }
    }
}

/// Takes the captured sound.
#[uniffi::export(foreign)]
pub trait FrameListener: Send + Sync {
    /// The next frame: 10 ms, or shorter where something was lost after it. Comes on a thread of the
    /// engine's; a listener slower than the sound makes it lose some, which the next frame tells.
    /// What it raises is told as a `Failed` event, and the next frame comes nevertheless.
    fn on_frame(&self, frame: Frame) -> Result<(), ListenerError>;
}

/// Is told what happens inside.
#[uniffi::export(foreign)]
pub trait EventListener: Send + Sync {
    /// Something happened. Comes on the thread on which it did; what it raises goes nowhere.
    fn on_event(&self, event: Event) -> Result<(), ListenerError>;
}

/// Who is told of events. No lock is held while the listener runs, so that it may replace itself.
#[derive(Default)]
pub(crate) struct Events(RwLock<Option<Arc<dyn EventListener>>>);

impl Events {
    pub(crate) fn listen(&self, listener: Option<Arc<dyn EventListener>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = listener;
    }

    pub(crate) fn tell(&self, event: Event) {
        let listener = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(listener) = listener
            && listener.on_event(event).is_err()
        {
            tracing::warn!("the app's event listener raised an error");
        }
    }
}

/// Gives frames to the app's listener. Of errors in an unbroken run the first is told: a hundred a
/// second would say no more.
pub(crate) fn ear(
    listener: Option<Arc<dyn FrameListener>>,
    events: &Arc<Events>,
) -> impl FnMut(capture::Frame<'_>) + Send + 'static {
    let events = Arc::clone(events);
    let mut is_failing = false;
    move |frame| {
        let Some(listener) = &listener else { return };
        let outcome = listener.on_frame(frame.into());
        let was_failing = std::mem::replace(&mut is_failing, outcome.is_err());
        if let Err(error) = outcome
            && !was_failing
        {
            events.tell(Event::Failed {
                reason: format!("the app's frame listener raised: {error}"),
            });
        }
    }
}
