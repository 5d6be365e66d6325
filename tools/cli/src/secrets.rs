//! Prefixes of secrets, and their removal from messages.

/// The line that begins the file of an organization's key.
pub(crate) const ORGANIZATION_KEY_LABEL: &str = "SORDINO-PLAN-KEY-ED25519:";
/// The prefix of every token.
pub(crate) const TOKEN_PREFIX: &str = "sordino_";

/// Replaces identities, organization keys and tokens in `text` by their prefix and `…`. A secret that was given instead
/// of a file name must not end up in a terminal or a log.
pub(crate) fn redact_secrets(text: &str) -> String {
    /// The prefix of each, and the minimal length of a secret after it: messages mention `AGE-SECRET-KEY-1…`, and file
    /// names may begin like a token, which has 64 digits.
    const BEGINNINGS: [(&str, usize); 3] = [
        ("AGE-SECRET-KEY-", 2),
        (ORGANIZATION_KEY_LABEL, 1),
        (TOKEN_PREFIX, 20),
    ];
    let begins = BEGINNINGS.map(|(begins, min_length)| (begins.to_ascii_uppercase(), min_length));
    let upper = text.to_ascii_uppercase();
    let mut shown = String::with_capacity(text.len());
    let mut rest = 0;
    let next = |rest: usize| {
        let ends = begins.iter().filter_map(|(begins, min_length)| {
            let found = upper[rest..].find(begins)?;
            Some((rest + found + begins.len(), *min_length))
        });
        ends.min()
    };
    while let Some((secret, min_length)) = next(rest) {
        let is_of_it = |character: char| {
            character.is_ascii_alphanumeric() || matches!(character, '-' | '+' | '/' | '=')
        };
        shown.push_str(&text[rest..secret]);
        let length = text[secret..].find(|character: char| !is_of_it(character));
        rest = length.map_or(text.len(), |length| secret + length);
        match rest - secret < min_length {
            true => shown.push_str(&text[secret..rest]),
            false => shown.push('…'),
        }
    }
    shown.push_str(&text[rest..]);
    shown
}

#[cfg(test)]
mod tests {
    use super::redact_secrets;

    #[test]
    fn secrets_are_redacted_and_similar_text_is_not() {
        let digits = "0123456789abcdef".repeat(4);
        for (said, shown) in [
            (
                "cannot read AGE-SECRET-KEY-17D0WXYZ17D0WXYZ17D0WXYZ: no such file",
                "cannot read AGE-SECRET-KEY-…: no such file",
            ),
            (
                "age-secret-key-17d0wxyz17d0wxyz17d0wxyz",
                "age-secret-key-…",
            ),
            (
                "cannot read SORDINO-PLAN-KEY-ED25519:MFECAQEwBQYDK2Vw+/==: no",
                "cannot read SORDINO-PLAN-KEY-ED25519:…: no",
            ),
            (
                "which begins with `sordino_`; AGE-SECRET-KEY-1…",
                "which begins with `sordino_`; AGE-SECRET-KEY-1…",
            ),
        ] {
            assert_eq!(redact_secrets(said), shown);
        }
        let token = format!("sordino_{digits} and sordino_{digits}");
        assert_eq!(redact_secrets(&token), "sordino_… and sordino_…");
    }
}
