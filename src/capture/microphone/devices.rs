//! The input devices of the system.

use cpal::{
    Device,
    traits::{DeviceTrait as _, HostTrait as _},
};

use super::{CaptureError, open_error, without_alsa_messages};

/// An input device, as shown in a list to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputDevice {
    /// The id for [`Microphone::named`](super::Microphone::named). It stays the same when the device is reconnected.
    pub id: String,
    /// The name as the system shows it.
    pub name: String,
    /// Whether [`Microphone::default`](super::Microphone::default) opens this device.
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

/// The device with the id or name `wanted`; the default one without.
pub(super) fn find(wanted: Option<&str>) -> Result<Device, CaptureError> {
    let host = cpal::default_host();
    let Some(wanted) = wanted else {
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
        .find(|device| id_of(device).as_deref() == Some(wanted))
        .or_else(|| present.iter().find(|device| device.to_string() == wanted))
        .cloned()
        .ok_or_else(|| {
            let names: Vec<String> = present.iter().filter_map(id_of).collect();
            CaptureError::NoSuchDevice {
                wanted: wanted.to_owned(),
                present: names.join(", "),
            }
        })
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
