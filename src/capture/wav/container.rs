//! The containers: RIFF and its big-endian form RIFX; RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088), whose `ds64` chunk
//! has the sizes above 4 GiB; W64, whose chunks have GUIDs as names and are padded to 8 bytes. An ID3v2 tag before them
//! is skipped.
//!
//! No size in a header is trusted beyond the end of the file, and none determines an allocation.

use std::io::{ErrorKind, Read, Seek, SeekFrom};

use super::error::HeaderError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// The chunks of a container that matter here.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) order: ByteOrder,
    /// The content of the format chunk, its first [`MAX_FORMAT_BYTES`] bytes.
    pub(super) format: Vec<u8>,
    pub(super) start: u64,
    /// The declared bytes of samples; up to the end of the file if `is_open`.
    pub(super) declared: u64,
    /// Whether the writer did not know the size, as one that writes to a pipe.
    pub(super) is_open: bool,
}

/// The size of `WAVEFORMATEXTENSIBLE`, in bytes; what follows it is ignored.
const MAX_FORMAT_BYTES: u64 = 40;
/// Writers to a pipe declare the maximum of a signed or unsigned 32-bit size, less headers and rounding: sox
/// 0x7FFFF000, arecord 0x80000000, ffmpeg 0xFFFFFFFF. Sizes from here on mean that the size is unknown.
const MIN_OPEN_SIZE: u64 = 0x7FFF_0000;
/// The maximum 64-bit size; higher ones mean that the size is unknown.
const MAX_LONG_SIZE: u64 = i64::MAX as u64 - 0xFFFF;
/// The maximum number of chunks, more than any program writes; each costs a read.
const MAX_CHUNKS: usize = 10_000;

/// Known chunk ids, by which the start of the next chunk is recognized after a pad byte or an empty chunk.
const KNOWN_CHUNKS: [&[u8; 4]; 18] = [
    b"data", b"fmt ", b"LIST", b"fact", b"bext", b"JUNK", b"junk", b"PAD ", b"FLLR", b"cue ",
    b"PEAK", b"iXML", b"id3 ", b"ID3 ", b"smpl", b"inst", b"axml", b"chna",
];

/// The last 12 bytes of the GUIDs of a W64 file: of `riff`, and of its other chunks.
const W64_RIFF: [u8; 12] = [
    0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00,
];
const W64_CHUNK: [u8; 12] = [
    0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A,
];

/// Finds the format and the samples in a file of `length` bytes.
pub(super) fn locate(file: &mut (impl Read + Seek), length: u64) -> Result<Layout, HeaderError> {
    let mut bytes = Bytes { file, length };
    let start = bytes.id3_bytes()?;
    let magic: [u8; 12] = bytes.at(start)?.ok_or(HeaderError::EndsInHeader)?;
    let (id, kind) = (&magic[..4], &magic[8..]);
    let order = match id {
        b"RIFF" | b"RF64" | b"BW64" => ByteOrder::Little,
        b"RIFX" => ByteOrder::Big,
        b"riff" if bytes.at(start + 4)? == Some(W64_RIFF) => return w64(&mut bytes, start),
        _ => return Err(HeaderError::NotRiff),
    };
    if kind != b"WAVE" {
        return Err(HeaderError::NotWave);
    }
    let mut riff = Riff {
        bytes,
        order,
        // The end of the container, from the start of the file.
        end: (start + 8).saturating_add(u64::from(
            order.u32([magic[4], magic[5], magic[6], magic[7]]),
        )),
        long_data: None,
        is_long: matches!(id, b"RF64" | b"BW64"),
    };
    riff.locate(start + 12)
}

struct Riff<'a, F> {
    bytes: Bytes<'a, F>,
    order: ByteOrder,
    end: u64,
    is_long: bool,
    /// Bytes of samples, from `ds64`.
    long_data: Option<u64>,
}

