//! What opens a source, takes its frames, and opens it anew when it went away.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use super::{CaptureError, CaptureEvent, Faults, Frame, Read, Sink, Source, SourceStream};

/// Frames a second: 10 ms each, short enough for a recognizer to follow.
const FRAMES_A_SECOND: u32 = 100;
/// The longest that capture sleeps while it waits for sound.
const LONGEST_NAP: Duration = Duration::from_millis(10);
/// Each kind of fault is reported no more often than this.
const FAULTS_TOLD_EVERY: Duration = Duration::from_secs(1);

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
const STEADY_AFTER: Duration = Duration::from_secs(2);

/// Delivers the frames of a source to a sink.
pub struct Capture {
    source: Box<dyn Source>,
    stop: Stopper,
}

/// Stops a [`Capture`], from any thread.
#[derive(Clone, Debug, Default)]
pub struct Stopper(Arc<(Mutex<bool>, Condvar)>);

impl Capture {
    /// Nothing is opened yet.
    pub fn new(source: impl Source + 'static) -> Self {
        Self {
            source: Box::new(source),
            stop: Stopper::default(),
        }
    }

    /// A handle that stops it.
    pub fn stopper(&self) -> Stopper {
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
    pub fn run(mut self, sink: &mut dyn Sink) -> Result<(), CaptureError> {
        let mut stream = self.source.open()?;
        sink.event(CaptureEvent::Opened(stream.format().clone()));
        let mut failures = 0;
        loop {
            let opened = Instant::now();
            let over = self.deliver(stream.as_mut(), sink);
            drop(stream);
            let error = match over {
                Ok(()) => break,
                Err(error) if error.may_pass() => error,
                Err(error) => return Err(error),
            };
            sink.event(CaptureEvent::Lost {
                reason: error.to_string(),
            });
            if opened.elapsed() >= STEADY_AFTER {
                failures = 0;
            }
            match self.reopen(&mut failures) {
                Some(anew) => stream = anew,
                None => break,
            }
            sink.event(CaptureEvent::Reopened(stream.format().clone()));
        }
        sink.event(CaptureEvent::Ended);
        Ok(())
    }

    /// Delivers frames until the stream ends or capture is stopped.
    fn deliver(
        &self,
        stream: &mut dyn SourceStream,
        sink: &mut dyn Sink,
    ) -> Result<(), CaptureError> {
        let rate = stream.format().rate;
        let frame_samples = (rate / FRAMES_A_SECOND).max(1) as usize;
        let mut samples = Zeroizing::new(vec![0.0; frame_samples]);
        let mut position = 0;
        let mut told = Told::default();
        let over = loop {
            if self.stop.is_stopped() {
                break Ok(());
            }
            told.faults(stream.faults(), sink);
            match stream.read(&mut samples) {
                Ok(Read::Samples { count, lost }) => {
                    told.gap(lost, sink);
                    position += lost;
                    sink.frame(Frame {
                        samples: &samples[..count],
                        rate,
                        position,
                        lost,
                    });
                    position += count as u64;
                }
                Ok(Read::Later(time)) => {
                    self.stop.sleep(time.min(LONGEST_NAP));
                }
                Ok(Read::Ended) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        told.rest(stream.faults(), sink);
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

impl Stopper {
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
struct Told {
    lost: Count,
    /// Those that frames spoke of.
    lost_in_frames: u64,
    not_finite: Count,
}

impl Told {
    /// What the stream has counted. A loss is told of although no sound follows it yet.
    fn faults(&mut self, faults: Faults, sink: &mut dyn Sink) {
        self.lost.happened = self.lost.happened.max(faults.lost);
        self.not_finite.happened = self.not_finite.happened.max(faults.not_finite);
        self.tell(sink);
    }

    /// What is lost before a frame, for streams that do not count.
    fn gap(&mut self, lost: u64, sink: &mut dyn Sink) {
        self.lost_in_frames += lost;
        self.lost.happened = self.lost.happened.max(self.lost_in_frames);
        self.tell(sink);
    }

    /// What was not told yet when the stream is over, such as a loss that no frame followed.
    fn rest(&mut self, faults: Faults, sink: &mut dyn Sink) {
        self.lost.last = None;
        self.not_finite.last = None;
        self.faults(faults, sink);
    }

    fn tell(&mut self, sink: &mut dyn Sink) {
        if let Some(samples) = self.lost.due() {
            sink.event(CaptureEvent::Overrun { samples });
        }
        if let Some(samples) = self.not_finite.due() {
            sink.event(CaptureEvent::NotFinite { samples });
        }
    }
}

/// Samples of one kind of fault.
#[derive(Default)]
struct Count {
    happened: u64,
    told: u64,
    last: Option<Instant>,
}

impl Count {
    /// How many are to be told of now.
    fn due(&mut self) -> Option<u64> {
        let samples = self.happened - self.told;
        let is_recent = |last: Instant| last.elapsed() < FAULTS_TOLD_EVERY;
        if samples == 0 || self.last.is_some_and(is_recent) {
            return None;
        }
        self.told = self.happened;
        self.last = Some(Instant::now());
        Some(samples)
    }
}
