//! A capture session: from a source to the sampler, on two threads of the engine.
//!
//! * `sordino-capture` opens the source, since the streams of some platforms stay on their thread,
//!   passes each frame to the app and to the sampler, and waits for nothing but audio.
//! * `sordino-seal` anonymizes, seals and queues the clips that the sampler selected, one at a
//!   time: it may take a second, and frames must not wait for it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    Event, Inner, Sordino, WithheldReason,
    worker::{CallbackWatchdog, Worker},
};
use crate::{
    Error,
    capture::{Capture, CaptureError, CaptureEvent, CaptureHandler, Frame, Source, StopHandle},
    process::ProcessOwned,
    sampler::{MarkError, MarkOutcome, Moment, RawClip, Sampler, SamplerSettings},
};

/// The number of clips that may wait while one is being sealed; a raw clip is about two megabytes.
const MAX_WAITING_CLIPS: usize = 2;
/// The time for which a permit is cached. A withdrawal does not wait for it.
const MAX_PERMIT_AGE: Duration = Duration::from_secs(1);

/// The sampler of the session, shared with threads that mark or withdraw.
pub(super) type SharedSampler = Mutex<Option<Sampler>>;

/// A capture session in progress. Dropping it stops it and closes the source, except in a forked
/// process.
pub struct CaptureSession(ProcessOwned<Running>);

struct Running {
    inner: Arc<Inner>,
    stopper: StopHandle,
    capture: Option<Worker<Result<(), CaptureError>>>,
    seal: Option<Worker<()>>,
}

impl Sordino {
    /// Opens `source` and passes each frame to `on_frame`, on a thread of the engine. Where consent
    /// and plan allow it, moments of the audio become samples.
    ///
    /// # Errors
    /// The source could not be opened, or a session is already open.
    pub fn listen(
        &self,
        source: impl Source + 'static,
        on_frame: impl FnMut(Frame<'_>) + Send + 'static,
    ) -> Result<CaptureSession, Error> {
        let inner = self.inner()?;
        {
            let mut sampler = inner.sampler();
            if sampler.is_some() {
                return Err(Error::AlreadyListening);
            }
            *sampler = Some(inner.new_sampler());
        }
        let started = inner.start(source, on_frame);
        if started.is_err() {
            *inner.sampler() = None;
        }
        started
    }

    /// Marks a moment of the current session, because the recognizer was unsure or wrong. It is
    /// selected with the plan's probability, within the budget, and only with consent.
    ///
    /// # Errors
    /// No session is open, sampling is blocked, or the moment is out of bounds or over.
    pub fn mark(&self, moment: Moment) -> Result<MarkOutcome, MarkError> {
        let inner = self.inner().map_err(|_| MarkError::NotPermitted)?;
        inner
            .sampler()
            .as_mut()
            .ok_or(MarkError::NotListening)?
            .mark(moment)
    }
}

impl Inner {
    fn start(
        self: &Arc<Self>,
        source: impl Source + 'static,
        on_frame: impl FnMut(Frame<'_>) + Send + 'static,
    ) -> Result<CaptureSession, Error> {
        let capture = Capture::new(source);
        let stopper = capture.stop_handle();
        let (clips, to_seal) = mpsc::sync_channel(MAX_WAITING_CLIPS);
        let (opened, is_open) = mpsc::sync_channel(1);
        let seal = {
            let inner = Arc::clone(self);
            Worker::start("sordino-seal", move |watchdog| {
                seal_all(&inner, &to_seal, &watchdog);
            })?
        };
        let capture = {
            let inner = Arc::clone(self);
            Worker::start("sordino-capture", move |watchdog| {
                let mut dispatcher = FrameDispatcher {
                    inner,
                    watchdog,
                    on_frame,
                    clips,
                    opened: Some(opened),
                    permit_checked: None,
                    blocked: WithheldReason::NoConsent,
                };
                let outcome = capture.run(&mut dispatcher);
                dispatcher.end();
                outcome
            })?
        };
        let listening = CaptureSession(ProcessOwned::new(Running {
            inner: Arc::clone(self),
            stopper,
            capture: Some(capture),
            seal: Some(seal),
        }));
        match is_open.recv() {
            Ok(()) => Ok(listening),
            // The source ended before it was open; the thread's result says why.
            Err(_) => listening.wait().and(Err(Error::SourceNotOpened)),
        }
    }
}

impl CaptureSession {
    /// Stops the session, closes the source, and waits until the selected clips are sealed and
    /// queued. It does not wait if called from a callback.
    ///
    /// # Errors
    /// The fault that ended the source, if it had ended before; [`Error::ListenerBlocked`],
    /// [`Error::Forked`].
    pub fn stop(self) -> Result<(), Error> {
        self.0.get()?.stopper.stop();
        self.wait()
    }

