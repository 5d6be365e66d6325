//! The microphone, through cpal.

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
    SupportedStreamConfig,
    traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _},
};

use super::{
    alsa_log::without_alsa_messages,
    callback::Producer,
    error::CaptureError,
    ring::{Consumer, ring},
    sample::Sample,
    source::{Format, ReadOutcome, Source, SourceStream, StreamStats, check_format},
};

/// How long a device may take to deliver its first samples; Bluetooth takes seconds.
const FIRST_SAMPLE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an open device may deliver no samples at all.
const STALL_TIMEOUT: Duration = Duration::from_secs(3);
/// How long to wait for a device to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A microphone as a source; the default one unless it is named.
#[derive(Debug, Default)]
pub struct Microphone {
    device: Option<String>,
}

/// An input device, as shown in a list to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputDevice {
    /// The id for [`Microphone::named`]. It stays the same when the device is reconnected.
    pub id: String,
    /// The name as the system shows it.
    pub name: String,
    /// Whether [`Microphone::default`] opens this device.
    pub is_default: bool,
    /// The minimum and the maximum sample rate, in Hz.
    pub rates: (u32, u32),
    /// The minimum and the maximum number of channels.
    pub channels: (u16, u16),
}

/// Lists the input devices that can be opened now.
///
/// # Errors
/// [`CaptureError::NoMicrophone`]: there is none, or the sound service is not running.
/// [`CaptureError::Unsupported`] on Android.
pub fn input_devices() -> Result<Vec<InputDevice>, CaptureError> {
    without_alsa_messages(find_all)
}

fn find_all() -> Result<Vec<InputDevice>, CaptureError> {
    let host = cpal::default_host();
    let default = host.default_input_device();
    let mut devices = Vec::new();
    let listed = list(&host, "default")?;
    // ALSA's default device need not be in its list.
    for device in default.clone().into_iter().chain(listed) {
        let is_default = default.as_ref() == Some(&device);
        if is_default && !devices.is_empty() {
            continue;
        }
        devices.extend(describe(&device, is_default));
    }
    if devices.is_empty() {
        return Err(CaptureError::NoMicrophone {
            reason: "the system lists no input device that can be opened".to_owned(),
        });
    }
    Ok(devices)
}

/// The devices that the system lists; `wanted` is the device name in an error.
fn list(
    host: &cpal::Host,
    wanted: &str,
) -> Result<impl Iterator<Item = Device> + use<>, CaptureError> {
    // On Android cpal calls Java through a handle that only an app's own native code sets, and panics without it.
    if cfg!(target_os = "android") {
        return Err(CaptureError::Unsupported {
            device: wanted.to_owned(),
            reason:
                "Android lists microphones to Java only; use the default microphone, or push the audio of an \
                     AudioRecord"
                    .to_owned(),
        });
    }
    host.input_devices()
        .map_err(|error| open_error(&error, wanted))
}

impl Microphone {
    /// The input device with this id or name, as [`input_devices`] lists them.
    pub fn named(device: impl Into<String>) -> Self {
        Self {
            device: Some(device.into()),
        }
    }

    fn find(&self) -> Result<Device, CaptureError> {
        let host = cpal::default_host();
        let Some(wanted) = &self.device else {
            return host
                .default_input_device()
                .ok_or_else(|| CaptureError::NoMicrophone {
                    reason: "the system has no default input device".to_owned(),
                });
        };
        let default = host.default_input_device();
        let listed = list(&host, wanted)?;
        let present: Vec<Device> = default.into_iter().chain(listed).collect();
        present
            .iter()
            .find(|device| id_of(device).as_ref() == Some(wanted))
            .or_else(|| present.iter().find(|device| device.to_string() == *wanted))
            .cloned()
            .ok_or_else(|| {
                let names: Vec<String> = present.iter().filter_map(id_of).collect();
                CaptureError::NoSuchDevice {
                    wanted: wanted.clone(),
                    present: names.join(", "),
                }
            })
    }
}

impl Source for Microphone {
    fn open(&mut self) -> Result<Box<dyn SourceStream>, CaptureError> {
        let stream = without_alsa_messages(|| self.start())?;
        Ok(Box::new(stream))
    }
}

