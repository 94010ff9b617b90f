//! Where crashes are reported, and where an admin reads them.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::envelope::{self, Packing, Unreadable};
use super::scrub::{CrashReport, scrub};
use crate::Social;
use crate::clean::Clean;
use crate::clock::UnixMs;
use crate::http::extract::{Json, Path};
use crate::http::{Actor, Caller, MaybeActor};
use crate::id::CrashId;
use crate::limits::{CRASH_BYTES_MAX, CRASH_CAUSES_SHOWN_MAX, CRASHES_MAX};
use crate::problem::{Problem, ProblemCode};
use crate::secret::equal;

/// Where crashes are reported.
pub(crate) fn intake() -> OpenApiRouter<Social> {
    // Not more than an envelope may have unpacked: nobody sends one that grew by packing.
    OpenApiRouter::new().routes(routes!(report)).layer(DefaultBodyLimit::max(CRASH_BYTES_MAX))
}

/// Where they are read.
pub(crate) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(causes)).routes(routes!(crash, forget))
}

/// What an SDK is answered.
#[derive(Debug, Serialize, ToSchema)]
struct Reported {
    /// The id that it gave the crash.
    id: String,
}

/// Takes a crash, as Sentry's SDKs report it: an envelope.
///
/// A report that is too large or makes no sense is answered as if it were kept, because an SDK would
/// send it again and again. What names a person or a machine is not kept.
#[utoipa::path(
    post, path = "/api/{project}/envelope/", tag = "crash",
    params(("project" = String, Path, description = "Any: a server has one list of crashes")),
    request_body(content = String, content_type = "application/x-sentry-envelope",
        description = "An envelope; with gzip or deflate, if its header says so"),
    responses((status = 200, description = "It is kept, or dropped", body = Reported))
)]
async fn report(
    State(social): State<Social>,
    MaybeActor(actor): MaybeActor,
    caller: Caller,
    Path(_): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    if let Err(problem) = allowed(&social, &headers, query.as_deref()) {
        return problem.into_response();
    }
    if social.rates().crash(&caller).is_err() {
        return overloaded();
    }
    let packing = headers.get(header::CONTENT_ENCODING).map(HeaderValue::to_str);
    let packing = Packing::of(packing.and_then(Result::ok));
    let (Some(packing), Ok(body)) = (packing, body) else { return answer(None) };
    // Unpacking takes milliseconds at most: its size is limited.
    let (id, events) = match envelope::unpack(&body, packing) {
        Ok(unpacked) => envelope::read(&unpacked),
        Err(Unreadable::TooLarge | Unreadable::Broken) => return answer(None),
    };
    let objected = match actor {
        Some(Actor { account, .. }) => social.objected(account).await,
        None => Ok(false),
    };
    let kept = match objected {
        Ok(true) => Ok(()),
        Ok(false) => social.keep_crashes(&events).await,
        Err(problem) => Err(problem),
    };
    match kept {
        Ok(()) => answer(id),
        Err(problem) => problem.into_response(),
    }
}

/// That the report carries the key that the operator gave.
fn allowed(social: &Social, headers: &HeaderMap, query: Option<&str>) -> Result<(), Problem> {
    let Some(key) = social.crash_key() else {
        let text = "this server takes no reports of crashes";
        return Err(Problem::new(ProblemCode::NotFound, text));
    };
    let header = headers.get("x-sentry-auth").and_then(|value| value.to_str().ok());
    let header = header.into_iter().flat_map(|text| text.split([',', ' ']));
    let query = query.into_iter().flat_map(|text| text.split('&'));
    let mut given = header.chain(query).filter_map(|part| part.strip_prefix("sentry_key="));
    if given.any(|given| equal(given.as_bytes(), key.as_bytes())) {
        return Ok(());
    }
    let text = "this is not the key of this server's crash reports; look at the DSN";
    Err(Problem::new(ProblemCode::Forbidden, text))
}

