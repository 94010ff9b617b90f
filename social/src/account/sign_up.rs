//! Signing up: a sign-up, a code by mail, an account.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::age::{Passed, refused};
use super::identity::identity_taken;
use super::sign_in::{Carrier, SignedIn};
use super::words::{Email, device_name, new_password, username};
use super::{Region, sign_in};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Caller;
use crate::http::extract::{Json, Path};
use crate::id::{AccountId, CodeId, IdentityId, SignUpId};
use crate::limits::{CODE_LIFE, SIGN_UP_LIFE};
use crate::mail::Template;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Code, CodePurpose, NewAccount, SignUp, StoreError, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .routes(routes!(begin))
        .routes(routes!(send_code_again))
        .routes(routes!(verify))
}

/// What an account needs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSignUp {
    /// What the birth date gave.
    age_token: String,
    /// Where a code is sent.
    #[schema(format = "email")]
    email: String,
    /// 3 to 24 of a-z, 0-9, '.', '_' and '-'.
    username: String,
    /// 8 characters to 72 bytes.
    #[schema(format = "password")]
    password: String,
    /// Where the account is kept, for good.
    region: Region,
    /// The language of mails: `en`, `de`, `tr`, or what else the server has.
    #[serde(default)]
    language: Option<String>,
}

/// A sign-up that waits for its code.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignUpBegun {
    /// Goes into the path of the next step.
    pub(super) sign_up: SignUpId,
    /// Until when the code of the mail counts.
    pub(super) code_expires_at: UnixMs,
}

/// Signs up: a code goes to the e-mail address.
///
/// The answer is the same where the address has an account already; its owner gets a mail that says so.
#[utoipa::path(
    post, path = "/api/v1/social/sign-ups", tag = "sign-up", request_body = NewSignUp,
    responses(
        (status = 202, description = "A mail is on its way", body = SignUpBegun),
        (status = 409, description = "The username is taken, or the region is another server's",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn begin(
    State(social): State<Social>,
    caller: Caller,
    Json(new): Json<NewSignUp>,
) -> Result<(StatusCode, Json<SignUpBegun>), Problem> {
    social.rates().sign_up_by_address(&caller)?;
    let device_hash = Passed::check(&social, &new.age_token, &caller).await?;
    let email = Email::parse(&new.email)?;
    let (username, username_key) = username(&new.username)?;
    new_password(&new.password)?;
    social.check_region(new.region)?;
    social.mailer().check()?;
    social.rates().mail_to(&caller, &email.key)?;
    let language = social.mailer().language(new.language.as_deref());
    social
        .at_least_floor(async {
            let password_hash = Some(social.passwords().hash(new.password).await?);
            let now = social.now();
            let sign_up = SignUp {
                id: SignUpId::fresh_unordered(now),
                region: new.region,
                email: email.text.clone(),
                email_key: email.key.clone(),
                username,
                password_hash,
                language,
                device_hash: device_hash.to_vec(),
                created_at: now,
                expires_at: now.after(SIGN_UP_LIFE),
            };
            let mut tx = social.db().begin().await?;
            // Once more: hashing takes long enough to answer otherwise in another tab.
            if tx.is_refused_device(&device_hash, now).await? {
                return Err(refused());
            }
            tx.add_sign_up(&sign_up).await?;
            match tx.reserve_username(&username_key, sign_up.id).await {
                Err(StoreError::Taken) => return Err(taken()),
                done => done?,
            }
            let code_expires_at = mail_code(&social, &mut tx, &sign_up, now).await?;
            tx.commit().await?;
            social.wake_jobs();
            let begun = SignUpBegun { sign_up: sign_up.id, code_expires_at };
            Ok((StatusCode::ACCEPTED, Json(begun)))
        })
        .await
}

/// Sends another code; the earlier one counts no more.
#[utoipa::path(
    post, path = "/api/v1/social/sign-ups/{sign_up}/code", tag = "sign-up",
    params(("sign_up" = SignUpId, Path, description = "The sign-up")),
    responses((status = 202, description = "A mail is on its way", body = SignUpBegun))
)]
async fn send_code_again(
    State(social): State<Social>,
    caller: Caller,
    Path(id): Path<SignUpId>,
) -> Result<(StatusCode, Json<SignUpBegun>), Problem> {
    social.mailer().check()?;
    social
        .at_least_floor(async {
            let now = social.now();
            let mut tx = social.db().begin().await?;
            let sign_up =
                tx.sign_up(id, now).await?.ok_or_else(|| Problem::not_found("sign-up"))?;
            social.rates().mail_to(&caller, &sign_up.email_key)?;
            let code_expires_at = mail_code(&social, &mut tx, &sign_up, now).await?;
            tx.commit().await?;
            social.wake_jobs();
            Ok((StatusCode::ACCEPTED, Json(SignUpBegun { sign_up: id, code_expires_at })))
        })
        .await
}

