//! Asking for an account to be erased, and taking that back.
//!
//! What surprises: whoever takes it back is not signed in, since nobody is from the moment on in which
//! it was asked for. They give name and password once more, at the rates and in the time of a sign-in,
//! so that nobody learns here what a sign-in does not tell.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::identity::End;
use super::settings::still_holds;
use crate::Social;
use crate::clock::UnixMs;
use crate::erasure::Erase;
use crate::http::cookie::Cookie;
use crate::http::extract::Json;
use crate::http::{Actor, Caller};
use crate::mail::Template;
use crate::problem::{Problem, ProblemCode};
use crate::secret::Purpose;
use crate::store::{Account, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(ask)).routes(routes!(cancel))
}

/// Who wants their account erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ErasureRequest {
    /// The account's; one without a password was proven lately.
    #[serde(default)]
    #[schema(format = "password")]
    current_password: Option<String>,
}

/// An erasure that is to come.
#[derive(Debug, Serialize, ToSchema)]
struct ErasureBegun {
    /// When everything is deleted, unless it is taken back before.
    erase_at: UnixMs,
    /// The providers that the account signs in with, each of which is told.
    providers: Vec<ProviderToldBody>,
}

/// A provider that is told that it is over.
#[derive(Debug, Serialize, ToSchema)]
struct ProviderToldBody {
    /// What people call it.
    name: String,
    /// Whether this server can tell it; or else whoever asked ends it there themselves.
    can_be_told: bool,
}

/// Has the account erased: at once nobody sees it and every device is signed out, and later all is gone.
#[utoipa::path(
    post, path = "/api/v1/social/account/erasure", tag = "rights", request_body = ErasureRequest,
    responses((status = 202, description = "It is hidden, and will be erased", body = ErasureBegun))
)]
async fn ask(
    State(social): State<Social>,
    actor: Actor,
    headers: HeaderMap,
    Json(given): Json<ErasureRequest>,
) -> Result<Response, Problem> {
    let account = social.prove(actor, given.current_password).await?;
    let now = social.now();
    let erase_at = now.after(social.erasure_delay());
    let mut tx = social.db().begin().await?;
    still_holds(&mut tx, actor, Some(&account)).await?;
    tx.hide_account(account.id, now, erase_at).await?;
    social.mailer().to_account(&mut tx, &account, Template::ErasureAsked, now).await?;
    let identities = tx.identities(account.id).await?.into_iter();
    let providers = identities.map(|identity| ProviderToldBody {
        name: social.providers().name(&identity.shown.provider),
        can_be_told: identity.shown.token.is_some(),
    });
    let providers = providers.collect();
    End::schedule_all(&mut tx, account.id, now).await?;
    Erase::schedule(&mut tx, erase_at, now).await?;
    social.commit_and_sign_out(tx, account.id).await?;
    social.wake_jobs();
    tracing::info!(account = social.log_id(account.id), "an account is to be erased");
    let cookie = Cookie::Session.remove(&headers);
    let body = Json(ErasureBegun { erase_at, providers });
    Ok((StatusCode::ACCEPTED, [(header::SET_COOKIE, cookie)], body).into_response())
}

/// Who wants their account back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ErasureCancellation {
    /// The e-mail address or the username.
    login: String,
    /// The password.
    #[schema(format = "password")]
    password: String,
}

/// Takes an erasure back; sign in afterwards.
#[utoipa::path(
    post, path = "/api/v1/social/account/erasure/cancel", tag = "rights",
    request_body = ErasureCancellation,
    responses(
        (status = 204, description = "The account is as it was"),
        (status = 404, description = "The account is not to be erased",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is being erased",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn cancel(
    State(social): State<Social>,
    caller: Caller,
    Json(given): Json<ErasureCancellation>,
) -> Result<StatusCode, Problem> {
    let proven = social.prove_login(&caller, &given.login, given.password).await?;
    social.cancel_erasure(proven.tx, &proven.account).await
}

impl Social {
    /// Takes the erasure of an account back, of which its owner showed that it is theirs.
    pub(super) async fn cancel_erasure(
        &self,
        mut tx: Tx,
        account: &Account,
    ) -> Result<StatusCode, Problem> {
        let now = self.now();
        if account.erase_at.is_none() {
            return Err(Problem::not_found("erasure"));
        }
        if tx.suspension(account.id, now).await?.is_some() {
            let text = "this account is frozen; write to whoever runs this server";
            return Err(Problem::new(ProblemCode::Forbidden, text));
        }
        let hash = self.key().keyed_hash(Purpose::Erasure, account.id.uuid().as_bytes());
        if tx.is_erasure(&hash).await? || !tx.show_account(account.id, now).await? {
            let text = "this account is being erased, and nothing takes that back any more";
            return Err(Problem::new(ProblemCode::Conflict, text));
        }
        self.mailer().to_account(&mut tx, account, Template::ErasureCancelled, now).await?;
        tx.commit().await?;
        self.wake_jobs();
        let account = self.log_id(account.id);
        tracing::info!(account, "an account is not to be erased after all");
        Ok(StatusCode::NO_CONTENT)
    }
}
