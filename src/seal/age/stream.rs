//! The payload: STREAM with ChaCha20-Poly1305 in chunks of 64 KiB:
//! <https://c2sp.org/age#payload>, after Hoang, Reyhanitabar, Rogaway and Vizár, "Online
//! Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", <https://ia.cr/2015/189>.
//!
//! A chunk's nonce is its number, 11 bytes, big-endian, and one byte that is 1 for the last chunk
//! and 0 for any other. The last chunk may be short; it is empty only where the whole payload is.

use std::{
    fmt,
    io::{self, Write},
};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::file_key::DerivedKey;

/// Bytes of plaintext in every chunk but the last.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// Encrypts into `W`, holding back one chunk until it knows whether another follows.
pub(super) struct StreamWriter<W: Write> {
    key: LessSafeKey,
    /// The number of the chunk that is being filled.
    chunk: u64,
    plaintext: Zeroizing<Vec<u8>>,
    output: W,
    /// Part of a chunk may have been written: continuing would produce a file that cannot be opened.
    failed: bool,
}

/// The position of a chunk in its stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Inner,
    Last,
}

impl<W: Write> StreamWriter<W> {
    pub(super) fn new(payload_key: DerivedKey, output: W) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, payload_key.expose())
            .expect("a derived key has the 32 bytes of a ChaCha20-Poly1305 key");
        Self {
            key: LessSafeKey::new(key),
            chunk: 0,
            // Its full size at once: growing would leave unwiped copies behind.
            plaintext: Zeroizing::new(Vec::with_capacity(CHUNK_BYTES)),
            output,
            failed: false,
        }
    }

    /// Encrypts what is left as the last chunk, flushes, and hands `W` back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.encrypt_chunk(Position::Last)?;
        self.output.flush()?;
        Ok(self.output)
    }

    #[cfg(test)]
    pub(super) fn output_for_test(&mut self) -> &mut W {
        &mut self.output
    }

    fn check_sound(&self) -> io::Result<()> {
        if self.failed {
            Err(io::Error::other("an earlier write to this file failed"))
        } else {
            Ok(())
        }
    }

    fn encrypt_chunk(&mut self, position: Position) -> io::Result<()> {
        self.check_sound()?;
        self.failed = true;
        let nonce = nonce(self.chunk, position);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::empty(), &mut self.plaintext)
            .map_err(|_| io::Error::other("a chunk could not be encrypted"))?;
        self.output.write_all(&self.plaintext)?;
        self.output.write_all(tag.as_ref())?;
        self.plaintext.clear();
        self.chunk = self
            .chunk
            .checked_add(1)
            .ok_or_else(|| io::Error::other("the file is too long"))?;
        self.failed = false;
        Ok(())
    }
}

impl<W: Write> Write for StreamWriter<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        if self.plaintext.len() == CHUNK_BYTES && !plaintext.is_empty() {
            self.encrypt_chunk(Position::Inner)?;
        }
        let room = CHUNK_BYTES - self.plaintext.len();
        let taken = plaintext.len().min(room);
        self.plaintext.extend_from_slice(&plaintext[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.check_sound()?;
        self.output.flush()
    }
}

impl<W: Write> fmt::Debug for StreamWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamWriter(at chunk {})", self.chunk)
    }
}

fn nonce(chunk: u64, position: Position) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[3..11].copy_from_slice(&chunk.to_be_bytes());
    nonce[11] = u8::from(position == Position::Last);
    Nonce::assume_unique_for_key(nonce)
}
