//! Where a claim can be checked.

/// A file of the repository and, where one shows the claim, the test in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// From the repository's root.
    pub path: &'static str,
    /// The name of the test.
    pub test: Option<&'static str>,
}

impl Evidence {
    /// The code that does it.
    pub(super) const fn code(path: &'static str) -> Self {
        Self { path, test: None }
    }

    /// The test that shows it.
    pub(super) const fn test(path: &'static str, test: &'static str) -> Self {
        Self {
            path,
            test: Some(test),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::disclosure::{APPLE_APIS, COPPA_RULE, GDPR, MEASURES, RIGHTS, RISKS};

    #[test]
    fn every_file_and_every_test_that_a_table_names_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let articles = GDPR.iter().chain(COPPA_RULE);
        let named = (articles.flat_map(|article| article.evidence))
            .chain(MEASURES.iter().flat_map(|measure| measure.evidence))
            .chain(RIGHTS.iter().flat_map(|right| right.evidence))
            .chain(RISKS.iter().flat_map(|risk| risk.evidence))
            .chain(APPLE_APIS.iter().flat_map(|api| api.evidence));
        let mut tests = 0;
        for Evidence { path, test } in named {
            let text = fs::read_to_string(root.join(path))
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            if let Some(test) = test {
                tests += 1;
                assert!(
                    text.contains(&format!("fn {test}(")),
                    "{path} has no test `{test}`; a table in src/disclosure names it"
                );
            }
        }
        assert!(tests > 50, "{tests}");
    }
}
