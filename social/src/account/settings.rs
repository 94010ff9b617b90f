//! What somebody sees of their account, and changes.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sign_in::wrong_code;
use super::sign_up::taken;
use super::words::{Email, given_password, new_password, username};
use super::{Region, Role};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::extract::{Json, Path};
use crate::http::{Actor, Caller};
use crate::id::{AccountId, CodeId};
use crate::limits::{CODE_LIFE, PROOF_LIFE};
use crate::mail::Template;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Account, Code, CodePurpose, StoreError, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .routes(routes!(account))
        .routes(routes!(change_password))
        .routes(routes!(change_username))
        .routes(routes!(change_language))
        .routes(routes!(begin_email_change))
        .routes(routes!(verify_email_change))
}

/// An account, as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountBody {
    id: AccountId,
    region: Region,
    #[schema(format = "email")]
    email: String,
    username: String,
    role: Role,
    /// The language of mails.
    language: String,
    created_at: UnixMs,
}

impl AccountBody {
    pub(super) fn of(account: Account) -> Self {
        let Account { id, region, email, username, role, language, created_at, .. } = account;
        Self { id, region, email, username, role, language, created_at }
    }
}

/// Shows the account.
#[utoipa::path(
    get, path = "/api/v1/social/account", tag = "account",
    responses((status = 200, description = "The account", body = AccountBody))
)]
async fn account(State(social): State<Social>, actor: Actor) -> Result<Json<AccountBody>, Problem> {
    let account = social.db().read().await?.account(actor.account).await?;
    let account = account.ok_or_else(|| Problem::not_found("account"))?;
    Ok(Json(AccountBody::of(account)))
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The one that holds.
    #[schema(format = "password")]
    current_password: String,
    /// 8 characters to 72 bytes.
    #[schema(format = "password")]
    password: String,
}

/// Changes the password; all other devices are signed out.
#[utoipa::path(
    put, path = "/api/v1/social/account/password", tag = "account", request_body = PasswordChange,
    responses((status = 204, description = "The other password holds"))
)]
async fn change_password(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<PasswordChange>,
) -> Result<StatusCode, Problem> {
    new_password(&given.password)?;
    let account = social.prove(actor, Some(given.current_password)).await?;
    let hash = social.passwords().hash(given.password).await?;
    let now = social.now();
    let mut tx = social.db().begin().await?;
    still_holds(&mut tx, actor, Some(&account)).await?;
    tx.set_password_hash(account.id, &hash, now).await?;
    tx.end_sessions(account.id, Some(actor.session)).await?;
    tx.prove_session(actor.session, now).await?;
    tx.void_codes(account.id).await?;
    social.mailer().to_account(&mut tx, &account, Template::PasswordChanged, now).await?;
    social.commit_and_sign_out(tx, account.id).await?;
    social.wake_jobs();
    Ok(StatusCode::NO_CONTENT)
}

/// Another username.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UsernameChange {
    /// 3 to 24 of a-z, 0-9, '.', '_' and '-'.
    username: String,
}

/// Changes the username.
#[utoipa::path(
    put, path = "/api/v1/social/account/username", tag = "account", request_body = UsernameChange,
    responses(
        (status = 204, description = "The account has it"),
        (status = 409, description = "Somebody has it",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn change_username(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<UsernameChange>,
) -> Result<StatusCode, Problem> {
    let (username, key) = username(&given.username)?;
    social.rates().rename(actor.account)?;
    let mut tx = social.db().begin().await?;
    match tx.rename_account(actor.account, &username, &key).await {
        Err(StoreError::Taken) => return Err(taken()),
        done => done?,
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Another language.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LanguageChange {
    /// One that the server has mails in.
    language: String,
}

/// Changes the language of mails.
#[utoipa::path(
    put, path = "/api/v1/social/account/language", tag = "account", request_body = LanguageChange,
    responses((status = 204, description = "Mails come in it"))
)]
async fn change_language(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<LanguageChange>,
) -> Result<StatusCode, Problem> {
    let known = social.mailer().languages();
    if !known.contains(&given.language) {
        let text = format!("this server has mails in {}", known.join(", "));
        return Err(Problem::invalid("language", text));
    }
    let mut tx = social.db().begin().await?;
    tx.set_language(actor.account, &given.language).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Another e-mail address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EmailChange {
    /// Where a code is sent.
    #[schema(format = "email")]
    email: String,
    /// The account's; one without a password was proven lately.
    #[serde(default)]
    #[schema(format = "password")]
    password: Option<String>,
}

/// A change that waits for its code.
#[derive(Debug, Serialize, ToSchema)]
struct EmailChangeBegun {
    /// Goes into the path of the next step.
    change: CodeId,
    /// Until when the code of the mail counts.
    code_expires_at: UnixMs,
}

/// Sends a code to another address. Until it comes back, the account keeps the old one, which is told.
///
/// The answer is the same where the address has an account already.
#[utoipa::path(
    post, path = "/api/v1/social/account/email", tag = "account", request_body = EmailChange,
    responses((status = 202, description = "A mail is on its way", body = EmailChangeBegun))
)]
async fn begin_email_change(
    State(social): State<Social>,
    actor: Actor,
    caller: Caller,
    Json(given): Json<EmailChange>,
) -> Result<(StatusCode, Json<EmailChangeBegun>), Problem> {
    let email = Email::parse(&given.email)?;
    social.mailer().check()?;
    let account = social.prove(actor, given.password).await?;
    social.rates().mail_to(&caller, &email.key)?;
    social
        .at_least_floor(async {
            let now = social.now();
            let mut tx = social.db().begin().await?;
            still_holds(&mut tx, actor, Some(&account)).await?;
            let owner = tx.account_by_email_or_hidden(&email.key).await?;
            let owner = owner.filter(|owner| owner.id != account.id);
            let code = Code {
                id: CodeId::fresh_unordered(now),
                purpose: CodePurpose::ChangeEmail,
                account_id: Some(account.id),
                sign_up_id: None,
                new_email: Some((email.text.clone(), email.key.clone())),
                attempts: 0,
                created_at: now,
                expires_at: now.after(CODE_LIFE),
            };
            tx.add_code(&code).await?;
            let mailer = social.mailer();
            match owner {
                Some(owner) => {
                    mailer.to_account(&mut tx, &owner, Template::AlreadyRegistered, now).await?;
                }
                None => mailer.code_to_account(&mut tx, &account, &code, now).await?,
            }
            mailer.to_account(&mut tx, &account, Template::EmailChangeAsked, now).await?;
            tx.commit().await?;
            social.wake_jobs();
            let begun = EmailChangeBegun { change: code.id, code_expires_at: code.expires_at };
            Ok((StatusCode::ACCEPTED, Json(begun)))
        })
        .await
}

/// The code of the mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EmailVerification {
    /// Eight digits; spaces and hyphens do not count.
    code: String,
}

