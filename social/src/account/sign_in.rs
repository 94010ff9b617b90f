//! Signing in and out, and the list of devices that are signed in.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::age::tell_device;
use super::settings::AccountBody;
use super::words::{device_name, given_password};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::cookie::Cookie;
use crate::http::extract::{Json, Path};
use crate::http::{Actor, Caller};
use crate::id::{AccountId, CodeId, IdentityId, SessionId};
use crate::limits::{
    CODE_ATTEMPTS_MAX, EMAIL_BYTES_MAX, SESSION_IDLE_MAX, SESSION_LIFE_MAX, SESSION_USE_GRAIN,
    SESSIONS_MAX,
};
use crate::mail::Template;
use crate::problem::{Problem, ProblemCode};
use crate::secret::Token;
use crate::store::{Account, Code, CodePurpose, Session, Suspension, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, sessions, sign_out_others))
        .routes(routes!(sign_out))
        .routes(routes!(revoke))
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The e-mail address or the username.
    login: String,
    /// The password.
    #[schema(format = "password")]
    password: String,
    /// How the session of this device is carried.
    #[serde(default)]
    carrier: Carrier,
    /// What to call the device in the list of sessions.
    #[serde(default)]
    device_name: Option<String>,
}

/// How a device carries its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Carrier {
    /// As a token in `Authorization: Bearer`, which the answer holds: for apps.
    #[default]
    Token,
    /// In a cookie that pages cannot read: for browsers.
    Cookie,
}

/// Who is signed in, and in which session.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignedIn {
    account: AccountBody,
    session: SessionBody,
    /// The session's token, unless it is carried in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// A device that is signed in.
#[derive(Debug, Serialize, ToSchema)]
struct SessionBody {
    id: SessionId,
    /// What its owner calls the device.
    device_name: String,
    created_at: UnixMs,
    /// To the hour.
    last_used_at: UnixMs,
    expires_at: UnixMs,
    /// Whether it is the one that asks.
    current: bool,
}

/// Signs in.
#[utoipa::path(
    post, path = "/api/v1/social/sessions", tag = "sessions", request_body = SignIn,
    responses((status = 201, description = "Signed in", body = SignedIn))
)]
async fn sign_in(
    State(social): State<Social>,
    caller: Caller,
    headers: HeaderMap,
    Json(given): Json<SignIn>,
) -> Result<Response, Problem> {
    let proven = social.prove_login(&caller, &given.login, given.password).await?;
    let Proven { account, mut tx, is_known } = proven;
    let now = social.now();
    // Before the erasure: who is frozen has one too, and cannot take it back.
    if let Some(suspension) = tx.suspension(account.id, now).await? {
        return Err(suspended(&suspension));
    }
    if account.erase_at.is_some() {
        let text = "this account is to be erased, as its owner asked; take that back first, at \
                    /account/erasure/cancel, and sign in then";
        return Err(Problem::new(ProblemCode::ErasurePending, text));
    }
    if !is_known {
        social.mailer().to_account(&mut tx, &account, Template::NewDevice, now).await?;
    }
    let begin = Begin {
        account: account.id,
        proven_at: now,
        carrier: given.carrier,
        device: caller.device,
        device_name: device_name(given.device_name.as_deref()),
        identity: None,
    };
    begin.answer(&social, tx, StatusCode::CREATED, &headers).await
}

/// A session that has begun.
pub(super) struct Begun {
    account: Account,
    pub(super) session: Session,
    /// What the device shows from then on.
    pub(super) token: Token,
    /// Which device it is.
    pub(super) device: Token,
}

/// A session that is to begin.
pub(super) struct Begin {
    pub(super) account: AccountId,
    /// When its owner proved who they are.
    pub(super) proven_at: UnixMs,
    pub(super) carrier: Carrier,
    pub(super) device: Option<Token>,
    pub(super) device_name: String,
    /// With which sign-in of a provider, if with one.
    pub(super) identity: Option<IdentityId>,
}

impl Begin {
    /// Begins it and commits.
    pub(super) async fn begun(self, social: &Social, mut tx: Tx) -> Result<Begun, Problem> {
        let now = social.now();
        if let Some(suspension) = tx.suspension(self.account, now).await? {
            return Err(suspended(&suspension));
        }
        let device = self.device.unwrap_or_else(Token::fresh);
        let device_hash = social.device_hash(&device);
        let token = Token::fresh();
        let session = Session {
            id: SessionId::fresh(now),
            account_id: self.account,
            device_hash: device_hash.to_vec(),
            device_name: self.device_name,
            created_at: now,
            last_used_at: now,
            proven_at: self.proven_at,
            expires_at: now.after(SESSION_IDLE_MAX),
            identity_id: self.identity,
        };
        let others_end = tx.add_session(&session, &token.hash(), SESSIONS_MAX).await?;
        tx.remember_device(self.account, &device_hash, now).await?;
        let account = tx.account(self.account).await?;
        let account = account.ok_or_else(|| Problem::not_found("account"))?;
        if others_end {
            social.commit_and_sign_out(tx, account.id).await?;
        } else {
            tx.commit().await?;
        }
        social.wake_jobs();
        Ok(Begun { account, session, token, device })
    }

