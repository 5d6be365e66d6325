//! What a file says of its sound: where it is, and how it is coded.

use super::{
    container::{self, ByteOrder},
    format::{self, Format},
};

/// Why a header is not believed, in one line each. What another program could read says how to convert it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeaderError {
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    #[error("it is no WAV file: no RIFF header at its start")]
    NotRiff,
    #[error("it is no WAV file but another kind of RIFF file")]
    NotWave,
    #[error("it is truncated: it ends within the header, or was never a WAV file")]
    EndsInHeader,
    #[error(
        "it is truncated: its header promises {promised} bytes of sound, and {present} are there; \
         `{CONVERT}` keeps those"
    )]
    Truncated { promised: u64, present: u64 },
    #[error("there is not one sample in it")]
    Empty,
    #[error(
        "it is no WAV file that can be read: its sound comes before its format; `{CONVERT}` may help"
    )]
    NoFormat,
    #[error("it is damaged: no chunk of a WAV file is at byte {0}; `{CONVERT}` may help")]
    NoChunk(u64),
    #[error("it has several `data` chunks, of which one can be read; convert it: `{CONVERT}`")]
    SeveralSounds,
    #[error("it has no channel")]
    NoChannel,
    #[error(
        "a rate of {0} Hz is outside 8000 to 384000 Hz; resample it: `ffmpeg -i IN -ar 48000 OUT.wav`"
    )]
    Rate(u32),
    #[error(
        "{bits} bits a sample cannot be read; integers of 8 to 32 bits, floats of 32 and 64, A-law and µ-law of 8 can; \
         convert it: `{CONVERT}`"
    )]
    Bits { bits: u16 },
    #[error(
        "its header contradicts itself: {block} bytes a frame, not those of {channels} × {bits} bits; \
         `{CONVERT}` may help"
    )]
    Block {
        block: u16,
        channels: u16,
        bits: u16,
    },
    #[error("its format has {0} bytes, too few to say how its sound is coded")]
    ShortFormat(usize),
    #[error("its sound is {0}, which cannot be read; convert it: `{CONVERT}`")]
    Coding(String),
}

/// What turns whatever ffmpeg reads into what is read here.
pub(super) const CONVERT: &str = "ffmpeg -i IN -c:a pcm_s16le OUT.wav";

/// Where the sound is and how it is coded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) format: Format,
    pub(super) order: ByteOrder,
    /// The first byte of the sound.
    pub(super) start: u64,
    /// Whole frames, at least one.
    pub(super) frames: u64,
}

impl Header {
    /// Reads it from a file of `length` bytes, whatever it says.
    pub(super) fn read(
        file: &mut (impl std::io::Read + std::io::Seek),
        length: u64,
    ) -> Result<Self, HeaderError> {
        let layout = container::locate(file, length)?;
        let format = format::parse(&layout.format, layout.order)?;
        let block = format.block() as u64;
        let present = length.saturating_sub(layout.start).min(layout.declared);
        // Less than a frame short is a last frame that was cut off; other readers drop it too.
        if !layout.is_open && layout.declared - present >= block {
            return Err(HeaderError::Truncated {
                promised: layout.declared,
                present,
            });
        }
        match present / block {
            0 => Err(HeaderError::Empty),
            frames => Ok(Self {
                format,
                order: layout.order,
                start: layout.start,
                frames,
            }),
        }
    }
}