impl<F: Read + Seek> Riff<'_, F> {
    fn locate(&mut self, first: u64) -> Result<Layout, HeaderError> {
        let mut format = None;
        let mut at = first;
        for _ in 0..MAX_CHUNKS {
            let Some((id, size)) = self.chunk(at)? else {
                break;
            };
            let body = at + 8;
            match &id {
                b"fmt " if format.is_none() => {
                    format = Some(self.bytes.format(body, u64::from(size))?)
                }
                b"ds64" if self.is_long => {
                    // After the size of the whole file.
                    self.long_data = self.bytes.at(body + 8)?.map(u64::from_le_bytes);
                }
                b"data" => {
                    let format = format.ok_or(HeaderError::NoFormat)?;
                    return self.data_chunk(format, body, size);
                }
                // A wrong size before led to a place without a chunk.
                _ if !is_name(&id) => return Err(HeaderError::NoChunk(at)),
                _ => {}
            }
            at = self.after(body, u64::from(size))?;
        }
        Err(HeaderError::EndsInHeader)
    }

    fn data_chunk(
        &mut self,
        format: Vec<u8>,
        start: u64,
        size: u32,
    ) -> Result<Layout, HeaderError> {
        let present = self.bytes.length - start;
        let declared = match self.long_data {
            // Even if the chunk has a size, as in libsndfile.
            Some(long) if long > 0 => long,
            _ => u64::from(size),
        };
        let is_open = match declared {
            0 => self.is_unfinished(start)?,
            _ if declared <= present => false,
            // From a `ds64` chunk: only a size that no file can have.
            _ if declared > u64::from(u32::MAX) => declared > MAX_LONG_SIZE,
            _ => declared >= MIN_OPEN_SIZE,
        };
        let layout = Layout {
            order: self.order,
            format,
            start,
            declared: if is_open { present } else { declared },
            is_open,
        };
        if !is_open && declared > 0 && self.has_more_data(start, declared)? {
            return Err(HeaderError::SeveralDataChunks);
        }
        Ok(layout)
    }

    /// Whether a size of 0 was never filled in: that of the container was not either, or no chunk follows.
    fn is_unfinished(&mut self, start: u64) -> Result<bool, HeaderError> {
        let is_open = self.end <= start || self.end >= MIN_OPEN_SIZE + 8;
        Ok(match self.chunk(start)? {
            Some((id, _)) if KNOWN_CHUNKS.contains(&&id) => false,
            Some((id, size)) => {
                is_open || !is_name(&id) || u64::from(size) > self.bytes.length - start
            }
            None => is_open,
        })
    }

    /// Whether another `data` chunk follows. Other chunks after the samples are ignored.
    fn has_more_data(&mut self, start: u64, size: u64) -> Result<bool, HeaderError> {
        let mut at = self.after(start, size)?;
        for _ in 0..MAX_CHUNKS {
            match self.chunk(at)? {
                Some((id, size)) if &id == b"data" && size > 0 => return Ok(true),
                Some((id, size)) if is_name(&id) => at = self.after(at + 8, u64::from(size))?,
                _ => break,
            }
        }
        Ok(false)
    }

    fn chunk(&mut self, at: u64) -> Result<Option<([u8; 4], u32)>, HeaderError> {
        let head: Option<[u8; 8]> = self.bytes.at(at)?;
        Ok(head.map(|[a, b, c, d, size @ ..]| ([a, b, c, d], self.order.u32(size))))
    }

    /// The position of the chunk after one with `size` bytes at `body`. A chunk of odd size has a pad byte, which some
    /// writers omit.
    fn after(&mut self, body: u64, size: u64) -> Result<u64, HeaderError> {
        let end = body.saturating_add(size);
        if size.is_multiple_of(2) {
            return Ok(end);
        }
        let padded = end.saturating_add(1);
        let at_end: Option<[u8; 4]> = self.bytes.at(end)?;
        let behind: Option<[u8; 4]> = self.bytes.at(padded)?;
        // A pad byte is zero, which no chunk id contains.
        let has_no_pad = at_end.is_some_and(|id| is_name(&id))
            && !behind.is_some_and(|id| KNOWN_CHUNKS.contains(&&id));
        Ok(if has_no_pad { end } else { padded })
    }
}

