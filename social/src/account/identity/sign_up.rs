//! An account for somebody whom a provider vouches for, and who has none.
//!
//! It begins with the birth date, as every sign-up does. What surprises: an e-mail address that the
//! provider has not verified, or that they would rather use, is verified here; and one that has an
//! account is never taken as theirs, since nobody but its owner links the two.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::{IdToken, shown};
use super::vouched::{Vouched, taken as identity_taken};
use crate::Social;
use crate::account::Region;
use crate::account::age::{Passed, refused};
use crate::account::sign_in::{Begin, Carrier, SignedIn};
use crate::account::sign_up::{SignUpBegun, mail_code, taken};
use crate::account::words::{Email, device_name, username};
use crate::http::Caller;
use crate::http::cookie::Cookie;
use crate::http::extract::Json;
use crate::id::{AccountId, IdentityId, SignUpId};
use crate::limits::SIGN_UP_LIFE;
use crate::problem::{Problem, ProblemCode};
use crate::secret::Hash;
use crate::store::{NewAccount, SignUp, StoreError, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(sign_up))
}

/// What an account needs that a provider vouches for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignUpWithIdentity {
    /// What the birth date gave.
    age_token: String,
    /// 3 to 24 of a-z, 0-9, '.', '_' and '-'.
    username: String,
    /// Where the account is kept, for good.
    region: Region,
    /// Another address than the one that the provider knows; a code goes there.
    #[serde(default)]
    #[schema(format = "email")]
    email: Option<String>,
    /// The language of mails: `en`, `de`, `tr`, or what else the server has.
    #[serde(default)]
    language: Option<String>,
    /// What an app shows; a browser has it in a cookie.
    #[serde(default)]
    identity: Option<IdToken>,
    /// How the session of this device is carried.
    #[serde(default)]
    carrier: Carrier,
    /// What to call the device in the list of sessions.
    #[serde(default)]
    device_name: Option<String>,
}

