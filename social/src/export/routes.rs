//! Asking for an archive of what is kept, and fetching it.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::files;
use super::job::Make;
use super::keep::Opened;
use crate::Social;
use crate::account::still_holds;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::ExportId;
use crate::limits::{EXPORT_LIFE, EXPORT_LINK_LIFE, EXPORT_PIECE_BYTES};
use crate::problem::{Problem, ProblemCode};
use crate::secret::Token;
use crate::store::Export;

pub(crate) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .routes(routes!(exports, ask))
        .routes(routes!(link))
        .routes(routes!(download))
        .routes(routes!(schema))
}

/// Who wants to have what is kept of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExportRequest {
    /// The account's; one without a password was proven lately.
    #[serde(default)]
    #[schema(format = "password")]
    current_password: Option<String>,
}

/// An archive of what is kept.
#[derive(Debug, Serialize, ToSchema)]
struct ExportBody {
    id: ExportId,
    /// Whether it can be fetched.
    state: ExportState,
    /// How large it is, once it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<i64>,
    created_at: UnixMs,
    /// When it is deleted.
    expires_at: UnixMs,
}

/// Whether an archive can be fetched.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ExportState {
    /// It is being made.
    Waiting,
    /// It can.
    Ready,
}

impl ExportBody {
    fn of(export: Export) -> Self {
        let Export { id, bytes, created_at, expires_at, .. } = export;
        let state = if bytes.is_some() { ExportState::Ready } else { ExportState::Waiting };
        Self { id, state, bytes, created_at, expires_at }
    }
}

/// Lists the archives that were asked for.
#[utoipa::path(
    get, path = "/api/v1/social/account/exports", tag = "rights",
    responses((status = 200, description = "The oldest first", body = Vec<ExportBody>))
)]
async fn exports(
    State(social): State<Social>,
    actor: Actor,
) -> Result<Json<Vec<ExportBody>>, Problem> {
    let exports = social.db().read().await?.exports(actor.account, social.now()).await?;
    Ok(Json(exports.into_iter().map(ExportBody::of).collect()))
}

/// Has an archive made of everything that is kept of whoever asks.
#[utoipa::path(
    post, path = "/api/v1/social/account/exports", tag = "rights", request_body = ExportRequest,
    responses((status = 202, description = "It is being made", body = ExportBody))
)]
async fn ask(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<ExportRequest>,
) -> Result<(StatusCode, Json<ExportBody>), Problem> {
    let account = social.prove(actor, given.current_password).await?;
    social.rates().export(actor.account)?;
    let now = social.now();
    let export = Export {
        id: ExportId::fresh(now),
        account_id: account.id,
        bytes: None,
        created_at: now,
        expires_at: now.after(EXPORT_LIFE),
    };
    let mut tx = social.db().begin().await?;
    still_holds(&mut tx, actor, Some(&account)).await?;
    tx.add_export(&export).await?;
    Make::schedule(&mut tx, export.id, now).await?;
    tx.commit().await?;
    social.wake_jobs();
    Ok((StatusCode::ACCEPTED, Json(ExportBody::of(export))))
}

/// The link to an archive.
#[derive(Debug, Serialize, ToSchema)]
struct ExportLink {
    /// The path that leads to it, once.
    url: String,
    /// Until when it does.
    expires_at: UnixMs,
}

/// Makes a link to an archive, which can be followed once; an earlier one leads nowhere then.
#[utoipa::path(
    post, path = "/api/v1/social/account/exports/{export}/link", tag = "rights",
    request_body = ExportRequest,
    params(("export" = ExportId, Path, description = "The archive")),
    responses((status = 201, description = "The link", body = ExportLink))
)]
async fn link(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<ExportId>,
    Json(given): Json<ExportRequest>,
) -> Result<(StatusCode, Json<ExportLink>), Problem> {
    let account = social.prove(actor, given.current_password).await?;
    let now = social.now();
    let expires_at = now.after(EXPORT_LINK_LIFE);
    let token = Token::fresh();
    let mut tx = social.db().begin().await?;
    still_holds(&mut tx, actor, Some(&account)).await?;
    if !tx.link_export(account.id, id, &token.hash(), expires_at, now).await? {
        return Err(Problem::not_found("archive that is ready"));
    }
    tx.commit().await?;
    let url = format!("/api/v1/social/exports/{}", token.text());
    Ok((StatusCode::CREATED, Json(ExportLink { url, expires_at })))
}

/// Fetches an archive by its link, which leads nowhere then.
#[utoipa::path(
    get, path = "/api/v1/social/exports/{token}", tag = "rights",
    params(("token" = String, Path, description = "What the link holds")),
    responses((status = 200, description = "The archive", content_type = "application/zip",
        body = Vec<u8>))
)]
async fn download(
    State(social): State<Social>,
    method: Method,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    if method != Method::GET {
        // Whoever only looks, as programs do that show what is behind a link, must not use it up.
        let text = "this link can be followed once, with GET; whoever only looks is told nothing";
        return Err(Problem::new(ProblemCode::MethodNotAllowed, text));
    }
    let token = Token::parse(&token).ok_or_else(no_link)?;
    let mut tx = social.db().begin().await?;
    let export = tx.follow_link(&token.hash(), social.now()).await?.ok_or_else(no_link)?;
    let archive = social.archives().open(export.id).await.map_err(|error| {
        tracing::error!(%error, "an archive is not where it should be");
        Problem::internal()
    })?;
    tx.commit().await?;
    let mut response = Response::new(Body::from_stream(pieces(archive)));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "application/zip"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"vjam-export.zip\""),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(bytes) = export.bytes.and_then(|bytes| u64::try_from(bytes).ok()) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    }
    Ok(response)
}

fn pieces(archive: Opened) -> impl stream::Stream<Item = std::io::Result<Vec<u8>>> {
    stream::unfold(Some(archive), async |archive| {
        let mut archive = archive?;
        let mut piece = vec![0; EXPORT_PIECE_BYTES];
        match archive.read(&mut piece).await {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Ok(piece), Some(archive)))
            }
            Err(error) => Some((Err(error), None)),
        }
    })
}

fn no_link() -> Problem {
    let text = "this link was followed already, is older than 15 minutes, or leads to what was \
                deleted; make another in the settings";
    Problem::new(ProblemCode::NotFound, text)
}

/// Shows the JSON Schema that the files of an archive follow.
#[utoipa::path(
    get, path = "/api/v1/social/export-schema.json", tag = "rights",
    responses((status = 200, description = "The schema", content_type = "application/schema+json",
        body = Object))
)]
async fn schema(State(social): State<Social>) -> Result<Response, Problem> {
    let schema = files::schema(social.db()).await?;
    let kind = HeaderValue::from_static("application/schema+json");
    Ok(([(header::CONTENT_TYPE, kind)], format!("{schema:#}\n")).into_response())
}
