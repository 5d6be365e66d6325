//! Which of the languages at hand is given for the one that is asked for: the lookup of RFC 4647,
//! section 3.4.

/// The best of `available` for the tag `asked`: itself, or what is left of it when subtags are taken
/// off its end one by one. `None` where nothing fits, as for `*`.
///
/// Case does not matter (RFC 5646, section 2.1.1). An underscore counts as a hyphen, since Java, POSIX
/// and Apple spell locales so.
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
        // A single character introduces what was just taken off, and goes with it.
        if let Some((rest, [_])) = range
            .rsplit_once('-')
            .map(|(rest, last)| (rest.len(), last.as_bytes()))
        {
            range.truncate(rest);
        }
    }
}
