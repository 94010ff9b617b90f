//! The way of a browser back from a provider, with a code.
//!
//! It is the way that RFC 9700 recommends: a code, bound by PKCE to who asked, and a state that counts
//! once, for ten minutes, in the browser that began. What surprises: nobody looks at an answer of the
//! callback but a browser on its way, so whatever went wrong is told by the page that it is led to. And
//! Apple sends its answer as a form from its own page, with which a browser sends no cookie of ours:
//! that is led to the same path once more, without the form, where it does.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::consent::Back;
use super::depart::return_to;
use super::fetch::NoAnswer;
use super::lead::{Led, lead, of_page, page};
use super::links::link;
use super::provider::Provider;
use super::state::{Act, Flow};
use super::token::{Nonce, Untrusted};
use super::vouched::Vouched;
use crate::Social;
use crate::account::settings::still_holds;
use crate::http::cookie::Cookie;
use crate::http::extract::{Path, Query};
use crate::http::{Actor, Caller, MaybeActor, PREFIX};
use crate::id::{AccountId, SessionId};
use crate::limits::PROOF_LIFE;
use crate::problem::{Problem, ProblemCode};
use crate::store::Tx;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(callback, callback_by_form))
}

/// What a provider answers by way of a browser.
#[derive(Debug, Default, Deserialize, ToSchema)]
struct Return {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    /// Why there is no code.
    #[serde(default)]
    error: Option<String>,
    /// Who answers, if it says so (RFC 9207).
    #[serde(default)]
    iss: Option<String>,
}

/// Where a provider leads a browser back to, which is led on to a page.
#[utoipa::path(
    get, path = "/api/v1/social/identity/{provider}/callback", tag = "sessions",
    params(("provider" = String, Path, description = "The provider")),
    responses((status = 303, description = "To a page, which says what became of it"))
)]
async fn callback(
    State(social): State<Social>,
    MaybeActor(actor): MaybeActor,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(given): Query<Return>,
) -> Response {
    let came = Came { social: &social, actor, caller, headers: &headers };
    let flow = match came.flow(&id, &given).await {
        Ok(flow) => flow,
        Err(problem) => {
            return lead(&page("/account/sign-in", &[("problem", problem.code().word())]));
        }
    };
    let back = match flow.act {
        Act::SignIn => "/account/sign-in",
        Act::Link { .. } | Act::Prove { .. } | Act::Consent { .. } => after(&flow),
    };
    let mut response = match (came.go_on(&flow, &given).await, &flow.otherwise) {
        (Ok(Led::Page(response)), _) => response,
        (Ok(Led::Again(response)), _) => return response,
        (Err(_), Some(page)) => lead(page),
        (Err(problem), None) => {
            let mut query = vec![("problem", problem.code().word()), ("with", &flow.provider)];
            if flow.act == Act::SignIn {
                query.extend(flow.next.as_deref().map(|next| ("next", next)));
            }
            lead(&page(back, &query))
        }
    };
    let spent = Cookie::Flow.remove(&of_page(&flow));
    response.headers_mut().append(header::SET_COOKIE, spent);
    response
}

/// The same where the provider has the browser send a form, as Apple does.
#[utoipa::path(
    post, path = "/api/v1/social/identity/{provider}/callback", tag = "sessions",
    request_body(content = Return, content_type = "application/x-www-form-urlencoded"),
    params(("provider" = String, Path, description = "The provider")),
    responses((status = 303, description = "The same without a form"))
)]
async fn callback_by_form(
    Path(id): Path<String>,
    given: Result<Form<Return>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(given) = given.map_err(|why| {
        let text = format!("this takes a form, as a provider sends it: {}", why.body_text());
        Problem::new(ProblemCode::BadRequest, text)
    })?;
    // What is no id is not made a path.
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let mut query = vec![("state", given.state.as_str()), ("code", &given.code)];
    query.extend(given.error.as_deref().map(|error| ("error", error)));
    query.extend(given.iss.as_deref().map(|iss| ("iss", iss)));
    Ok(lead(&page(&format!("{PREFIX}/identity/{id}/callback"), &query)))
}

/// A browser that came back.
pub(super) struct Came<'a> {
    pub(super) social: &'a Social,
    actor: Option<Actor>,
    pub(super) caller: Caller,
    pub(super) headers: &'a HeaderMap,
}

