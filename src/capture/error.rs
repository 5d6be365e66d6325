use super::wav::error::WavError;

/// Why audio cannot be captured.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CaptureError {
    /// The machine has no microphone, or its sound service is not running.
    #[error("no microphone: {reason}; connect one or start the sound service")]
    NoMicrophone {
        /// The system's message.
        reason: String,
    },
    /// The library was built without the feature `microphone`.
    #[error(
        "this library was built without the feature `microphone`; push the app's own audio through a `PcmWriter`, or \
         build with the feature"
    )]
    NotBuiltIn,
    /// The app has no permission to use the microphone.
    #[error(
        "no permission to use the microphone `{device}`; allow it in the system's privacy settings"
    )]
    NotPermitted {
        /// The microphone.
        device: String,
    },
    /// No input device has the requested name or id.
    #[error("no input device `{wanted}`; available: {present}")]
    NoSuchDevice {
        /// The requested name or id.
        wanted: String,
        /// The ids of the available devices, separated by commas.
        present: String,
    },
    /// Another app uses the device exclusively.
    #[error("the microphone `{device}` is in use by another app; close that app first")]
    Busy {
        /// The microphone.
        device: String,
    },
    /// The sample rate, the channel count or the sample format is not supported.
    #[error("cannot capture from `{device}`: {reason}")]
    Unsupported {
        /// The source.
        device: String,
        /// The unsupported property.
        reason: String,
    },
    /// The device stopped delivering, or could not be opened for another reason.
    #[error("`{device}` delivers no audio: {reason}")]
    DeviceLost {
        /// The source.
        device: String,
        /// The system's message.
        reason: String,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Wav(#[from] WavError),
}

impl CaptureError {
    /// Whether opening the same source again later can succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoMicrophone { .. }
            | Self::NotPermitted { .. }
            | Self::NoSuchDevice { .. }
            | Self::Busy { .. }
            | Self::DeviceLost { .. } => true,
            Self::NotBuiltIn | Self::Unsupported { .. } | Self::Wav(_) => false,
        }
    }
}