    /// Begins it, commits, and answers.
    pub(super) async fn answer(
        self,
        social: &Social,
        tx: Tx,
        status: StatusCode,
        request: &HeaderMap,
    ) -> Result<Response, Problem> {
        let carrier = self.carrier;
        let Begun { account, session, token, device } = self.begun(social, tx).await?;
        let carried = match carrier {
            Carrier::Token => Some(token.text()),
            Carrier::Cookie => None,
        };
        let id = session.id;
        let body = SignedIn {
            account: AccountBody::of(account),
            session: SessionBody::of(session, id),
            token: carried,
        };
        let mut response = (status, Json(body)).into_response();
        if carrier == Carrier::Cookie {
            let cookie = Cookie::Session.write(&token, SESSION_LIFE_MAX.as_secs(), request);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        tell_device(&mut response, &device, request);
        Ok(response)
    }
}

impl SessionBody {
    fn of(session: Session, current: SessionId) -> Self {
        Self {
            id: session.id,
            device_name: session.device_name,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            current: session.id == current,
        }
    }
}

/// Lists the devices that are signed in.
#[utoipa::path(
    get, path = "/api/v1/social/sessions", tag = "sessions",
    responses((status = 200, description = "The oldest first", body = Vec<SessionBody>))
)]
async fn sessions(
    State(social): State<Social>,
    actor: Actor,
) -> Result<Json<Vec<SessionBody>>, Problem> {
    let sessions = social.db().read().await?.sessions(actor.account, social.now()).await?;
    let bodies = sessions.into_iter().map(|session| SessionBody::of(session, actor.session));
    Ok(Json(bodies.collect()))
}

/// Signs all other devices out.
#[utoipa::path(
    delete, path = "/api/v1/social/sessions", tag = "sessions",
    responses((status = 204, description = "Only this device is signed in"))
)]
async fn sign_out_others(
    State(social): State<Social>,
    actor: Actor,
) -> Result<StatusCode, Problem> {
    let mut tx = social.db().begin().await?;
    tx.end_sessions(actor.account, Some(actor.session)).await?;
    social.commit_and_sign_out(tx, actor.account).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Signs this device out.
#[utoipa::path(
    delete, path = "/api/v1/social/sessions/current", tag = "sessions",
    responses((status = 204, description = "This device is signed out"))
)]
async fn sign_out(
    State(social): State<Social>,
    actor: Actor,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = social.db().begin().await?;
    tx.end_session(actor.account, actor.session).await?;
    social.commit_and_sign_out(tx, actor.account).await?;
    let cookie = Cookie::Session.remove(&headers);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Signs a device out.
#[utoipa::path(
    delete, path = "/api/v1/social/sessions/{session}", tag = "sessions",
    params(("session" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "That device is signed out"))
)]
async fn revoke(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    let mut tx = social.db().begin().await?;
    let ended = tx.end_session(actor.account, id).await?;
    social.commit_and_sign_out(tx, actor.account).await?;
    if ended { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("session")) }
}

/// Somebody who gave a name and its password.
pub(super) struct Proven {
    /// Their account, perhaps one that is to be erased.
    pub(super) account: Account,
    /// A transaction in which nobody gives it another password.
    pub(super) tx: Tx,
    /// Whether they ask from a device that it knows.
    pub(super) is_known: bool,
}

impl Social {
    /// Whoever has this name and this password; at the rates of a sign-in, and in the same time for a
    /// name that nobody has.
    pub(super) async fn prove_login(
        &self,
        caller: &Caller,
        login: &str,
        password: String,
    ) -> Result<Proven, Problem> {
        self.rates().sign_in_by_address(caller)?;
        given_password(&password)?;
        let login = login.trim().to_lowercase();
        let device_hash = caller.device.as_ref().map(|device| self.device_hash(device));
        let (account, is_known) = {
            let mut conn = self.db().read().await?;
            let account = if is_nobodys(&login) {
                // Taken for a name all the same, so that its answer and its time are those of any
                // other.
                None
            } else if login.contains('@') {
                conn.account_by_email_or_hidden(&login).await?
            } else {
                conn.account_by_username_or_hidden(&login).await?
            };
            let is_known = match (&account, &device_hash) {
                (Some(account), Some(hash)) => conn.is_known_device(account.id, hash).await?,
                _ => false,
            };
            (account, is_known)
        };
        // Whoever guesses from elsewhere must not keep the owner out of a device they use.
        let known = device_hash.as_ref().filter(|_| is_known);
        self.rates().password(caller, &login, known.map(|hash| hash.as_slice()))?;
        let (account, tx) = self.verified(account, password).await?;
        Ok(Proven { account, tx, is_known })
    }

