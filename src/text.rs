//! Untrusted text: decoding files as editors save them, and escaping control characters for
//! terminals.

use std::borrow::Cow;

/// The byte order mark that some editors write before UTF-8.
const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";
/// The byte order marks of UTF-16.
const UTF16_BOMS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Why bytes are not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// UTF-16, as some editors and shells of Windows write it.
    #[error("it is UTF-16 text; save it as UTF-8")]
    Utf16,
    /// Invalid UTF-8 from this byte on.
    #[error("it is not text: byte {0} is not UTF-8")]
    NotUtf8(usize),
}

/// The text of a file in UTF-8, without the byte order mark that some editors put before it.
///
/// # Errors
/// UTF-16, detected by its byte order mark or by zero bytes, or invalid UTF-8.
pub fn decode(bytes: &[u8]) -> Result<&str, TextError> {
    let is_utf16 = UTF16_BOMS.iter().any(|mark| bytes.starts_with(mark))
        || matches!(bytes, [0, other, ..] | [other, 0, ..] if *other != 0);
    if is_utf16 {
        return Err(TextError::Utf16);
    }
    let text = bytes.strip_prefix(UTF8_BOM).unwrap_or(bytes);
    let before = bytes.len() - text.len();
    std::str::from_utf8(text).map_err(|error| TextError::NotUtf8(before + error.valid_up_to()))
}

/// `text` safe for a terminal: characters that would move the cursor, change colors or the title,
/// or reorder the text are written as `\u` and four hexadecimal digits, as in JSON, so that a JSON
/// document keeps its meaning. Tabs and line ends stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    escape(text, |character| !matches!(character, '\n' | '\t'))
}

/// As [`printable`], for a single line: tabs and line ends are escaped too.
pub fn printable_line(text: &str) -> Cow<'_, str> {
    escape(text, |_| true)
}

fn escape(text: &str, is_refused: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_escaped = |character: char| is_control(character) && is_refused(character);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_escaped(character) {
            true => escaped.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// Control characters (C0, DEL, C1), line and paragraph separators, and the embeddings, overrides and isolates of
/// the bidirectional algorithm (UAX #9). All are in the Basic Multilingual Plane.
fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_byte_order_mark_is_skipped_and_utf_16_is_named() {
        assert_eq!(decode(b"\xef\xbb\xbfkey\n"), Ok("key\n"));
        assert_eq!(decode(b"key\n"), Ok("key\n"));
        assert_eq!(decode(b""), Ok(""));
        let wide = |order: fn(u16) -> [u8; 2], text: &str| -> Vec<u8> {
            text.encode_utf16().flat_map(order).collect()
        };
        for text in ["\u{feff}key", "key"] {
            assert_eq!(decode(&wide(u16::to_le_bytes, text)), Err(TextError::Utf16));
            assert_eq!(decode(&wide(u16::to_be_bytes, text)), Err(TextError::Utf16));
        }
        assert_eq!(decode(b"\xef\xbb\xbfa\xff"), Err(TextError::NotUtf8(4)));
    }

    #[test]
    fn terminal_control_characters_are_escaped_as_in_json() {
        for (text, printed) in [
            ("\u{1b}]0;title\u{7}", "\\u001b]0;title\\u0007"),
            ("\u{9b}2J\u{7f}\r", "\\u009b2J\\u007f\\u000d"),
            ("a\u{202e}b\u{2066}", "a\\u202eb\\u2066"),
            ("Müller\tשלום\n", "Müller\tשלום\n"),
        ] {
            assert_eq!(printable(text), printed);
        }
        assert_eq!(printable_line("a\nb\tc"), "a\\u000ab\\u0009c");
    }

    proptest! {
        #[test]
        fn printable_json_keeps_its_meaning(text: String, pretty: bool) {
            let value = serde_json::json!({ "text": text });
            let json = match pretty {
                true => format!("{value:#}"),
                false => value.to_string(),
            };
            let printed = printable(&json);
            prop_assert!(!printed.chars().any(|character| is_control(character) && character != '\n'));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).unwrap(), value);
        }
    }
}
