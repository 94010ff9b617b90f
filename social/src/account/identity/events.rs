//! What providers tell this server by themselves of somebody who signs in with them. Apple does: that they
//! share nothing with this server any more, that their account there is gone, or that mail to the address
//! which it made up for them is forwarded, or not.
//!
//! What is told is signed as ID tokens are, and where nobody is known by it the answer is the same. What
//! surprises: it is not remembered what was told already. That it is over counts only where it is newer than
//! what the provider last vouched for: who came back since has agreed once more. So whoever catches such a
//! token and shows it again does nothing.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::config::Kind;
use super::provider::{Provider, Refusal};
use super::token::{OneOrMore, SKEW_MAX, Untrusted, moment};
use super::vouched::account_of;
use crate::Social;
use crate::clean::Clean;
use crate::clock::UnixMs;
use crate::http::Caller;
use crate::http::extract::Path;
use crate::limits::{
    IDENTITY_EVENT_LIFE, IDENTITY_EVENTS_MAX, IDENTITY_TOKEN_LIFE_MAX, JSON_BYTES_MAX,
    SUBJECT_BYTES_MAX,
};
use crate::mail::Template;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Account, Ending, Identity, Relay, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(take))
}

/// What Apple sends.
#[derive(Deserialize, ToSchema)]
struct Delivery {
    /// A token that Apple signed, which tells of the events.
    payload: String,
}

/// Takes what a provider tells by itself of somebody who signs in with it, as Apple does.
///
/// A sign-in that is over there lets nobody in here any more, and the devices that it signed in are signed out.
#[utoipa::path(
    post, path = "/api/v1/social/identity/{provider}/events", tag = "sessions",
    request_body = Delivery,
    params(("provider" = String, Path, description = "The provider")),
    responses((status = 200, description = "It was heard, whether or not somebody here is known by it"))
)]
async fn take(
    State(social): State<Social>,
    caller: Caller,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    social.rates().identity_event_by_address(&caller)?;
    let provider = social.providers().find(&id)?;
    if provider.config.kind != Kind::Apple {
        let text = "this provider tells nothing by itself, as far as this server knows; Apple does";
        return Err(Problem::new(ProblemCode::NotFound, text));
    }
    let delivery = delivery(body)?;
    let events = read(provider, &delivery.payload, social.now()).await;
    for event in events.map_err(|refusal| provider.problem(refusal))? {
        happens(&social, provider, &event).await?;
    }
    Ok(StatusCode::OK)
}

/// The body, whatever kind its sender says that it is of: nobody describes what Apple says.
fn delivery(body: Result<Bytes, BytesRejection>) -> Result<Delivery, Problem> {
    let body = body.map_err(|why| {
        if why.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let text = format!("the body may have {JSON_BYTES_MAX} bytes at most");
            return Problem::new(ProblemCode::TooLarge, text);
        }
        Problem::new(ProblemCode::BadRequest, "the body broke off")
    })?;
    let value: Value = serde_json::from_slice(&body)
        .map_err(|why| Problem::new(ProblemCode::BadJson, format!("the body is no JSON: {why}")))?;
    serde_json::from_value(value)
        .map_err(|why| Problem::new(ProblemCode::Invalid, format!("the body is wrong: {why}")))
}

/// What a token says that tells of events.
#[derive(Debug, Deserialize)]
struct Said {
    iss: String,
    aud: OneOrMore,
    iat: f64,
    exp: Option<f64>,
    events: Value,
}

/// One of them, as Apple writes it.
#[derive(Debug, Deserialize)]
struct SaidEvent {
    #[serde(rename = "type")]
    kind: String,
    sub: String,
    event_time: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    what: What,
    subject: String,
    /// By the provider's clock.
    at: UnixMs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// They had it end what they share with this server.
    ConsentRevoked,
    /// They have no account there any more.
    AccountDeleted,
    /// Whether mail to the address that it made up is forwarded.
    Relay(Relay),
}

