//! Leading browsers to pages.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use url::form_urlencoded;

use super::state::Flow;
use super::web::stray;

/// Where a browser is led that came back.
pub(super) enum Led {
    /// To a page of ours.
    Page(Response),
    /// To the provider, once more.
    Again(Response),
}

impl Led {
    /// To the provider, if it is to ask for something; or else to a page.
    pub(super) fn to(again: Option<Response>, otherwise: &str) -> Self {
        again.map_or_else(|| Self::Page(lead(otherwise)), Self::Again)
    }

    pub(super) fn with(mut self, cookie: HeaderValue) -> Self {
        self.response().headers_mut().append(header::SET_COOKIE, cookie);
        self
    }

    pub(super) const fn response(&mut self) -> &mut Response {
        let (Self::Page(response) | Self::Again(response)) = self;
        response
    }
}

/// A page of ours, with a query.
pub(super) fn page(path: &str, query: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Leads a browser to a page.
pub(super) fn lead(to: &str) -> Response {
    let Ok(to) = HeaderValue::from_str(to) else { return stray().into_response() };
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, to);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// The headers of a request of the page that began: cookies ask whether it came over https.
pub(super) fn of_page(flow: &Flow) -> HeaderMap {
    let origin = HeaderValue::from_str(&flow.origin);
    origin.map(|origin| HeaderMap::from_iter([(header::ORIGIN, origin)])).unwrap_or_default()
}
