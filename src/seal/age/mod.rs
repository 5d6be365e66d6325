//! A writer of age v1 files for X25519 recipients: <https://c2sp.org/age>.
//!
//! A device only ever encrypts, so there is no reader here; age tools open what this writes. Each
//! file holds one primitive: [`file_key`] and what is derived from it, the [`x25519`] recipient
//! stanza, the [`header`] with its MAC, and the [`stream`] that carries the payload.

mod file_key;
mod header;
mod stream;
mod x25519;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use crate::{plan::Recipient, rng, rng::RngError};
use file_key::FileKey;
use stream::StreamWriter;

/// Bytes of the nonce between header and payload.
const NONCE_BYTES: usize = 16;

/// Encrypts what is written to it into `W`, in chunks of 64 KiB.
///
/// A file is whole only after [`Self::finish`]; readers refuse one that was dropped before. After
/// an error of `W` every further call fails, so that no nonce is ever used twice.
#[derive(Debug)]
#[must_use = "a file that is not finished is refused by every reader"]
pub(super) struct AgeWriter<W: Write> {
    stream: StreamWriter<W>,
}

/// Why a file could not be begun.
#[derive(Debug, thiserror::Error)]
pub(super) enum AgeError {
    /// Nobody could open the file.
    #[error("there are no recipients to encrypt to")]
    NoRecipients,
    /// A public key with which every shared secret is zero.
    #[error("{0} is a point of low order: anybody could open what is encrypted to it")]
    LowOrder(Recipient),
    /// No randomness is available.
    #[error(transparent)]
    Entropy(#[from] RngError),
    /// The header could not be written.
    #[error("the header could not be written: {0}")]
    Write(#[from] io::Error),
}

impl<W: Write> AgeWriter<W> {
    /// Writes the header for `recipients`, and is then ready for the payload.
    ///
    /// # Errors
    /// No recipient, a recipient of low order, no randomness, or `output` fails.
    pub(super) fn new(recipients: &[Recipient], mut output: W) -> Result<Self, AgeError> {
        if recipients.is_empty() {
            return Err(AgeError::NoRecipients);
        }
        let file_key = FileKey::random()?;
        let stanzas = recipients
            .iter()
            .map(|recipient| x25519::Stanza::wrap(&file_key, recipient))
            .collect::<Result<Vec<_>, _>>()?;
        let nonce: [u8; NONCE_BYTES] = rng::bytes()?;

        output.write_all(header::encode(&file_key, &stanzas).as_bytes())?;
        output.write_all(&nonce)?;
        Ok(Self {
            stream: StreamWriter::new(file_key.payload_key(&nonce), output),
        })
    }

    /// Encrypts the last chunk and hands `W` back.
    ///
    /// # Errors
    /// `W` failed, now or before.
    pub(super) fn finish(self) -> io::Result<W> {
        self.stream.finish()
    }

    #[cfg(test)]
    fn output_for_test(&mut self) -> &mut W {
        self.stream.output_for_test()
    }
}

impl<W: Write> Write for AgeWriter<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        self.stream.write(plaintext)
    }

    /// Flushes `W`. What has not filled a chunk yet stays here until [`AgeWriter::finish`].
    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
