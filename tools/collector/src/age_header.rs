//! Checks whether a body is an age v1 file with X25519 recipients only: <https://c2sp.org/age>.
//!
//! The collector has no key and cannot tell who can decrypt a sample. It can check that the sample is encrypted, and to
//! how many recipients, so that an unencrypted body is never accepted.

/// The maximum size of the header: 20 recipients, the maximum of a plan, take 2 kB.
pub(crate) const MAX_HEADER_BYTES: usize = 4096;

/// The first line.
const VERSION: &[u8] = b"age-encryption.org/v1";
/// The first line of an X25519 stanza, up to the ephemeral share.
const STANZA: &[u8] = b"-> X25519 ";
/// The last line, up to the MAC.
const MAC: &[u8] = b"--- ";
/// Base64 digits of 32 bytes, without padding.
const BASE64_LEN: usize = 43;
/// The payload's nonce, and the tag of its last chunk.
const MIN_PAYLOAD_BYTES: u64 = 16 + 16;

/// Counts the X25519 stanzas of the header in `start`, the first [`MAX_HEADER_BYTES`] of a file of `length` bytes.
/// `None` if it is not an age v1 file or has another kind of stanza.
pub(crate) fn count_recipients(start: &[u8], length: u64) -> Option<usize> {
    let mut rest = line(start).filter(|(first, _)| *first == VERSION)?.1;
    let mut recipients = 0;
    loop {
        let (first, after) = line(rest)?;
        if let Some(mac) = first.strip_prefix(MAC) {
            let header = start.len() - after.len();
            let is_whole = length.saturating_sub(header as u64) >= MIN_PAYLOAD_BYTES;
            return (is_whole && recipients > 0 && is_32_bytes(mac)).then_some(recipients);
        }
        let share = first.strip_prefix(STANZA)?;
        let (wrapped_key, after) = line(after)?;
        if !is_32_bytes(share) || !is_32_bytes(wrapped_key) {
            return None;
        }
        recipients += 1;
        rest = after;
    }
}

fn line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    Some((&text[..end], &text[end + 1..]))
}

/// Whether the text is canonical unpadded base64 of 32 bytes: the two unused bits of the last digit are zero.
fn is_32_bytes(text: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    text.len() == BASE64_LEN
        && text.iter().all(is_digit)
        && text
            .last()
            .is_some_and(|last| b"AEIMQUYcgkosw048".contains(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS_OF_ZERO: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn file(stanzas: usize) -> Vec<u8> {
        let stanza = format!("-> X25519 {DIGITS_OF_ZERO}\n{DIGITS_OF_ZERO}\n").repeat(stanzas);
        let mut file =
            format!("age-encryption.org/v1\n{stanza}--- {DIGITS_OF_ZERO}\n").into_bytes();
        file.extend([0; 32]);
        file
    }

    fn count(file: &[u8]) -> Option<usize> {
        count_recipients(&file[..file.len().min(MAX_HEADER_BYTES)], file.len() as u64)
    }

    #[test]
    fn stanzas_are_counted_up_to_the_maximum_of_a_plan() {
        for stanzas in 1..=20 {
            assert_eq!(count(&file(stanzas)), Some(stanzas));
        }
        assert_eq!(count(&file(0)), None);
        assert_eq!(count(&file(1000)), None);
    }

    #[test]
    fn a_truncated_file_is_not_sealed() {
        let file = file(2);
        for length in 0..file.len() {
            assert_eq!(count(&file[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn a_file_with_another_header_is_not_sealed() {
        let text = String::from_utf8(file(1)).unwrap();
        for (from, to) in [
            ("org/v1", "org/v2"),
            ("X25519", "scrypt"),
            ("-> X25519", "->  X25519"),
            ("--- ", "---"),
            ("AAA\n---", "AAB\n---"),
            ("AAA\n---", "AA=\n---"),
            ("AAA\n---", "AAA\n-> grease\n\n---"),
            ("\n", "\r\n"),
        ] {
            assert_eq!(
                count(text.replacen(from, to, 1).as_bytes()),
                None,
                "{from:?} -> {to:?}"
            );
        }
    }
}
