//! Language matching: the lookup of RFC 4647, section 3.4.

/// The best match in `available` for the tag `asked`: the tag itself, or its longest available
/// prefix of subtags. `None` if nothing matches, as for `*`.
///
/// Case does not matter (RFC 5646, section 2.1.1). An underscore counts as a hyphen, as in the
/// locales of Java, POSIX and Apple.
pub(super) fn lookup(asked: &str, available: &[&'static str]) -> Option<&'static str> {
    let mut range = asked.trim().replace('_', "-");
    loop {
        let found = available
            .iter()
            .find(|language| language.eq_ignore_ascii_case(&range));
        if let Some(language) = found {
            return Some(language);
        }
        range.truncate(range.rfind('-')?);
        // A single-character subtag introduces the removed one, and is removed with it.
        if let Some((rest, [_])) = range
            .rsplit_once('-')
            .map(|(rest, last)| (rest.len(), last.as_bytes()))
        {
            range.truncate(rest);
        }
    }
}