/// The code of the mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Verification {
    /// Eight digits; spaces and hyphens do not count.
    code: String,
    /// How the session of this device is carried.
    #[serde(default)]
    carrier: Carrier,
    /// What to call the device in the list of sessions.
    #[serde(default)]
    device_name: Option<String>,
}

/// Verifies the e-mail address: the sign-up becomes an account, which is signed in.
#[utoipa::path(
    post, path = "/api/v1/social/sign-ups/{sign_up}/verify", tag = "sign-up",
    request_body = Verification,
    params(("sign_up" = SignUpId, Path, description = "The sign-up")),
    responses(
        (status = 201, description = "The account is there", body = SignedIn),
        (status = 409, description = "The address has an account by now",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn verify(
    State(social): State<Social>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<SignUpId>,
    Json(given): Json<Verification>,
) -> Result<Response, Problem> {
    social.rates().code_by_address(&caller)?;
    let code = social.db().read().await?.code_of_sign_up(id).await?;
    let code = social.try_code(code.map(|code| code.id), CodePurpose::SignUp, &given.code).await?;
    let now = social.now();
    let mut tx = social.db().begin().await?;
    let used = tx.use_code(code.id).await?;
    let sign_up = tx.sign_up(id, now).await?.filter(|_| used).ok_or_else(sign_in::wrong_code)?;
    if tx.is_refused_device(&sign_up.device_hash, now).await? {
        return Err(refused());
    }
    let account = AccountId::fresh(now);
    let new = NewAccount {
        id: account,
        region: sign_up.region,
        email: &sign_up.email,
        email_key: &sign_up.email_key,
        username: &sign_up.username,
        password_hash: sign_up.password_hash.as_deref(),
        language: &sign_up.language,
    };
    match tx.add_account(&new, now).await {
        Err(StoreError::Taken) => {
            let text = "this address has an account by now; sign in with it, or reset its password";
            return Err(Problem::new(ProblemCode::EmailTaken, text));
        }
        done => done?,
    }
    tx.hand_over_username(id, account).await?;
    let shown = tx.sign_up_identity(id).await?;
    let identity = shown.is_some().then(|| IdentityId::fresh(now));
    if let (Some(shown), Some(identity)) = (shown, identity) {
        match tx.link_identity(identity, account, &shown, now).await {
            Err(StoreError::Taken) => return Err(identity_taken()),
            done => done?,
        }
    }
    tx.remove_sign_up(id).await?;
    // The device of the sign-up is known from the start: nobody is warned of it.
    tx.remember_device(account, &sign_up.device_hash, now).await?;
    let signed_in = sign_in::Begin {
        account,
        proven_at: now,
        carrier: given.carrier,
        device: caller.device,
        device_name: device_name(given.device_name.as_deref()),
        identity,
    };
    let response = signed_in.answer(&social, tx, StatusCode::CREATED, &headers).await?;
    tracing::info!(account = social.log_id(account), "an account was made");
    Ok(response)
}

/// Makes the code of a sign-up and its mail; another mail where the address has an account.
pub(super) async fn mail_code(
    social: &Social,
    tx: &mut Tx,
    sign_up: &SignUp,
    now: UnixMs,
) -> Result<UnixMs, Problem> {
    let code = Code {
        id: CodeId::fresh_unordered(now),
        purpose: CodePurpose::SignUp,
        account_id: None,
        sign_up_id: Some(sign_up.id),
        new_email: None,
        attempts: 0,
        created_at: now,
        expires_at: now.after(CODE_LIFE),
    };
    tx.add_code(&code).await?;
    let mailer = social.mailer();
    match tx.account_by_email_or_hidden(&sign_up.email_key).await? {
        Some(owner) => mailer.to_account(tx, &owner, Template::AlreadyRegistered, now).await?,
        None => mailer.code_to_sign_up(tx, sign_up, code.id, code.expires_at, now).await?,
    }
    Ok(code.expires_at)
}

/// Somebody has the name.
pub(super) fn taken() -> Problem {
    Problem::new(ProblemCode::UsernameTaken, "somebody has this username; take another")
}
