//! What is in a file, for whoever may read it: never as a page.
//!
//! A browser that is led to one of these addresses shows nothing of it and runs nothing in it: it is
//! told what it is and to believe that, that it is to be kept and not shown, and, were it shown all
//! the same, that it may do nothing.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::picture::THUMBNAIL_TYPE;
use super::range::{Wanted, wanted};
use super::readable;
use crate::Social;
use crate::http::Actor;
use crate::http::extract::Path;
use crate::id::FileId;
use crate::objects::{ObjectKey, ObjectKind};
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::store::StoredFile;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(content)).routes(routes!(thumbnail))
}

/// What is in a file; in ranges, too.
#[utoipa::path(
    get, path = "/api/v1/social/files/{file}/content", tag = "files",
    params(
        ("file" = FileId, Path, description = "Which one"),
        ("range" = Option<String>, Header, description = "Which bytes"),
    ),
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
async fn content(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<FileId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = readable(&mut social.db().read().await?, id, actor.account).await?;
    answer(&social, &Part::of(&file), &headers).await
}

/// A small picture of a picture.
#[utoipa::path(
    get, path = "/api/v1/social/files/{file}/thumbnail", tag = "files",
    params(("file" = FileId, Path, description = "Which one")),
    responses(
        (status = 200, description = "At most 320 pixels on a side", body = Vec<u8>,
            content_type = "image/jpeg"),
        (status = 410, description = "What is in it is lost",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn thumbnail(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<FileId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = readable(&mut social.db().read().await?, id, actor.account).await?;
    let (object, size) = file.thumbnail.ok_or_else(|| Problem::not_found("small picture"))?;
    let part = Part {
        key: ObjectKey::new(ObjectKind::Thumbnail, object),
        size: u64::try_from(size).unwrap_or(0),
        media_type: THUMBNAIL_TYPE,
        disposition: disposition("inline", "thumbnail.jpg"),
    };
    answer(&social, &part, &headers).await
}

/// Something that is answered.
pub(super) struct Part {
    key: ObjectKey,
    size: u64,
    media_type: &'static str,
    disposition: HeaderValue,
}

impl Part {
    pub(super) fn of(file: &StoredFile) -> Self {
        // A player is given sound by its address; a picture is fetched by the page that shows it.
        let how = if file.kind.is_audio() { "inline" } else { "attachment" };
        Self {
            key: file.key(),
            size: u64::try_from(file.size_bytes).unwrap_or(0),
            media_type: file.kind.media_type(),
            disposition: disposition(how, &file.name),
        }
    }
}

pub(super) async fn answer(
    social: &Social,
    part: &Part,
    asked: &HeaderMap,
) -> Result<Response, Problem> {
    // An object never changes, so its id says which it is.
    let tag = format!("\"{}\"", part.key.id());
    let text = |name| asked.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let mut headers = harmless();
    headers.insert(header::ETAG, value(&tag));
    if text(header::IF_NONE_MATCH).is_some_and(|tags| is_in(&tag, tags)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let range = text(header::RANGE).filter(|_| text(header::IF_RANGE).is_none_or(|is| is == tag));
    let size = part.size;
    let (status, range) = match wanted(range, size) {
        Wanted::All => (StatusCode::OK, 0..size),
        Wanted::Some(range) => {
            let of = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
            headers.insert(header::CONTENT_RANGE, value(&of));
            (StatusCode::PARTIAL_CONTENT, range)
        }
        Wanted::Nothing => {
            let text = format!("the file has {size} bytes, and none of those that were asked for");
            let problem = Problem::new(ProblemCode::NoSuchRange, text);
            let of = [(header::CONTENT_RANGE, value(&format!("bytes */{size}")))];
            return Ok((of, problem).into_response());
        }
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(part.media_type));
    headers.insert(header::CONTENT_DISPOSITION, part.disposition.clone());
    let bytes = social.objects().read(part.key, range).await?;
    Ok((status, headers, Body::from_stream(bytes)).into_response())
}

/// What keeps a file from being a page.
fn harmless() -> HeaderMap {
    let all = [
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    all.into_iter().map(|(name, text)| (name, HeaderValue::from_static(text))).collect()
}

fn is_in(tag: &str, tags: &str) -> bool {
    tags.split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// A name for whoever keeps it, of which a header holds the bytes that are no ASCII as `%xx` (RFC 8187).
fn disposition(how: &str, name: &str) -> HeaderValue {
    let mut text = format!("{how}; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    value(&text)
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("it is printable ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_breaks_out_of_its_header() {
        let name = "böse\"; filename=x.html\u{2028} ' .wav";
        let header = disposition("attachment", name);
        assert_eq!(
            header.to_str().expect("text"),
            "attachment; filename*=UTF-8''b%C3%B6se%22%3B%20filename%3Dx.html%E2%80%A8%20%27%20.wav"
        );
    }

    #[test]
    fn a_tag_is_known_again_among_others() {
        for (tags, is) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
        ] {
            assert_eq!(is_in("\"a\"", tags), is, "{tags}");
        }
    }
}