impl Microphone {
    fn start(&self) -> Result<MicrophoneStream, CaptureError> {
        let device = self.find()?;
        let name = device.to_string();
        let config = choose_config(&device, &name)?;
        let (rate, channels) = (config.sample_rate(), config.channels());
        check_format(&name, rate, channels)?;

        let (producer, consumer) = ring(rate, channels);
        let errors = Arc::new(StreamErrors::default());
        let stream = build(&device, &config, producer, &errors)
            .and_then(|stream| stream.play().map(|()| stream))
            .map_err(|error| open_error(&error, &name))?;
        Ok(MicrophoneStream {
            stream: Some(stream),
            consumer,
            errors,
            format: Format {
                device: name,
                rate,
                channels,
            },
            has_delivered: false,
            last_delivery: Instant::now(),
        })
    }
}

struct MicrophoneStream {
    /// `None` only while it is being dropped.
    stream: Option<cpal::Stream>,
    consumer: Consumer,
    errors: Arc<StreamErrors>,
    format: Format,
    has_delivered: bool,
    last_delivery: Instant,
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
struct StreamErrors {
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

/// The default format of the device, unless that is a one-bit stream (DSD), which would need a decimator; then the best
/// of its other formats.
fn choose_config(device: &Device, name: &str) -> Result<SupportedStreamConfig, CaptureError> {
    let config = device
        .default_input_config()
        .map_err(|error| open_error(&error, name))?;
    if !config.sample_format().is_dsd() {
        return Ok(config);
    }
    device
        .supported_input_configs()
        .map_err(|error| open_error(&error, name))?
        .filter(|range| !range.sample_format().is_dsd())
        .max_by(|one, other| one.cmp_default_heuristics(other))
        .map(|range| range.with_standard_sample_rate())
        .ok_or_else(|| CaptureError::Unsupported {
            device: name.to_owned(),
            reason: "it supports only one-bit streams (DSD)".to_owned(),
        })
}

/// Opens the stream in the sample format of the device.
fn build(
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

fn describe(device: &Device, is_default: bool) -> Option<InputDevice> {
    let id = id_of(device)?;
    let mut ranges = device
        .supported_input_configs()
        .ok()?
        .filter(|range| !range.sample_format().is_dsd());
    let first = ranges.next()?;
    let mut rates = (first.min_sample_rate(), first.max_sample_rate());
    let mut channels = (first.channels(), first.channels());
    for range in ranges {
        rates.0 = rates.0.min(range.min_sample_rate());
        rates.1 = rates.1.max(range.max_sample_rate());
        channels.0 = channels.0.min(range.channels());
        channels.1 = channels.1.max(range.channels());
    }
    Some(InputDevice {
        id,
        name: device.to_string(),
        is_default,
        rates,
        channels,
    })
}

fn id_of(device: &Device) -> Option<String> {
    device.id().ok().map(|id| id.id().to_owned())
}

/// Converts an error on opening a device.
fn open_error(error: &cpal::Error, device: &str) -> CaptureError {
    let device = device.to_owned();
    match error.kind() {
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => CaptureError::NoMicrophone {
            reason: one_line(error),
        },
        ErrorKind::PermissionDenied => CaptureError::NotPermitted { device },
        ErrorKind::DeviceBusy => CaptureError::Busy { device },
        ErrorKind::UnsupportedConfig | ErrorKind::UnsupportedOperation => {
            CaptureError::Unsupported {
                device,
                reason: one_line(error),
            }
        }
        _ => CaptureError::DeviceLost {
            device,
            reason: one_line(error),
        },
    }
}

/// Converts an error of an open device, which is always transient.
fn stream_error(error: &cpal::Error, device: &str) -> CaptureError {
    match open_error(error, device) {
        CaptureError::Unsupported { device, reason } => CaptureError::DeviceLost { device, reason },
        other => other,
    }
}

fn one_line(error: &cpal::Error) -> String {
    error
        .to_string()
        .replace('\n', " ")
        .trim_end_matches('.')
        .to_owned()
}
