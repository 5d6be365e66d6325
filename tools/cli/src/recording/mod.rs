//! Recordings in common formats: WAV by the SDK's reader, FLAC, MP3, M4A, AAC, Ogg, AIFF and CAF by symphonia. The
//! format is detected from the content, not from the name. `-` is standard input.
//!
//! * **Out**: mono f32, as from [`capture::read_wav`].
//! * **Promises**: at most [`capture::MAX_RECORDING_SECONDS`] are decoded; an error for other formats is one line
//!   with the command that converts the file.
//! * **Never**: writes sound to a disk, even from standard input.

mod decode;
mod kind;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Cursor, Read as _},
    path::Path,
};

use sordino::capture::{self, Recording};

use self::kind::Kind;
use crate::error::CliError;

/// The argument for standard input.
const STANDARD_INPUT: &str = "-";
/// The name of standard input in outputs and errors.
const STANDARD_INPUT_NAME: &str = "stdin";
/// The maximum length of standard input, which is held in memory: two hours of stereo at 48 kHz and 24 bits are 2.1 GB.
const MAX_BYTES: u64 = 1 << 31;

/// Reads a whole recording.
pub(crate) fn read(file: &Path) -> Result<Recording, CliError> {
    if !is_standard_input(file) {
        return read_file(file);
    }
    let mut bytes = Vec::new();
    let name = Path::new(STANDARD_INPUT_NAME);
    io::stdin()
        .lock()
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(CliError::file("read", name))?;
    if bytes.len() as u64 > MAX_BYTES {
        let reason =
            format!("more than {MAX_BYTES} bytes; cut it into parts, or name it as a file");
        return Err(CliError::content(name)(reason));
    }
    read_bytes(bytes, name)
}

/// The stem for names of outputs: the file's name without its extension, `stdin` for standard input.
pub(crate) fn name_of(file: &Path) -> Option<&OsStr> {
    match is_standard_input(file) {
        true => Some(OsStr::new(STANDARD_INPUT_NAME)),
        false => file.file_stem(),
    }
}

fn is_standard_input(file: &Path) -> bool {
    file == Path::new(STANDARD_INPUT)
}

fn read_file(file: &Path) -> Result<Recording, CliError> {
    // Rejects what is not a readable file before opening it: a pipe could block forever.
    let kind = match file.metadata() {
        Ok(metadata) if metadata.is_file() && metadata.len() > 0 => {
            let mut opened = File::open(file).map_err(CliError::file("read", file))?;
            Kind::detect(&mut opened).map_err(CliError::file("read", file))?
        }
        _ => Some(Kind::Wav),
    };
    match kind {
        Some(Kind::Wav) => capture::read_wav(file).map_err(CliError::message),
        Some(kind) => {
            let source = File::open(file).map_err(CliError::file("read", file))?;
            decode::decode(Box::new(source), kind).map_err(CliError::content(file))
        }
        None => Err(CliError::content(file)(kind::UNKNOWN)),
    }
}

fn read_bytes(bytes: Vec<u8>, name: &Path) -> Result<Recording, CliError> {
    let kind = match bytes.is_empty() {
        true => Some(Kind::Wav),
        false => Kind::detect(&mut Cursor::new(&bytes)).map_err(CliError::file("read", name))?,
    };
    let source = Cursor::new(bytes);
    match kind {
        Some(Kind::Wav) => capture::read_wav_from(source, name).map_err(CliError::message),
        Some(kind) => decode::decode(Box::new(source), kind).map_err(CliError::content(name)),
        None => Err(CliError::content(name)(kind::UNKNOWN)),
    }
}
