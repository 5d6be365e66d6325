//! Authenticates QA tools by their token.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use serde::Deserialize;
use sordino::{Purpose, Purposes};

use crate::{
    admin::tokens::TokenState,
    app_state::AppState,
    database::TokenRow,
    dates::today,
    digest::Sha256,
    errors::{Problem, ProblemType},
    extractors::query::query,
    metrics::Metrics,
    middleware::rate_limit::NetworkKey,
};

/// The authenticated sender of a request with a valid token.
pub(crate) struct Reader {
    pub(crate) name: String,
    purposes: Purposes,
    metrics: Metrics,
}

impl Reader {
    /// The purpose in the query, for which the token must be valid.
    ///
    /// # Errors
    /// `malformed`, `wrong-purpose`.
    pub(crate) fn purpose(&self, parts: &Parts) -> Result<Purpose, Problem> {
        #[derive(Deserialize)]
        struct ForPurpose {
            purpose: Purpose,
        }
        let ForPurpose { purpose } = query(parts)?;
        self.check(purpose)?;
        Ok(purpose)
    }

    /// Checks that the token is valid for a purpose.
    ///
    /// # Errors
    /// `wrong-purpose`.
    pub(crate) fn check(&self, purpose: Purpose) -> Result<(), Problem> {
        if self.purposes.contains(purpose) {
            return Ok(());
        }
        self.metrics.token_refused("purpose");
        Err(ProblemType::WrongPurpose.with_detail(format!(
            "the token is valid for {}, not for {purpose}",
            self.purposes
        )))
    }
}

impl FromRequestParts<AppState> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let row = authenticate(parts, state).await?;
        let refused = |reason: &'static str, detail: String| {
            state.metrics.token_refused(reason);
            ProblemType::BadToken.with_detail(detail)
        };
        match row.state(today()) {
            TokenState::Good => {}
            TokenState::Expired => {
                let last = row.expires.map(|day| day.to_string()).unwrap_or_default();
                let detail =
                    format!("the token expired after {last}; ask the operator for a new one");
                return Err(refused("expired", detail));
            }
            TokenState::Revoked => {
                let day = row.revoked.map(|day| day.to_string()).unwrap_or_default();
                let detail =
                    format!("the token was revoked on {day}; ask the operator for a new one");
                return Err(refused("revoked", detail));
            }
        }
        refund_network(parts, state);
        Ok(Self {
            name: row.name,
            purposes: row.purposes,
            metrics: state.metrics.clone(),
        })
    }
}

/// The sender of a request with any token that was ever created, even if it is expired, revoked or for another purpose.
pub(crate) struct FormerReader;

impl FromRequestParts<AppState> for FormerReader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        authenticate(parts, state).await?;
        refund_network(parts, state);
        Ok(Self)
    }
}

/// Looks up the token of a request.
///
/// # Errors
/// `bad-token` if there is none, or if it is unknown.
async fn authenticate(parts: &Parts, state: &AppState) -> Result<TokenRow, Problem> {
    let refused = |reason, detail: &str| {
        state.metrics.token_refused(reason);
        ProblemType::BadToken.with_detail(detail)
    };
    let token = bearer(parts).ok_or_else(|| {
        refused(
            "none",
            "the request has no token; send `Authorization: Bearer TOKEN`",
        )
    })?;
    let row = state
        .storage
        .database
        .token(Sha256::digest(token.as_bytes()))
        .await?;
    row.ok_or_else(|| {
        refused(
            "unknown",
            "unknown token; it may be truncated or belong to another collector",
        )
    })
}

/// Refunds a request with a valid token to its network.
fn refund_network(parts: &Parts, state: &AppState) {
    if let Some(NetworkKey(key)) = parts.extensions.get() {
        state.limiter.refund(*key);
    }
}

/// The bearer token of a request.
fn bearer(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get(header::AUTHORIZATION)?;
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}
