//! Events of the engine.

use sordino::{
    Id, WithheldReason,
    capture::{self, Format},
    consent::ConsentState,
    upload::{Endpoint, TaskStatus, UploadTask},
};

/// An event of the engine. It never contains audio.
#[derive(uniffi::Enum)]
pub enum Event {
    /// A sample was sealed and queued.
    Queued {
        /// The sample.
        sample: Id,
    },
    /// A clip waits for review: see `previews`.
    AwaitsReview {
        /// The id of the preview.
        preview: Id,
    },
    /// A moment was not sampled.
    Withheld {
        /// The reason.
        reason: WithheldReason,
    },
    /// A sample was dropped before it was sent, because the queue was full or its file was lost.
    Dropped {
        /// The sample.
        sample: Id,
    },
    /// A clip was dropped because the two before it were still being processed.
    ClipDropped,
    /// Consent changed.
    ConsentChanged {
        /// The new state.
        state: ConsentState,
    },
    /// A newer plan was installed.
    PlanInstalled {
        /// Its version.
        version: u64,
    },
    /// The engine was opened with another collector than before. Deletions of what was sent to the earlier one still go
    /// there.
    CollectorChanged {
        /// The earlier collector.
        from: Endpoint,
        /// The current collector.
        to: Endpoint,
    },
    /// The result of an upload was processed.
    Uploaded {
        /// The task.
        task: UploadTask,
        /// Its status.
        status: TaskStatus,
    },
    /// The source was opened, lost, reopened or overrun.
    Capture {
        /// The event of the source.
        event: CaptureEvent,
    },
    /// A stage or a listener failed; the engine continues.
    Failed {
        /// The reason, in one line.
        reason: String,
    },
}

/// An event of the source.
#[derive(uniffi::Enum)]
pub enum CaptureEvent {
    /// It was opened. Positions count from 0.
    Opened {
        /// Its format.
        format: Format,
    },
    /// It was lost. Reopening is retried until it succeeds or the session is stopped.
    Lost {
        /// The reason, in one line.
        reason: String,
    },
    /// It was reopened, perhaps at another rate. Positions count from 0 again.
    Reopened {
        /// Its format now.
        format: Format,
    },
    /// Samples were lost because they were not read in time: reported at once, then at most once a second. The next
    /// frame has the position of the loss.
    Overrun {
        /// Samples lost since the last such event.
        samples: u64,
    },
    /// Samples were NaN or infinite; they became silence. Reported at most once a second.
    NonFinite {
        /// Such samples since the last such event.
        samples: u64,
    },
    /// The last event: the source has ended or the session was stopped.
    Ended,
}

impl Event {
    /// Converts an event of the SDK; `None` for one that the bindings do not have.
    pub(crate) fn from_sdk(event: &sordino::Event) -> Option<Self> {
        Some(match event {
            &sordino::Event::Queued(sample) => Self::Queued { sample },
            &sordino::Event::AwaitsReview(preview) => Self::AwaitsReview { preview },
            &sordino::Event::Withheld(reason) => Self::Withheld { reason },
            &sordino::Event::Dropped(sample) => Self::Dropped { sample },
            sordino::Event::ClipDropped => Self::ClipDropped,
            &sordino::Event::Consent(state) => Self::ConsentChanged { state },
            &sordino::Event::Plan(version) => Self::PlanInstalled { version },
            sordino::Event::CollectorChanged { from, to } => Self::CollectorChanged {
                from: from.clone(),
                to: to.clone(),
            },
            sordino::Event::Uploaded { task, status } => Self::Uploaded {
                task: task.clone(),
                status: status.clone(),
            },
            sordino::Event::Capture(event) => Self::Capture {
                event: CaptureEvent::from_sdk(event)?,
            },
            sordino::Event::Failed(reason) => Self::Failed {
                reason: reason.clone(),
            },
            _ => return None,
        })
    }
}

impl CaptureEvent {
    fn from_sdk(event: &capture::CaptureEvent) -> Option<Self> {
        Some(match event.clone() {
            capture::CaptureEvent::Opened(format) => Self::Opened { format },
            capture::CaptureEvent::Lost { reason } => Self::Lost { reason },
            capture::CaptureEvent::Reopened(format) => Self::Reopened { format },
            capture::CaptureEvent::Overrun { samples } => Self::Overrun { samples },
            capture::CaptureEvent::NonFinite { samples } => Self::NonFinite { samples },
            capture::CaptureEvent::Ended => Self::Ended,
            _ => return None,
        })
    }
}
