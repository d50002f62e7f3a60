//! The title of the documentation's page, which comes ready-made under another name; changes nothing else of it; never
//! another page.

use axum::{
    body::{Body, to_bytes},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// Bytes of a page that is looked into.
const PAGE_BYTES_MAX: usize = 64 * 1024;
/// The title it comes with.
const GIVEN: &str = "<title>Swagger UI</title>";
/// The title it gets.
const OURS: &str = "<title>Jari API</title>";

/// The answer under our title, if it is a page.
pub(super) async fn titled(response: Response) -> Response {
    let media = response.headers().get(header::CONTENT_TYPE);
    if !media.is_some_and(|media| media.as_bytes().starts_with(b"text/html")) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, PAGE_BYTES_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    let page = String::from_utf8_lossy(&bytes).replace(GIVEN, OURS);
    Response::from_parts(parts, Body::from(page))
}
