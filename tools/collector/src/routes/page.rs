//! Lists are read a page at a time.

use axum::http::request::Parts;
use serde::Deserialize;
use sordino::Purpose;

use crate::{
    app::query,
    problem::{Kind, Problem},
    tokens::Reader,
};

/// How many entries a page holds at most, and unless told otherwise.
const LONGEST: u32 = 1000;

/// A page of what there is for one purpose.
pub(super) struct Asked {
    pub(super) purpose: Purpose,
    /// The place in the order after which it begins.
    pub(super) after: i64,
    /// How many entries it holds at most.
    pub(super) limit: u32,
}

impl Asked {
    /// What a reader's query asks for, of the list whose cursors are of this `kind`.
    ///
    /// # Errors
    /// `malformed`, `wrong-purpose`.
    pub(super) fn by(reader: &Reader, parts: &Parts, kind: &str) -> Result<Self, Problem> {
        let asked = Self::of(parts, kind)?;
        reader.check(asked.purpose)?;
        Ok(asked)
    }

    /// What a query asks for, whoever asks.
    ///
    /// # Errors
    /// `malformed`.
    pub(super) fn of(parts: &Parts, kind: &str) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Page {
            purpose: Purpose,
            after: Option<String>,
            limit: Option<u32>,
        }
        let page: Page = query(parts)?;
        Ok(Self {
            purpose: page.purpose,
            after: after(page.after.as_deref(), kind)?,
            limit: length(page.limit)?,
        })
    }
}

/// The place in the order after which a page begins, from `after` of the query. `kind` keeps cursors
/// of one order out of the other.
///
/// # Errors
/// `malformed`.
pub(super) fn after(cursor: Option<&str>, kind: &str) -> Result<i64, Problem> {
    let Some(cursor) = cursor else {
        return Ok(0);
    };
    let sequence = cursor
        .strip_prefix(kind)
        .filter(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
        .and_then(|number| number.parse().ok());
    sequence.ok_or_else(|| {
        Kind::Malformed.because("`after` is no cursor of this list; leave it out to begin anew")
    })
}

/// How many entries a page holds, from `limit` of the query.
///
/// # Errors
/// `malformed`.
pub(super) fn length(limit: Option<u32>) -> Result<u32, Problem> {
    match limit.unwrap_or(LONGEST) {
        0 => Err(Kind::Malformed.because("`limit` must be at least 1")),
        limit => Ok(limit.min(LONGEST)),
    }
}
