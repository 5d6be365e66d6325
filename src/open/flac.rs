//! A sample's sound: 16-bit mono FLAC (RFC 9639), decoded by claxon.
//!
//! The sizes in the metadata are checked before the decoder allocates them, and decoded samples are
//! counted, since STREAMINFO may be wrong or empty.

use super::{
    OpenError,
    limits::{MAX_FLAC_METADATA_BYTES, MAX_RATE, MAX_SECONDS, MIN_RATE},
};

/// The magic bytes of a FLAC file.
const MARKER: &[u8] = b"fLaC";
/// Bytes of a metadata block's header: its type, with a flag for the last one, and its length.
const BLOCK_HEADER: usize = 4;
/// Bytes of STREAMINFO (RFC 9639 section 8.2).
const STREAMINFO: usize = 34;

/// Decoded audio: the samples and the sample rate in Hz.
pub(super) type Sound = (Vec<i16>, u32);

/// Decodes a sample's FLAC: 16-bit mono of at most 48 kHz and 120 s. Returns the samples and the
/// sample rate in Hz.
///
/// # Errors
/// The file is damaged, has another format, or exceeds the [`super::limits`].
pub fn decode_flac(flac: &[u8]) -> Result<Sound, OpenError> {
    decode(flac, None)
}

/// As [`decode_flac`], for a file whose manifest states `rate`.
pub(super) fn decode(flac: &[u8], rate: Option<u32>) -> Result<Sound, OpenError> {
    let refused = |reason: &dyn std::fmt::Display| OpenError::Audio(reason.to_string());
    check_metadata(flac).map_err(|reason| refused(&reason))?;
    let mut reader = claxon::FlacReader::new(flac).map_err(|error| refused(&error))?;
    let info = reader.streaminfo();
    if (info.channels, info.bits_per_sample) != (1, 16) {
        return Err(refused(&"it is not 16-bit mono"));
    }
    if let Some(rate) = rate.filter(|&rate| rate != info.sample_rate) {
        let has = info.sample_rate;
        return Err(refused(&format!(
            "it has {has} Hz, but the manifest says {rate}"
        )));
    }
    if !(MIN_RATE..=MAX_RATE).contains(&info.sample_rate) {
        let has = info.sample_rate;
        return Err(refused(&format!(
            "it has {has} Hz, not {MIN_RATE} to {MAX_RATE}"
        )));
    }
    let max_samples = u64::from(info.sample_rate) * u64::from(MAX_SECONDS);
    let too_long = || refused(&format!("it is longer than {MAX_SECONDS} s"));
    if info.samples.is_some_and(|stated| stated > max_samples) {
        return Err(too_long());
    }
    let mut samples = Vec::new();
    // Block by block, as claxon's documentation advises where speed matters.
    let mut blocks = reader.blocks();
    let mut buffer = Vec::new();
    while let Some(block) = blocks
        .read_next_or_eof(buffer)
        .map_err(|error| refused(&error))?
    {
        if block.channels() != 1 {
            return Err(refused(&"it is not 16-bit mono"));
        }
        if samples.len() as u64 + u64::from(block.duration()) > max_samples {
            return Err(too_long());
        }
        let block_samples = block.channel(0);
        if block_samples
            .iter()
            .any(|&sample| i16::try_from(sample).is_err())
        {
            return Err(refused(&"a sample exceeds 16 bits"));
        }
        samples.extend(block_samples.iter().map(|&sample| sample as i16));
        buffer = block.into_buffer();
    }
    if samples.is_empty() {
        return Err(refused(&"there is no sound in it"));
    }
    if info
        .samples
        .is_some_and(|stated| stated != samples.len() as u64)
    {
        return Err(refused(&"it is shorter or longer than it says"));
    }
    Ok((samples, info.sample_rate))
}

/// Checks the length of the metadata blocks: claxon allocates what they state.
fn check_metadata(flac: &[u8]) -> Result<(), &'static str> {
    let mut rest = flac.strip_prefix(MARKER).ok_or("it is not a FLAC file")?;
    let mut is_first = true;
    loop {
        let (header, after) = rest
            .split_first_chunk::<BLOCK_HEADER>()
            .ok_or("it is cut off")?;
        let [kind, high, middle, low] = *header;
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        if is_first && (kind & 0x7f, length) != (0, STREAMINFO) {
            return Err("it does not begin with STREAMINFO");
        }
        rest = after.get(length..).ok_or("it is cut off")?;
        if flac.len() - rest.len() > MAX_FLAC_METADATA_BYTES {
            return Err("it has more than 64 KiB of metadata");
        }
        if kind & 0x80 != 0 {
            return Ok(());
        }
        is_first = false;
    }
}
