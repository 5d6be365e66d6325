//! Capture from the app's own audio or the microphone, and marks.

use std::sync::{Arc, Weak};

use sordino::{
    capture::{self, pcm_channel},
    sampler::{MarkOutcome, Moment},
};

use crate::{
    engine::Engine,
    error::Error,
    handle::EngineHandle,
    listeners::{FrameListener, frame_callback},
    panics::catch_panic,
    pcm_writer::PcmWriter,
    session::{Session, SessionWriter},
};

/// Capture.
#[uniffi::export]
impl Engine {
    /// Captures the app's own audio: `channels` interleaved channels at `rate` Hz, which the app pushes into the writer.
    /// `listener` receives mono frames of 10 ms, on a thread of the engine, which waits for it. If consent and plan allow
    /// it, moments of the audio become samples.
    ///
    /// Raises `AlreadyListening` if a session is open, and `Capture` for an unsupported format.
    #[uniffi::method(default(listener = None))]
    pub fn listen_to_pcm_source(
        &self,
        rate: u32,
        channels: u16,
        listener: Option<Arc<dyn FrameListener>>,
    ) -> Result<PcmWriter, Error> {
        let on_frame = frame_callback(listener, &self.handle.events);
        let session = self.handle.start_session(|engine| {
            let (writer, source) = pcm_channel(rate, channels)?;
            let writer = SessionWriter { writer, channels };
            Ok(Session::new(engine.listen(source, on_frame)?, Some(writer)))
        })?;
        Ok(PcmWriter::new(session, &self.handle))
    }

    /// Captures the microphone: the system's default one, or the `device` with an id from `input_devices`. `listener`
    /// receives mono frames of 10 ms, on a thread of the engine, which waits for it. A microphone that is lost is
    /// reopened; events report it.
    ///
    /// Raises `AlreadyListening` if a session is open, `NoDevice` if there is no
    /// microphone, `PermissionDenied` if the app may not use it, `DeviceBusy` if another app has it, and `Capture` if the
    /// library has no microphone of its own: see `library_features`.
    #[uniffi::method(default(device = None, listener = None))]
    pub fn listen_to_microphone(
        &self,
        device: Option<String>,
        listener: Option<Arc<dyn FrameListener>>,
    ) -> Result<CaptureSession, Error> {
        let on_frame = frame_callback(listener, &self.handle.events);
        #[cfg(feature = "microphone")]
        let session = self.handle.start_session(|engine| {
            let microphone = device.map_or_else(capture::Microphone::default, |device| {
                capture::Microphone::named(device)
            });
            Ok(Session::new(engine.listen(microphone, on_frame)?, None))
        })?;
        #[cfg(not(feature = "microphone"))]
        let session = {
            drop((device, on_frame));
            self.handle
                .start_session(|_| Err(capture::CaptureError::NotBuiltIn.into()))?
        };
        Ok(CaptureSession {
            session,
            handle: Arc::downgrade(&self.handle),
        })
    }

    /// Marks a moment of the captured audio, because the recognizer was unsure or wrong. It is selected with the plan's
    /// probability and within its budget, and never without consent.
    ///
    /// Raises `Mark` if no session is open, sampling is blocked, or the moment is too old.
    pub fn mark(&self, moment: Moment) -> Result<MarkOutcome, Error> {
        self.handle.with_engine(|engine| Ok(engine.mark(moment)?))
    }
}

/// Capture from the microphone. Dropping it stops it.
#[derive(uniffi::Object)]
pub struct CaptureSession {
    session: Arc<Session>,
    handle: Weak<EngineHandle>,
}

#[uniffi::export]
impl CaptureSession {
    /// Closes the microphone, and waits until the selected clips are sealed and queued. Called from a listener,
    /// it does not wait. Stopping again has no effect.
    ///
    /// Raises `Capture` if the microphone had failed.
    pub fn stop(&self) -> Result<(), Error> {
        self.session.check_process()?;
        match self.handle.upgrade() {
            Some(handle) => handle.run(|| self.session.stop()),
            None => catch_panic(|| self.session.stop()),
        }
    }
}

/// An input device, for a person to choose from.
#[derive(uniffi::Record)]
pub struct InputDevice {
    /// The id for `listen_to_microphone`. A device that is reconnected keeps it.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// Whether it is the system's default.
    pub is_default: bool,
}

/// The available input devices.
///
/// Raises `NoDevice` if there is none or the sound service does not run, and `Capture` if the library has no microphone
/// of its own: see `library_features`.
#[uniffi::export]
pub fn input_devices() -> Result<Vec<InputDevice>, Error> {
    #[cfg(not(feature = "microphone"))]
    return Err(capture::CaptureError::NotBuiltIn.into());
    #[cfg(feature = "microphone")]
    catch_panic(|| {
        let devices = capture::input_devices()?.into_iter();
        Ok(devices
            .map(|device| InputDevice {
                id: device.id,
                name: device.name,
                is_default: device.is_default,
            })
            .collect())
    })
}
