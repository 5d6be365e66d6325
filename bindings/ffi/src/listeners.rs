//! The listeners of the app. They may raise any error: it is reported, and never stops the engine.

use std::sync::{Arc, PoisonError, RwLock};

use sordino::capture;

use crate::{bytes, event::Event};

/// A frame of captured audio, for the app's recognizer: 10 ms, or shorter if samples were lost after it.
#[derive(uniffi::Record)]
pub struct Frame {
    /// Mono 32-bit floats in little-endian bytes, full scale at ±1, finite.
    pub samples: Vec<u8>,
    /// Samples per second.
    pub rate: u32,
    /// Position of the first sample, in samples since the source was last opened. Lost samples
    /// count.
    pub position: u64,
    /// The number of samples lost immediately before this frame, because they were not read in time.
    pub lost: u64,
}

impl From<capture::Frame<'_>> for Frame {
    fn from(frame: capture::Frame<'_>) -> Self {
        Self {
            samples: bytes::from_floats(frame.samples),
            rate: frame.rate,
            position: frame.position,
            lost: frame.lost,
        }
    }
}

/// The error of a listener.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum ListenerError {
    /// Any error. Listeners need not raise this one by name.
    #[error("{reason}")]
    Raised {
        /// The error's text in the host's language.
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

/// Receives the captured audio.
#[uniffi::export(foreign)]
pub trait FrameListener: Send + Sync {
    /// Receives the next frame, on a thread of the engine. If it is slower than real time, samples are lost, which the next frame counts.
    /// An error that it raises becomes a `Failed` event, and the next frame follows nevertheless.
    fn on_frame(&self, frame: Frame) -> Result<(), ListenerError>;
}

/// Receives the engine's events.
#[uniffi::export(foreign)]
pub trait EventListener: Send + Sync {
    /// Receives an event, on the thread on which it occurs. Errors that it raises are ignored.
    fn on_event(&self, event: Event) -> Result<(), ListenerError>;
}

/// The current listener for events. No lock is held while it runs, so that it may replace itself.
#[derive(Default)]
pub(crate) struct EventSink(RwLock<Option<Arc<dyn EventListener>>>);

impl EventSink {
    pub(crate) fn set_listener(&self, listener: Option<Arc<dyn EventListener>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = listener;
    }

    pub(crate) fn emit(&self, event: Event) {
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

/// Passes frames to the app's listener. Of consecutive errors only the first is reported: there may be a hundred a
/// second.
pub(crate) fn frame_callback(
    listener: Option<Arc<dyn FrameListener>>,
    events: &Arc<EventSink>,
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
            events.emit(Event::Failed {
                reason: format!("the app's frame listener raised: {error}"),
            });
        }
    }
}
