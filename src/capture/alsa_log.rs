//! Looking for and opening a device without alsa-lib's own messages: it writes to standard error what it misses on the
//! way, sixteen lines on a machine without a sound card, although each is returned as an error too.

use super::CaptureError;

/// Does `work` on a thread of its own, on which alsa-lib writes to memory. Its handler of errors is a thread's, so that
/// the host's own use of ALSA is left alone.
#[cfg(target_os = "linux")]
pub(super) fn without_alsa_messages<T: Send>(
    work: impl FnOnce() -> Result<T, CaptureError> + Send,
) -> Result<T, CaptureError> {
    use std::{panic::resume_unwind, thread};

    thread::scope(|scope| {
        let quiet = || {
            // Where it cannot be set, alsa-lib is as loud as before.
            let _messages = alsa::Output::local_error_handler();
            work()
        };
        let started = thread::Builder::new()
            .name("sordino-alsa".to_owned())
            .spawn_scoped(scope, quiet);
        match started {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(error) => Err(CaptureError::NoMicrophone {
                reason: format!("no thread can be started to look for it: {error}"),
            }),
        }
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn quietly<T>(
    work: impl FnOnce() -> Result<T, CaptureError>,
) -> Result<T, CaptureError> {
    work()
}