    /// The account whose password somebody gave, and a transaction in which nobody gives it another.
    async fn verified(
        &self,
        mut account: Option<Account>,
        password: String,
    ) -> Result<(Account, Tx), Problem> {
        // The hash may have changed while the password was compared: it was reset, and is wrong by now,
        // or another device of theirs signed in and made it stronger, and it is still right.
        for _ in 0..VERIFY_TRIES_MAX {
            let hash = account.as_ref().and_then(|account| account.password_hash.clone());
            let verdict = self.passwords().verify(password.clone(), hash.clone()).await?;
            let Some(found) = account.filter(|_| verdict.is_right) else {
                return Err(self.wrong_credentials());
            };
            let stronger = if verdict.is_weak {
                Some(self.passwords().hash(password.clone()).await?)
            } else {
                None
            };
            let mut tx = self.db().begin().await?;
            if tx.holds_password(found.id, hash.as_deref()).await? {
                if let (Some(weak), Some(stronger)) = (&hash, &stronger) {
                    tx.strengthen_password_hash(found.id, weak, stronger).await?;
                }
                // As it stands in the transaction: it may be hidden, or shown, since it was found.
                let found = tx
                    .account_or_hidden(found.id)
                    .await?
                    .ok_or_else(|| self.wrong_credentials())?;
                return Ok((found, tx));
            }
            account = tx.account_or_hidden(found.id).await?;
        }
        Err(self.wrong_credentials())
    }

    /// Whoever is signed in with a token, if anybody is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, token: &Token) -> Result<Option<Actor>, Problem> {
        let now = self.now();
        let found = self.db().read().await?.session_by_token(&token.hash(), now).await?;
        let Some((session, role)) = found else { return Ok(None) };
        if SESSION_USE_GRAIN <= now.since(session.last_used_at) {
            let expires_at =
                now.after(SESSION_IDLE_MAX).min(session.created_at.after(SESSION_LIFE_MAX));
            let mut tx = self.db().begin().await?;
            tx.touch_session(session.id, now, expires_at).await?;
            tx.commit().await?;
        }
        Ok(Some(Actor { account: session.account_id, session: session.id, role }))
    }

    /// Tries a code that somebody typed; it is theirs to use up then.
    ///
    /// # Errors
    /// Always the same, whether the code is wrong, used, expired, tried too often or nobody's.
    pub(crate) async fn try_code(
        &self,
        id: Option<CodeId>,
        purpose: CodePurpose,
        typed: &str,
    ) -> Result<Code, Problem> {
        let id = id.ok_or_else(wrong_code)?;
        let mut tx = self.db().begin().await?;
        // Counted and committed first: however many try at once, or hang up, each counts.
        let counted = tx.count_attempt(id, CODE_ATTEMPTS_MAX, self.now()).await?;
        let code = tx.code(id).await?;
        tx.commit().await?;
        let is_right = self.key().is_code(id.uuid().as_bytes(), typed);
        code.filter(|code| counted && is_right && code.purpose == purpose).ok_or_else(wrong_code)
    }
}

/// Whether nobody can have this name or address: not to be asked for, since PostgreSQL takes no NUL.
fn is_nobodys(login: &str) -> bool {
    EMAIL_BYTES_MAX < login.len() || login.chars().any(char::is_control)
}

/// To whoever proved who they are: nobody else learns of it.
pub(super) fn suspended(suspension: &Suspension) -> Problem {
    let Suspension { reason, until } = suspension;
    let until = until.map_or_else(String::new, |until| format!(" until {}", until.iso_date()));
    let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let text = format!(
        "this account is suspended{until}{why}; if that is wrong, write to whoever runs this server"
    );
    Problem::new(ProblemCode::Suspended, text)
}

impl Social {
    /// The same to everybody: who has an account elsewhere is not known here, and where to look for it is told.
    fn wrong_credentials(&self) -> Problem {
        let text = format!(
            "there is no account of this name with this password here; accounts of another region than \
             {} are at another server",
            self.region().word()
        );
        Problem::new(ProblemCode::WrongCredentials, text)
    }
}

pub(super) fn wrong_code() -> Problem {
    let text = "this code is wrong, used already, older than 15 minutes or was tried too often; ask \
                for another";
    Problem::new(ProblemCode::WrongCode, text)
}

/// How often a password is compared whose hash changes meanwhile.
const VERIFY_TRIES_MAX: u32 = 3;
