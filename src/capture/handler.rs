use super::{frame::Frame, source::Format};

/// A change of the source, for the app to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaptureEvent {
    /// The source delivers. Positions count from 0.
    Opened(Format),
    /// The source was lost. Capture retries until it can be reopened or capture is stopped.
    Lost {
        /// The reason, in one line.
        reason: String,
    },
    /// The source is back, possibly at another rate. Positions count from 0 again.
    Reopened(Format),
    /// Samples were lost because they were not read in time: reported at once, then at most once a second.
    /// [`Frame::lost`] of the following frame says where.
    Overrun {
        /// Samples lost since the last such event.
        samples: u64,
    },
    /// The device or the host delivered NaN or infinite samples, which became silence. Reported at most once a second.
    NonFinite {
        /// Their number since the last such event.
        samples: u64,
    },
    /// The last event: the source has ended or capture was stopped, and the source is closed.
    Ended,
}

/// Receives frames and events. Any `FnMut(Frame<'_>)` is a handler that ignores events.
pub trait CaptureHandler {
    /// Called with each frame, in order.
    fn on_frame(&mut self, frame: Frame<'_>);

    /// Called with each change of the source.
    fn on_event(&mut self, event: CaptureEvent) {
        let _ = event;
    }
}

impl<F: FnMut(Frame<'_>)> CaptureHandler for F {
    fn on_frame(&mut self, frame: Frame<'_>) {
        self(frame);
    }
}
