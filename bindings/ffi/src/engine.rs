//! [`Engine`] and its lifetime. The modules for capture, consent and so on add its other methods.

use std::{path::Path, sync::Arc};

use sordino::Sordino;

use crate::{error::Error, handle::EngineHandle, listeners::EventListener, panics::catch_panic};

/// The engine of one device. It captures audio for the app's recognizer and, only if the person has
/// consented, makes anonymous, encrypted samples of it.
///
/// It may be called from many threads. Only one engine at a time can open a state folder; `close`
/// releases the folder at once, without waiting for a garbage collector. A bug inside raises
/// `Internal` and closes the engine; a new one can be opened on the folder.
///
/// It belongs to the process that opened it. In a process forked from that one every call raises `Closed`
/// and touches no state.
#[derive(uniffi::Object)]
pub struct Engine {
    pub(crate) handle: Arc<EngineHandle>,
}

#[uniffi::export]
impl Engine {
    /// Stops capture, seals the selected clips, and releases the state folder. Every later call
    /// raises `Closed`. Closing again has no effect.
    ///
    /// Raises the error of the capture session if that had failed; the engine is closed nevertheless.
    pub fn close(&self) -> Result<(), Error> {
        self.handle.run(|| self.handle.close())
    }

    /// Sets the listener for events, which is called on the thread on which an event happens; `null` removes it. It has
    /// no effect in a process forked from the one that opened the engine.
    pub fn set_event_listener(&self, listener: Option<Arc<dyn EventListener>>) {
        if self.handle.check_process().is_ok() {
            self.handle.events.set_listener(listener);
        }
    }
}

/// Erases all state in a folder, even if it is corrupt: consent, samples, keys. Consent records that were
/// registered with the collector are withdrawn; the next engine on the folder sends that. The folder must not be open
/// in an engine.
///
/// Returns whether the plan was kept. It is lost if the folder was corrupt, and must then be installed
/// again.
///
/// Raises `State` if the folder is open or a newer version wrote it, and `NoState` if the folder holds no state.
#[uniffi::export]
pub fn reset(folder: String) -> Result<bool, Error> {
    catch_panic(|| Ok(Sordino::reset(Path::new(&folder))?))
}
