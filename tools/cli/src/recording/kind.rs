//! Formats of recordings, detected from the first bytes of the file.

use std::io::{self, Read, Seek, SeekFrom};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// RIFF and related formats, which the SDK reads or rejects.
    Wav,
    Flac,
    Mp3,
    /// AAC without a container.
    Adts,
    Ogg,
    /// M4A, MP4, MOV and 3GP.
    Mp4,
    Aiff,
    Caf,
    /// A known format that cannot be read, with its name.
    Foreign(&'static str),
}

/// The message for unknown content.
pub(super) const UNKNOWN: &str = "not a WAV, FLAC, MP3, M4A, AAC, Ogg, AIFF or CAF file; convert it: \
                                  `ffmpeg -i IN -c:a pcm_s16le OUT.wav`";

impl Kind {
    /// Detects the format from the first bytes; an ID3v2 tag before them is skipped.
    pub(super) fn detect(file: &mut (impl Read + Seek)) -> io::Result<Option<Self>> {
        let head = head_at(file, 0)?;
        if !head.starts_with(b"ID3") || head.len() < 10 {
            return Ok(Self::from_header(&head));
        }
        // The tag's size has 7 bits per byte.
        let size = head[6..10]
            .iter()
            .fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7F));
        let head = head_at(file, 10 + size)?;
        // Padding may precede the first frame of an MP3 after a tag.
        Ok(Some(Self::from_header(&head).unwrap_or(Self::Mp3)))
    }

    fn from_header(head: &[u8]) -> Option<Self> {
        let at =
            |place: usize, id: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(id));
        Some(match head {
            _ if [b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff"]
                .iter()
                .any(|id| at(0, *id)) =>
            {
                Self::Wav
            }
            _ if at(0, b"fLaC") => Self::Flac,
            _ if at(0, b"OggS") => Self::Ogg,
            _ if at(4, b"ftyp") => Self::Mp4,
            _ if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) => Self::Aiff,
            _ if at(0, b"caff") => Self::Caf,
            // A sync word of 12 bits, version, layer: 0 is AAC's.
            [0xFF, second, ..] if second & 0xF6 == 0xF0 => Self::Adts,
            [0xFF, second, ..] if second & 0xE0 == 0xE0 && second & 0x06 != 0 => Self::Mp3,
            _ if at(0, b"\x1A\x45\xDF\xA3") => Self::Foreign("Matroska or WebM"),
            _ if at(0, b"\x30\x26\xB2\x75") => Self::Foreign("Windows Media Audio"),
            _ if at(0, b"#!AMR") => Self::Foreign("AMR"),
            _ if at(0, b".snd") => Self::Foreign("AU"),
            _ if at(0, b"wvpk") => Self::Foreign("WavPack"),
            _ if at(0, b"MAC ") => Self::Foreign("Monkey's Audio"),
            _ => return None,
        })
    }
}

/// The bytes from a position on, as many as there are.
fn head_at(file: &mut (impl Read + Seek), at: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(16).read_to_end(&mut head)?;
    Ok(head)
}
