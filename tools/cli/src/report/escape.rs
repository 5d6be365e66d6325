//! Text that comes from elsewhere, made harmless for HTML.

use std::fmt::{self, Write as _};

/// Shows text as character data or as a quoted attribute's value, whatever is in it.
///
/// In addition to the five characters of markup, it replaces what XML 1.0 does not allow (section 2.2) and
/// the Unicode controls of writing direction, which could make a text read as another.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            '\t' | '\n' | '\r' => f.write_char(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                f.write_char(char::REPLACEMENT_CHARACTER)
            }
            control if control.is_control() => f.write_char(char::REPLACEMENT_CHARACTER),
            plain => f.write_char(plain),
        })
    }
}

/// Shows text as paragraphs, parted by empty lines.
pub(super) struct Paragraphs<'a>(pub(super) &'a str);

impl fmt::Display for Paragraphs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .split("\n\n")
            .filter(|paragraph| !paragraph.trim().is_empty())
            .try_for_each(|paragraph| write!(f, "<p>{}</p>", Text(paragraph.trim())))
    }
}
