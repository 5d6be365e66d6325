//! The reviews of samples in the review page: fetched, opened, and written as `verdicts.csv`.
//!
//! All reviews are fetched at each pull, because a reader's new verdict replaces the last one. Reviews of samples that
//! are not in the dataset are discarded.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sordino::{
    Id, Purpose, Week,
    open::{self, Identity},
};

use super::entry::Entry;
use crate::{
    api::{Api, StoredReview},
    error::CliError,
};

/// The maximum length of a note, in characters, as in the review page.
const MAX_NOTE: usize = 2000;
const COLUMNS: [&str; 7] = [
    "sample", "purpose", "exercise", "reader", "week", "verdict", "note",
];

/// A review of a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Review {
    /// The name of the reader's token.
    pub(crate) reader: String,
    /// The time of the review, as precisely as it is known.
    pub(crate) week: Week,
    pub(crate) verdict: Verdict,
    pub(crate) note: String,
}

/// The verdict, by its name in docs/protocol.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// Stored with the spelling of the protocol.
    #[serde(rename = "recogniser-wrong")]
    RecognizerWrong,
    ExpectationWrong,
    PlayerWrong,
    Unusable,
}

/// The reviews of samples for one purpose, by the sample and then by the reader.
pub(super) type Reviews = BTreeMap<Id, Vec<Review>>;

/// The reviews of a dataset's samples, by the purpose for which they were read.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct AllReviews(BTreeMap<Purpose, Reviews>);

impl AllReviews {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        let all = self.0.values().flat_map(BTreeMap::values);
        all.map(Vec::len).sum()
    }

    pub(super) fn of(&self, sample: Id) -> impl Iterator<Item = (Purpose, &Review)> {
        self.0.iter().flat_map(move |(&purpose, of)| {
            let said = of.get(&sample).into_iter().flatten();
            said.map(move |review| (purpose, review))
        })
    }

    /// Replaces the reviews for `purpose`. Returns whether they changed.
    pub(super) fn set(&mut self, purpose: Purpose, reviews: Reviews) -> bool {
        let before = self.0.remove(&purpose).unwrap_or_default();
        let is_changed = before != reviews;
        if !reviews.is_empty() {
            self.0.insert(purpose, reviews);
        }
        is_changed
    }

    /// Keeps the reviews for which `stays` returns true.
    pub(super) fn retain(&mut self, stays: impl Fn(Id, Purpose) -> bool) {
        self.0.retain(|&purpose, of| {
            of.retain(|&id, _| stays(id, purpose));
            !of.is_empty()
        });
    }
}

impl Verdict {
    pub(crate) const ALL: [Self; 4] = [
        Self::RecognizerWrong,
        Self::ExpectationWrong,
        Self::PlayerWrong,
        Self::Unusable,
    ];

    /// The name in files.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RecognizerWrong => "recogniser-wrong",
            Self::ExpectationWrong => "expectation-wrong",
            Self::PlayerWrong => "player-wrong",
            Self::Unusable => "unusable",
        }
    }

    /// The name in the review page.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::RecognizerWrong => "Recognizer wrong",
            Self::ExpectationWrong => "App’s expectation wrong",
            Self::PlayerWrong => "Player wrong",
            Self::Unusable => "Unusable",
        }
    }
}

/// Fetches all reviews for `purpose` that one of `identities` opens, or that are not sealed.
pub(super) fn fetch(
    api: &Api,
    purpose: Purpose,
    identities: &[Identity],
) -> Result<Reviews, CliError> {
    let mut found: BTreeMap<(Id, String), Review> = BTreeMap::new();
    let mut asked = std::collections::HashSet::new();
    let mut cursor: Option<String> = None;
    loop {
        api.check_cursor(&mut asked, cursor.as_deref())?;
        let Some(page) = api.reviews(purpose, cursor.as_deref())? else {
            // The collector has no review page.
            break;
        };
        if page.reviews.is_empty() && page.assignments.is_empty() {
            break;
        }
        for stored in page.reviews {
            let place = (stored.sample, stored.reader.clone());
            match read(stored, identities) {
                Some(review) => found.insert(place, review),
                None => found.remove(&place),
            };
        }
        cursor = Some(page.next);
    }
    let mut reviews = Reviews::new();
    for ((sample, _), review) in found {
        reviews.entry(sample).or_default().push(review);
    }
    Ok(reviews)
}

