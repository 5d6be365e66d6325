//! The routes, as docs/protocol.md and docs/openapi.json list them.

mod audit;
mod consents;
mod health;
mod openapi;
mod pagination;
mod plan;
mod reviews;
mod review_page;
mod samples;
mod readers;

use std::time::Duration;

use axum::{
    Router,
    http::{Method, Uri, request::Parts},
    middleware::from_fn_with_state,
    routing::{MethodRouter, get, put},
};
use serde::Deserialize;
use sordino::{Id, Purpose, signed::PublicKey};

use crate::{
    app_state::{AppState, query},
    database::ReadRefusal,
    middleware::instrument_and_limit,
    errors::{ProblemType, Problem},
    tokens::Reader,
};

/// How long a device is asked to wait while the plan pauses everything.
const PAUSED_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Everything that devices and QA tools ask for.
pub(crate) fn router(app: AppState) -> Router {
    let mut router = Router::new();
    for (template, methods) in routes() {
        router = router.route(template, methods);
    }
    router
        .merge(review_page::router())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(unknown_path)
        .layer(from_fn_with_state(app.clone(), instrument_and_limit))
        .with_state(app)
}

/// What a listener for the operator alone serves.
pub(crate) fn operators_router(app: AppState) -> Router {
    Router::new()
        .route("/metrics", get(health::open_metrics))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .fallback(unknown_path)
        .with_state(app)
}

fn routes() -> Vec<(&'static str, MethodRouter<AppState>)> {
    let sample = put(samples::put)
        .delete(samples::delete)
        .get(readers::download);
    vec![
        ("/v1/consents/{record}", put(consents::register)),
        ("/v1/consents/{record}/withdrawal", put(consents::withdraw)),
        ("/v1/samples", get(readers::list)),
        ("/v1/samples/{sample}", sample),
        ("/v1/samples/{sample}/accesses", get(samples::accesses)),
        (
            "/v1/samples/{sample}/accesses/since/{entries}",
            get(samples::proven_accesses),
        ),
        ("/v1/samples/{sample}/quarantine", put(reviews::quarantine)),
        ("/v1/withdrawn", get(readers::withdrawn)),
        ("/v1/reviews", get(reviews::list)),
        ("/v1/reviews/{sample}", put(reviews::put)),
        ("/v1/reviews/{sample}/assignment", put(reviews::assign)),
        ("/v1/audit/head", get(audit::head)),
        ("/v1/audit/log", get(audit::log)),
        ("/v1/plan", get(plan::in_force)),
        ("/healthz", get(health::healthz)),
        ("/readyz", get(health::readyz)),
        ("/metrics", get(health::metrics)),
        ("/openapi.json", get(openapi::document)),
    ]
}

/// Whether a route costs nobody's limit: what asks whether the collector lives must not be refused, nor be a way to
/// have a network refused.
pub(crate) fn is_exempt_from_limits(template: &str) -> bool {
    matches!(template, "/healthz" | "/readyz")
}

/// Whether a request there takes something back: a withdrawal or a deletion.
pub(crate) fn is_erasure(method: &Method, template: &str) -> bool {
    match template {
        "/v1/consents/{record}/withdrawal" => method == Method::PUT,
        "/v1/samples/{sample}" => method == Method::DELETE,
        _ => false,
    }
}

/// The template that was matched, as a label of metrics.
pub(crate) fn template(matched: &str) -> Option<&'static str> {
    static TEMPLATES: std::sync::LazyLock<Vec<&'static str>> =
        std::sync::LazyLock::new(|| routes().into_iter().map(|(template, _)| template).collect());
    TEMPLATES.iter().copied().find(|known| *known == matched)
}

async fn unknown_path(uri: Uri) -> Problem {
    ProblemType::UnknownPath.with_detail(format!("there is nothing at `{}`", uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    ProblemType::MethodNotAllowed.with_detail(format!("`{}` does not take {method}", uri.path()))
}

/// What a reader asks for a sample for, by the query.
///
/// # Errors
/// `malformed`, `wrong-purpose`.
fn purpose(reader: &Reader, parts: &Parts) -> Result<Purpose, Problem> {
    #[derive(Deserialize)]
    struct ForPurpose {
        purpose: Purpose,
    }
    let ForPurpose { purpose } = query(parts)?;
    reader.check(purpose)?;
    Ok(purpose)
}

/// A sample that a reader asked for, and that is not there for the purpose.
fn not_for_purpose(refusal: ReadRefusal) -> Problem {
    match refusal {
        ReadRefusal::Deleted => ProblemType::Deleted
            .with_detail("the sample may no longer be used for this purpose; remove copies of it"),
        ReadRefusal::Unknown | ReadRefusal::NotYours => {
            ProblemType::UnknownSample.with_detail("there is no such sample for this purpose")
        }
    }
}

fn unknown_record() -> Problem {
    ProblemType::UnknownRecord.with_detail("the consent record was never registered; register it first")
}

/// The plan in force pauses everything but what says no.
fn paused() -> Problem {
    ProblemType::Paused.with_retry_after(
        PAUSED_RETRY_AFTER,
        "the plan in force pauses sampling; fetch it, and send what waits once a later one does not",
    )
}

impl AppState {
    /// The key of a registered record.
    async fn key(&self, record: Id) -> Result<PublicKey, Problem> {
        self.storage
            .database
            .key(record)
            .await?
            .ok_or_else(unknown_record)
    }

    /// Counts a request of a record whose signature was found good.
    fn check_record_limit(&self, record: Id) -> Result<(), Problem> {
        self.limiter
            .check_record(record)
            .inspect_err(|_| self.metrics.rate_limited("record"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Their methods are compared over the wire, in tests/collector/operating.rs.
    #[test]
    fn each_route_stands_in_the_openapi_document_and_the_reverse() {
        let document: Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
        let listed = document["paths"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str);
        let served = routes().into_iter().map(|(template, _)| template);
        assert_eq!(listed.collect::<BTreeSet<_>>(), served.collect());
    }
}
