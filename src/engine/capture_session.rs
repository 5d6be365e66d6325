//! From a source to the sampler, on two threads of the engine's own.
//!
//! * `sordino-capture` opens the source, since some platforms' streams stay on their thread, gives
//!   each frame to the app and to the sampler, and never waits for anything but sound.
//! * `sordino-seal` anonymizes, seals and queues the clips that the sampler chose, one at a time: it
//!   may take a second, and the frames must not wait for it.

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

/// Clips that may wait for the one being sealed; a raw clip is some two megabytes.
const MAX_WAITING_CLIPS: usize = 2;
/// How old the answer to "may anything be sampled?" may get. A withdrawal does not wait for it.
const MAX_PERMIT_AGE: Duration = Duration::from_secs(1);

/// The sampler that listens, shared with those who mark and those who withdraw.
pub(super) type SharedSampler = Mutex<Option<Sampler>>;

/// An open source. Dropping it stops it and closes the source, unless a forked process does.
pub struct CaptureSession(ProcessOwned<Running>);

struct Running {
    inner: Arc<Inner>,
    stopper: StopHandle,
    capture: Option<Worker<Result<(), CaptureError>>>,
    seal: Option<Worker<()>>,
}

impl Sordino {
    /// Opens `source` and gives each frame to `on_frame`, on a thread of the engine's. Where consent
    /// and plan allow it, moments of what is heard become samples.
    ///
    /// # Errors
    /// The source could not be opened, or the engine listens already.
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

    /// Marks a moment of what is being heard, because the recognizer was unsure or wrong. It is
    /// taken with the plan's probability and within its budget, and without consent not at all.
    ///
    /// # Errors
    /// Nothing is being heard, or nothing may be sampled, or the moment is out of bounds or over.
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
            Worker::start("sordino-seal", move |visits| {
                seal_all(&inner, &to_seal, &visits);
            })?
        };
        let capture = {
            let inner = Arc::clone(self);
            Worker::start("sordino-capture", move |visits| {
                let mut ear = FrameDispatcher {
                    inner,
                    visits,
                    on_frame,
                    clips,
                    opened: Some(opened),
                    permit_checked: None,
                    blocked: WithheldReason::NoConsent,
                };
                let outcome = capture.run(&mut ear);
                ear.end();
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
            // The source went before it was open; the thread says why.
            Err(_) => listening.wait().and(Err(Error::SourceNotOpened)),
        }
    }
}

impl CaptureSession {
    /// Stops, closes the source, and waits until what was chosen is sealed and queued. Called by
    /// what is called with frames or events, it does not wait.
    ///
    /// # Errors
    /// What ended the source, if it had ended by itself; [`Error::ListenerBlocked`], [`Error::Forked`].
    pub fn stop(self) -> Result<(), Error> {
        self.0.get()?.stopper.stop();
        self.wait()
    }

    /// Waits for the source to end, and until what was chosen is sealed and queued; not when called
    /// by what is called with frames or events.
    ///
    /// # Errors
    /// What ended the source, if it was a fault; [`Error::ListenerBlocked`].
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
        // A listener of the app's stops or drops this on one of these very threads, which can wait
        // neither for itself nor for the other. Both end by themselves once the source has.
        if self.is_on_its_thread() {
            return Ok(());
        }
        self.join_threads().unwrap_or_else(|held| {
            // Nobody waits for the sound that is still there.
            self.inner.forbid();
            Err(held)
        })
    }

    fn is_on_its_thread(&self) -> bool {
        self.capture.as_ref().is_some_and(Worker::is_this_thread)
            || self.seal.as_ref().is_some_and(Worker::is_this_thread)
    }

    /// What the threads came to.
    fn join_threads(&mut self) -> Result<Result<(), Error>, Error> {
        let seal = self.seal.take();
        let captured = self.capture.take().map_or(Ok(Ok(Ok(()))), Worker::join)?;
        if let Some(seal) = seal {
            // It ends after the other. Its panics are caught inside, clip by clip.
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
        // Who wants the outcome calls `stop` or `wait`.
        let _ = self.join();
    }
}

impl Inner {
    pub(super) fn sampler(&self) -> MutexGuard<'_, Option<Sampler>> {
        self.sampler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of all sound that is held in memory, at once.
    pub(super) fn discard_audio(&self) {
        self.reviews.keep_only(None);
        self.forbid();
    }

    /// The sampler holds no sound until it is permitted anew.
    fn forbid(&self) {
        if let Some(sampler) = self.sampler().as_mut() {
            sampler.revoke();
        }
    }