    /// Waits for the source to end and until the selected clips are sealed and queued. It does not
    /// wait if called from a callback.
    ///
    /// # Errors
    /// The fault that ended the source, if any; [`Error::ListenerBlocked`].
    pub fn wait(mut self) -> Result<(), Error> {
        self.0.get_mut()?.join()
    }

    /// Whether the caller is on one of the two threads that call the app. [`Self::stop`] and [`Self::wait`] do not
    /// wait there, and waiting there for the source to take sound would never end.
    pub fn is_callback_thread(&self) -> bool {
        self.0.get().is_ok_and(Running::is_on_its_thread)
    }
}

impl Running {
    fn join(&mut self) -> Result<(), Error> {
        // A callback stops or drops the session on one of these threads, which can wait neither for
        // itself nor for the other. Both end by themselves once the source has.
        if self.is_on_its_thread() {
            return Ok(());
        }
        self.join_threads().unwrap_or_else(|held| {
            // The remaining audio is no longer wanted.
            self.inner.revoke();
            Err(held)
        })
    }

    fn is_on_its_thread(&self) -> bool {
        self.capture.as_ref().is_some_and(Worker::is_this_thread)
            || self.seal.as_ref().is_some_and(Worker::is_this_thread)
    }

    /// Joins the threads and returns their result.
    fn join_threads(&mut self) -> Result<Result<(), Error>, Error> {
        let seal = self.seal.take();
        let captured = self.capture.take().map_or(Ok(Ok(Ok(()))), Worker::join)?;
        if let Some(seal) = seal {
            // It ends after the capture thread. Its panics are caught per clip.
            let _ = seal.join()?;
        }
        Ok(match captured {
            Ok(outcome) => outcome.map_err(Error::from),
            Err(_) => Err(Error::Panicked),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        // The result is available through `stop` and `wait`.
        let _ = self.join();
    }
}

impl Inner {
    pub(super) fn sampler(&self) -> MutexGuard<'_, Option<Sampler>> {
        self.sampler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Discards all audio that is held in memory.
    pub(super) fn discard_audio(&self) {
        self.reviews.keep_only(None);
        self.revoke();
    }

    /// The sampler holds no audio until it is permitted again.
    fn revoke(&self) {
        if let Some(sampler) = self.sampler().as_mut() {
            sampler.revoke();
        }
    }

    fn new_sampler(&self) -> Sampler {
        // Without a plan nothing is permitted, so the values do not matter.
        let settings = self.plan().as_ref().map_or(
            SamplerSettings {
                clip_seconds: 10,
                pre_roll_seconds: 8,
                mark_probability: 0.0,
                random_probability: 0.0,
            },
            SamplerSettings::from,
        );
        Sampler::new(settings)
    }
}

/// Passes frames to the app and to the sampler.
struct FrameDispatcher<F> {
    inner: Arc<Inner>,
    watchdog: Arc<CallbackWatchdog>,
    on_frame: F,
    clips: SyncSender<RawClip>,
    /// Dropped without sending if the source never opened.
    opened: Option<SyncSender<()>>,
    permit_checked: Option<(Instant, u64)>,
    /// Why sampling is blocked, if it is.
    blocked: WithheldReason,
}

impl<F: FnMut(Frame<'_>)> CaptureHandler for FrameDispatcher<F> {
    fn on_frame(&mut self, frame: Frame<'_>) {
        self.refresh_permit();
        // The frame must be in the sampler when the recognizer marks it.
        let (clips, abandoned) = {
            let mut sampler = self.inner.sampler();
            sampler.as_mut().map_or_else(Default::default, |sampler| {
                let clips = sampler.feed(&frame);
                let reason = match sampler.is_permitted() {
                    true => WithheldReason::TooShort,
                    false => self.blocked,
                };
                (clips, vec![reason; sampler.take_abandoned()])
            })
        };
        self.watchdog.call(|| (self.on_frame)(frame));
        self.queue_clips(clips);
        self.emit_withheld(abandoned);
    }

    fn on_event(&mut self, event: CaptureEvent) {
        if matches!(event, CaptureEvent::Opened(_))
            && let Some(opened) = self.opened.take()
        {
            let _ = opened.send(());
        }
        self.watchdog
            .call(|| self.inner.emit(&Event::Capture(event)));
    }
}

impl<F> FrameDispatcher<F> {
    /// Checks whether sampling is allowed, periodically and after each change.
    fn refresh_permit(&mut self) {
        let version = self.inner.epoch();
        let is_fresh = self
            .permit_checked
            .is_some_and(|(asked, known)| known == version && asked.elapsed() < MAX_PERMIT_AGE);
        if is_fresh {
            return;
        }
        let permit = self
            .inner
            .sampling_permit()
            .unwrap_or(Err(WithheldReason::Failed));
        if let Err(reason) = permit {
            self.blocked = reason;
        }
        let permit = permit.ok();
        let changed = self
            .permit_checked
            .is_none_or(|(_, known)| known != version);
        let mut sampler = self.inner.sampler();
        if changed && permit.is_some() {
            // Another plan may have other settings.
            let new_sampler = self.inner.new_sampler();
            match sampler.as_mut() {
                Some(sampler) if sampler.settings() == new_sampler.settings() => {}
                Some(sampler) => sampler.reconfigure(new_sampler),
                None => *sampler = Some(new_sampler),
            }
        }
        if let Some(sampler) = sampler.as_mut() {
            match permit {
                None => sampler.revoke(),
                // A withdrawal during the check has revoked these grants too.
                Some(permit) => sampler.permit(permit.grants),
            }
        }
        self.permit_checked = Some((Instant::now(), version));
    }

    fn queue_clips(&self, clips: Vec<RawClip>) {
        for clip in clips {
            match self.clips.try_send(clip) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    self.watchdog.call(|| self.inner.emit(&Event::ClipDropped));
                }
            }
        }
    }

