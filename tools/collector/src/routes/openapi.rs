//! The OpenAPI 3.1 document.

use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};

/// docs/openapi.json.
pub(super) const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

/// `GET /openapi.json`.
pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
