//! Which web pages may open a WebSocket here, and use what else is below `/api`.
//!
//! A WebSocket is not bound by the same-origin policy: any page that somebody has open could join
//! a room with their browser, microphone permission aside, and speak in its chat. So a page must
//! be one that this server served. Guests have no cookies and no accounts, so there is nothing
//! else that a foreign page could ride on; programs that are not browsers send no `Origin` and
//! are let in.
//!
//! What surprises: that `Origin` and `Host` agree is not enough. A foreign page may have the name
//! of its own host lead to this machine (DNS rebinding), and then both say that name. But it can
//! only do so over plain HTTP: this server speaks no TLS, and a proxy that does has no certificate
//! for that name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, header};

/// The pages that are welcome.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    /// Those that somebody named, as browsers write them: `https://jam.example`.
    named: Arc<[String]>,
    refused: Arc<AtomicU64>,
}

impl Origins {
    pub(crate) fn new(named: Vec<String>) -> Self {
        Self { named: named.into(), refused: Arc::default() }
    }

    /// Whether the request comes from a page of ours, or from no page at all.
    pub(crate) fn welcome(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return true };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
        let named = self.named.iter().any(|named| named.eq_ignore_ascii_case(origin));
        let is_welcome = named || host.is_some_and(|host| is_own(origin, host));
        if !is_welcome {
            self.log(origin, host.unwrap_or_default());
        }
        is_welcome
    }

    /// An operator whose proxy changes `Host` must see why nobody gets in. The first, second,
    /// fourth, ... refusal is written, so that nobody can fill a log.
    fn log(&self, origin: &str, host: &str) {
        // Relaxed: a count by itself.
        let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
        if refused.is_power_of_two() {
            let short = |text: &str| text.chars().take(LOGGED_CHARS_MAX).collect::<String>();
            let (origin, host) = (short(origin), short(host));
            tracing::warn!(
                ?origin,
                ?host,
                refused,
                "refused a page of another origin; if the page is this server's, let the proxy \
                 pass on Host, or name the origin in `origins`"
            );
        }
    }
}

/// Whether this server served the page, as far as the two tell.
fn is_own(origin: &str, host: &str) -> bool {
    // `null` (a sandboxed frame, a file) has no authority and is not welcome.
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    authority.eq_ignore_ascii_case(host) && (scheme == "https" || leads_nowhere_else(host))
}

/// Whether a host cannot be a name that a stranger lets lead here: an address, or a name that no
/// public name server gives.
fn leads_nowhere_else(host: &str) -> bool {
    // Without the port; an IPv6 address has colons of its own, in brackets.
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let name = name.to_ascii_lowercase();
    let is_address = name.starts_with('[') || name.parse::<core::net::Ipv4Addr>().is_ok();
    let is_local =
        !name.contains('.') || [".localhost", ".local"].iter().any(|domain| name.ends_with(domain));
    is_address || is_local
}

/// Characters of a header that are logged.
const LOGGED_CHARS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn check(host: &'static str, origin: Option<&'static str>, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        let named = Origins::new(vec!["https://studio.example".into()]);
        assert_eq!(named.welcome(&headers), expected, "{origin:?} at {host}");
    }

    #[test]
    fn only_pages_of_the_same_host_are_welcome() {
        check("jam.example", None, true);
        check("jam.example", Some("https://jam.example"), true);
        check("jam.example:8443", Some("https://JAM.example:8443"), true);
        check("jam.example:8443", Some("https://jam.example"), false);
        check("jam.example", Some("https://elsewhere.example"), false);
        check("jam.example", Some("https://elsewhere.example/jam.example"), false);
        check("jam.example", Some("null"), false);
        check("jam.example", Some(""), false);
    }

    #[test]
    fn over_plain_http_the_host_must_be_one_that_nobody_else_can_name() {
        for own in [
            "127.0.0.1:7880",
            "192.168.1.5:7880",
            "[::1]:7880",
            "[fe80::1]",
            "localhost:7880",
            "LOCALHOST",
            "band.localhost:7880",
            "studio:7880",
            "studio.local:7880",
        ] {
            let origin: &'static str = format!("http://{own}").leak();
            check(own, Some(origin), true);
        }
        // A page of evil.example whose name leads to 127.0.0.1 all of a sudden.
        check("evil.example:7880", Some("http://evil.example:7880"), false);
        check("localhost.evil.example:7880", Some("http://localhost.evil.example:7880"), false);
        check("127.0.0.1.evil.example", Some("http://127.0.0.1.evil.example"), false);
    }

    #[test]
    fn a_named_origin_is_welcome_whatever_the_proxy_makes_of_the_host() {
        check("127.0.0.1:7880", Some("https://studio.example"), true);
        check("127.0.0.1:7880", Some("http://studio.example"), false);
        check("127.0.0.1:7880", Some("https://studio.example:444"), false);
    }

    #[test]
    fn two_origins_or_no_host_are_not_welcome() {
        let none = Origins::new(Vec::new());
        let mut headers = HeaderMap::new();
        headers.append(header::ORIGIN, HeaderValue::from_static("http://a"));
        assert!(!none.welcome(&headers));
        headers.insert(header::HOST, HeaderValue::from_static("a"));
        assert!(none.welcome(&headers));
        headers.append(header::ORIGIN, HeaderValue::from_static("http://b"));
        assert!(!none.welcome(&headers));
    }
}
