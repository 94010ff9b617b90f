//! Sends to push services: briefly, once, and to where the address says.
//!
//! What surprises: nothing of an answer is read but its status and how long to wait. What a service
//! says of a browser goes into no log.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, header};
use url::Url;

use super::address::Allowed;
use super::vapid::Vapid;
use crate::clock::UnixMs;
use crate::limits::PUSH_WAIT_MAX;

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The service has it.
    Taken,
    /// There is no such browser any more.
    Gone,
    /// Not before then, or it does not say when.
    NotNow(Option<Duration>),
    /// Something is wrong there.
    Failed,
    /// It takes no such push, with this status.
    Refused(u16),
    /// It did not answer.
    Silent,
}

/// What is sent.
#[derive(Debug)]
pub(super) struct Post<'a> {
    /// To where.
    pub(super) endpoint: &'a Url,
    /// Encrypted.
    pub(super) body: Vec<u8>,
    /// What it replaces.
    pub(super) topic: &'a str,
    /// How long the service keeps it for a browser that is off.
    pub(super) keep: Duration,
    /// Whether a device that saves its battery wakes for it.
    pub(super) urgency: &'static str,
}

/// What sends.
#[derive(Debug)]
pub(crate) struct Sender {
    client: Client,
    vapid: Vapid,
    allowed: Allowed,
}

impl Sender {
    /// None where this machine has no certificate authorities to trust.
    pub(super) fn new(vapid: Vapid, allowed: Allowed) -> Option<Self> {
        // A proxy would look names up by itself, and lead anywhere.
        let client = Client::builder()
            .no_proxy()
            .dns_resolver(Arc::new(allowed.resolver()))
            .redirect(Policy::none())
            .timeout(PUSH_WAIT_MAX)
            .user_agent(concat!("vjam/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = client.inspect_err(|error| tracing::error!(%error, "nothing can be pushed"));
        Some(Self { client: client.ok()?, vapid, allowed })
    }

    /// The public half of the key that signs.
    pub(super) fn public(&self) -> &str {
        self.vapid.public()
    }

    /// Which addresses may be asked.
    pub(super) fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    /// Sends.
    pub(super) async fn send(&self, post: Post<'_>, now: UnixMs) -> Answer {
        let origin = post.endpoint.origin().ascii_serialization();
        let Some(authorization) = self.vapid.authorization(&origin, now) else {
            return Answer::Failed;
        };
        let request = self
            .client
            .post(post.endpoint.clone())
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header("ttl", post.keep.as_secs())
            .header("topic", post.topic)
            .header("urgency", post.urgency)
            .body(post.body);
        match request.send().await {
            Ok(response) => answer(&response, now),
            Err(_) => Answer::Silent,
        }
    }
}

fn answer(response: &Response, now: UnixMs) -> Answer {
    let after = response.headers().get(header::RETRY_AFTER);
    let after = after.and_then(|after| wait(after.to_str().ok()?, now));
    match response.status().as_u16() {
        200..300 => Answer::Taken,
        404 | 410 => Answer::Gone,
        429 => Answer::NotNow(after),
        500.. => after.map_or(Answer::Failed, |after| Answer::NotNow(Some(after))),
        other => Answer::Refused(other),
    }
}

/// How long to wait, as seconds or as a date (RFC 9110 10.2.3).
fn wait(said: &str, now: UnixMs) -> Option<Duration> {
    if let Ok(seconds) = said.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(said).ok()?;
    let at = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(at.saturating_sub(Duration::from_millis(now.0.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_number_of_seconds_or_a_date() {
        // Sun, 29 Nov 2026 00:00:00 GMT
        let now = UnixMs(1_795_910_400_000);
        for (said, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 29 Nov 2026 00:01:00 GMT", Some(60)),
            ("Sat, 28 Nov 2026 00:01:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(wait(said, now), seconds.map(Duration::from_secs), "{said:?}");
        }
    }
}
