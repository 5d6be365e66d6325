//! The route of the current plan.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{AppendHeaders, IntoResponse as _, Response},
};
use sordino::plan::{Freshness, freshness};

use crate::{
    app_state::AppState,
    errors::{Problem, ProblemType},
};

/// The newest freshness statement, which is also sent with 304 responses.
const FRESHNESS: HeaderName = HeaderName::from_static(freshness::HEADER);

/// `GET /v1/plan`: the signed plan, byte by byte as it was loaded.
pub(super) async fn in_force(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let plan = state.storage.database.plan_in_force().await?;
    let plan = plan.ok_or_else(|| ProblemType::NoPlan.with_detail("the collector has no plan"))?;
    let freshness = plan
        .freshness
        .map(|json| (FRESHNESS, Freshness::to_header(&json)));
    let freshness = AppendHeaders(freshness);
    let tag = format!("\"{}\"", plan.version);
    if matches_tag(&headers, &tag) {
        let headers = [(header::ETAG, tag)];
        return Ok((StatusCode::NOT_MODIFIED, headers, freshness).into_response());
    }
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    Ok((headers, freshness, plan.document).into_response())
}

/// Whether `If-None-Match` names the tag, by the weak comparison of RFC 9110 section 13.1.2.
fn matches_tag(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
