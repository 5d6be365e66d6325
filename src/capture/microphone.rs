//! The machine's microphone, through cpal.

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
    CaptureError, Format, ReadOutcome, Sample, Source, SourceStream, StreamStats,
    alsa_log::without_alsa_messages,
    callback::Producer,
    check_format,
    ring::{Consumer, ring},
};

/// How long a device may need from opening to its first sound; Bluetooth takes seconds.
const FIRST_SAMPLE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an open device may be silent in the sense of delivering nothing at all.
const STALL_TIMEOUT: Duration = Duration::from_secs(3);
/// How long closing a device is waited for.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The machine's microphone as a source.
#[derive(Debug, Default)]
pub struct Microphone {
    device: Option<String>,
}

/// An input device, for a person to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputDevice {
    /// What [`Microphone::named`] takes, and stays the same when the device comes back.
    pub id: String,
    /// What a person knows it by.
    pub name: String,
    /// Whether it is the one that [`Microphone::default`] opens.
    pub is_default: bool,
    /// The lowest and the highest rate it delivers, in Hz.
    pub rates: (u32, u32),
    /// The fewest and the most channels it delivers.
    pub channels: (u16, u16),
}

/// The input devices that can be opened now.
///
/// # Errors
/// [`CaptureError::NoMicrophone`]: there is none, or the sound service does not run.
/// [`CaptureError::Unsupported`] on Android.
pub fn input_devices() -> Result<Vec<InputDevice>, CaptureError> {
    without_alsa_messages(find_all)
}

fn find_all() -> Result<Vec<InputDevice>, CaptureError> {
    let host = cpal::default_host();
    let default = host.default_input_device();
    let mut found = Vec::new();
    let listed = list(&host, "default")?;
    // ALSA's default is a name that its list need not hold.
    for device in default.clone().into_iter().chain(listed) {
        let is_default = default.as_ref() == Some(&device);
        if is_default && !found.is_empty() {
            continue;
        }
        found.extend(describe(&device, is_default));
    }
    if found.is_empty() {
        return Err(CaptureError::NoMicrophone {
            reason: "the system lists no input device that can be opened".to_owned(),
        });
    }
    Ok(found)
}

/// The devices that the system lists; `wanted` is whom an error is about.
fn list(
    host: &cpal::Host,
    wanted: &str,
) -> Result<impl Iterator<Item = Device> + use<>, CaptureError> {
    // There cpal asks Java through a handle that only an app's own native code sets, and panics without.
    if cfg!(target_os = "android") {
        return Err(CaptureError::Unsupported {
            device: wanted.to_owned(),
            reason:
                "Android lists microphones to Java only; take the default one, or push what an \
                     AudioRecord records"
                    .to_owned(),
        });
    }
    host.input_devices()
        .map_err(|error| open_error(&error, wanted))
}

impl Microphone {
    /// The input device with this id or name, as [`devices`] lists them.
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

        let (intake, outlet) = ring(rate, channels);
        let signals = Arc::new(StreamErrors::default());
        let stream = build(&device, &config, intake, &signals)
            .and_then(|stream| stream.play().map(|()| stream))
            .map_err(|error| open_error(&error, &name))?;
        Ok(MicrophoneStream {
            stream: Some(stream),
            outlet,
            signals,
            format: Format {
                device: name,
                rate,
                channels,
            },
            heard: false,
            last_sound: Instant::now(),
        })
    }
}

struct MicrophoneStream {
    /// `None` only while it is being dropped.
    stream: Option<cpal::Stream>,
    outlet: Consumer,
    signals: Arc<StreamErrors>,
    format: Format,
    heard: bool,
    last_sound: Instant,
}

impl SourceStream for MicrophoneStream {
    fn format(&self) -> &Format {
        &self.format
    }

    fn read(&mut self, into: &mut [f32]) -> Result<ReadOutcome, CaptureError> {
        let read = self.outlet.read(into);
        if let ReadOutcome::Samples { .. } = read {
            self.heard = true;
            self.last_sound = Instant::now();
            return Ok(read);
        }
        // Only now, so that all that came before the device went away is delivered.
        if let Some(error) = self.signals.broken.get() {
            return Err(stream_error(error, &self.format.device));
        }
        let patience = if self.heard {
            STALL_TIMEOUT
        } else {
            FIRST_SAMPLE_TIMEOUT
        };
        if self.last_sound.elapsed() > patience {
            return Err(CaptureError::DeviceLost {
                device: self.format.device.clone(),
                reason: format!("no sound arrived for {} s", patience.as_secs()),
            });
        }
        Ok(read)
    }

    fn stats(&self) -> StreamStats {
        self.outlet.faults()
    }
}

