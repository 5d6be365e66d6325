//! The handlers of the routes in docs/protocol.md and docs/openapi.json.

mod audit;
mod consents;
mod health;
mod openapi;
mod plan;
mod readers;
mod review_page;
mod reviews;
mod samples;

use axum::{
    Router,
    routing::{MethodRouter, get, put},
};

pub(crate) use self::review_page::router as review_page_router;
use crate::app_state::AppState;

/// All routes for devices and QA tools except the review page, by their templates.
pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<AppState>)> {
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

/// The routes of the operator's listener.
pub(crate) fn operator_routes() -> Router<AppState> {
    Router::new()
        .route("/metrics", get(health::open_metrics))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// The methods are compared in tests/collector/operations.rs.
    #[test]
    fn routes_match_the_openapi_document() {
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
