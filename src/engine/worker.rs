//! Threads of the engine that call the app's callbacks, which may never return.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::Error;

/// The longest time that a callback may block a thread that is to end.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The interval at which [`Worker::join`] checks the watchdog.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

pub(super) struct Worker<T> {
    handle: JoinHandle<T>,
    /// Disconnected when the thread ends.
    ended: Receiver<()>,
    watchdog: Arc<CallbackWatchdog>,
}

impl<T: Send + 'static> Worker<T> {
    pub(super) fn start(
        name: &str,
        body: impl FnOnce(Arc<CallbackWatchdog>) -> T + Send + 'static,
    ) -> Result<Self, Error> {
        let (ends, ended) = mpsc::channel::<()>();
        let watchdog = Arc::new(CallbackWatchdog::default());
        let handle = {
            let watchdog = Arc::clone(&watchdog);
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || {
                    let outcome = body(watchdog);
                    drop(ends);
                    outcome
                })
                .map_err(Error::Thread)?
        };
        Ok(Self {
            handle,
            ended,
            watchdog,
        })
    }

    pub(super) fn is_this_thread(&self) -> bool {
        self.handle.thread().id() == thread::current().id()
    }

    /// Waits for the thread to end.
    ///
    /// # Errors
    /// A callback has blocked the thread for five seconds: the thread is detached and ends when the
    /// callback returns.
    pub(super) fn join(self) -> Result<thread::Result<T>, Error> {
        while self.ended.recv_timeout(POLL_INTERVAL) == Err(RecvTimeoutError::Timeout) {
            if self.watchdog.elapsed() > TIMEOUT {
                return Err(Error::ListenerBlocked);
            }
        }
        Ok(self.handle.join())
    }
}

/// Measures how long a thread has been in a callback of the app.
#[derive(Default)]
pub(super) struct CallbackWatchdog(Mutex<Option<Instant>>);

impl CallbackWatchdog {
    /// Calls a callback of the app.
    pub(super) fn call<T>(&self, call: impl FnOnce() -> T) -> T {
        /// Runs after a panic too.
        struct Restore<'a>(&'a CallbackWatchdog, Option<Instant>);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                *self.0.lock() = self.1;
            }
        }
        let before = self.lock().replace(Instant::now());
        let _back = Restore(self, before);
        call()
    }

    fn elapsed(&self) -> Duration {
        self.lock().map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
