//! A password that somebody forgot.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::age::tell_device;
use super::sign_in::wrong_code;
use super::words::{Email, new_password};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Caller;
use crate::http::extract::{Json, Path};
use crate::id::CodeId;
use crate::limits::CODE_LIFE;
use crate::mail::Template;
use crate::problem::Problem;
use crate::secret::Token;
use crate::store::{Code, CodePurpose};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(begin)).routes(routes!(complete))
}

/// Whose password it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Forgotten {
    /// The address of the account.
    #[schema(format = "email")]
    email: String,
}

/// A reset that waits for its code.
#[derive(Debug, Serialize, ToSchema)]
struct ResetBegun {
    /// Goes into the path of the next step.
    reset: CodeId,
    /// Until when the code of the mail counts.
    code_expires_at: UnixMs,
}

/// Sends a code to the address, if it has an account; the answer does not tell.
#[utoipa::path(
    post, path = "/api/v1/social/password-resets", tag = "sessions", request_body = Forgotten,
    responses((status = 202, description = "If there is an account, a mail is on its way",
        body = ResetBegun))
)]
async fn begin(
    State(social): State<Social>,
    caller: Caller,
    Json(given): Json<Forgotten>,
) -> Result<(StatusCode, Json<ResetBegun>), Problem> {
    social.rates().sign_up_by_address(&caller)?;
    let email = Email::parse(&given.email)?;
    social.mailer().check()?;
    social.rates().mail_to(&caller, &email.key)?;
    social
        .at_least_floor(async {
            let now = social.now();
            let mut tx = social.db().begin().await?;
            // Whoever wants an account back that is to be erased needs its password.
            let account = tx.account_by_email_or_hidden(&email.key).await?;
            // Nobody's code is kept too: it can be tried as often as somebody's.
            let code = Code {
                id: CodeId::fresh_unordered(now),
                purpose: CodePurpose::ResetPassword,
                account_id: account.as_ref().map(|account| account.id),
                sign_up_id: None,
                new_email: None,
                attempts: 0,
                created_at: now,
                expires_at: now.after(CODE_LIFE),
            };
            tx.add_code(&code).await?;
            if let Some(account) = &account {
                social.mailer().code_to_account(&mut tx, account, &code, now).await?;
            }
            tx.commit().await?;
            social.wake_jobs();
            let begun = ResetBegun { reset: code.id, code_expires_at: code.expires_at };
            Ok((StatusCode::ACCEPTED, Json(begun)))
        })
        .await
}

/// The code of the mail, and another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// Eight digits; spaces and hyphens do not count.
    code: String,
    /// 8 characters to 72 bytes.
    #[schema(format = "password")]
    password: String,
}

/// Gives the account another password; every device is signed out, and this one is known to the account.
#[utoipa::path(
    post, path = "/api/v1/social/password-resets/{reset}/complete", tag = "sessions",
    request_body = NewPassword,
    params(("reset" = CodeId, Path, description = "The reset")),
    responses((status = 204, description = "Sign in with it"))
)]
async fn complete(
    State(social): State<Social>,
    caller: Caller,
    Path(id): Path<CodeId>,
    headers: HeaderMap,
    Json(given): Json<NewPassword>,
) -> Result<Response, Problem> {
    social.rates().code_by_address(&caller)?;
    new_password(&given.password)?;
    let code = social.try_code(Some(id), CodePurpose::ResetPassword, &given.code).await?;
    let account = code.account_id.ok_or_else(wrong_code)?;
    let hash = social.passwords().hash(given.password).await?;
    let now = social.now();
    let mut tx = social.db().begin().await?;
    tx.lock_account(account).await?;
    if !tx.use_code(code.id).await? {
        return Err(wrong_code());
    }
    let account = tx.account_or_hidden(account).await?.ok_or_else(wrong_code)?;
    tx.set_password_hash(account.id, &hash, now).await?;
    tx.end_sessions(account.id, None).await?;
    tx.void_codes(account.id).await?;
    // Whoever guesses from elsewhere must not keep them from signing in with it.
    let device = caller.device.unwrap_or_else(Token::fresh);
    tx.remember_device(account.id, &social.device_hash(&device), now).await?;
    social.mailer().to_account(&mut tx, &account, Template::PasswordChanged, now).await?;
    social.commit_and_sign_out(tx, account.id).await?;
    social.wake_jobs();
    tracing::info!(account = social.log_id(account.id), "a password was reset");
    let mut response = StatusCode::NO_CONTENT.into_response();
    tell_device(&mut response, &device, &headers);
    Ok(response)
}
