use sordino::{
    Id, WithheldReason,
    capture::{self, Format},
    consent::ConsentState,
    upload::{Endpoint, TaskStatus, UploadTask},
};

/// What happened inside. It never carries sound.
#[derive(uniffi::Enum)]
pub enum Event {
    /// A sample was sealed and queued.
    Queued {
        /// The sample.
        sample: Id,
    },
    /// A clip waits for the person to hear it: see `previews`.
    AwaitsReview {
        /// Its name there.
        preview: Id,
    },
    /// A moment was not sampled.
    Withheld {
        /// Why.
        reason: WithheldReason,
    },
    /// A sample went before it was sent: for want of room, or because its file was lost.
    Dropped {
        /// The sample.
        sample: Id,
    },
    /// A moment was let go because the two before it were still being worked on.
    Busy,
    /// Consent changed.
    ConsentChanged {
        /// Where it stands now.
        state: ConsentState,
    },
    /// A newer plan is in force.
    PlanInstalled {
        /// Its version.
        version: u64,
    },
    /// The engine was opened with another collector than before. What was sent to the earlier one is still taken back
    /// there.
    CollectorChanged {
        /// Where samples went before.
        from: Endpoint,
        /// Where they go now.
        to: Endpoint,
    },
    /// What became of an upload.
    Uploaded {
        /// What it was about.
        task: UploadTask,
        /// What became of it.
        finished: TaskStatus,
    },
    /// The source was opened, lost, reopened or overrun.
    Capture {
        /// Which of these.
        event: CaptureEvent,
    },
    /// A stage or a listener failed; the engine goes on.
    Failed {
        /// One line.
        reason: String,
    },
}

/// What happened to the source.
#[derive(uniffi::Enum)]
pub enum CaptureEvent {
    /// It delivers. Positions count from 0.
    Opened {
        /// What it delivers.
        format: Format,
    },
    /// It went away. It is opened anew until that succeeds or listening is stopped.
    Lost {
        /// One line.
        reason: String,
    },
    /// It is back, perhaps at another rate. Positions count from 0 again.
    Reopened {
        /// What it delivers now.
        format: Format,
    },
    /// Sound was lost because it was not taken in time: told at once, then at most once a second. The frame that
    /// follows the loss says where.
    Overrun {
        /// Samples lost since the last such event.
        samples: u64,
    },
    /// Samples that are no numbers came; they became silence. Told at most once a second.
    NonFinite {
        /// How many since the last such event.
        samples: u64,
    },
    /// The last event: the source has ended or listening was stopped.
    Ended,
}

impl Event {
    /// `None` for an event that was added to the SDK and not here.
    pub(crate) fn from_sdk(event: &sordino::Event) -> Option<Self> {
        Some(match event {
            &sordino::Event::Queued(sample) => Self::Queued { sample },
            &sordino::Event::AwaitsReview(preview) => Self::AwaitsReview { preview },
            &sordino::Event::Withheld(reason) => Self::Withheld { reason },
            &sordino::Event::Dropped(sample) => Self::Dropped { sample },
            sordino::Event::ClipDropped => Self::Busy,
            &sordino::Event::Consent(state) => Self::ConsentChanged { state },
            &sordino::Event::Plan(version) => Self::PlanInstalled { version },
            sordino::Event::CollectorChanged { from, to } => Self::CollectorChanged {
                from: from.clone(),
                to: to.clone(),
            },
            sordino::Event::Uploaded { task, status } => Self::Uploaded {
                task: task.clone(),
                finished: status.clone(),
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