fn answer(id: Option<String>) -> Response {
    let body = id.map_or_else(|| json!({}), |id| json!({ "id": id }));
    (StatusCode::OK, axum::Json(body)).into_response()
}

/// A bare 429 keeps some SDKs from reporting anything for a minute, so it says what and how long.
fn overloaded() -> Response {
    let mut response = Problem::too_many(RETRY_AFTER).into_response();
    let limits = HeaderValue::from_static("30:error:key");
    response.headers_mut().insert("x-sentry-rate-limits", limits);
    response
}

const RETRY_AFTER: Duration = Duration::from_secs(30);

impl Social {
    async fn objected(&self, account: crate::id::AccountId) -> Result<bool, Problem> {
        Ok(self.db().read().await?.usage_objection(account).await?.is_some())
    }

    async fn keep_crashes(&self, events: &[Value]) -> Result<(), Problem> {
        if events.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let mut tx = self.db().begin().await?;
        for event in events {
            tx.add_crash(&scrub(event), CRASHES_MAX, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// What made some program crash, once or often.
#[derive(Debug, Serialize, ToSchema)]
struct CauseBody {
    /// The last crash of it.
    last: CrashId,
    /// When the first one was reported that is kept.
    first_at: UnixMs,
    /// When that was reported.
    last_at: UnixMs,
    /// How often it was reported.
    count: i64,
    /// What kind of program it was.
    platform: String,
    /// Of which version.
    release: String,
    /// What failed.
    title: String,
}

/// Shows what makes programs crash.
#[utoipa::path(
    get, path = "/api/v1/social/admin/crashes", tag = "admin",
    responses((status = 200, description = "What was reported last first", body = [CauseBody]))
)]
async fn causes(State(social): State<Social>) -> Result<Json<Vec<CauseBody>>, Problem> {
    let causes = social.db().read().await?.crash_causes(CRASH_CAUSES_SHOWN_MAX).await?;
    let shown = causes.into_iter().map(|cause| CauseBody {
        last: cause.last,
        first_at: cause.first_at,
        last_at: cause.last_at,
        count: cause.count,
        platform: cause.platform,
        release: cause.release,
        title: cause.title,
    });
    Ok(Json(shown.collect()))
}

/// A crash.
#[derive(Debug, Serialize, ToSchema)]
struct CrashBody {
    id: CrashId,
    received_at: UnixMs,
    report: CrashReport,
}

/// Shows a crash.
#[utoipa::path(
    get, path = "/api/v1/social/admin/crashes/{crash}", tag = "admin",
    params(("crash" = CrashId, Path, description = "The crash")),
    responses((status = 200, description = "The crash", body = CrashBody))
)]
async fn crash(
    State(social): State<Social>,
    Path(id): Path<CrashId>,
) -> Result<Json<CrashBody>, Problem> {
    let crash = social.db().read().await?.crash(id).await?;
    let crash = crash.ok_or_else(|| Problem::not_found("crash"))?;
    Ok(Json(CrashBody { id: crash.id, received_at: crash.received_at, report: crash.report }))
}

/// Deletes a crash, and all others of the same cause.
#[utoipa::path(
    delete, path = "/api/v1/social/admin/crashes/{crash}", tag = "admin",
    params(("crash" = CrashId, Path, description = "A crash of the cause")),
    responses((status = 204, description = "None of them is kept"))
)]
async fn forget(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<CrashId>,
) -> Result<StatusCode, Problem> {
    let now = social.now();
    let mut tx = social.db().begin().await?;
    if !tx.delete_cause(id).await? {
        return Err(Problem::not_found("crash"));
    }
    // Somebody may delete one because it names somebody after all.
    Clean::schedule(&mut tx, &["crashes"], now, Duration::ZERO).await?;
    tx.audit(Some(actor.account), None, "crashes_deleted", now).await?;
    tx.commit().await?;
    social.wake_jobs();
    Ok(StatusCode::NO_CONTENT)
}
