//! The plan in force, for devices to fetch.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::{
    app::App,
    problem::{Kind, Problem},
};

/// `GET /v1/plan`: the signed plan just as it was loaded.
pub(super) async fn in_force(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let plan = app.storage.database.plan_in_force().await?;
    let (version, document) =
        plan.ok_or_else(|| Kind::NoPlan.because("this collector was given no plan"))?;
    let tag = format!("\"{version}\"");
    if names(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    Ok((headers, document).into_response())
}

/// Whether `If-None-Match` names the tag, by the weak comparison of RFC 9110 section 13.1.2.
fn names(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
