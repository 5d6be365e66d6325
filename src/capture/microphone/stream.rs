//! An open microphone.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::RecvTimeoutError,
    },
    time::{Duration, Instant},
};

use cpal::{
    BufferSize, Device, ErrorKind, SampleFormat, SizedSample, StreamConfig, StreamInstant,
    SupportedStreamConfig, traits::DeviceTrait as _,
};

use super::{CaptureError, open_error};
use crate::capture::{
    callback::Producer,
    ring::Consumer,
    sample::Sample,
    source::{Format, ReadOutcome, SourceStream, StreamStats},
};

/// The longest time until a device delivers its first samples; Bluetooth takes seconds.
const FIRST_SAMPLE_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time for which an open device may deliver no samples.
const STALL_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest time to wait for a device to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) struct MicrophoneStream {
    /// `None` only while it is being dropped.
    pub(super) stream: Option<cpal::Stream>,
    pub(super) consumer: Consumer,
    pub(super) errors: Arc<StreamErrors>,
    pub(super) format: Format,
    pub(super) has_delivered: bool,
    pub(super) last_delivery: Instant,
}

impl SourceStream for MicrophoneStream {
    fn format(&self) -> &Format {
        &self.format
    }

    fn read(&mut self, into: &mut [f32]) -> Result<ReadOutcome, CaptureError> {
        let read = self.consumer.read(into);
        if let ReadOutcome::Samples { .. } = read {
            self.has_delivered = true;
            self.last_delivery = Instant::now();
            return Ok(read);
        }
        // Checked only now, so that all samples from before the error are delivered.
        if let Some(error) = self.errors.broken.get() {
            return Err(stream_error(error, &self.format.device));
        }
        let timeout = if self.has_delivered {
            STALL_TIMEOUT
        } else {
            FIRST_SAMPLE_TIMEOUT
        };
        if self.last_delivery.elapsed() > timeout {
            return Err(CaptureError::DeviceLost {
                device: self.format.device.clone(),
                reason: format!("no samples for {} s", timeout.as_secs()),
            });
        }
        Ok(read)
    }

    fn stats(&self) -> StreamStats {
        self.consumer.stats()
    }
}

impl Drop for MicrophoneStream {
    /// Closes the device on a separate thread, so that capture can continue if that blocks. Closing joins the driver's
    /// thread, which may never return if the sound service has died: libpulse 16 deadlocks when the daemon exits while
    /// a block of its shared memory is in use.
    fn drop(&mut self) {
        let stream = self.stream.take();
        let (closed, is_closed) = std::sync::mpsc::channel::<()>();
        let closer = std::thread::Builder::new().name("sordino-close".to_owned());
        let started = closer.spawn(move || {
            drop(stream);
            drop(closed);
        });
        // The thread drops the sender, so this returns as soon as the device is closed.
        if started.is_ok()
            && is_closed.recv_timeout(CLOSE_TIMEOUT) == Err(RecvTimeoutError::Timeout)
        {
            tracing::warn!(
                "closing a lost microphone blocks in the sound service; continuing without it"
            );
        }
    }
}

/// The errors of cpal's error callback.
#[derive(Debug, Default)]
pub(super) struct StreamErrors {
    /// The driver lost samples before the callback.
    overrun: AtomicBool,
    /// The first error after which the stream cannot be used any more.
    broken: OnceLock<cpal::Error>,
}

impl StreamErrors {
    fn record(&self, error: cpal::Error) {
        match error.kind() {
            ErrorKind::Xrun => self.overrun.store(true, Ordering::Release),
            // Only the priority of the thread was refused.
            ErrorKind::RealtimeDenied => {}
            // Includes a change of route: the new device has another sample rate and another clock.
            _ => {
                let _ = self.broken.set(error);
            }
        }
    }
}

/// Opens the stream in the sample format of the device.
pub(super) fn build(
    device: &Device,
    config: &SupportedStreamConfig,
    producer: Producer,
    errors: &Arc<StreamErrors>,
) -> Result<cpal::Stream, cpal::Error> {
    let format = config.sample_format();
    let config = StreamConfig {
        channels: config.channels(),
        sample_rate: config.sample_rate(),
        // A fixed size halves the buffer of the PipeWire and PulseAudio plugins, which then lose samples.
        buffer_size: BufferSize::Default,
    };
    match format {
        SampleFormat::I8 => build_typed::<i8>(device, config, producer, errors),
        SampleFormat::U8 => build_typed::<u8>(device, config, producer, errors),
        SampleFormat::I16 => build_typed::<i16>(device, config, producer, errors),
        SampleFormat::U16 => build_typed::<u16>(device, config, producer, errors),
        SampleFormat::I24 => build_typed::<cpal::I24>(device, config, producer, errors),
        SampleFormat::U24 => build_typed::<cpal::U24>(device, config, producer, errors),
        SampleFormat::I32 => build_typed::<i32>(device, config, producer, errors),
        SampleFormat::U32 => build_typed::<u32>(device, config, producer, errors),
        SampleFormat::I64 => build_typed::<i64>(device, config, producer, errors),
        SampleFormat::U64 => build_typed::<u64>(device, config, producer, errors),
        SampleFormat::F32 => build_typed::<f32>(device, config, producer, errors),
        SampleFormat::F64 => build_typed::<f64>(device, config, producer, errors),
        _ => Err(cpal::Error::new(ErrorKind::UnsupportedConfig)),
    }
}

fn build_typed<S: Sample + SizedSample>(
    device: &Device,
    config: StreamConfig,
    mut producer: Producer,
    errors: &Arc<StreamErrors>,
) -> Result<cpal::Stream, cpal::Error> {
    let (in_callback, in_errors) = (errors.clone(), errors.clone());
    let rate = f64::from(config.sample_rate);
    let channels = usize::from(config.channels);
    // The end of the last callback's samples, by the clock of the device.
    let mut end: Option<StreamInstant> = None;
    device.build_input_stream::<S, _, _>(
        config,
        // REAL-TIME: see callback.rs.
        move |interleaved, info| {
            let start = info.timestamp().capture;
            if in_callback.overrun.swap(false, Ordering::AcqRel) {
                let gap = end.map_or(Duration::ZERO, |end| start.duration_since(end));
                // The driver does not say how much was lost; the clock does, and it is at least one sample.
                producer.report_dropped(((gap.as_secs_f64() * rate).round() as u64).max(1));
            }
            producer.push(interleaved);
            let length = (interleaved.len() / channels) as f64 / rate;
            end = start.checked_add(Duration::from_secs_f64(length));
        },
        move |error| in_errors.record(error),
        None,
    )
}

/// Converts an error of an open device, which is always transient.
fn stream_error(error: &cpal::Error, device: &str) -> CaptureError {
    match open_error(error, device) {
        CaptureError::Unsupported { device, reason } => CaptureError::DeviceLost { device, reason },
        other => other,
    }
}
