//! Switching a browser on and off. What surprises: a session has one, and the two end together.

use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::encrypt::{AUTH_BYTES, Keys, POINT_BYTES, encrypt};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::PushId;
use crate::limits::PUSH_SUBSCRIPTIONS_MAX;
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::seal;
use crate::secret::{Purpose, ServerKey};
use crate::store::PushSubscription;

pub(crate) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(push, switch_on)).routes(routes!(switch_off))
}

/// Whether browsers are told what happens, and which are.
#[derive(Debug, Serialize, ToSchema)]
struct PushBody {
    /// What a browser asks its push service with, as `applicationServerKey`; none where this server pushes
    /// nothing.
    key: Option<String>,
    browsers: Vec<BrowserBody>,
}

/// A browser that is told what happens while no page is open.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PushBrowser)]
struct BrowserBody {
    id: PushId,
    /// What its owner calls the device.
    device_name: String,
    /// Whose push service it uses.
    host: String,
    /// Since when.
    created_at: UnixMs,
    /// Whether it is the one that asks.
    current: bool,
}

/// Lists the browsers that are told what happens, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/social/account/push", tag = "notices",
    responses((status = 200, description = "Which are", body = PushBody))
)]
async fn push(State(social): State<Social>, actor: Actor) -> Result<Json<PushBody>, Problem> {
    let key = social.push().sender().map(|sender| sender.public().to_owned());
    let found = social.db().read().await?.push_subscriptions(actor.account, social.now()).await?;
    let browsers = found.into_iter().map(|(browser, device_name)| BrowserBody {
        id: browser.id,
        device_name,
        host: browser.host,
        created_at: browser.created_at,
        current: browser.session_id == actor.session,
    });
    Ok(Json(PushBody { key, browsers: browsers.collect() }))
}

/// What a browser got from its push service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Subscribing {
    /// Where it is told.
    #[schema(max_length = 1024)]
    endpoint: String,
    /// Its public key, in base64url.
    p256dh: String,
    /// The secret that it shares, in base64url.
    auth: String,
}

/// Has this browser told what happens for as long as this session lasts, instead of what it asked for
/// before.
#[utoipa::path(
    put, path = "/api/v1/social/account/push", tag = "notices", request_body = Subscribing,
    responses(
        (status = 204, description = "It is told"),
        (status = 503, description = "This server pushes nothing",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn switch_on(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<Subscribing>,
) -> Result<StatusCode, Problem> {
    social.push().change(actor.account)?;
    let Some(sender) = social.push().sender() else {
        let text = "this server pushes nothing; whoever runs it has that off, or names no contact";
        return Err(Problem::new(ProblemCode::Unavailable, text));
    };
    let endpoint = sender.allowed().endpoint(&given.endpoint);
    let host = endpoint.as_ref().and_then(|url| url.host_str()).map(str::to_owned);
    let (Some(endpoint), Some(host)) = (endpoint, host) else {
        let text = "this is no address of a push service that this server asks; whoever runs it can \
                    add the one of your browser to push_hosts";
        return Err(Problem::invalid("endpoint", text));
    };
    let p256dh = bytes::<POINT_BYTES>("p256dh", &given.p256dh)?;
    let auth = bytes::<AUTH_BYTES>("auth", &given.auth)?;
    let target = Target { endpoint: endpoint.into(), keys: Keys { p256dh, auth } };
    if encrypt(&target.keys, b"").is_none() {
        return Err(Problem::invalid("p256dh", "this is no public key of P-256"));
    }
    let now = social.now();
    let browser = PushSubscription {
        id: PushId::fresh(now),
        account_id: actor.account,
        session_id: actor.session,
        host,
        sealed: target.seal(social.key()),
        created_at: now,
    };
    let mut tx = social.db().begin().await?;
    if !tx.holds_session(actor.account, actor.session).await? {
        return Err(Problem::new(ProblemCode::NotSignedIn, "the session has ended meanwhile"));
    }
    let hash = target.hash(social.key());
    tx.set_push_subscription(&browser, &hash, PUSH_SUBSCRIPTIONS_MAX).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a browser of yours told no more.
#[utoipa::path(
    delete, path = "/api/v1/social/account/push/{browser}", tag = "notices",
    params(("browser" = PushId, Path, description = "The browser")),
    responses((status = 204, description = "It is told no more"))
)]
async fn switch_off(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<PushId>,
) -> Result<StatusCode, Problem> {
    let mut tx = social.db().begin().await?;
    let removed = tx.remove_push_subscription(actor.account, id).await?;
    tx.commit().await?;
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("browser")) }
}

fn bytes<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], Problem> {
    // Some write the padding that others leave out.
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Problem::invalid(field, format!("this is not {N} bytes in base64url")))
}

/// Where a browser is told, and for whom it is encrypted.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) endpoint: String,
    pub(super) keys: Keys,
}

impl Target {
    /// As the database has it: the keys, and then the address.
    fn seal(&self, key: &ServerKey) -> Vec<u8> {
        let Keys { p256dh, auth } = &self.keys;
        let all = [p256dh.as_slice(), auth, self.endpoint.as_bytes()].concat();
        seal::seal(key, PURPOSE, &all)
    }

    /// What was sealed, by this server.
    pub(super) fn open(key: &ServerKey, sealed: &[u8]) -> Option<Self> {
        let all = seal::open(key, PURPOSE, sealed)?;
        let (p256dh, rest) = all.split_first_chunk()?;
        let (auth, endpoint) = rest.split_first_chunk()?;
        let keys = Keys { p256dh: *p256dh, auth: *auth };
        Some(Self { endpoint: String::from_utf8(endpoint.to_vec()).ok()?, keys })
    }

    /// What stands for the browser, whoever is signed in.
    fn hash(&self, key: &ServerKey) -> [u8; 32] {
        key.keyed_hash(Purpose::Push, format!("endpoint {}", self.endpoint).as_bytes())
    }
}

/// What it is sealed for.
const PURPOSE: &str = "push subscription";
