//! The microphone, through cpal.

mod devices;
mod stream;

use std::{sync::Arc, time::Instant};

use cpal::{
    Device, ErrorKind, SupportedStreamConfig,
    traits::{DeviceTrait as _, StreamTrait as _},
};

pub use devices::{InputDevice, input_devices};
use stream::{MicrophoneStream, StreamErrors, build};

use super::{
    alsa_log::without_alsa_messages,
    error::CaptureError,
    ring::ring,
    source::{Format, Source, SourceStream, check_format},
};

/// A microphone as a source; the default one unless it is named.
#[derive(Debug, Default)]
pub struct Microphone {
    device: Option<String>,
}

impl Microphone {
    /// The input device with this id or name, as [`input_devices`] lists them.
    pub fn named(device: impl Into<String>) -> Self {
        Self {
            device: Some(device.into()),
        }
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
        let device = devices::find(self.device.as_deref())?;
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

fn one_line(error: &cpal::Error) -> String {
    error
        .to_string()
        .replace('\n', " ")
        .trim_end_matches('.')
        .to_owned()
}