/// Whether it is a valid chunk id: four printable characters.
fn is_name(id: &[u8; 4]) -> bool {
    id.iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// Reads the chunks of a W64 file: a GUID and a 64-bit size, which includes the 24 bytes of both.
fn w64<F: Read + Seek>(bytes: &mut Bytes<'_, F>, start: u64) -> Result<Layout, HeaderError> {
    const HEAD: u64 = 24;
    let guid_of = |id: &[u8; 4], guid: &[u8]| guid[..4] == *id && guid[4..] == W64_CHUNK;
    let wave: Option<[u8; 16]> = bytes.at(start + HEAD)?;
    if !wave.is_some_and(|guid| guid_of(b"wave", &guid)) {
        return Err(HeaderError::NotWave);
    }
    let end = bytes
        .at(start + 16)?
        .map_or(0, u64::from_le_bytes)
        .saturating_add(start);
    let mut format = None;
    let mut layout: Option<Layout> = None;
    let mut at = start + HEAD + 16;
    for _ in 0..MAX_CHUNKS {
        let Some(head) = bytes.at::<24>(at)? else {
            break;
        };
        let (guid, size) = head.split_at(16);
        let size = u64::from_le_bytes(size.try_into().expect("24 bytes less 16"));
        let body = at + HEAD;
        let size = size.saturating_sub(HEAD);
        if guid_of(b"fmt ", guid) && format.is_none() {
            format = Some(bytes.format(body, size)?);
        } else if guid_of(b"data", guid) {
            if layout.is_some() {
                return Err(HeaderError::SeveralDataChunks);
            }
            let is_open = match size {
                0 => end <= body || end > MAX_LONG_SIZE,
                size => size > MAX_LONG_SIZE,
            };
            layout = Some(Layout {
                order: ByteOrder::Little,
                format: format.clone().ok_or(HeaderError::NoFormat)?,
                start: body,
                declared: if is_open { bytes.length - body } else { size },
                is_open,
            });
            if is_open {
                break;
            }
        }
        // Chunks are aligned to 8 bytes.
        at = body.saturating_add(size).saturating_add(7) & !7;
    }
    layout.ok_or(HeaderError::EndsInHeader)
}

/// Random access to the bytes of a file.
struct Bytes<'a, F> {
    file: &'a mut F,
    length: u64,
}

impl<F: Read + Seek> Bytes<'_, F> {
    /// The `N` bytes at a position, or `None` if the file ends before.
    fn at<const N: usize>(&mut self, at: u64) -> Result<Option<[u8; N]>, HeaderError> {
        if at.saturating_add(N as u64) > self.length {
            return Ok(None);
        }
        let mut bytes = [0; N];
        self.read(at, &mut bytes).map(|read| read.then_some(bytes))
    }

    /// The content of a format chunk.
    fn format(&mut self, body: u64, size: u64) -> Result<Vec<u8>, HeaderError> {
        let mut format = vec![0; size.min(MAX_FORMAT_BYTES) as usize];
        match self.read(body, &mut format)? {
            true => Ok(format),
            false => Err(HeaderError::EndsInHeader),
        }
    }

    /// The length of the ID3v2 tag at the start of the file, 0 without one.
    fn id3_bytes(&mut self) -> Result<u64, HeaderError> {
        let head: Option<[u8; 10]> = self.at(0)?;
        Ok(match head {
            // Each byte of the size has 7 bits.
            Some([b'I', b'D', b'3', _, _, _, size @ ..]) => {
                10 + size
                    .iter()
                    .fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7F))
            }
            _ => 0,
        })
    }

    /// Reads all of `into` from a position; `false` if the file ends before.
    fn read(&mut self, at: u64, into: &mut [u8]) -> Result<bool, HeaderError> {
        let read = self
            .file
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.file.read_exact(into));
        match read {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(HeaderError::Unreadable(error.to_string())),
        }
    }
}

impl ByteOrder {
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }
}
