//! Having Google ask somebody for their consent, where nothing is held that it could be shown when it is over.
//!
//! It gives a refresh token with a consent only, and asks for one by itself no more than once: who gave theirs
//! before, perhaps for an account here that is gone, comes back without one. What surprises: nobody is asked
//! before it is known that this is so. Who comes back without a token, and of whom none is kept, is led there
//! once more at once, this time to be asked. Asking everybody each time would be a nuisance, and Google ends
//! the oldest tokens of whoever has many. Who has an account is signed in by then, and stays so whatever
//! becomes of it.

use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::config::Kind;
use super::depart::destination;
use super::lead::{lead, of_page};
use super::provider::Provider;
use super::state::{Act, Flow};
use crate::Social;
use crate::http::cookie::Cookie;
use crate::limits::IDENTITY_FLOW_LIFE;

/// Somebody who came back.
pub(super) struct Back<'a> {
    pub(super) social: &'a Social,
    pub(super) provider: &'a Provider,
    pub(super) headers: &'a HeaderMap,
    pub(super) flow: &'a Flow,
    /// Whom the provider calls them.
    pub(super) subject: &'a str,
}

impl Back<'_> {
    /// Leads them there once more, unless something is held already, or they were there for that. `otherwise`
    /// is where they go if nothing comes of it and they may go on all the same.
    pub(super) async fn once_more(
        &self,
        is_held: bool,
        act: Act,
        otherwise: Option<&str>,
    ) -> Option<Response> {
        let Self { social, provider, flow, .. } = self;
        if is_held || flow.is_again || provider.config.kind != Kind::Google {
            return None;
        }
        let browser = Cookie::Flow.read(self.headers)?;
        let expires_at = social.now().after(IDENTITY_FLOW_LIFE);
        let next = flow.next.clone();
        let mut again = Flow::new(&flow.provider, act, &flow.origin, next, &browser, expires_at);
        again.is_again = true;
        again.otherwise = otherwise.map(str::to_owned);
        // Where it does not say where it asks, they go on without.
        let discovery = provider.discovery().await.ok()?;
        let mut url =
            destination(provider, &discovery.authorization_endpoint, &again, social.key())?;
        // Nobody has to choose once more who they are.
        url.query_pairs_mut().append_pair("login_hint", self.subject);
        let mut response = lead(url.as_str());
        let cookie = Cookie::Flow.write(&browser, IDENTITY_FLOW_LIFE.as_secs(), &of_page(flow));
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Some(response)
    }
}
