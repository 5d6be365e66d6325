//! Lists are read a page at a time.

use axum::http::request::Parts;
use serde::Deserialize;
use sordino::Purpose;

use crate::{
    app_state::query,
    errors::{ProblemType, Problem},
    tokens::Reader,
};

/// How many entries a page holds at most, and unless told otherwise.
const MAX_PAGE: u32 = 1000;

/// A page of what there is for one purpose.
pub(super) struct PageQuery {
    pub(super) purpose: Purpose,
    /// The place in the order after which it begins.
    pub(super) after: i64,
    /// How many entries it holds at most.
    pub(super) limit: u32,
}

impl PageQuery {
    /// What a reader's query asks for, of the list whose cursors are of this `kind`.
    ///
    /// # Errors
    /// `malformed`, `wrong-purpose`.
    pub(super) fn for_reader(reader: &Reader, parts: &Parts, kind: &str) -> Result<Self, Problem> {
        let asked = Self::parse(parts, kind)?;
        reader.check(asked.purpose)?;
        Ok(asked)
    }

    /// What a query asks for, whoever asks.
    ///
    /// # Errors
    /// `malformed`.
    pub(super) fn parse(parts: &Parts, kind: &str) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Page {
            purpose: Purpose,
            after: Option<String>,
            limit: Option<u32>,
        }
        let page: Page = query(parts)?;
        Ok(Self {
            purpose: page.purpose,
            after: parse_cursor(page.after.as_deref(), kind)?,
            limit: page_limit(page.limit)?,
        })
    }
}

/// The place in the order after which a page begins, from `after` of the query. `kind` keeps cursors
/// of one order out of the other.
///
/// # Errors
/// `malformed`.
pub(super) fn parse_cursor(cursor: Option<&str>, kind: &str) -> Result<i64, Problem> {
    let Some(cursor) = cursor else {
        return Ok(0);
    };
    let sequence = cursor
        .strip_prefix(kind)
        .filter(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|number| number.parse().ok());
    sequence.ok_or_else(|| {
        ProblemType::Malformed.with_detail("`after` is no cursor of this list; leave it out to begin anew")
    })
}

/// How many entries a page holds, from `limit` of the query.
///
/// # Errors
/// `malformed`.
pub(super) fn page_limit(limit: Option<u32>) -> Result<u32, Problem> {
    match limit.unwrap_or(MAX_PAGE) {
        0 => Err(ProblemType::Malformed.with_detail("`limit` must be at least 1")),
        limit => Ok(limit.min(MAX_PAGE)),
    }
}
