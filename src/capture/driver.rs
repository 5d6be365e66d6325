//! What opens a source, takes its frames, and opens it anew when it went away.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use super::{
    CaptureError, CaptureEvent, CaptureHandler, Frame, ReadOutcome, Source, SourceStream,
    StreamStats,
};

/// Frames a second: 10 ms each, short enough for a recognizer to follow.
const FRAMES_PER_SECOND: u32 = 100;
/// The longest that capture sleeps while it waits for sound.
const MAX_SLEEP: Duration = Duration::from_millis(10);
/// Each kind of fault is reported no more often than this.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// How long to wait before a lost source is tried again: at once, then ever longer. The last is
/// short enough that a headset that is plugged in is heard soon.
const BACKOFF: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
    Duration::from_millis(3_000),
];
/// A source that held this long is trusted again; one that breaks sooner goes on waiting longer.
const STABLE_AFTER: Duration = Duration::from_secs(2);

/// Delivers the frames of a source to a sink.
pub struct Capture {
    source: Box<dyn Source>,
    stop: StopHandle,
}

/// Stops a [`Capture`], from any thread.
#[derive(Clone, Debug, Default)]
pub struct StopHandle(Arc<(Mutex<bool>, Condvar)>);

impl Capture {
    /// Nothing is opened yet.
    pub fn new(source: impl Source + 'static) -> Self {
        Self {
            source: Box::new(source),
            stop: StopHandle::default(),
        }
    }

    /// A handle that stops it.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Opens the source on this thread and delivers its frames until it ends or is stopped. Each
    /// frame is 10 ms long, or shorter where something was lost after it or the source ends.
    ///
    /// The source is closed and [`CaptureEvent::Ended`] was told when it returns `Ok`.
    ///
    /// # Errors
    /// The source could not be opened the first time, or is lost in a way that does not pass, such
    /// as a file with NaN in it.
    pub fn run(mut self, sink: &mut dyn CaptureHandler) -> Result<(), CaptureError> {
        let mut stream = self.source.open()?;
        sink.on_event(CaptureEvent::Opened(stream.format().clone()));
        let mut failures = 0;
        loop {
            let opened = Instant::now();
            let over = self.deliver(stream.as_mut(), sink);
            drop(stream);
            let error = match over {
                Ok(()) => break,
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            sink.on_event(CaptureEvent::Lost {
                reason: error.to_string(),
            });
            if opened.elapsed() >= STABLE_AFTER {
                failures = 0;
            }
            match self.reopen(&mut failures) {
                Some(anew) => stream = anew,
                None => break,
            }
            sink.on_event(CaptureEvent::Reopened(stream.format().clone()));
        }
        sink.on_event(CaptureEvent::Ended);
        Ok(())
    }

    /// Delivers frames until the stream ends or capture is stopped.
    fn deliver(
        &self,
        stream: &mut dyn SourceStream,
        sink: &mut dyn CaptureHandler,
    ) -> Result<(), CaptureError> {
        let rate = stream.format().rate;
        let frame_samples = (rate / FRAMES_PER_SECOND).max(1) as usize;
        let mut samples = Zeroizing::new(vec![0.0; frame_samples]);
        let mut position = 0;
        let mut told = FaultReporter::default();
        let over = loop {
            if self.stop.is_stopped() {
                break Ok(());
            }
            told.update(stream.stats(), sink);
            match stream.read(&mut samples) {
                Ok(ReadOutcome::Samples { count, lost }) => {
                    told.record_gap(lost, sink);
                    position += lost;
                    sink.on_frame(Frame {
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
        told.flush(stream.stats(), sink);
        over
    }

    /// Tries until it succeeds: what was open once can come back, whatever the system says while it
    /// is away. `None`: capture was stopped meanwhile.
    fn reopen(&mut self, failures: &mut usize) -> Option<Box<dyn SourceStream>> {
        loop {
            let wait = BACKOFF[(*failures).min(BACKOFF.len() - 1)];
            *failures += 1;
            if self.stop.sleep(wait) {
                return None;
            }
            match self.source.open() {
                Ok(stream) => return Some(stream),
                // The error names the device, which may be named after a person.
                Err(_) => tracing::debug!("the source is not back yet"),
            }
        }
    }
}

impl StopHandle {
    /// Ends [`Capture::run`] after the frame that it is at. Stopping twice does no harm.
    pub fn stop(&self) {
        let (stopped, changed) = &*self.0;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps that long or until it is stopped, and says whether it was.
    fn sleep(&self, time: Duration) -> bool {
        let (stopped, changed) = &*self.0;
        let guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let (guard, _) = changed
            .wait_timeout_while(guard, time, |stopped| !*stopped)
            .unwrap_or_else(PoisonError::into_inner);
        *guard
    }
}

/// Which faults of a stream the app was told of.
#[derive(Default)]
struct FaultReporter {
    lost: FaultCounter,
    /// Those that frames spoke of.
    lost_in_frames: u64,
    not_finite: FaultCounter,
}

impl FaultReporter {
    /// What the stream has counted. A loss is told of although no sound follows it yet.
    fn update(&mut self, faults: StreamStats, sink: &mut dyn CaptureHandler) {
        self.lost.happened = self.lost.happened.max(faults.lost);
        self.not_finite.happened = self.not_finite.happened.max(faults.non_finite);
        self.emit(sink);
    }

    /// What is lost before a frame, for streams that do not count.
    fn record_gap(&mut self, lost: u64, sink: &mut dyn CaptureHandler) {
        self.lost_in_frames += lost;
        self.lost.happened = self.lost.happened.max(self.lost_in_frames);
        self.emit(sink);
    }

    /// What was not told yet when the stream is over, such as a loss that no frame followed.
    fn flush(&mut self, faults: StreamStats, sink: &mut dyn CaptureHandler) {
        self.lost.last = None;
        self.not_finite.last = None;
        self.update(faults, sink);
    }

    fn emit(&mut self, sink: &mut dyn CaptureHandler) {
        if let Some(samples) = self.lost.take_due() {
            sink.on_event(CaptureEvent::Overrun { samples });
        }
        if let Some(samples) = self.not_finite.take_due() {
            sink.on_event(CaptureEvent::NonFinite { samples });
        }
    }
}

/// Samples of one kind of fault.
#[derive(Default)]
struct FaultCounter {
    happened: u64,
    told: u64,
    last: Option<Instant>,
}

impl FaultCounter {
    /// How many are to be told of now.
    fn take_due(&mut self) -> Option<u64> {
        let samples = self.happened - self.told;
        let is_recent = |last: Instant| last.elapsed() < REPORT_INTERVAL;
        if samples == 0 || self.last.is_some_and(is_recent) {
            return None;
        }
        self.told = self.happened;
        self.last = Some(Instant::now());
        Some(samples)
    }
}
