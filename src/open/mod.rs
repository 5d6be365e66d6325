//! Opens sealed samples, and manages the keys for it. This is the reader's side, which no device
//! has.
//!
//! Samples are opened by the `age` crate, not by the code that seals, so that each verifies the
//! other.
//!
//! A sample comes from an untrusted device: anyone who knows the recipient can seal anything. So
//! nothing in it is trusted. Every length is bounded before it is read ([`limits`]), only the two
//! known files are accepted, by name and in their order, and nothing is written to disk here.

mod flac;
mod header;
pub mod limits;
mod other_key;

use std::{
    fs,
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

use age::secrecy::ExposeSecret as _;
pub use age::x25519::{Identity, Recipient};
pub use flac::decode_flac;

use crate::{
    seal::{AUDIO_NAME, MANIFEST_NAME, Manifest, ManifestError},
    text,
};
use limits::{MAX_MANIFEST_BYTES, MAX_SAMPLE_BYTES};
pub use other_key::OtherKey;

/// The size limit of an identity file, in bytes.
const MAX_IDENTITY_BYTES: u64 = 1 << 20;
/// Bytes of a tar block.
const TAR_BLOCK: usize = 512;

/// An opened and verified sample.
#[derive(Debug)]
pub struct Opened {
    /// The manifest.
    pub manifest: Manifest,
    /// `audio.flac` as it was sealed.
    pub flac: Vec<u8>,
    /// The audio, mono.
    pub samples: Vec<i16>,
    /// Sample rate in Hz.
    pub rate: u32,
}

/// Why a sample was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be read.
    #[error("the sample cannot be read: {0}")]
    Read(#[source] io::Error),
    /// Larger than any sample of Sordino.
    #[error("the sample is larger than {MAX_SAMPLE_BYTES} bytes: it is not one of Sordino's")]
    TooLarge,
    /// The age header exceeds the limits.
    #[error("the sample's age header is refused: {0}")]
    Header(&'static str),
    /// Not an age file, or modified or truncated since it was sealed.
    #[error("the sample is not an age file or is damaged: {0}")]
    Damaged(String),
    /// Sealed to other keys.
    #[error("the sample is sealed to another key; give the identity of one of its recipients")]
    WrongIdentity,
    /// The archive is not one that Sordino writes.
    #[error("the sample's archive is refused: {0}")]
    Archive(String),
    /// The manifest is refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The sound is refused.
    #[error("the sample's {AUDIO_NAME} is refused: {0}")]
    Audio(String),
}

/// Why a key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file could not be read.
    #[error("the identity file {} cannot be read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// A line that is neither a comment nor an X25519 identity. The line itself is a secret.
    #[error("line {line} of the identity file {} is {kind}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line number, from 1.
        line: usize,
        /// The kind that was found instead.
        kind: OtherKey,
    },
    /// The whole file is a key of another kind.
    #[error("the identity file {} is {kind}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// The kind that was found instead.
        kind: OtherKey,
    },
    /// Comments only.
    #[error("the identity file {} holds no identity; make one with `sordino keygen`", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file already exists, and may be the only key to samples.
    #[error("{} is there already and is not overwritten; name another file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The new file could not be written.
    #[error("the identity file {} cannot be written: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}

/// Why a text holds no identities. The error never quotes the text, which is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoIdentity {
    /// The line of this number, from 1, is neither a comment nor an X25519 identity.
    #[error("line {0} of the identity is {1}")]
    Line(usize, OtherKey),
    /// All of it is a key of another kind.
    #[error("the identity is {0}")]
    Other(OtherKey),
    /// Comments only.
    #[error("there is no identity in it; make one with `sordino keygen`")]
    Empty,
}

/// Opens one sample with the matching one of `identities`, and decodes its sound.
///
/// # Errors
/// The first property in which it differs from a sample that Sordino sealed.
pub fn open_sample(age_file: impl Read, identities: &[Identity]) -> Result<Opened, OpenError> {
    let sealed = read_at_most(age_file, MAX_SAMPLE_BYTES)
        .map_err(OpenError::Read)?
        .ok_or(OpenError::TooLarge)?;
    let archive = decrypt(&sealed, identities)?;
    let (manifest, flac) = unpack(&archive)?;
    let manifest = Manifest::from_json(&manifest)?;
    let (samples, rate) = flac::decode(&flac, Some(manifest.rate))?;
    Ok(Opened {
        manifest,
        flac,
        samples,
        rate,
    })
}

/// Reads the identities of a file as `age-keygen` and [`keygen`] write it: one a line, empty lines
/// and lines that begin with `#` are skipped.
///
/// # Errors
/// Unreadable, a line that is not an identity, or no identity at all.
pub fn read_identity_file(path: &Path) -> Result<Vec<Identity>, IdentityError> {
    let unreadable = |error| IdentityError::Read {
        path: path.to_owned(),
        error,
    };
    let bytes = fs::File::open(path)
        .and_then(|file| read_at_most(file, MAX_IDENTITY_BYTES))
        .map_err(unreadable)?
        .ok_or_else(|| unreadable(io::Error::other("it is too large for an identity file")))?;
    let other = |kind| IdentityError::Other {
        path: path.to_owned(),
        kind,
    };
    if let Some(kind) = OtherKey::from_file(&bytes) {
        return Err(other(kind));
    }
    let text = text::decode(&bytes).map_err(|error| unreadable(io::Error::other(error)))?;
    read_identities(text).map_err(|error| match error {
        NoIdentity::Line(line, kind) => IdentityError::Line {
            path: path.to_owned(),
            line,
            kind,
        },
        NoIdentity::Other(kind) => other(kind),
        NoIdentity::Empty => IdentityError::Empty {
            path: path.to_owned(),
        },
    })
}

