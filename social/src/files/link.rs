//! A link to a file that holds for a while without anybody being signed in: for players and programs
//! that fetch by an address only.
//!
//! Where a bucket keeps files it signs the link itself, and they do not pass through this server.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::content::{Part, answer};
use super::readable;
use crate::Social;
use crate::clock::UnixMs;
use crate::http::extract::{Json, Path};
use crate::http::{Actor, PREFIX};
use crate::id::FileId;
use crate::limits::LINK_LIFE;
use crate::objects::ObjectsError;
use crate::problem::{Problem, ProblemBody};
use crate::secret::{Purpose, ServerKey, hex, unhex};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(link)).routes(routes!(linked))
}

/// A link.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FileLink)]
struct LinkBody {
    /// Where the file is: at this server, unless it names another.
    url: String,
    /// Until when.
    expires_at: UnixMs,
}

/// Makes a link to a file, which anybody may follow for 15 minutes.
#[utoipa::path(
    post, path = "/api/v1/social/files/{file}/link", tag = "files",
    params(("file" = FileId, Path, description = "Which one")),
    responses(
        (status = 201, description = "The link", body = LinkBody),
        (status = 410, description = "What is in it is lost",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn link(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<FileId>,
) -> Result<(StatusCode, Json<LinkBody>), Problem> {
    let file = readable(&mut social.db().read().await?, id, actor.account).await?;
    // A bucket would say so in words of its own, to whoever follows the link.
    if !social.objects().is_there(file.key()).await? {
        return Err(ObjectsError::Gone.into());
    }
    let expires_at = social.now().after(LINK_LIFE);
    let url = match social.objects().signed_url(file.key(), LINK_LIFE).await? {
        Some(url) => url,
        None => format!("{PREFIX}/content/{}", token(social.key(), id, expires_at)),
    };
    Ok((StatusCode::CREATED, Json(LinkBody { url, expires_at })))
}

/// What is in a file that a link leads to.
#[utoipa::path(
    get, path = "/api/v1/social/content/{token}", tag = "files",
    params(("token" = String, Path, description = "Of the link")),
    responses(
        (status = 200, description = "All of it",
            content((Vec<u8> = "audio/*"), (Vec<u8> = "image/*"))),
        (status = 206, description = "The bytes that were asked for",
            content((Vec<u8> = "audio/*"), (Vec<u8> = "image/*"))),
        (status = 410, description = "What is in it is lost",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 416, description = "It has no such bytes",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn linked(
    State(social): State<Social>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = of_token(social.key(), &text).filter(|(_, until)| social.now() < *until);
    let Some((id, _)) = file else { return Err(Problem::not_found("link")) };
    let file = social.db().read().await?.file(id).await?;
    let file = file.ok_or_else(|| Problem::not_found("file"))?;
    answer(&social, &Part::of(&file), &headers).await
}

/// The file and the moment, and what only this server can make of them.
fn token(key: &ServerKey, id: FileId, until: UnixMs) -> String {
    let mut bytes = id.uuid().as_bytes().to_vec();
    bytes.extend(until.0.to_be_bytes());
    let hash = key.keyed_hash(Purpose::Link, &bytes);
    bytes.extend(hash);
    hex(&bytes)
}

fn of_token(key: &ServerKey, text: &str) -> Option<(FileId, UnixMs)> {
    let bytes = unhex(text)?;
    let (said, hash) = bytes.split_at_checked(24)?;
    if !key.is_hash(Purpose::Link, said, hash) {
        return None;
    }
    let (id, until) = said.split_at(16);
    let id = FileId::new(Uuid::from_slice(id).ok()?);
    Some((id, UnixMs(i64::from_be_bytes(until.try_into().ok()?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_this_servers_own_and_whole() {
        let key = ServerKey::new([7; 32]);
        let id = FileId::fresh(UnixMs(1));
        let text = token(&key, id, UnixMs(9));
        assert_eq!(of_token(&key, &text), Some((id, UnixMs(9))));
        assert_eq!(of_token(&ServerKey::new([8; 32]), &text), None);
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            let other = String::from_utf8(other).expect("text");
            assert_eq!(of_token(&key, &other), None, "{at}");
            assert_eq!(of_token(&key, &text[..at]), None, "{at}");
        }
    }
}
