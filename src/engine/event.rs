//! Events for the host, and their listener.

use std::{mem, sync::PoisonError};

use super::{Inner, Sordino, WithheldReason};
use crate::{
    capture::CaptureEvent,
    consent::ConsentState,
    id::Id,
    upload::{Endpoint, TaskStatus, UploadTask},
};

/// An event in the engine, reported to the host as it happens. It never carries audio.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A sample was sealed and queued.
    Queued(Id),
    /// A clip awaits the person's review under this id: see [`Sordino::previews`].
    AwaitsReview(Id),
    /// A moment was not sampled.
    Withheld(WithheldReason),
    /// A sample was dropped before it was sent: the queue was full, or its file was lost.
    Dropped(Id),
    /// A clip was dropped because the two before it were still being processed.
    ClipDropped,
    /// The state of consent changed.
    Consent(ConsentState),
    /// A plan was installed; its version.
    Plan(u64),
    /// The engine was opened with another collector than before. Withdrawals and deletions of
    /// earlier samples still go to the earlier collector.
    CollectorChanged {
        /// The earlier collector.
        from: Endpoint,
        /// The current collector.
        to: Endpoint,
    },
    /// The result of an upload.
    Uploaded {
        /// The task.
        task: UploadTask,
        /// Its status.
        status: TaskStatus,
    },
    /// The audio source was opened, lost, reopened or overrun.
    Capture(CaptureEvent),
    /// A stage failed; the engine continues.
    Failed(String),
}

pub(super) type Listener = Box<dyn Fn(&Event) + Send + Sync>;

impl Sordino {
    /// Registers a listener for events, called on the thread on which the event happens. The first
    /// listener immediately receives what was found when the engine was opened: samples whose files
    /// were lost, another collector than before.
    pub fn on_event(&self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        let Ok(inner) = self.inner() else { return };
        *inner
            .listener
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Box::new(listener));
        let pending = mem::take(
            &mut *inner
                .pending_events
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for event in &pending {
            inner.emit(event);
        }
    }
}

impl Inner {
    pub(super) fn emit(&self, event: &Event) {
        if let Some(listener) = self
            .listener
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            listener(event);
        }
    }
}