impl Came<'_> {
    /// What it went for; it counts once.
    async fn flow(&self, id: &str, given: &Return) -> Result<Flow, Problem> {
        let social = self.social;
        social.rates().code_by_address(&self.caller)?;
        let browser = Cookie::Flow.read(self.headers);
        let flow = Flow::read(social.key(), &given.state, browser.as_ref(), social.now());
        let flow = flow.filter(|flow| flow.provider == id).ok_or_else(stray)?;
        let mut tx = social.db().begin().await?;
        let is_first = tx.use_once(&Sha256::digest(&given.state), flow.expires_at).await?;
        tx.commit().await?;
        if is_first { Ok(flow) } else { Err(stray()) }
    }

    async fn go_on(&self, flow: &Flow, given: &Return) -> Result<Led, Problem> {
        let provider = self.social.providers().find(&flow.provider)?;
        match given.error.as_deref() {
            None => {}
            Some("access_denied" | "user_cancelled_authorize") => {
                let text = "nothing was shared, so nobody is signed in";
                return Err(Problem::new(ProblemCode::IdentityCancelled, text));
            }
            Some(_) => return Err(provider.problem(Untrusted("an error").into())),
        }
        if given.iss.as_ref().is_some_and(|iss| *iss != provider.config.issuer) {
            return Err(provider.problem(Untrusted("another one answers").into()));
        }
        let vouched = vouched(provider, flow, &given.code).await?;
        match flow.act {
            Act::SignIn => self.sign_in(flow, provider, &vouched).await,
            Act::Link { account, session } => {
                let actor = self.same(account, session)?;
                let mut tx = self.social.db().begin().await?;
                still_holds(&mut tx, actor, None).await?;
                link(self.social, &mut tx, actor.account, &vouched).await?;
                tx.commit().await?;
                self.social.wake_jobs();
                Ok(Led::Page(lead(after(flow))))
            }
            Act::Prove { account, session } => {
                let now = self.social.now();
                // A page that remembers them shows nothing.
                if vouched.proven_at.is_none_or(|at| PROOF_LIFE < now.since(at)) {
                    return Err(other());
                }
                let (is_held, mut tx) = self.renewed(account, session, &vouched).await?;
                tx.prove_session(session, now).await?;
                tx.commit().await?;
                let act = Act::Consent { account, session };
                let page = after(flow);
                let back = self.back(flow, provider, &vouched);
                Ok(Led::to(back.once_more(is_held, act, Some(page)).await, page))
            }
            Act::Consent { account, session } => {
                let (_, tx) = self.renewed(account, session, &vouched).await?;
                tx.commit().await?;
                Ok(Led::Page(lead(flow.otherwise.as_deref().unwrap_or("/account"))))
            }
        }
    }

    /// Keeps what the provider gave of whoever is signed in; whether anything is held then.
    async fn renewed(
        &self,
        account: AccountId,
        session: SessionId,
        vouched: &Vouched,
    ) -> Result<(bool, Tx), Problem> {
        let actor = self.same(account, session)?;
        let found = vouched.account(self.social).await?;
        let (_, identity, mut tx) =
            found.filter(|(found, ..)| found.id == account).ok_or_else(other)?;
        still_holds(&mut tx, actor, None).await?;
        vouched.used(&mut tx).await?;
        let shown = vouched.shown(self.social.key());
        tx.renew_identity(identity.id, &shown).await?;
        Ok((shown.token.or(identity.shown.token).is_some(), tx))
    }

    pub(super) fn back<'a>(
        &'a self,
        flow: &'a Flow,
        provider: &'a Provider,
        of: &'a Vouched,
    ) -> Back<'a> {
        let (social, headers) = (self.social, self.headers);
        Back { social, provider, headers, flow, subject: &of.subject }
    }

    /// Whoever is signed in, where it is still who went.
    fn same(&self, account: AccountId, session: SessionId) -> Result<Actor, Problem> {
        let same = |actor: &Actor| actor.account == account && actor.session == session;
        self.actor.filter(same).ok_or_else(stray)
    }
}

/// Where whoever is signed in goes on.
fn after(flow: &Flow) -> &str {
    flow.next.as_deref().unwrap_or("/account")
}

async fn vouched(provider: &Provider, flow: &Flow, code: &str) -> Result<Vouched, Problem> {
    let problem = |refusal| provider.problem(refusal);
    let client_id = &provider.config.client_id;
    let (return_to, verifier) = (return_to(flow), flow.verifier());
    let tokens = provider.exchange(code, Some((&return_to, &verifier)), client_id).await;
    // It answers, and says that the code is none: that is no failure of it.
    let tokens = tokens.map_err(|why| {
        let is_refused = matches!(why, NoAnswer::Status(400 | 401));
        problem(if is_refused { Untrusted("code").into() } else { why.into() })
    })?;
    let token = tokens.id_token.ok_or_else(|| problem(Untrusted("no token").into()))?;
    let nonce = flow.nonce();
    let claims = provider.read(&token, Nonce::Is(&nonce)).await.map_err(problem)?;
    Ok(Vouched::new(provider, claims, tokens.refresh_token, &token))
}

pub(super) fn stray() -> Problem {
    let text = "this way back was used already, is older than ten minutes, or was begun elsewhere; begin \
                again";
    Problem::new(ProblemCode::IdentityRefused, text)
}

fn other() -> Problem {
    let text = "that is not how this account signs in, or it was too long ago; begin again";
    Problem::new(ProblemCode::IdentityRefused, text)
}
