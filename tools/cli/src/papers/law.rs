//! Article, where the code meets it, which test shows it.

use sordino::disclosure::{COPPA_RULE, Duty, GDPR};

use super::{
    facts::Facts,
    paper::{Paper, evidence},
};

pub(super) fn write(_: &Facts) -> String {
    let mut paper = Paper::new(
        "What law asks, and where the code meets it",
        "GDPR and the COPPA rule, article by article, in the authors' words. It is not legal advice. A test that is named \
         shows what the code does; whether that is enough for your app is for you and your lawyers.",
    );
    for (articles, title) in [
        (GDPR, "GDPR (Regulation (EU) 2016/679)"),
        (
            COPPA_RULE,
            "COPPA rule (16 CFR part 312, as amended by 90 FR 16918 of 22 April 2025)",
        ),
    ] {
        paper.heading(title);
        paper.table(
            &[
                "",
                "asks",
                "the code",
                "left to you",
                "where, and which test",
            ],
            articles.iter().map(|article| {
                let left = match article.duty {
                    Duty::Code => "–".to_owned(),
                    Duty::Shared => article.left.to_owned(),
                    Duty::Owner => format!("**yours**: {}", article.left),
                };
                vec![
                    article.number.to_owned(),
                    article.asks.to_owned(),
                    article.met.to_owned(),
                    left,
                    evidence(article.evidence),
                ]
            }),
        );
    }
    paper.finish()
}
