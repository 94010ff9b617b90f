//! Which web pages may open a WebSocket here.
//!
//! A WebSocket is not bound by the same-origin policy: any page that somebody has open could join
//! a room with their browser, microphone permission aside, and speak in its chat. So a page must
//! be one that this server served. Guests have no cookies and no accounts, so there is nothing
//! else that a foreign page could ride on; programs that are not browsers send no `Origin` and
//! are let in.

use axum::http::{HeaderMap, header};

/// Whether the request comes from a page of ours, or from no page at all.
pub(crate) fn is_welcome(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let (Ok(origin), Some(host), None) = (origin.to_str(), host, origins.next()) else {
        return false;
    };
    // `null` (a sandboxed frame, a file) has no authority and is not welcome.
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_pages_of_the_same_host_are_welcome() {
        let check = |origin: Option<&'static str>, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("jam.example:7880"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_welcome(&headers), expected, "{origin:?}");
        };
        check(None, true);
        check(Some("http://jam.example:7880"), true);
        check(Some("https://JAM.example:7880"), true);
        check(Some("http://jam.example"), false);
        check(Some("https://elsewhere.example"), false);
        check(Some("https://elsewhere.example/jam.example:7880"), false);
        check(Some("null"), false);
        check(Some(""), false);
    }

    #[test]
    fn two_origins_or_no_host_are_not_welcome() {
        let mut headers = HeaderMap::new();
        headers.append(header::ORIGIN, HeaderValue::from_static("http://a"));
        assert!(!is_welcome(&headers));
        headers.insert(header::HOST, HeaderValue::from_static("a"));
        assert!(is_welcome(&headers));
        headers.append(header::ORIGIN, HeaderValue::from_static("http://b"));
        assert!(!is_welcome(&headers));
    }
}
