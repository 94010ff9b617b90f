//! The sign-ins of an account: which there are, one more, one less, and never none.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::{IdToken, shown_by_app};
use super::end::End;
use super::vouched::{Vouched, taken};
use crate::Social;
use crate::account::settings::still_holds;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::{AccountId, IdentityId};
use crate::limits::{IDENTITIES_MAX, PROOF_LIFE};
use crate::mail::Template;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Identity, Relay, StoreError, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(ways_in, add)).routes(routes!(unlink))
}

/// How somebody signs in to their account.
#[derive(Debug, Serialize, ToSchema)]
struct WaysIn {
    /// Whether with a password.
    has_password: bool,
    /// Until when an account without one counts as proven in this session.
    proven_until: UnixMs,
    /// With which providers.
    identities: Vec<IdentityBody>,
}

/// A provider that somebody signs in with.
#[derive(Debug, Serialize, ToSchema)]
struct IdentityBody {
    id: IdentityId,
    /// What the provider is called in paths.
    provider: String,
    /// What people call it.
    name: String,
    linked_at: UnixMs,
    /// Whether this server can tell it when it is over. An app for which it cannot has its owner asked for
    /// their consent when they sign in there the next time, and shows the code that comes of it.
    can_be_told: bool,
    /// Whether mail to the address of the account, which the provider made up, goes nowhere: its owner had
    /// the provider stop forwarding it.
    mail_stopped: bool,
}

/// Says how somebody signs in to their account.
#[utoipa::path(
    get, path = "/api/v1/social/account/identities", tag = "account",
    responses((status = 200, description = "The ways in", body = WaysIn))
)]
async fn ways_in(State(social): State<Social>, actor: Actor) -> Result<Json<WaysIn>, Problem> {
    let now = social.now();
    let mut conn = social.db().read().await?;
    let account = conn.account(actor.account).await?;
    let account = account.ok_or_else(|| Problem::not_found("account"))?;
    let sessions = conn.sessions(actor.account, now).await?;
    let session = sessions.into_iter().find(|session| session.id == actor.session);
    let session = session.ok_or_else(|| Problem::not_found("session"))?;
    let body = |of: Identity| IdentityBody {
        id: of.id,
        name: social.providers().name(&of.shown.provider),
        can_be_told: of.shown.token.is_some(),
        mail_stopped: of.relay == Some(Relay::Off) && is_relayed(&account.email),
        provider: of.shown.provider,
        linked_at: of.linked_at,
    };
    let identities = conn.identities(actor.account).await?.into_iter().map(body).collect();
    Ok(Json(WaysIn {
        has_password: account.password_hash.is_some(),
        proven_until: session.proven_at.after(PROOF_LIFE),
        identities,
    }))
}

/// Whether an address is one of those that Apple makes up for whoever hides theirs.
fn is_relayed(email: &str) -> bool {
    email
        .rsplit_once('@')
        .is_some_and(|(_, at)| at.eq_ignore_ascii_case("privaterelay.appleid.com"))
}

/// Another sign-in, from an app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewIdentity {
    identity: IdToken,
    /// The account's; one without a password was proven lately.
    #[serde(default)]
    #[schema(format = "password")]
    current_password: Option<String>,
}

/// Links a sign-in to the account, from an app.
#[utoipa::path(
    post, path = "/api/v1/social/account/identities", tag = "account", request_body = NewIdentity,
    responses(
        (status = 204, description = "It lets its owner in from now on"),
        (status = 404, description = "There is no such provider",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It belongs to an account, or there are too many",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn add(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<NewIdentity>,
) -> Result<StatusCode, Problem> {
    let account = social.prove(actor, given.current_password).await?;
    let vouched = shown_by_app(&social, given.identity).await?;
    let mut tx = social.db().begin().await?;
    still_holds(&mut tx, actor, Some(&account)).await?;
    link(&social, &mut tx, account.id, &vouched).await?;
    tx.commit().await?;
    social.wake_jobs();
    vouched.redeem(&social).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Links whom a provider vouches for to an account that is locked, and tells its owner.
pub(super) async fn link(
    social: &Social,
    tx: &mut Tx,
    account: AccountId,
    vouched: &Vouched,
) -> Result<(), Problem> {
    let now = social.now();
    vouched.used(tx).await?;
    let shown = vouched.shown(social.key());
    let found = tx.identity_of(&shown.issuer, &shown.subject).await?;
    match found.filter(|found| found.ended_at.is_none()) {
        Some(own) if own.account_id == account => {
            tx.renew_identity(own.id, &shown).await?;
            return Ok(());
        }
        Some(_) => return Err(taken()),
        None => {}
    }
    if IDENTITIES_MAX <= tx.identities(account).await?.len() {
        let text = format!("an account has {IDENTITIES_MAX} sign-ins at most; unlink one first");
        return Err(Problem::new(ProblemCode::LimitReached, text));
    }
    match tx.link_identity(IdentityId::fresh(now), account, &shown, now).await {
        Err(StoreError::Taken) => return Err(taken()),
        done => done?,
    }
    let owner = tx.account(account).await?.ok_or_else(|| Problem::not_found("account"))?;
    social.mailer().to_account(tx, &owner, Template::IdentityLinked, now).await?;
    tracing::info!(account = social.log_id(account), "a sign-in was linked");
    Ok(())
}

/// Who wants a sign-in unlinked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Unlinking {
    /// The account's; one without a password was proven lately.
    #[serde(default)]
    #[schema(format = "password")]
    current_password: Option<String>,
}

/// Unlinks a sign-in; its provider is told. The last way in stays.
#[utoipa::path(
    post, path = "/api/v1/social/account/identities/{identity}/unlink", tag = "account",
    request_body = Unlinking,
    params(("identity" = IdentityId, Path, description = "The sign-in")),
    responses(
        (status = 204, description = "It lets nobody in any more"),
        (status = 409, description = "It is the last way in",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn unlink(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<IdentityId>,
    Json(given): Json<Unlinking>,
) -> Result<StatusCode, Problem> {
    let account = social.prove(actor, given.current_password).await?;
    let now = social.now();
    let mut tx = social.db().begin().await?;
    still_holds(&mut tx, actor, Some(&account)).await?;
    let all = tx.identities(account.id).await?;
    if all.iter().all(|identity| identity.id != id) {
        return Err(Problem::not_found("sign-in"));
    }
    if account.password_hash.is_none() && all.len() == 1 {
        let text = "this is the only way into your account; set a password first, by asking for a new \
                    one where you sign in, or link another sign-in";
        return Err(Problem::new(ProblemCode::LastWayIn, text));
    }
    tx.end_identity(account.id, id, now).await?;
    End::schedule_one(&mut tx, id, now).await?;
    social.mailer().to_account(&mut tx, &account, Template::IdentityUnlinked, now).await?;
    tx.commit().await?;
    social.wake_jobs();
    tracing::info!(account = social.log_id(account.id), "a sign-in was unlinked");
    Ok(StatusCode::NO_CONTENT)
}
