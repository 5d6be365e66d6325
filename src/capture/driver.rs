//! Opens a source, delivers its frames, and reopens it after it was lost.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use super::{
    error::CaptureError,
    frame::Frame,
    handler::{CaptureEvent, CaptureHandler},
    source::{ReadOutcome, Source, SourceStream, StreamStats},
};

/// Frames per second: 10 ms each, short enough for a real-time recognizer.
const FRAMES_PER_SECOND: u32 = 100;
/// The maximum time that capture sleeps while it waits for samples.
const MAX_SLEEP: Duration = Duration::from_millis(10);
/// The minimum time between two reports of the same kind of fault.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// The delays before a lost source is reopened. The last is short enough that a headset is used soon after it is
/// plugged in.
const BACKOFF: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
    Duration::from_millis(3_000),
];
/// A source that was open for this long is stable, and the backoff starts over; one that breaks earlier continues it.
const STABLE_AFTER: Duration = Duration::from_secs(2);

/// Delivers the frames of a source to a handler.
pub struct Capture {
    source: Box<dyn Source>,
    stop: StopHandle,
}

/// Stops a [`Capture`], from any thread.
#[derive(Clone, Debug, Default)]
pub struct StopHandle(Arc<(Mutex<bool>, Condvar)>);

impl Capture {
    /// Does not open the source yet; [`Self::run`] does.
    pub fn new(source: impl Source + 'static) -> Self {
        Self {
            source: Box::new(source),
            stop: StopHandle::default(),
        }
    }

    /// A handle that stops this capture.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Opens the source on this thread and delivers its frames until it ends or capture is stopped. Each frame is 10 ms
    /// long, or shorter before lost samples and at the end.
    ///
    /// When it returns `Ok`, the source is closed and [`CaptureEvent::Ended`] was delivered.
    ///
    /// # Errors
    /// The source could not be opened the first time, or was lost permanently, such as a file that contains NaN.
    pub fn run(mut self, handler: &mut dyn CaptureHandler) -> Result<(), CaptureError> {
        let mut stream = self.source.open()?;
        handler.on_event(CaptureEvent::Opened(stream.format().clone()));
        let mut failures = 0;
        loop {
            let opened = Instant::now();
            let result = self.deliver(stream.as_mut(), handler);
            drop(stream);
            let error = match result {
                Ok(()) => break,
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            handler.on_event(CaptureEvent::Lost {
                reason: error.to_string(),
            });
            if opened.elapsed() >= STABLE_AFTER {
                failures = 0;
            }
            match self.reopen(&mut failures) {
                Some(reopened) => stream = reopened,
                None => break,
            }
            handler.on_event(CaptureEvent::Reopened(stream.format().clone()));
        }
        handler.on_event(CaptureEvent::Ended);
        Ok(())
    }

    /// Delivers frames until the stream ends or capture is stopped.
    fn deliver(
        &self,
        stream: &mut dyn SourceStream,
        handler: &mut dyn CaptureHandler,
    ) -> Result<(), CaptureError> {
        let rate = stream.format().rate;
        let frame_samples = (rate / FRAMES_PER_SECOND).max(1) as usize;
        let mut samples = Zeroizing::new(vec![0.0; frame_samples]);
        let mut position = 0;
        let mut reporter = FaultReporter::default();
        let result = loop {
            if self.stop.is_stopped() {
                break Ok(());
            }
            reporter.update(stream.stats(), handler);
            match stream.read(&mut samples) {
                Ok(ReadOutcome::Samples { count, lost }) => {
                    reporter.record_gap(lost, handler);
                    position += lost;
                    handler.on_frame(Frame {
                        samples: &samples[..count],
                        rate,
                        position,
                        lost,
                    });
                    position += count as u64;
                }
                Ok(ReadOutcome::Pending(time)) => {
                    self.stop.sleep(time.min(MAX_SLEEP));
                }
                Ok(ReadOutcome::Ended) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        reporter.flush(stream.stats(), handler);
        result
    }

    /// Retries until it succeeds: a device that was open once can come back, whatever error the system returns
    /// meanwhile. `None` if capture was stopped.
    fn reopen(&mut self, failures: &mut usize) -> Option<Box<dyn SourceStream>> {
        loop {
            let wait = BACKOFF[(*failures).min(BACKOFF.len() - 1)];
            *failures += 1;
            if self.stop.sleep(wait) {
                return None;
            }
            match self.source.open() {
                Ok(stream) => return Some(stream),
                // The error is not logged: it contains the name of the device, which may be that of a person.
                Err(_) => tracing::debug!("cannot reopen the source yet"),
            }
        }
    }
}

impl StopHandle {
    /// Ends [`Capture::run`] after the current frame. Idempotent.
    pub fn stop(&self) {
        let (stopped, changed) = &*self.0;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Whether capture was stopped.
    pub fn is_stopped(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps for `time` or until capture is stopped; returns whether it was stopped.
    fn sleep(&self, time: Duration) -> bool {
        let (stopped, changed) = &*self.0;
        let guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let (guard, _) = changed
            .wait_timeout_while(guard, time, |stopped| !*stopped)
            .unwrap_or_else(PoisonError::into_inner);
        *guard
    }
}

/// Reports the faults of a stream to the handler, at a limited rate.
#[derive(Default)]
struct FaultReporter {
    lost: FaultCounter,
    /// The sum of [`Frame::lost`].
    lost_in_frames: u64,
    non_finite: FaultCounter,
}

impl FaultReporter {
    /// Takes the counts of the stream, which include losses that no frame followed yet.
    fn update(&mut self, stats: StreamStats, handler: &mut dyn CaptureHandler) {
        self.lost.total = self.lost.total.max(stats.lost);
        self.non_finite.total = self.non_finite.total.max(stats.non_finite);
        self.emit(handler);
    }

    /// Records samples that were lost before a frame, for streams that do not count.
    fn record_gap(&mut self, lost: u64, handler: &mut dyn CaptureHandler) {
        self.lost_in_frames += lost;
        self.lost.total = self.lost.total.max(self.lost_in_frames);
        self.emit(handler);
    }

    /// Reports at the end of the stream what was not reported yet, such as a loss that no frame followed.
    fn flush(&mut self, stats: StreamStats, handler: &mut dyn CaptureHandler) {
        self.lost.last_report = None;
        self.non_finite.last_report = None;
        self.update(stats, handler);
    }

    fn emit(&mut self, handler: &mut dyn CaptureHandler) {
        if let Some(samples) = self.lost.take_due() {
            handler.on_event(CaptureEvent::Overrun { samples });
        }
        if let Some(samples) = self.non_finite.take_due() {
            handler.on_event(CaptureEvent::NonFinite { samples });
        }
    }
}

/// Samples with one kind of fault.
#[derive(Default)]
struct FaultCounter {
    total: u64,
    reported: u64,
    last_report: Option<Instant>,
}

impl FaultCounter {
    /// The number of samples to report now.
    fn take_due(&mut self) -> Option<u64> {
        let samples = self.total - self.reported;
        let is_recent = |last: Instant| last.elapsed() < REPORT_INTERVAL;
        if samples == 0 || self.last_report.is_some_and(is_recent) {
            return None;
        }
        self.reported = self.total;
        self.last_report = Some(Instant::now());
        Some(samples)
    }
}