impl Drop for MicrophoneStream {
    /// Closes the device on a thread of its own. Closing joins the driver's thread, and where the
    /// sound service died that one may never return: libpulse 16 deadlocks when the daemon goes
    /// while a block of shared memory is borrowed from it. Capture has to go on nevertheless.
    fn drop(&mut self) {
        let stream = self.stream.take();
        let (closed, is_closed) = std::sync::mpsc::channel::<()>();
        let closer = std::thread::Builder::new().name("sordino-close".to_owned());
        let started = closer.spawn(move || {
            drop(stream);
            drop(closed);
        });
        // The sender goes with the thread, so this ends as soon as the device is closed.
        if started.is_ok()
            && is_closed.recv_timeout(CLOSE_TIMEOUT) == Err(RecvTimeoutError::Timeout)
        {
            tracing::warn!("the sound service does not let go of a microphone that went away");
        }
    }
}

/// What cpal's error callback tells.
#[derive(Debug, Default)]
struct StreamErrors {
    /// The driver lost sound before the callback could get it.
    overrun: AtomicBool,
    /// The stream is of no more use; the first reason.
    broken: OnceLock<cpal::Error>,
}

impl StreamErrors {
    fn note(&self, error: cpal::Error) {
        match error.kind() {
            ErrorKind::Xrun => self.overrun.store(true, Ordering::Release),
            // Only the thread's priority was refused.
            ErrorKind::RealtimeDenied => {}
            // Also a change of route: the new device has a rate and a clock of its own.
            _ => {
                let _ = self.broken.set(error);
            }
        }
    }
}

/// The device's own default, or else the first of its formats that holds samples: one-bit streams
/// (DSD) would need a decimator, and what offers them offers samples too.
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
            reason: "it delivers only one-bit streams (DSD)".to_owned(),
        })
}

/// Opens the stream in the device's own sample format.
fn build(
    device: &Device,
    config: &SupportedStreamConfig,
    intake: Producer,
    signals: &Arc<StreamErrors>,
) -> Result<cpal::Stream, cpal::Error> {
    let format = config.sample_format();
    let config = StreamConfig {
        channels: config.channels(),
        sample_rate: config.sample_rate(),
        // The driver knows best: a size forced on PipeWire's or PulseAudio's plugin halves its
        // buffer and loses sound.
        buffer_size: BufferSize::Default,
    };
    match format {
        SampleFormat::I8 => build_typed::<i8>(device, config, intake, signals),
        SampleFormat::U8 => build_typed::<u8>(device, config, intake, signals),
        SampleFormat::I16 => build_typed::<i16>(device, config, intake, signals),
        SampleFormat::U16 => build_typed::<u16>(device, config, intake, signals),
        SampleFormat::I24 => build_typed::<cpal::I24>(device, config, intake, signals),
        SampleFormat::U24 => build_typed::<cpal::U24>(device, config, intake, signals),
        SampleFormat::I32 => build_typed::<i32>(device, config, intake, signals),
        SampleFormat::U32 => build_typed::<u32>(device, config, intake, signals),
        SampleFormat::I64 => build_typed::<i64>(device, config, intake, signals),
        SampleFormat::U64 => build_typed::<u64>(device, config, intake, signals),
        SampleFormat::F32 => build_typed::<f32>(device, config, intake, signals),
        SampleFormat::F64 => build_typed::<f64>(device, config, intake, signals),
        _ => Err(cpal::Error::new(ErrorKind::UnsupportedConfig)),
    }
}

fn build_typed<S: Sample + SizedSample>(
    device: &Device,
    config: StreamConfig,
    mut intake: Producer,
    signals: &Arc<StreamErrors>,
) -> Result<cpal::Stream, cpal::Error> {
    let (in_callback, in_errors) = (signals.clone(), signals.clone());
    let rate = f64::from(config.sample_rate);
    let channels = usize::from(config.channels);
    // When the sound that the callback got last was over, by the device's clock.
    let mut heard_until: Option<StreamInstant> = None;
    device.build_input_stream::<S, _, _>(
        config,
        // REAL-TIME: see callback.rs.
        move |interleaved, info| {
            let begins = info.timestamp().capture;
            if in_callback.overrun.swap(false, Ordering::AcqRel) {
                let silent = heard_until.map_or(Duration::ZERO, |end| begins.duration_since(end));
                // The driver does not say how much it lost; the clock tells, and it was not nothing.
                intake.report_dropped(((silent.as_secs_f64() * rate).round() as u64).max(1));
            }
            intake.push(interleaved);
            let length = (interleaved.len() / channels) as f64 / rate;
            heard_until = begins.checked_add(Duration::from_secs_f64(length));
        },
        move |error| in_errors.note(error),
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

/// Why a device could not be opened.
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

/// Why an open device is of no more use; unlike a refusal it can always pass.
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
