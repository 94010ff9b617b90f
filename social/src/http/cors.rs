//! Lets a browser send what a page of another origin reports, and read what it is answered.
//!
//! What surprises: no cookie is meant by it. A browser that is told `*` shows a page no answer to what it
//! sent with cookies.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Answers a browser that asks before it sends something, and says of every other answer who may read it.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let asks_first = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let (mut response, more) = if asks_first {
        (StatusCode::NO_CONTENT.into_response(), BEFORE)
    } else {
        (next.run(request).await, AFTER)
    };
    let headers = response.headers_mut();
    add(headers, &[(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")]);
    add(headers, more);
    response
}

fn add(headers: &mut HeaderMap, more: &[(HeaderName, &'static str)]) {
    for (name, value) in more {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
}

/// What may be sent. A browser asks again after a day at most.
const BEFORE: &[(HeaderName, &str)] = &[
    (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, content-encoding, x-sentry-auth"),
    (header::ACCESS_CONTROL_MAX_AGE, "86400"),
];

/// What the SDKs read of an answer beside its status: how long they are to wait.
const AFTER: &[(HeaderName, &str)] =
    &[(header::ACCESS_CONTROL_EXPOSE_HEADERS, "retry-after, x-sentry-rate-limits")];