    fn new_sampler(&self) -> Sampler {
        // Without a plan nothing is permitted, so that the numbers do not matter.
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

/// Hears the frames.
struct FrameDispatcher<F> {
    inner: Arc<Inner>,
    visits: Arc<CallbackWatchdog>,
    on_frame: F,
    clips: SyncSender<RawClip>,
    /// Dropped unsent where the source never opened.
    opened: Option<SyncSender<()>>,
    permit_checked: Option<(Instant, u64)>,
    /// Why nothing may be sampled, where nothing may.
    blocked: WithheldReason,
}

impl<F: FnMut(Frame<'_>)> CaptureHandler for FrameDispatcher<F> {
    fn on_frame(&mut self, frame: Frame<'_>) {
        self.refresh_permit();
        // The app's recognizer first; it may mark what it just heard.
        let (clips, given_up) = {
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
        self.visits.call(|| (self.on_frame)(frame));
        self.queue_clips(clips);
        self.emit_withheld(given_up);
    }

    fn on_event(&mut self, event: CaptureEvent) {
        if matches!(event, CaptureEvent::Opened(_))
            && let Some(opened) = self.opened.take()
        {
            let _ = opened.send(());
        }
        self.visits.call(|| self.inner.emit(&Event::Capture(event)));
    }
}

impl<F> FrameDispatcher<F> {
    /// Asks anew whether anything may be sampled, from time to time and after each change.
    fn refresh_permit(&mut self) {
        let version = self.inner.epoch();
        let is_fresh = self
            .permit_checked
            .is_some_and(|(asked, known)| known == version && asked.elapsed() < MAX_PERMIT_AGE);
        if is_fresh {
            return;
        }
        let leave = self
            .inner
            .sampling_permit()
            .unwrap_or(Err(WithheldReason::Failed));
        if let Err(reason) = leave {
            self.blocked = reason;
        }
        let leave = leave.ok();
        let changed = self
            .permit_checked
            .is_none_or(|(_, known)| known != version);
        let mut sampler = self.inner.sampler();
        if changed && leave.is_some() {
            // Another plan may ask for other moments.
            let anew = self.inner.new_sampler();
            match sampler.as_mut() {
                Some(sampler) if sampler.settings() == anew.settings() => {}
                Some(sampler) => sampler.reconfigure(anew),
                None => *sampler = Some(anew),
            }
        }
        if let Some(sampler) = sampler.as_mut() {
            match leave {
                None => sampler.revoke(),
                // A withdrawal while this was being asked has ended these grants too.
                Some(leave) => sampler.permit(leave.grants),
            }
        }
        self.permit_checked = Some((Instant::now(), version));
    }

    fn queue_clips(&self, clips: Vec<RawClip>) {
        for clip in clips {
            match self.clips.try_send(clip) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    self.visits.call(|| self.inner.emit(&Event::ClipDropped));
                }
            }
        }
    }

    /// The source has ended: what was being made is over, and no sound is held any more. These last
    /// clips may wait, since no frame does.
    fn end(&self) {
        let ended = self.inner.sampler().take();
        let (last, given_up) = ended.map_or_else(Default::default, |mut sampler| {
            (sampler.finish(), sampler.take_abandoned())
        });
        for clip in last {
            let _ = self.clips.send(clip);
        }
        self.emit_withheld(vec![WithheldReason::TooShort; given_up]);
    }

    /// An app that was told that its mark was chosen hears what came of it, also where that is nothing.
    fn emit_withheld(&self, reasons: Vec<WithheldReason>) {
        for reason in reasons {
            self.visits
                .call(|| self.inner.emit(&Event::Withheld(reason)));
        }
    }
}

impl<F> Drop for FrameDispatcher<F> {
    fn drop(&mut self) {
        // The app's callback panicked: no sound is held on, and the engine can listen anew.
        if thread::panicking() {
            *self.inner.sampler() = None;
        }
    }
}

/// Ends when the capture thread has let go of its end.
fn seal_all(inner: &Inner, clips: &Receiver<RawClip>, visits: &CallbackWatchdog) {
    for clip in clips {
        let event = match catch_unwind(AssertUnwindSafe(|| inner.sample(clip))) {
            Ok(Ok(offer)) => offer.into(),
            Ok(Err(error)) => Event::Failed(error.to_string()),
            Err(_) => Event::Failed("a stage panicked; the clip was wiped".to_owned()),
        };
        visits.call(|| inner.emit(&event));
    }
}
