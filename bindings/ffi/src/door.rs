//! The one way to the engine, which shuts for good once something behind it has panicked.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
};

use crate::{Error, callbacks::Events, listening::Heard, process::OwnerProcess};
use sordino::Sordino;

pub(crate) struct Door {
    process: OwnerProcess,
    /// `None` once it was shut.
    engine: RwLock<Option<Sordino>>,
    pub(crate) events: Arc<Events>,
    /// What is being heard. Locked while listening starts, so that shutting misses nothing.
    heard: Mutex<Weak<Heard>>,
}

impl Door {
    pub(crate) fn new(engine: Sordino, events: Arc<Events>) -> Arc<Self> {
        Arc::new(Self {
            process: OwnerProcess::current(),
            engine: RwLock::new(Some(engine)),
            events,
            heard: Mutex::default(),
        })
    }

    /// Has the engine do `work`. No lock is held meanwhile: it may take its time, or call back.
    ///
    /// # Errors
    /// Those of `work`, [`Error::Closed`], and [`Error::Internal`] where it panicked.
    pub(crate) fn pass<T>(
        &self,
        work: impl FnOnce(&Sordino) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.guard(|| {
            let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
            let engine = engine.clone().ok_or_else(Error::shut_down)?;
            work(&engine)
        })
    }

    /// Has the engine `start` to hear.
    pub(crate) fn hear(
        &self,
        start: impl FnOnce(&Sordino) -> Result<Arc<Heard>, Error>,
    ) -> Result<Arc<Heard>, Error> {
        self.pass(|engine| {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            // It may have been shut since.
            let is_open = self.is_open();
            let started = start(is_open.then_some(engine).ok_or_else(Error::shut_down)?)?;
            *heard = Arc::downgrade(&started);
            Ok(started)
        })
    }

    /// # Errors
    /// [`Error::Closed`]: this process was forked from the one that opened the engine. No lock is taken then,
    /// since another thread of that process may have held it.
    pub(crate) fn check_process(&self) -> Result<(), Error> {
        Ok(self.process.check()?)
    }

    /// Does `work`; a panic in it is our defect, after which nothing is known to be whole.
    pub(crate) fn guard<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.check_process()?;
        let outcome = caught(work);
        if matches!(outcome, Err(Error::Internal(_))) {
            // What listening had ended by is beside the point now.
            let _ = caught(|| self.shut());
        }
        outcome
    }

    /// Stops listening and lets go of the engine, and with it of the state folder.
    ///
    /// # Errors
    /// What was being heard had ended by a fault.
    pub(crate) fn shut(&self) -> Result<(), Error> {
        let heard = {
            let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
            engine.take();
            heard.upgrade()
        };
        let stopped = heard.map_or(Ok(()), |heard| heard.stop());
        self.events.listen(None);
        stopped
    }

    fn is_open(&self) -> bool {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        engine.is_some()
    }
}

/// Does `work`; a panic in it becomes [`Error::Internal`].
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // Whatever it left half done is let go of by `Door::guard`.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(Error::Internal(format!(
            "a defect in Sordino: {}; the engine is closed, open it again and report this",
            said(&*panic)
        )))
    })
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it panicked without a word")
}
