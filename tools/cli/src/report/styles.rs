//! Styles of single elements, moved from attributes into the style sheet, so that the page's policy
//! can allow that one sheet by its digest and no other style.

use std::{collections::HashMap, fmt::Write as _};

/// Replaces each `style="…"` in `markup` by a number, and gives the rules for the numbers.
///
/// Text from elsewhere cannot be taken for an attribute: its quotes are escaped.
pub(super) fn lifted(markup: &str) -> (String, String) {
    const OPEN: &str = " style=\"";
    let mut left = String::with_capacity(markup.len());
    let mut rules = String::new();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut rest = markup;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (style, after) = after.split_once('"').unwrap_or((after, ""));
        let next = numbers.len();
        let number = *numbers.entry(style).or_insert(next);
        if number == next {
            let _ = writeln!(rules, "[data-s=\"{number}\"]{{{style}}}");
        }
        left.push_str(before);
        let _ = write!(left, " data-s=\"{number}\"");
        rest = after;
    }
    left.push_str(rest);
    (left, rules)
}
