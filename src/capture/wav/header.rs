//! The header of a file: where the samples are, and how they are coded.

use super::{
    container::{self, ByteOrder},
    error::HeaderError,
    format::{self, WavFormat},
};

/// The header of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) format: WavFormat,
    pub(super) order: ByteOrder,
    /// The position of the first sample, in bytes.
    pub(super) start: u64,
    /// The number of complete frames, at least one.
    pub(super) frames: u64,
}

impl Header {
    /// Reads the header of a file of `length` bytes; any bytes are safe to read.
    pub(super) fn read(
        file: &mut (impl std::io::Read + std::io::Seek),
        length: u64,
    ) -> Result<Self, HeaderError> {
        let layout = container::locate(file, length)?;
        let format = format::parse(&layout.format, layout.order)?;
        let block = format.block() as u64;
        let present = length.saturating_sub(layout.start).min(layout.declared);
        // If less than a frame is missing, the last frame was cut off; other readers drop it too.
        if !layout.is_open && layout.declared - present >= block {
            return Err(HeaderError::Truncated {
                declared: layout.declared,
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