    /// The source has ended: clips in progress are finished, and no audio is held any more. Sending
    /// the last clips may block, since no frame waits.
    fn end(&self) {
        let ended = self.inner.sampler().take();
        let (last, abandoned) = ended.map_or_else(Default::default, |mut sampler| {
            (sampler.finish(), sampler.take_abandoned())
        });
        for clip in last {
            let _ = self.clips.send(clip);
        }
        self.emit_withheld(vec![WithheldReason::TooShort; abandoned]);
    }

    /// The app is notified of every selected mark, also if it does not become a sample.
    fn emit_withheld(&self, reasons: Vec<WithheldReason>) {
        for reason in reasons {
            self.watchdog
                .call(|| self.inner.emit(&Event::Withheld(reason)));
        }
    }
}

impl<F> Drop for FrameDispatcher<F> {
    fn drop(&mut self) {
        // A callback panicked: discard the audio, so that the engine can listen again.
        if thread::panicking() {
            *self.inner.sampler() = None;
        }
    }
}

/// Ends when the capture thread has dropped the sender.
fn seal_all(inner: &Inner, clips: &Receiver<RawClip>, watchdog: &CallbackWatchdog) {
    for clip in clips {
        let event = match catch_unwind(AssertUnwindSafe(|| inner.sample(clip))) {
            Ok(Ok(outcome)) => outcome.into(),
            Ok(Err(error)) => Event::Failed(error.to_string()),
            Err(_) => Event::Failed("a stage panicked; the clip was wiped".to_owned()),
        };
        watchdog.call(|| inner.emit(&event));
    }
}
