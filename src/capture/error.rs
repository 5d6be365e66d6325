use super::WavError;

/// Why nothing can be captured.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CaptureError {
    /// The machine has no microphone, or its sound service does not run.
    #[error("no microphone: {reason}; connect one or start the sound service")]
    NoMicrophone {
        /// What the system says.
        reason: String,
    },
    /// This build of the library has no microphone of its own: its feature `microphone` is off.
    #[error(
        "this library was built without the feature `microphone`: push what the app records into a feed, or use a \
         library that has the feature"
    )]
    NotBuiltIn,
    /// The system does not let this app listen.
    #[error("the microphone `{device}` may not be used: allow it in the system's privacy settings")]
    NotPermitted {
        /// Which microphone.
        device: String,
    },
    /// No input device has that name or id.
    #[error("no input device `{wanted}`; there are: {present}")]
    NoSuchDevice {
        /// What was asked for.
        wanted: String,
        /// The names of those present, separated by commas.
        present: String,
    },
    /// Another app holds the device.
    #[error("the microphone `{device}` is in use by another app; close that first")]
    Busy {
        /// Which microphone.
        device: String,
    },
    /// A rate, a channel count or a sample format that cannot be taken.
    #[error("`{device}` cannot be captured: {reason}")]
    Unsupported {
        /// Which source.
        device: String,
        /// What is wrong.
        reason: String,
    },
    /// An open device stopped delivering, or one could not be opened for a reason of its own.
    #[error("`{device}` does not deliver: {reason}")]
    DeviceLost {
        /// Which source.
        device: String,
        /// What the system says.
        reason: String,
    },
    /// A file that cannot be played.
    #[error(transparent)]
    Wav(#[from] WavError),
}

impl CaptureError {
    /// Whether opening the source again later may succeed without anybody changing the call.
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
