//! Signing a browser in that came back from a provider, or letting it make an account first.

use axum::http::{HeaderMap, header};

use super::lead::{Led, of_page, page};
use super::provider::Provider;
use super::state::{Act, Flow, Ticket};
use super::vouched::Vouched;
use super::web::Came;
use crate::account::age::tell_device;
use crate::account::sign_in::{Begin, Carrier};
use crate::http::cookie::Cookie;
use crate::limits::{IDENTITY_TICKET_LIFE, SESSION_LIFE_MAX};
use crate::problem::{Problem, ProblemCode};

impl Came<'_> {
    /// Signs whoever came back in.
    pub(super) async fn sign_in(
        &self,
        flow: &Flow,
        provider: &Provider,
        vouched: &Vouched,
    ) -> Result<Led, Problem> {
        let (identity, tx) = match vouched.enters(self.social, &self.caller).await {
            Ok(entered) => entered,
            Err(problem) => return self.shows_ticket(flow, provider, vouched, problem).await,
        };
        let account = identity.account_id;
        let begin = Begin {
            account,
            proven_at: vouched.session_proven_at(self.social.now()),
            carrier: Carrier::Cookie,
            device: self.caller.device.clone(),
            device_name: browser_name(self.headers),
            identity: Some(identity.id),
        };
        let begun = begin.begun(self.social, tx).await?;
        // A page cannot read the cookie: this one asks who is signed in, and goes on.
        let next = flow.next.as_deref().map(|next| ("next", next));
        let page = page("/account/signed-in", next.as_slice());
        let act = Act::Consent { account, session: begun.session.id };
        let back = self.back(flow, provider, vouched);
        let is_held = identity.shown.token.is_some();
        let led = Led::to(back.once_more(is_held, act, Some(&page)).await, &page);
        let of_page = of_page(flow);
        let cookie = Cookie::Session.write(&begun.token, SESSION_LIFE_MAX.as_secs(), &of_page);
        let mut led = led.with(cookie);
        tell_device(led.response(), &begun.device, &of_page);
        Ok(led)
    }

    /// Leads whoever cannot be signed in to where they make an account or take an erasure back, with what
    /// their provider said.
    async fn shows_ticket(
        &self,
        flow: &Flow,
        provider: &Provider,
        vouched: &Vouched,
        problem: Problem,
    ) -> Result<Led, Problem> {
        let is_hidden = problem.code() == ProblemCode::ErasurePending;
        if !is_hidden && problem.code() != ProblemCode::IdentityUnknown {
            return Err(problem);
        }
        let mut query = vec![("with", flow.provider.as_str())];
        query.extend(is_hidden.then_some(("problem", problem.code().word())));
        query.extend(flow.next.as_deref().map(|next| ("next", next)));
        let to = if is_hidden { "/account/sign-in" } else { "/account/sign-up" };
        let page = page(to, &query);
        let mut is_held = vouched.held.is_some();
        if is_hidden && !is_held {
            let mut conn = self.social.db().read().await?;
            let known = conn.identity_of(&vouched.issuer, &vouched.subject).await?;
            is_held = known.is_some_and(|known| known.shown.token.is_some());
        }
        // Nobody is kept from taking an erasure back; who is new and does not agree shares nothing.
        let otherwise = is_hidden.then_some(page.as_str());
        let back = self.back(flow, provider, vouched);
        let led = Led::to(back.once_more(is_held, Act::SignIn, otherwise).await, &page);
        if matches!(led, Led::Again(_)) && !is_hidden {
            return Ok(led);
        }
        let expires_at = self.social.now().after(IDENTITY_TICKET_LIFE);
        let ticket = Ticket::write(self.social.key(), vouched, expires_at);
        let seconds = IDENTITY_TICKET_LIFE.as_secs();
        Ok(led.with(Cookie::Ticket.write_text(&ticket, seconds, &of_page(flow))))
    }
}

/// What to call a device in the list of those that are signed in; pages say it better.
fn browser_name(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let agent = agent.unwrap_or_default();
    // Each browser names those before it, too: the most particular first.
    let known =
        [("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome")];
    let known = known.into_iter().chain([("Safari/", "Safari")]);
    let mut known = known.filter(|(mark, _)| agent.contains(mark)).map(|(_, name)| name);
    known.next().unwrap_or("A browser").to_owned()
}
