//! Asking providers: briefly, and for little.
//!
//! What surprises: no word of an answer goes into a log or to anybody else. It may hold what a
//! provider knows of somebody.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::form_urlencoded;

use super::config::askable;
use crate::limits::{PROVIDER_BYTES_MAX, PROVIDER_WAIT_MAX};

/// Why there is no answer, in words of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It leads where this server does not ask.
    #[error("its address is not https://")]
    Address,
    /// Nobody answered in time.
    #[error("it does not answer")]
    Silent,
    /// It answered, with this status: 400 where what it was shown is worth nothing there.
    #[error("it answers {0}")]
    Status(u16),
    /// It answered too much, or something else.
    #[error("its answer makes no sense")]
    Senseless,
    /// The client itself cannot be made.
    #[error("this machine has no certificate authorities to trust")]
    NoClient,
}

/// What asks.
#[derive(Debug, Clone)]
pub(super) struct Fetch(Arc<Client>);

/// Who asks, where a provider wants to know by header.
pub(super) type Basic<'a> = Option<(&'a str, &'a str)>;

impl Fetch {
    pub(super) fn new() -> Result<Self, NoAnswer> {
        // Nothing is followed elsewhere: what an address says is where it is.
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(PROVIDER_WAIT_MAX)
            .user_agent(concat!("vjam/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map(|client| Self(Arc::new(client))).map_err(|_| NoAnswer::NoClient)
    }

    /// Reads a document.
    pub(super) async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, NoAnswer> {
        let url = askable(url).ok_or(NoAnswer::Address)?;
        let answer = self.0.get(url).header(header::ACCEPT, "application/json").send().await;
        let bytes = good(answer.map_err(|_| NoAnswer::Silent)?).await?;
        serde_json::from_slice(&bytes).map_err(|_| NoAnswer::Senseless)
    }

    /// Sends a form; the bytes of the answer, where it is a good one.
    pub(super) async fn post_form(
        &self,
        url: &str,
        form: &[(&str, &str)],
        basic: Basic<'_>,
    ) -> Result<Vec<u8>, NoAnswer> {
        let url = askable(url).ok_or(NoAnswer::Address)?;
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = self
            .0
            .post(url)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        if let Some((user, password)) = basic {
            // Both in the form that a form has (RFC 6749 2.3.1).
            let part = |text: &str| -> String {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            let pair = BASE64_STANDARD.encode(format!("{}:{}", part(user), part(password)));
            request = request.header(header::AUTHORIZATION, format!("Basic {pair}"));
        }
        good(request.send().await.map_err(|_| NoAnswer::Silent)?).await
    }

    /// Asks the API of Amazon Cognito for something that needs no signature.
    pub(super) async fn post_cognito(
        &self,
        url: &str,
        action: &str,
        body: &Value,
    ) -> Result<Vec<u8>, NoAnswer> {
        let url = askable(url).ok_or(NoAnswer::Address)?;
        let request = self
            .0
            .post(url)
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{action}"))
            .body(body.to_string());
        good(request.send().await.map_err(|_| NoAnswer::Silent)?).await
    }
}

async fn good(mut response: Response) -> Result<Vec<u8>, NoAnswer> {
    let status = response.status();
    if status.is_success() {
        return body(&mut response).await;
    }
    if status == StatusCode::BAD_REQUEST {
        let said = body(&mut response).await.unwrap_or_default();
        return Err(NoAnswer::Status(meant(&serde_json::from_slice(&said).unwrap_or_default())));
    }
    Err(NoAnswer::Status(status.as_u16()))
}

/// The status that is meant by one of 400, with which some answer whatever is wrong.
fn meant(said: &Value) -> u16 {
    // As Amazon Cognito names it, perhaps with a namespace before it.
    let kind = said["__type"].as_str().and_then(|kind| kind.rsplit('#').next());
    match (said["error"].as_str(), kind) {
        // RFC 6749 5.2 leaves it to the provider which of the two it is: it does not know this server.
        (Some("invalid_client"), _) => 401,
        (_, Some("TooManyRequestsException" | "LimitExceededException")) => 429,
        _ => 400,
    }
}

async fn body(response: &mut Response) -> Result<Vec<u8>, NoAnswer> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|_| NoAnswer::Silent)? {
        if PROVIDER_BYTES_MAX < bytes.len() + piece.len() {
            return Err(NoAnswer::Senseless);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_with_this_server_or_passes_is_told_from_what_is_over() {
        for (said, status) in [
            (json!({ "error": "invalid_token" }), 400),
            (json!({ "error": "invalid_grant" }), 400),
            (json!({ "__type": "NotAuthorizedException" }), 400),
            (json!(null), 400),
            (json!("x"), 400),
            (json!({ "error": "invalid_client" }), 401),
            (json!({ "__type": "com.amazonaws#TooManyRequestsException" }), 429),
            (json!({ "__type": "LimitExceededException" }), 429),
        ] {
            assert_eq!(meant(&said), status, "{said}");
        }
    }
}
