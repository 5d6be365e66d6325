//! Suppresses the messages that alsa-lib writes to standard error while devices are listed and opened: sixteen lines on
//! a machine without a sound card, although each failure is returned as an error too.

use super::error::CaptureError;

/// Runs `work` on a thread on which alsa-lib writes its messages to memory. alsa-lib's error handler is thread-local,
/// so that the app's own use of ALSA is not affected.
#[cfg(target_os = "linux")]
pub(super) fn without_alsa_messages<T: Send>(
    work: impl FnOnce() -> Result<T, CaptureError> + Send,
) -> Result<T, CaptureError> {
    use std::{panic::resume_unwind, thread};

    thread::scope(|scope| {
        let quiet = || {
            // If this fails, the messages are written as before.
            let _messages = alsa::Output::local_error_handler();
            work()
        };
        let started = thread::Builder::new()
            .name("sordino-alsa".to_owned())
            .spawn_scoped(scope, quiet);
        match started {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(error) => Err(CaptureError::NoMicrophone {
                reason: format!("cannot start a thread to open it: {error}"),
            }),
        }
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn without_alsa_messages<T>(
    work: impl FnOnce() -> Result<T, CaptureError>,
) -> Result<T, CaptureError> {
    work()
}
