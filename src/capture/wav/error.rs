use std::{
    fmt::Display,
    path::{Path, PathBuf},
};

/// A WAV file cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct WavError {
    /// The file.
    pub path: PathBuf,
    /// The reason, in one line.
    pub reason: String,
}

impl WavError {
    pub(super) fn new(path: &Path, reason: impl Display) -> Self {
        Self {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// Why a header is refused, in one line each. Where another program may be able to read the file, the message says how
/// to convert it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeaderError {
    #[error("cannot read it: {0}")]
    Unreadable(String),
    #[error("it is not a WAV file: no RIFF header at its start")]
    NotRiff,
    #[error("it is not a WAV file but another kind of RIFF file")]
    NotWave,
    #[error("it is truncated within the header, or not a WAV file")]
    EndsInHeader,
    #[error(
        "it is truncated: its header declares {declared} bytes of samples, and {present} are there; \
         `{CONVERT}` keeps those"
    )]
    Truncated { declared: u64, present: u64 },
    #[error("it has no samples")]
    Empty,
    #[error("its `data` chunk comes before its `fmt ` chunk; `{CONVERT}` may help")]
    NoFormat,
    #[error("it is damaged: there is no chunk at byte {0}; `{CONVERT}` may help")]
    NoChunk(u64),
    #[error("it has several `data` chunks, of which only one can be read; convert it: `{CONVERT}`")]
    SeveralDataChunks,
    #[error("it has no channels")]
    NoChannels,
    #[error(
        "a sample rate of {0} Hz is outside 8000 to 384000 Hz; resample it: `ffmpeg -i IN -ar 48000 OUT.wav`"
    )]
    Rate(u32),
    #[error(
        "{bits} bits per sample are not supported; supported are 8 to 32-bit integers, 32 and 64-bit floats, 8-bit A-law and \
         µ-law; convert it: `{CONVERT}`"
    )]
    Bits { bits: u16 },
    #[error(
        "its header is inconsistent: {block} bytes per frame do not match {channels} × {bits} bits; `{CONVERT}` may help"
    )]
    Block {
        block: u16,
        channels: u16,
        bits: u16,
    },
    #[error("its `fmt ` chunk is too short: {0} bytes")]
    ShortFormat(usize),
    #[error("its coding, {0}, is not supported; convert it: `{CONVERT}`")]
    Coding(String),
}

/// The command that converts any file that ffmpeg reads to one that is supported here.
pub(super) const CONVERT: &str = "ffmpeg -i IN -c:a pcm_s16le OUT.wav";
