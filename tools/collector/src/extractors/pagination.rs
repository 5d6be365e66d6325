//! Pagination of lists.

use axum::http::request::Parts;
use serde::Deserialize;
use sordino::Purpose;

use crate::{
    errors::{Problem, ProblemType},
    extractors::{query::query, reader::Reader},
};

/// The maximum and default number of entries per page.
const MAX_PAGE: u32 = 1000;

/// The query for a page of a list for one purpose.
pub(crate) struct PageQuery {
    pub(crate) purpose: Purpose,
    /// The position after which the page begins.
    pub(crate) after: i64,
    /// The maximum number of entries.
    pub(crate) limit: u32,
}

impl PageQuery {
    /// Parses a reader's query for a list whose cursors have the prefix `kind`, and checks the token's purposes.
    ///
    /// # Errors
    /// `malformed`, `wrong-purpose`.
    pub(crate) fn for_reader(reader: &Reader, parts: &Parts, kind: &str) -> Result<Self, Problem> {
        let asked = Self::parse(parts, kind)?;
        reader.check(asked.purpose)?;
        Ok(asked)
    }

    /// Parses a query without checking the token's purposes.
    ///
    /// # Errors
    /// `malformed`.
    pub(crate) fn parse(parts: &Parts, kind: &str) -> Result<Self, Problem> {
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

/// Parses the cursor `after`. Its prefix `kind` prevents that a cursor is used for another list.
///
/// # Errors
/// `malformed`.
pub(crate) fn parse_cursor(cursor: Option<&str>, kind: &str) -> Result<i64, Problem> {
    let Some(cursor) = cursor else {
        return Ok(0);
    };
    let sequence = cursor
        .strip_prefix(kind)
        .filter(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|number| number.parse().ok());
    sequence.ok_or_else(|| {
        ProblemType::Malformed
            .with_detail("invalid cursor `after`; omit it to start from the beginning")
    })
}

/// Validates the parameter `limit`.
///
/// # Errors
/// `malformed`.
pub(crate) fn page_limit(limit: Option<u32>) -> Result<u32, Problem> {
    match limit.unwrap_or(MAX_PAGE) {
        0 => Err(ProblemType::Malformed.with_detail("`limit` must be at least 1")),
        limit => Ok(limit.min(MAX_PAGE)),
    }
}
