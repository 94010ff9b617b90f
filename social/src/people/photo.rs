//! Photos of people: sent as they are, shown small, square and without whatever else was in the file.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use image::ImageFormat;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::look::{Eyes, find};
use super::picture::format_of;
use crate::Social;
use crate::http::Actor;
use crate::http::extract::{Path, Query};
use crate::limits::{PHOTO_BYTES_MAX, PHOTO_SIZES};
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::secret::hex;
use crate::store::Photo;

pub(super) fn routes() -> OpenApiRouter<Social> {
    let sending = OpenApiRouter::new()
        .routes(routes!(set_photo, remove_photo))
        .layer(DefaultBodyLimit::max(PHOTO_BYTES_MAX));
    sending.routes(routes!(photo))
}

/// Changes your photo: a JPEG, PNG or WebP of 8 MiB at most. Only a square from its middle is kept.
#[utoipa::path(
    put, path = "/api/v1/social/account/photo", tag = "profile",
    request_body(content = Vec<u8>, content_type = "image/jpeg",
        description = "The photo; also as image/png or image/webp"),
    responses((status = 204, description = "It is changed"))
)]
async fn set_photo(
    State(social): State<Social>,
    actor: Actor,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    social.people_rates().photo(actor.account)?;
    let said = said_format(&headers)?;
    let bytes = body.map_err(|rejection| unread(&rejection))?;
    if format_of(&bytes)? != said {
        let text = "Content-Type says something else than what this file is; send it as what it is";
        return Err(Problem::new(ProblemCode::WrongType, text));
    }
    let sizes = social.photos().shrink(bytes).await?;
    let mut tx = social.db().begin().await?;
    tx.lock_account(actor.account).await?;
    tx.set_photo(actor.account, &sizes).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes your photo.
#[utoipa::path(
    delete, path = "/api/v1/social/account/photo", tag = "profile",
    responses((status = 204, description = "There is none"))
)]
async fn remove_photo(State(social): State<Social>, actor: Actor) -> Result<StatusCode, Problem> {
    let mut tx = social.db().begin().await?;
    tx.remove_photo(actor.account).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// In which size.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    size: Option<u32>,
}

impl Wanted {
    /// One that photos are kept at; the smallest where none is named.
    pub(super) fn size(&self) -> Result<i64, Problem> {
        let [.., smallest] = PHOTO_SIZES;
        let size = self.size.unwrap_or(smallest);
        if PHOTO_SIZES.contains(&size) {
            return Ok(i64::from(size));
        }
        let sizes = PHOTO_SIZES.map(|size| size.to_string()).join(" or ");
        Err(Problem::new(ProblemCode::BadRequest, format!("a photo has the size {sizes}")))
    }
}

/// Shows somebody's photo, if they let you see it.
#[utoipa::path(
    get, path = "/api/v1/social/people/{username}/photo", tag = "people",
    params(
        ("username" = String, Path, description = "Their username"),
        ("size" = Option<u32>, Query, description = "Pixels: 128, or 512"),
    ),
    responses(
        (status = 200, description = "The photo", body = Vec<u8>, content_type = "image/jpeg"),
        (status = 304, description = "It is the one that `If-None-Match` names"),
        (status = 400, description = "There is no such size",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn photo(
    State(social): State<Social>,
    actor: Actor,
    Path(username): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let size = wanted.size()?;
    let mut conn = social.db().read().await?;
    let account = find(&mut conn, actor.account, &username).await?.id;
    let friendship = conn.friendship(actor.account, account).await?;
    let eyes = Eyes::of(actor.account == account, friendship);
    let photo = if eyes.see(conn.profile(account).await?.photo_for) {
        conn.photo(account, size).await?
    } else {
        None
    };
    answer(photo, &headers)
}

/// A photo in an answer, so that it can be nothing but a picture to a browser, which asks each time
/// whether it may still be seen.
pub(super) fn answer(photo: Option<Photo>, request: &HeaderMap) -> Result<Response, Problem> {
    let photo = photo.ok_or_else(|| {
        Problem::new(ProblemCode::NotFound, "there is no photo, or it is not for you to see")
    })?;
    let tag = format!("\"{}\"", hex(&photo.hash));
    let known = request.get_all(header::IF_NONE_MATCH).iter();
    let is_known = known.filter_map(|value| value.to_str().ok()).any(|tags| tags.contains(&tag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        photo.bytes.into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let resource_policy = header::HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(resource_policy, HeaderValue::from_static("same-origin"));
    headers.insert(header::ETAG, HeaderValue::from_str(&tag).expect("a hash in hexadecimal"));
    Ok(response)
}

fn said_format(headers: &HeaderMap) -> Result<ImageFormat, Problem> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match said.map(str::to_ascii_lowercase).as_deref() {
        Some("image/jpeg") => Ok(ImageFormat::Jpeg),
        Some("image/png") => Ok(ImageFormat::Png),
        Some("image/webp") => Ok(ImageFormat::WebP),
        Some(_) | None => {
            let text =
                "send the photo itself, with Content-Type image/jpeg, image/png or image/webp";
            Err(Problem::new(ProblemCode::WrongType, text))
        }
    }
}

fn unread(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let text = format!(
            "a photo may have {} MiB at most; make it smaller",
            PHOTO_BYTES_MAX / (1024 * 1024)
        );
        return Problem::new(ProblemCode::TooLarge, text);
    }
    Problem::new(ProblemCode::BadRequest, "the photo broke off on its way; send it again")
}
