//! [`EngineHandle`]: every call into the engine goes through it. It closes the engine permanently after a panic.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use sordino::{OwnerProcess, Sordino};

use crate::{error::Error, listeners::EventSink, panics::catch_panic, session::Session};

pub(crate) struct EngineHandle {
    process: OwnerProcess,
    /// `None` once it is closed.
    engine: RwLock<Option<Sordino>>,
    pub(crate) events: Arc<EventSink>,
    /// The capture session in progress. Locked while one starts, so that `close` always finds it.
    session: Mutex<Weak<Session>>,
}

impl EngineHandle {
    pub(crate) fn new(engine: Sordino, events: Arc<EventSink>) -> Arc<Self> {
        Arc::new(Self {
            process: OwnerProcess::current(),
            engine: RwLock::new(Some(engine)),
            events,
            session: Mutex::default(),
        })
    }

    /// Calls `work` with the engine. No lock is held during the call, which may be slow or call the engine again.
    ///
    /// # Errors
    /// Those of `work`, [`Error::Closed`], and [`Error::Internal`] if it panicked.
    pub(crate) fn with_engine<T>(
        &self,
        work: impl FnOnce(&Sordino) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.run(|| {
            let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
            let engine = engine.clone().ok_or_else(Error::closed)?;
            work(&engine)
        })
    }

    /// Starts a capture session.
    pub(crate) fn start_session(
        &self,
        start: impl FnOnce(&Sordino) -> Result<Arc<Session>, Error>,
    ) -> Result<Arc<Session>, Error> {
        self.with_engine(|engine| {
            let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            // It may have been closed in the meantime.
            let is_open = self.is_open();
            let started = start(is_open.then_some(engine).ok_or_else(Error::closed)?)?;
            *session = Arc::downgrade(&started);
            Ok(started)
        })
    }

    /// # Errors
    /// [`Error::Closed`]: this process was forked from the one that opened the engine. It takes no lock, since another
    /// thread of that process may have held it.
    pub(crate) fn check_process(&self) -> Result<(), Error> {
        Ok(self.process.check()?)
    }

    /// Calls `work`. A panic in it closes the engine, since its state may be inconsistent.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.check_process()?;
        let outcome = catch_panic(work);
        if matches!(outcome, Err(Error::Internal { .. })) {
            // The panic is the error to report, not how the session ended.
            let _ = catch_panic(|| self.close());
        }
        outcome
    }

    /// Stops listening and drops the engine, which releases the state folder.
    ///
    /// # Errors
    /// The capture session had failed.
    pub(crate) fn close(&self) -> Result<(), Error> {
        let session = {
            let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
            engine.take();
            session.upgrade()
        };
        let stopped = session.map_or(Ok(()), |session| session.stop());
        self.events.set_listener(None);
        stopped
    }

    fn is_open(&self) -> bool {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        engine.is_some()
    }
}