/// Reads a review and checks that it is for its sample: the collector could swap reviews.
fn read(stored: StoredReview, identities: &[Identity]) -> Option<Review> {
    #[derive(Deserialize)]
    struct Content {
        verdict: Verdict,
        note: String,
        sample: Option<Id>,
    }
    let content: Content = match (stored.sealed, stored.plain) {
        (Some(sealed), _) => {
            let opened = open::open_sealed(&BASE64.decode(sealed).ok()?, identities).ok()?;
            let content: Content = serde_json::from_slice(&opened).ok()?;
            (content.sample == Some(stored.sample)).then_some(content)?
        }
        (None, plain) => serde_json::from_value(plain.unwrap_or(Value::Null)).ok()?,
    };
    Some(Review {
        reader: stored.reader,
        week: stored.week,
        verdict: content.verdict,
        note: content.note.chars().take(MAX_NOTE).collect(),
    })
}

/// One row per review, as CSV (RFC 4180); empty without reviews.
pub(super) fn csv<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    all: &AllReviews,
) -> Option<Vec<u8>> {
    let mut csv = String::new();
    let mut write = |cells: [&str; 7]| {
        csv += &cells.map(cell).join(",");
        csv += "\r\n";
    };
    write(COLUMNS);
    let mut count = 0;
    for entry in entries {
        let id = entry.manifest.sample.to_string();
        let exercise = entry.manifest.annotation.tag.as_deref().unwrap_or_default();
        for (purpose, review) in all.of(entry.manifest.sample) {
            let (purpose, week) = (purpose.to_string(), review.week.to_string());
            let verdict = review.verdict.as_str();
            write([
                &id,
                &purpose,
                exercise,
                &review.reader,
                &week,
                verdict,
                &review.note,
            ]);
            count += 1;
        }
    }
    (count > 0).then(|| csv.into_bytes())
}

/// A cell. Spreadsheets evaluate text that begins like a formula, and anyone with the QA recipient can seal a note: an
/// apostrophe makes it text.
fn cell(text: &str) -> String {
    let inert = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match inert.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", inert.replace('"', "\"\"")),
        false => inert,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn csv_cells_are_never_formulas() {
        for (text, spelled) in [
            ("plain", "plain"),
            ("a, \"b\"\nc", "\"a, \"\"b\"\"\nc\""),
            (
                "=HYPERLINK(\"http://x\",\"y\")",
                "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"",
            ),
            ("-1", "'-1"),
            ("", ""),
        ] {
            assert_eq!(cell(text), spelled);
        }
    }

    #[test]
    fn a_plain_review_is_read_and_an_invalid_one_is_not() {
        let stored = |plain: Value| StoredReview {
            sample: "00000000000000000000000000000001".parse().unwrap(),
            reader: "one".to_owned(),
            week: "2026-W48".parse().unwrap(),
            sealed: None,
            plain: Some(plain),
        };
        let review = read(
            stored(serde_json::json!({"verdict": "unusable", "note": "x".repeat(3000)})),
            &[],
        )
        .unwrap();
        assert_eq!(
            (review.verdict, review.note.len()),
            (Verdict::Unusable, MAX_NOTE)
        );
        for other in [
            Value::Null,
            serde_json::json!({"verdict": "fine", "note": ""}),
            serde_json::json!({"verdict": "unusable"}),
        ] {
            assert!(read(stored(other), &[]).is_none());
        }
    }
}
