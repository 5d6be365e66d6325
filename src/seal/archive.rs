//! The plaintext of a sample: a tar of `manifest.json` and `audio.flac`, padded with zeros after
//! its end, where every tar program stops reading.
//!
//! POSIX ustar (IEEE Std 1003.1, "pax", ustar interchange format).

use std::io::{self, Write};

use tar::{Builder, EntryType, Header};

use super::pad::padded_length;

/// The name of the manifest in the archive.
pub const MANIFEST_NAME: &str = "manifest.json";
/// The name of the sound in the archive.
pub const AUDIO_NAME: &str = "audio.flac";

/// Writes the padded archive to `output` and hands it back.
pub(super) fn write<W: Write>(output: W, manifest: &[u8], audio: &[u8]) -> io::Result<W> {
    let mut archive = Builder::new(Counted {
        inner: output,
        written: 0,
    });
    append(&mut archive, MANIFEST_NAME, manifest)?;
    append(&mut archive, AUDIO_NAME, audio)?;
    let Counted { mut inner, written } = archive.into_inner()?;
    let padding = padded_length(written) - written;
    io::copy(&mut io::Read::take(io::repeat(0), padding), &mut inner)?;
    Ok(inner)
}

/// Mode, owner and time are the same in every sample: nothing of the device.
fn append<W: Write>(archive: &mut Builder<W>, name: &str, content: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_path(name)?;
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    archive.append(&header, content)
}

/// Counts the bytes that are written.
struct Counted<W> {
    inner: W,
    written: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
