//! Escaping of text in the templates of the report.

use std::fmt;

use askama::filters::{Escaper, Html};

/// Escapes text as character data or as a quoted attribute's value.
///
/// In addition to the five characters of markup, it replaces what XML 1.0 does not allow (section 2.2) and
/// the Unicode controls of writing direction, which could make a text read as another.
#[derive(Clone, Copy)]
pub(super) struct Text;

impl Escaper for Text {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        text.chars()
            .try_for_each(|character| self.write_escaped_char(&mut dest, character))
    }

    fn write_escaped_char<W: fmt::Write>(&self, mut dest: W, character: char) -> fmt::Result {
        match character {
            '\t' | '\n' | '\r' => dest.write_char(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                dest.write_char(char::REPLACEMENT_CHARACTER)
            }
            control if control.is_control() => dest.write_char(char::REPLACEMENT_CHARACTER),
            other => Html.write_escaped_char(dest, other),
        }
    }
}