async fn read(provider: &Provider, payload: &str, now: UnixMs) -> Result<Vec<Event>, Refusal> {
    let said = provider.signed(payload).await?;
    Ok(judge(&said, &provider.config.issuer, &provider.audiences(), now)?)
}

fn judge(said: &Said, issuer: &str, ours: &[&str], now: UnixMs) -> Result<Vec<Event>, Untrusted> {
    if said.iss != issuer {
        return Err(Untrusted("issuer"));
    }
    if !said.aud.all().iter().any(|id| ours.contains(&id.as_str())) {
        return Err(Untrusted("audience"));
    }
    let said_at = moment(said.iat);
    let expires_at = said.exp.map_or(said_at.after(IDENTITY_EVENT_LIFE), moment);
    if expires_at.after(SKEW_MAX) <= now {
        return Err(Untrusted("expired"));
    }
    if now.after(IDENTITY_TOKEN_LIFE_MAX) < expires_at {
        return Err(Untrusted("it counts for too long"));
    }
    Ok(events(&said.events, said_at))
}

/// Those that this server knows. Apple writes one, as a text that is JSON itself.
fn events(said: &Value, said_at: UnixMs) -> Vec<Event> {
    let inner = said.as_str().map(|text| serde_json::from_str(text).unwrap_or_default());
    let inner: Value = inner.unwrap_or_else(|| said.clone());
    let all = if let Value::Array(all) = inner { all } else { vec![inner] };
    let known = all.into_iter().take(IDENTITY_EVENTS_MAX).filter_map(|one| {
        let event = serde_json::from_value(one).ok().and_then(|one| event(one, said_at));
        if event.is_none() {
            tracing::warn!("a provider tells of something that this server does not know");
        }
        event
    });
    known.collect()
}

fn event(said: SaidEvent, said_at: UnixMs) -> Option<Event> {
    let what = match said.kind.as_str() {
        "consent-revoked" => What::ConsentRevoked,
        // Its documents have one, and what it sends was seen to be the other.
        "account-delete" | "account-deleted" => What::AccountDeleted,
        "email-enabled" => What::Relay(Relay::On),
        "email-disabled" => What::Relay(Relay::Off),
        _ => return None,
    };
    let at = match said.event_time {
        // Its documents have seconds, of which the last moment is meant; what it sends has milliseconds.
        Some(time) if time < MILLISECONDS_FROM => moment(time).after(Duration::from_millis(999)),
        Some(time) => moment(time / 1000.0),
        None => said_at,
    };
    (said.sub.len() <= SUBJECT_BYTES_MAX).then_some(Event { what, subject: said.sub, at })
}

async fn happens(social: &Social, provider: &Provider, event: &Event) -> Result<(), Problem> {
    let found = account_of(social, &provider.config.issuer, &event.subject).await?;
    let Some((account, identity, mut tx)) = found else { return Ok(()) };
    let vouched_at = identity.shown.vouched_at.unwrap_or(identity.linked_at);
    let is_over = match event.what {
        What::Relay(relay) => {
            tx.note_relay(identity.id, relay, event.at).await?;
            false
        }
        // They came back since.
        What::ConsentRevoked | What::AccountDeleted if event.at < vouched_at => return Ok(()),
        // Perhaps because this server told the provider. Who takes it back signs in there, and agrees anew.
        What::ConsentRevoked if account.erase_at.is_some() => {
            tx.note_ending(&identity, Ending::Told, social.now()).await?;
            false
        }
        What::ConsentRevoked | What::AccountDeleted => {
            over(social, &mut tx, &account, &identity).await?;
            true
        }
    };
    if is_over {
        social.commit_and_sign_out(tx, account.id).await?;
        let provider = &provider.config.id;
        tracing::info!(account = social.log_id(account.id), provider, "a sign-in is over there");
    } else {
        tx.commit().await?;
    }
    social.wake_jobs();
    Ok(())
}

