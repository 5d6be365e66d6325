//! WAV files, for people to listen to.

use std::io::Cursor;

use crate::{digest::sha256, error::CliError};

/// The bytes before the mark's digest: a LIST chunk of the Multimedia Programming Interface 1.0, with a comment. Sizes
/// are those of the following bytes.
const MARK: &[u8] = b"LIST\x6a\x00\x00\x00INFOICMT\x5e\x00\x00\x00sordino preview, SHA-256 ";
/// The length of the digest in hexadecimal, and of the zeros that end the comment.
const DIGEST: usize = 64;
const END: usize = 5;

/// Like [`encode`], with a mark by which [`is_marked`] recognizes the unchanged file.
pub(crate) fn encode_marked(samples: &[i16], rate: u32) -> Result<Vec<u8>, CliError> {
    let mut wav = encode(samples, rate)?;
    let mark = [MARK, sha256(&wav).as_bytes(), &[0; END]].concat();
    wav.extend(mark);
    let size = u32::try_from(wav.len() - 8).map_err(CliError::message)?;
    wav[4..8].copy_from_slice(&size.to_le_bytes());
    Ok(wav)
}

/// Whether [`encode_marked`] wrote exactly this file.
pub(crate) fn is_marked(wav: &[u8]) -> bool {
    let Some(length) = wav.len().checked_sub(MARK.len() + DIGEST + END) else {
        return false;
    };
    let (sound, mark) = wav.split_at(length);
    let Some(stated) = mark.strip_prefix(MARK) else {
        return false;
    };
    let Some(size) = u32::try_from(length)
        .ok()
        .and_then(|length| length.checked_sub(8))
    else {
        return false;
    };
    let mut sound = sound.to_vec();
    sound[4..8].copy_from_slice(&size.to_le_bytes());
    stated == [sha256(&sound).as_bytes(), &[0; END]].concat()
}

/// Mono, 16 bit.
pub(crate) fn encode(samples: &[i16], rate: u32) -> Result<Vec<u8>, CliError> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::with_capacity(samples.len() * 2 + 44));
    let mut writer = hound::WavWriter::new(&mut bytes, spec).map_err(CliError::message)?;
    for &sample in samples {
        writer.write_sample(sample).map_err(CliError::message)?;
    }
    writer.finalize().map_err(CliError::message)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_preview_is_recognized_until_it_is_changed() {
        let samples: Vec<i16> = (0..1000).collect();
        let marked = encode_marked(&samples, 16_000).unwrap();
        assert!(is_marked(&marked));
        let reader = hound::WavReader::new(marked.as_slice()).unwrap();
        let read: Vec<i16> = reader.into_samples().map(Result::unwrap).collect();
        assert_eq!(read, samples);
        for at in [0, 50, marked.len() - 10, marked.len() - 3] {
            let mut changed = marked.clone();
            changed[at] ^= 1;
            assert!(!is_marked(&changed), "byte {at}");
        }
        assert!(!is_marked(&encode(&samples, 16_000).unwrap()));
        assert!(!is_marked(b""));
        // The sizes of the chunks are correct up to the end of the file.
        let size = |at: usize| u32::from_le_bytes(marked[at..at + 4].try_into().unwrap()) as usize;
        let list = encode(&samples, 16_000).unwrap().len();
        assert_eq!(
            (size(4), size(list + 4)),
            (marked.len() - 8, marked.len() - list - 8)
        );
        assert_eq!(size(list + 16), marked.len() - list - 20);
    }
}
