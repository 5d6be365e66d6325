//! Limits of an age header, checked before it is parsed: <https://c2sp.org/age#header>.
//!
//! The `age` crate parses a header again from its beginning with each line that it reads, so that
//! 128 KiB of stanzas take it a minute. Here it is scanned once, line by line.

use super::{
    OpenError,
    limits::{MAX_HEADER_BYTES, MAX_STANZAS},
};

/// The beginning of a file of any version.
const VERSION: &[u8] = b"age-encryption.org/";
/// The beginning of a stanza.
const STANZA: &[u8] = b"-> ";
/// The beginning of the last line.
const MAC: &[u8] = b"---";

/// Checks that the header at the beginning of `sealed` is within the limits. The parser checks
/// whether it is valid.
///
/// # Errors
/// [`OpenError::Header`].
pub(super) fn check(sealed: &[u8]) -> Result<(), OpenError> {
    let start = &sealed[..sealed.len().min(MAX_HEADER_BYTES)];
    let mut stanzas = 0;
    for line in start.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(MAC) && line.ends_with(b"\n") {
            return Ok(());
        }
        stanzas += usize::from(line.starts_with(STANZA));
        if stanzas > MAX_STANZAS {
            return Err(OpenError::Header("it names more than 64 recipients"));
        }
    }
    match sealed.starts_with(VERSION) && sealed.len() > MAX_HEADER_BYTES {
        true => Err(OpenError::Header("it does not end within 16 KiB")),
        // The parser reads no further than this.
        false => Ok(()),
    }
}
