//! Files: recordings and pictures, how they come, and who gets them.
//!
//! A file comes in parts that can be resumed, and is known by its first bytes, never by its name. Sound
//! stays as it is; of it, how long it is and how it looks is found out later. Pictures are written
//! anew, since a photo says where it was taken. What surprises: an object is written before the row
//! that names it and deleted after that is gone, so a crash leaves objects without a row and never a
//! row without its object; the former are looked for every day.

mod audio;
mod comments;
mod complete;
mod content;
mod gif;
mod kind;
mod link;
mod mine;
mod orphans;
mod peaks;
mod picture;
mod places;
mod range;
mod reader;
mod remove;
mod upload;

use axum::http::HeaderMap;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;

use crate::Social;
use crate::id::{AccountId, FileId};
use crate::problem::Problem;
use crate::store::{Conn, StoredFile};

pub(crate) use mine::FileBody;
pub(crate) use picture::THUMBNAIL_TYPE;
pub(crate) use places::Places;

pub use audio::{Audio, KIND as AUDIO_KIND};
pub use kind::MediaKind;
pub use orphans::{KIND as ORPHANS_KIND, Orphans};
pub use remove::{KIND as REMOVE_KIND, Remove};

pub(crate) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .merge(upload::routes())
        .merge(complete::routes())
        .merge(mine::routes())
        .merge(content::routes())
        .merge(link::routes())
        .merge(comments::routes())
}

/// What is in a file, or some of it, as it is always answered. Whoever calls this asked who may read it.
///
/// # Errors
/// When it has no such bytes, or they cannot be reached.
pub(crate) async fn answer(
    social: &Social,
    file: &StoredFile,
    asked: &HeaderMap,
) -> Result<Response, Problem> {
    content::answer(social, &content::Part::of(file), asked).await
}

/// A file that somebody may read.
async fn readable(conn: &mut Conn, id: FileId, by: AccountId) -> Result<StoredFile, Problem> {
    if !conn.may_read_file(id, by).await? {
        return Err(Problem::not_found("file"));
    }
    conn.file(id).await?.ok_or_else(|| Problem::not_found("file"))
}

/// A file of somebody's own.
async fn owned(conn: &mut Conn, id: FileId, by: AccountId) -> Result<StoredFile, Problem> {
    let file = conn.file(id).await?.filter(|file| file.account == by);
    file.ok_or_else(|| Problem::not_found("file"))
}
