//! Builds the routers: routes and the middleware around them.

use std::sync::LazyLock;

use axum::{
    Router,
    http::{Method, Uri},
    middleware::from_fn_with_state,
};

use crate::{
    app_state::AppState,
    errors::{Problem, ProblemType},
    middleware::{RouteInfo, RouteLookup, instrument_and_limit},
    routes::{operator_routes, review_page_router, routes},
};

/// The router for devices and QA tools.
pub(crate) fn router(state: AppState) -> Router {
    let mut router = Router::new();
    for (template, methods) in routes() {
        router = router.route(template, methods);
    }
    let layer = (state.clone(), route_info as RouteLookup);
    router
        .merge(review_page_router())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(unknown_path)
        .layer(from_fn_with_state(layer, instrument_and_limit))
        .with_state(state)
}

/// The router of the operator's listener.
pub(crate) fn operators_router(state: AppState) -> Router {
    operator_routes().fallback(unknown_path).with_state(state)
}

/// Properties of a request's route for the middleware; `None` for an unknown path.
fn route_info(method: &Method, matched: &str) -> Option<RouteInfo> {
    static TEMPLATES: LazyLock<Vec<&'static str>> =
        LazyLock::new(|| routes().into_iter().map(|(template, _)| template).collect());
    let template = TEMPLATES.iter().copied().find(|known| *known == matched)?;
    Some(RouteInfo {
        template,
        is_exempt_from_limits: matches!(template, "/healthz" | "/readyz"),
        is_erasure: match template {
            "/v1/consents/{record}/withdrawal" => method == Method::PUT,
            "/v1/samples/{sample}" => method == Method::DELETE,
            _ => false,
        },
    })
}

async fn unknown_path(uri: Uri) -> Problem {
    ProblemType::UnknownPath.with_detail(format!("unknown path `{}`", uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    ProblemType::MethodNotAllowed.with_detail(format!("`{}` does not support {method}", uri.path()))
}
