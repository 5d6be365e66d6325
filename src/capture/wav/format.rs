//! The format chunk: `PCMWAVEFORMAT`, `WAVEFORMATEX` and `WAVEFORMATEXTENSIBLE` (Microsoft, "Multiple channel audio
//! data and WAVE files").
//!
//! A sample occupies whole bytes, and its valid bits are the highest: 20 bits in 24, or 24 in 32 in the extensible
//! format, are read as an integer of 24 or 32 bits whose lowest bits are zero.

use sordino_dsp::INPUT_RATES;

use super::{container::ByteOrder, error::HeaderError};
use crate::hex;

/// The coding of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// With its origin at 128, as all 8-bit integers in WAV.
    Unsigned8,
    /// Signed integers of 2 to 4 bytes.
    Signed(u8),
    Float32,
    Float64,
    ALaw,
    MuLaw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WavFormat {
    pub(super) coding: Coding,
    pub(super) channels: u16,
    pub(super) rate: u32,
}

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
const EXTENSIBLE: u16 = 0xFFFE;

/// The last 14 bytes of a `SubFormat` GUID whose first two are a format tag: Microsoft's, and that of ambisonics.
const SUBFORMATS: [[u8; 14]; 2] = [
    [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71],
    [
        0, 0, 0x21, 0x07, 0xD3, 0x11, 0x86, 0x44, 0xC8, 0xC1, 0xCA, 0, 0, 0,
    ],
];

/// Parses the content of a format chunk.
pub(super) fn parse(chunk: &[u8], order: ByteOrder) -> Result<WavFormat, HeaderError> {
    let short = || HeaderError::ShortFormat(chunk.len());
    let field = |at: usize| -> Result<u16, HeaderError> {
        let bytes = chunk.get(at..at + 2).ok_or_else(short)?;
        Ok(order.u16([bytes[0], bytes[1]]))
    };
    let [tag, channels, _, _, _, _, block, bits] = {
        let mut fields = [0; 8];
        for (at, value) in fields.iter_mut().enumerate() {
            *value = field(2 * at)?;
        }
        fields
    };
    let rate = order.u32([chunk[4], chunk[5], chunk[6], chunk[7]]);
    let tag = match tag {
        EXTENSIBLE => subformat(chunk.get(24..40).ok_or_else(short)?, order)?,
        tag => tag,
    };
    let coding = coding(tag, bits)?;
    if channels == 0 {
        return Err(HeaderError::NoChannels);
    }
    if !INPUT_RATES.contains(&rate) {
        return Err(HeaderError::Rate(rate));
    }
    let format = WavFormat {
        coding,
        channels,
        rate,
    };
    // Some writers set it to 0. Any other value means a coding that is not supported.
    if block != 0 && usize::from(block) != format.block() {
        return Err(HeaderError::Block {
            block,
            channels,
            bits,
        });
    }
    Ok(format)
}

/// The format tag in a `SubFormat` GUID, whose first three fields are in the byte order of the file.
fn subformat(guid: &[u8], order: ByteOrder) -> Result<u16, HeaderError> {
    let mut guid: [u8; 16] = guid.try_into().expect("its caller takes 16 bytes");
    if order == ByteOrder::Big {
        guid[..4].reverse();
        guid[4..6].reverse();
        guid[6..8].reverse();
    }
    let (tag, rest) = guid.split_at(2);
    if SUBFORMATS.iter().any(|known| known == rest) {
        return Ok(u16::from_le_bytes([tag[0], tag[1]]));
    }
    let digits = hex::encode(&guid);
    Err(HeaderError::Coding(format!("subformat {digits}")))
}

fn coding(tag: u16, bits: u16) -> Result<Coding, HeaderError> {
    match (tag, bits) {
        (PCM, 8) => Ok(Coding::Unsigned8),
        (PCM, 9..=32) => Ok(Coding::Signed(bits.div_ceil(8) as u8)),
        (FLOAT, 32) => Ok(Coding::Float32),
        (FLOAT, 64) => Ok(Coding::Float64),
        (A_LAW, 8) => Ok(Coding::ALaw),
        (MU_LAW, 8) => Ok(Coding::MuLaw),
        (PCM | FLOAT | A_LAW | MU_LAW, bits) => Err(HeaderError::Bits { bits }),
        (tag, _) => Err(HeaderError::Coding(match name_of(tag) {
            Some(name) => format!("{name} (format 0x{tag:04X})"),
            None => format!("format 0x{tag:04X}"),
        })),
    }
}

/// The codings that occur in WAV files.
fn name_of(tag: u16) -> Option<&'static str> {
    Some(match tag {
        0x0002 => "Microsoft ADPCM",
        0x0011 => "IMA ADPCM",
        0x0022 => "TrueSpeech",
        0x0031 | 0x0032 => "GSM 6.10",
        0x0040 | 0x0045 | 0x0064 => "G.726 ADPCM",
        0x0050 => "MPEG audio",
        0x0055 => "MP3",
        0x0092 | 0x2000 => "AC-3",
        0x00FF | 0x1600 | 0x1610 | 0x706D => "AAC",
        0x0160..=0x0163 => "Windows Media Audio",
        0x674F..=0x6771 => "Vorbis",
        0x704F => "Opus",
        0xF1AC => "FLAC",
        _ => return None,
    })
}

impl WavFormat {
    /// Bytes per frame.
    pub(super) fn block(self) -> usize {
        self.coding.bytes() * usize::from(self.channels)
    }
}

impl Coding {
    /// Bytes per sample.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Unsigned8 | Self::ALaw | Self::MuLaw => 1,
            Self::Signed(bytes) => usize::from(bytes),
            Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }
}