/// Verifies the other address: the account has it, and the old one is deleted once it was told.
#[utoipa::path(
    post, path = "/api/v1/social/account/email/{change}/verify", tag = "account",
    request_body = EmailVerification,
    params(("change" = CodeId, Path, description = "The change")),
    responses(
        (status = 204, description = "The account has the other address"),
        (status = 409, description = "The address has an account by now",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn verify_email_change(
    State(social): State<Social>,
    actor: Actor,
    caller: Caller,
    Path(id): Path<CodeId>,
    Json(given): Json<EmailVerification>,
) -> Result<StatusCode, Problem> {
    social.rates().code_by_address(&caller)?;
    // Somebody else's is left alone: trying it would use up its attempts.
    let code = social.db().read().await?.code(id).await?;
    let own = code.filter(|code| code.account_id == Some(actor.account));
    let own = own.map(|code| code.id);
    let code = social.try_code(own, CodePurpose::ChangeEmail, &given.code).await?;
    let (email, key) = code.new_email.ok_or_else(wrong_code)?;
    let now = social.now();
    let mut tx = social.db().begin().await?;
    still_holds(&mut tx, actor, None).await?;
    if !tx.use_code(code.id).await? {
        return Err(wrong_code());
    }
    let account = tx.account(actor.account).await?.ok_or_else(wrong_code)?;
    // To the old address, while it is known.
    social.mailer().to_account(&mut tx, &account, Template::EmailChanged, now).await?;
    match tx.set_email(account.id, &email, &key).await {
        Err(StoreError::Taken) => {
            let text = "this address has an account by now; take another";
            return Err(Problem::new(ProblemCode::EmailTaken, text));
        }
        done => done?,
    }
    // Codes that are in the old mailbox, or wait to be sent there, are worth nothing.
    tx.void_codes(account.id).await?;
    tx.commit().await?;
    social.wake_jobs();
    tracing::info!(account = social.log_id(account.id), "an e-mail address was changed");
    Ok(StatusCode::NO_CONTENT)
}

impl Social {
    /// Asks whoever is signed in to show who they are, before something that must be them: by their
    /// password, or, where they have none, by having signed in with a provider a moment ago.
    pub(crate) async fn prove(
        &self,
        actor: Actor,
        password: Option<String>,
    ) -> Result<Account, Problem> {
        let password = password.unwrap_or_default();
        given_password(&password)?;
        self.rates().proof(actor.account)?;
        let now = self.now();
        let mut conn = self.db().read().await?;
        let account = conn.account(actor.account).await?;
        let account = account.ok_or_else(|| Problem::not_found("account"))?;
        if account.password_hash.is_none() {
            let sessions = conn.sessions(actor.account, now).await?;
            let session = sessions.into_iter().find(|session| session.id == actor.session);
            let is_proven = session.is_some_and(|of| now < of.proven_at.after(PROOF_LIFE));
            return if is_proven { Ok(account) } else { Err(proof_needed()) };
        }
        drop(conn);
        let verdict = self.passwords().verify(password, account.password_hash.clone()).await?;
        if verdict.is_right { Ok(account) } else { Err(wrong_password()) }
    }
}

fn proof_needed() -> Problem {
    let text = "your account has no password, so show once more who you are: sign in with the provider \
                that you use, and do this within ten minutes";
    Problem::new(ProblemCode::ProofNeeded, text)
}

fn wrong_password() -> Problem {
    Problem::new(ProblemCode::WrongPassword, "this is not the account's password")
}

/// That what was found out before the transaction still holds in it: that the session is there, and that
/// the password which was proven is the account's. The owner may have reset it meanwhile.
pub(crate) async fn still_holds(
    tx: &mut Tx,
    actor: Actor,
    proven: Option<&Account>,
) -> Result<(), Problem> {
    if let Some(proven) = proven
        && !tx.holds_password(proven.id, proven.password_hash.as_deref()).await?
    {
        return Err(wrong_password());
    }
    if !tx.holds_session(actor.account, actor.session).await? {
        return Err(Problem::new(
            ProblemCode::NotSignedIn,
            "this session has ended; sign in again",
        ));
    }
    Ok(())
}