/// Makes an account for whoever a provider vouches for.
///
/// Where the provider has not verified an e-mail address, a code goes to the one that is given, and the
/// sign-up goes on like any other; `email` is missing, says the answer, where none is.
#[utoipa::path(
    post, path = "/api/v1/social/sign-ups/identity", tag = "sign-up",
    request_body = SignUpWithIdentity,
    responses(
        (status = 201, description = "The account is there", body = SignedIn),
        (status = 202, description = "A mail is on its way", body = SignUpBegun),
        (status = 404, description = "There is no such provider",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The name, the address or the sign-in has an account",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn sign_up(
    State(social): State<Social>,
    caller: Caller,
    headers: HeaderMap,
    Json(given): Json<SignUpWithIdentity>,
) -> Result<Response, Problem> {
    social.rates().sign_up_by_address(&caller)?;
    let device_hash = Passed::check(&social, &given.age_token, &caller).await?;
    let vouched = shown(&social, &headers, given.identity).await?;
    let name = username(&given.username)?;
    social.check_region(given.region)?;
    let asked = given.email.as_deref().map(Email::parse).transpose()?;
    let known = vouched.email.as_deref().and_then(|email| Email::parse(email).ok());
    let known = known.filter(|_| vouched.is_verified);
    let language = social.mailer().language(given.language.as_deref());
    let new = New { vouched, name, region: given.region, language, device_hash };
    match (asked, known) {
        (asked, Some(known)) if asked.as_ref().is_none_or(|asked| asked.key == known.key) => {
            let (tx, account, identity) = new.account(&social, &known).await?;
            let begin = Begin {
                account,
                // However that was: there is nothing in the account yet that is theirs.
                proven_at: social.now(),
                carrier: given.carrier,
                device: caller.device,
                device_name: device_name(given.device_name.as_deref()),
                identity: Some(identity),
            };
            let response = begin.answer(&social, tx, StatusCode::CREATED, &headers).await?;
            new.vouched.redeem(&social).await;
            tracing::info!(account = social.log_id(account), "an account was made");
            Ok(without_ticket(response, &headers))
        }
        (Some(asked), _) => {
            social.mailer().check()?;
            social.rates().mail_to(&caller, &asked.key)?;
            let begun = social.at_least_floor(new.waits(&social, &asked)).await?;
            new.vouched.redeem(&social).await;
            Ok(without_ticket((StatusCode::ACCEPTED, Json(begun)).into_response(), &headers))
        }
        (None, _) => {
            let text = "the provider has verified no e-mail address of yours; give one";
            Err(Problem::invalid("email", text))
        }
    }
}

/// Somebody who is about to have an account.
struct New {
    vouched: Vouched,
    /// As it was typed, and in lower case.
    name: (String, String),
    region: Region,
    language: String,
    device_hash: Hash,
}

impl New {
    /// A transaction in which neither the device was refused nor the sign-in has an account.
    async fn begin(&self, social: &Social) -> Result<Tx, Problem> {
        let now = social.now();
        let mut tx = social.db().begin().await?;
        if tx.is_refused_device(&self.device_hash, now).await? {
            return Err(refused());
        }
        let found = tx.identity_of(&self.vouched.issuer, &self.vouched.subject).await?;
        if found.is_some_and(|found| found.ended_at.is_none()) {
            return Err(identity_taken());
        }
        self.vouched.used(&mut tx).await?;
        Ok(tx)
    }

    /// Makes the account, with an address that the provider verified.
    async fn account(
        &self,
        social: &Social,
        email: &Email,
    ) -> Result<(Tx, AccountId, IdentityId), Problem> {
        let now = social.now();
        let mut tx = self.begin(social).await?;
        let id = AccountId::fresh(now);
        let (username, key) = &self.name;
        let new = NewAccount {
            id,
            region: self.region,
            email: &email.text,
            email_key: &email.key,
            username,
            password_hash: None,
            language: &self.language,
        };
        match tx.add_account(&new, now).await {
            Err(StoreError::Taken) => return Err(email_taken()),
            done => done?,
        }
        match tx.take_username(key, id).await {
            Err(StoreError::Taken) => return Err(taken()),
            done => done?,
        }
        let shown = self.vouched.shown(social.key());
        let identity = IdentityId::fresh(now);
        match tx.link_identity(identity, id, &shown, now).await {
            Err(StoreError::Taken) => return Err(identity_taken()),
            done => done?,
        }
        tx.remember_device(id, &self.device_hash, now).await?;
        Ok((tx, id, identity))
    }

    /// Waits for a code that is mailed, as every other sign-up does.
    async fn waits(&self, social: &Social, email: &Email) -> Result<SignUpBegun, Problem> {
        let now = social.now();
        let mut tx = self.begin(social).await?;
        let (username, key) = &self.name;
        let sign_up = SignUp {
            id: SignUpId::fresh_unordered(now),
            region: self.region,
            email: email.text.clone(),
            email_key: email.key.clone(),
            username: username.clone(),
            password_hash: None,
            language: self.language.clone(),
            device_hash: self.device_hash.to_vec(),
            created_at: now,
            expires_at: now.after(SIGN_UP_LIFE),
        };
        tx.add_sign_up(&sign_up).await?;
        match tx.reserve_username(key, sign_up.id).await {
            Err(StoreError::Taken) => return Err(taken()),
            done => done?,
        }
        tx.add_sign_up_identity(sign_up.id, &self.vouched.shown(social.key())).await?;
        let code_expires_at = mail_code(social, &mut tx, &sign_up, now).await?;
        tx.commit().await?;
        social.wake_jobs();
        Ok(SignUpBegun { sign_up: sign_up.id, code_expires_at })
    }
}

/// Takes the cookie away by which a browser was vouched for.
fn without_ticket(mut response: Response, headers: &HeaderMap) -> Response {
    if Cookie::Ticket.read_text(headers).is_some() {
        let spent = Cookie::Ticket.remove(headers);
        response.headers_mut().append(header::SET_COOKIE, spent);
    }
    response
}

/// To whoever the provider says has the address.
fn email_taken() -> Problem {
    let text = "this e-mail address has an account already; sign in to it as you used to, and link this \
                sign-in in its settings";
    Problem::new(ProblemCode::EmailTaken, text)
}