/// Lets a sign-in let nobody in any more. Its provider has nothing to be told.
async fn over(
    social: &Social,
    tx: &mut Tx,
    account: &Account,
    identity: &Identity,
) -> Result<(), Problem> {
    let now = social.now();
    tx.remove_identity(identity.id).await?;
    Clean::schedule(tx, &["identities"], now, Duration::ZERO).await?;
    social.mailer().to_account(tx, account, Template::IdentityOver, now).await?;
    Ok(())
}

/// From when on a number is one of milliseconds: as seconds it would be in the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: UnixMs = UnixMs(1_700_000_000_000);

    fn judged(change: &Value) -> Result<Vec<Event>, Untrusted> {
        let event =
            json!({ "type": "consent-revoked", "sub": "s", "event_time": 1_699_999_999_000_i64 });
        let mut said = json!({
            "iss": "https://id.example", "aud": "app", "iat": 1_699_999_999, "jti": "j",
            "events": event.to_string(),
        });
        for (name, value) in change.as_object().expect("claims") {
            said[name] = value.clone();
        }
        let said = serde_json::from_value(said).map_err(|_| Untrusted("claims"))?;
        judge(&said, "https://id.example", &["us", "app"], NOW)
    }

    #[test]
    fn what_is_told_is_believed_where_every_claim_is_right() {
        let at = UnixMs(1_699_999_999_000);
        let event = Event { what: What::ConsentRevoked, subject: "s".into(), at };
        assert_eq!(judged(&json!({})), Ok(vec![event]));
        for (wrong, why) in [
            (json!({ "iss": "https://id.example/" }), "issuer"),
            (json!({ "aud": "other" }), "audience"),
            (json!({ "aud": [] }), "audience"),
            (json!({ "iat": null }), "claims"),
            // A day and a minute ago, or so says it itself.
            (json!({ "iat": 1_699_913_540 }), "expired"),
            (json!({ "exp": 1_699_999_940 }), "expired"),
            (json!({ "exp": 1_700_172_801 }), "it counts for too long"),
            (json!({ "iat": 1_700_086_401 }), "it counts for too long"),
        ] {
            assert_eq!(judged(&wrong), Err(Untrusted(why)), "{wrong}");
        }
    }

    #[test]
    fn events_are_read_as_they_are_written_and_what_is_unknown_is_left_out() {
        let said_at = UnixMs(5_000);
        let read = |said: Value| events(&said, said_at);
        let whats = |said| read(said).into_iter().map(|event| event.what).collect::<Vec<_>>();
        let one = |kind: &str| json!({ "type": kind, "sub": "s" });
        for (kind, what) in [
            ("account-delete", What::AccountDeleted),
            ("account-deleted", What::AccountDeleted),
            ("email-enabled", What::Relay(Relay::On)),
            ("email-disabled", What::Relay(Relay::Off)),
        ] {
            assert_eq!(whats(one(kind)), [what]);
            assert_eq!(whats(one(kind).to_string().into()), [what], "as a text");
            assert_eq!(whats(json!([one("other"), one(kind), 7])), [what], "among others");
        }
        assert_eq!(whats(vec![one("email-enabled"); 99].into()).len(), IDENTITY_EVENTS_MAX);
        for nothing in [json!("{"), json!(7), json!({ "type": "consent-revoked" }), json!(null)] {
            assert_eq!(read(nothing.clone()), [], "{nothing}");
        }
        let long = json!({ "type": "consent-revoked", "sub": "s".repeat(256) });
        assert_eq!(read(long), []);
        let at = |time: Value| {
            let mut said = one("consent-revoked");
            said["event_time"] = time;
            read(said)[0].at
        };
        assert_eq!(at(json!(null)), said_at);
        assert_eq!(at(json!(1_700_000_000)), UnixMs(1_700_000_000_999));
        assert_eq!(at(json!(1_700_000_000_250_i64)), UnixMs(1_700_000_000_250));
    }
}
