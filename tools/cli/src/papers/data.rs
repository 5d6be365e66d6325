//! The data, kind by kind, as more than one paper has to list it.

use sordino::disclosure::CATEGORIES;

use super::paper::Paper;

/// The table, whose first column is headed `kind`.
pub(super) fn table(paper: &mut Paper, kind: &str) {
    paper.table(
        &[
            kind,
            "holds",
            "personal data",
            "where",
            "how long",
            "who gets it",
        ],
        CATEGORIES.iter().map(|category| {
            vec![
                category.name,
                category.holds,
                category.personal,
                category.place,
                category.kept,
                category.recipients,
            ]
        }),
    );
}