/// Reads the identities in the text of an identity file, as [`read_identity_file`] does.
///
/// # Errors
/// A line that is not an identity, or no identity at all.
pub fn read_identities(text: &str) -> Result<Vec<Identity>, NoIdentity> {
    let text = text.trim_start_matches('\u{feff}');
    if let Some(kind) = OtherKey::from_file(text.as_bytes()) {
        return Err(NoIdentity::Other(kind));
    }
    // Decoded as UTF-8, it has zeros between its letters.
    if text.contains('\0') {
        return Err(NoIdentity::Other(OtherKey::Utf16));
    }
    let identities = text
        .lines()
        .map(str::trim)
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| {
            let no_identity = |_| NoIdentity::Line(index + 1, OtherKey::from_line(line));
            line.parse().map_err(no_identity)
        })
        .collect::<Result<Vec<Identity>, _>>()?;
    if identities.is_empty() {
        return Err(NoIdentity::Empty);
    }
    Ok(identities)
}

/// Makes a new identity, writes it to `path` (which only its owner can read, mode 0600), and returns
/// its recipient. An existing file is never overwritten.
///
/// # Errors
/// The file already exists or cannot be written; no partial file is left.
pub fn keygen(path: &Path) -> Result<Recipient, IdentityError> {
    let identity = Identity::generate();
    let recipient = identity.to_public();
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => IdentityError::Exists {
            path: path.to_owned(),
        },
        _ => IdentityError::Write {
            path: path.to_owned(),
            error,
        },
    })?;
    let secret = identity.to_string();
    writeln!(file, "# public key: {recipient}")
        .and_then(|()| writeln!(file, "{}", secret.expose_secret()))
        .and_then(|()| file.sync_all())
        .map_err(|error| {
            // The first error is the one to report.
            let _ = fs::remove_file(path);
            IdentityError::Write {
                path: path.to_owned(),
                error,
            }
        })?;
    Ok(recipient)
}

/// The whole plaintext: only once its end was reached is it known that nothing was cut off.
fn decrypt(sealed: &[u8], identities: &[Identity]) -> Result<Vec<u8>, OpenError> {
    header::check(sealed)?;
    // Some of the crate's errors have a line of advice after them.
    let damaged = |error: &dyn std::fmt::Display| OpenError::Damaged(one_line(error));
    let identities = identities
        .iter()
        .map(|identity| identity as &dyn age::Identity);
    let mut reader = age::Decryptor::new_buffered(sealed)
        .map_err(|error| damaged(&error))?
        .decrypt(identities)
        .map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => OpenError::WrongIdentity,
            other => damaged(&other),
        })?;
    let mut archive = Vec::with_capacity(sealed.len());
    reader
        .read_to_end(&mut archive)
        .map_err(|error| damaged(&error))?;
    Ok(archive)
}

/// `manifest.json` and `audio.flac` of an archive that holds these two, in this order, and zeros
/// after them.
fn unpack(archive: &[u8]) -> Result<(Vec<u8>, Vec<u8>), OpenError> {
    // The crate's errors quote the archive, which is untrusted.
    let refused = |reason: &dyn std::fmt::Display| OpenError::Archive(one_line(reason));
    let mut tar = tar::Archive::new(archive);
    // Raw: long names and other extensions are entries of their own then, and so refused.
    let mut entries = tar.entries().map_err(|error| refused(&error))?.raw(true);
    let mut end = 0;
    let mut next = |name: &str, most: u64| {
        let mut entry = entries
            .next()
            .ok_or_else(|| refused(&format!("it holds no {name}")))?
            .map_err(|error| refused(&error))?;
        if *entry.path_bytes() != *name.as_bytes() || !entry.header().entry_type().is_file() {
            return Err(refused(&format!("another entry is in the place of {name}")));
        }
        let content = read_at_most(&mut entry, most)
            .map_err(|error| refused(&error))?
            .ok_or_else(|| refused(&format!("its {name} is larger than {most} bytes")))?;
        if content.len() as u64 != entry.size() {
            return Err(refused(&format!("its {name} is cut off")));
        }
        end = entry.raw_file_position() as usize + content.len();
        Ok(content)
    };
    let manifest = next(MANIFEST_NAME, MAX_MANIFEST_BYTES)?;
    let flac = next(AUDIO_NAME, MAX_SAMPLE_BYTES)?;
    let rest = archive.get(end..).unwrap_or_default();
    if rest.len() < 2 * TAR_BLOCK || rest.iter().any(|&byte| byte != 0) {
        return Err(refused(
            &"something other than padding follows its two files",
        ));
    }
    Ok((manifest, flac))
}

/// Opens an age file that holds no sample, such as a sealed verdict, with the matching one of `identities`.
///
/// # Errors
/// It is too large, damaged, or sealed to other keys.
pub fn open_sealed(age_file: &[u8], identities: &[Identity]) -> Result<Vec<u8>, OpenError> {
    if age_file.len() as u64 > MAX_SAMPLE_BYTES {
        return Err(OpenError::TooLarge);
    }
    decrypt(age_file, identities)
}

/// An error's text, escaped: it may quote control sequences of a sender.
fn one_line(error: &dyn std::fmt::Display) -> String {
    text::printable_line(&error.to_string()).into_owned()
}

/// All of `source`; `None` if it is longer than `most` bytes.
fn read_at_most(source: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

#[cfg(test)]
mod tests;
