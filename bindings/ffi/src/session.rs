//! An open source: a microphone, or a PCM source with its writer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sordino::{CaptureSession, OwnerProcess, capture::PcmWriter};

use crate::error::Error;

/// A capture session. Dropping it ends the app's own audio first, then stops and closes the source.
pub(crate) struct Session {
    process: OwnerProcess,
    writer: Mutex<Option<SessionWriter>>,
    capture: Mutex<Option<CaptureSession>>,
}

/// The writer of a session whose source is the app's own audio.
pub(crate) struct SessionWriter {
    pub(crate) writer: PcmWriter,
    pub(crate) channels: u16,
}

impl SessionWriter {
    /// The size of a frame, of which `interleaved` must be a multiple.
    pub(crate) fn frame_bytes(
        &self,
        interleaved: &[u8],
        sample_bytes: usize,
    ) -> Result<usize, Error> {
        let frame_bytes = sample_bytes * usize::from(self.channels);
        if !interleaved.len().is_multiple_of(frame_bytes) {
            return Err(Error::argument(format!(
                "{} bytes are not whole frames of {frame_bytes} bytes: {} channels of {sample_bytes} bytes",
                interleaved.len(),
                self.channels
            )));
        }
        Ok(frame_bytes)
    }
}

impl Session {
    pub(crate) fn new(capture: CaptureSession, writer: Option<SessionWriter>) -> Arc<Self> {
        Arc::new(Self {
            process: OwnerProcess::current(),
            writer: Mutex::new(writer),
            capture: Mutex::new(Some(capture)),
        })
    }

    /// # Errors
    /// [`Error::Closed`]: this process was forked from the one that opened the engine.
    pub(crate) fn check_process(&self) -> Result<(), Error> {
        Ok(self.process.check()?)
    }

    pub(crate) fn stop(&self) -> Result<(), Error> {
        let writer = self.writer().take();
        // Taken out first, so that no other call waits for the lock while this one waits.
        let capture = self.capture().take();
        match (writer, capture) {
            (_, None) => Ok(()),
            (Some(writer), Some(capture)) => {
                drop(writer);
                Ok(capture.wait()?)
            }
            (None, Some(capture)) => Ok(capture.stop()?),
        }
    }

    /// Whether the caller is a listener of the app on one of the session's threads.
    pub(crate) fn is_callback_thread(&self) -> bool {
        let capture = self.capture();
        capture
            .as_ref()
            .is_some_and(CaptureSession::is_callback_thread)
    }

    /// `None` once it was stopped, or if the source is the microphone.
    pub(crate) fn writer(&self) -> MutexGuard<'_, Option<SessionWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn capture(&self) -> MutexGuard<'_, Option<CaptureSession>> {
        self.capture.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
