//! A file that is all here becomes one.
//!
//! What surprises: it goes on to its end also where whoever asked has hung up; they ask again, and are
//! answered with the file that it became.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::mine::FileBody;
use super::picture::{self, Picture};
use super::upload::{check_quota, find};
use super::{Audio, MediaKind, Remove};
use crate::Social;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::{FileId, ObjectId, UploadId};
use crate::objects::{ObjectKey, ObjectKind, ObjectStream};
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::secret::{equal, unhex};
use crate::store::{Analysis, StoredFile, Upload};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(complete))
}

/// What a file is that is all here.
#[derive(Deserialize, ToSchema)]
#[schema(as = UploadCompletion)]
#[serde(deny_unknown_fields)]
struct Completion {
    /// The SHA-256 of all its bytes, to be compared, in lower case.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: Option<String>,
}

/// Makes a file of what was sent. Asked again, it answers the same.
#[utoipa::path(
    post, path = "/api/v1/social/uploads/{upload}/complete", tag = "files",
    params(("upload" = UploadId, Path, description = "Which one")),
    request_body = Completion,
    responses(
        (status = 201, description = "The file", body = FileBody),
        (status = 409, description = "Some of it is not here",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "Some of it is lost",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn complete(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<UploadId>,
    Json(given): Json<Completion>,
) -> Result<(StatusCode, Json<FileBody>), Problem> {
    let wanted = given.sha256.as_deref().map(hash).transpose()?;
    let mut conn = social.db().read().await?;
    if let Some(file) = conn.file(FileId::new(id.uuid())).await?
        && file.account == actor.account
    {
        return Ok((StatusCode::CREATED, Json(FileBody::of(file))));
    }
    let upload = find(&social, &mut conn, id, actor).await?;
    drop(conn);
    let (received, size) = (upload.received_bytes, upload.size_bytes);
    let Some(kind) = upload.kind.filter(|_| received == size) else {
        let text = format!("{received} of {size} bytes are here; send the rest first");
        return Err(Problem::new(ProblemCode::WrongOffset, text));
    };
    let work = Completing { social, upload, kind, wanted };
    let done = tokio::spawn(work.run()).await;
    let file = done.map_err(|_| Problem::internal())??;
    Ok((StatusCode::CREATED, Json(FileBody::of(file))))
}

fn hash(text: &str) -> Result<Vec<u8>, Problem> {
    let bytes = unhex(text).filter(|bytes| bytes.len() == 32);
    bytes.ok_or_else(|| Problem::invalid("sha256", "a SHA-256 is 64 of 0-9 and a-f"))
}

struct Completing {
    social: Social,
    upload: Upload,
    kind: MediaKind,
    wanted: Option<Vec<u8>>,
}

impl Completing {
    async fn run(self) -> Result<StoredFile, Problem> {
        match self.make().await {
            Ok(file) => Ok(file),
            // Somebody may have been faster with the same, and taken its parts away.
            Err(problem) => {
                let id = FileId::new(self.upload.id.uuid());
                self.social.db().read().await?.file(id).await?.ok_or(problem)
            }
        }
    }

    async fn make(&self) -> Result<StoredFile, Problem> {
        let _place = self.social.places().join().await?;
        let file = if self.kind.is_audio() { self.sound().await? } else { self.picture().await? };
        match self.keep(&file).await {
            Ok(true) => Ok(file),
            Ok(false) => {
                self.remove(&file).await?;
                Err(Problem::not_found("file on its way"))
            }
            Err(problem) => {
                self.remove(&file).await?;
                Err(problem)
            }
        }
    }

    /// As it came.
    async fn sound(&self) -> Result<StoredFile, Problem> {
        let hasher = Arc::new(Mutex::new(Sha256::new()));
        let hashed = Arc::clone(&hasher);
        let bytes = self.bytes().await?.inspect_ok(move |piece| {
            hashed.lock().unwrap_or_else(PoisonError::into_inner).update(piece);
        });
        let mut file = self.file();
        let written = self.social.objects().put(file.key(), self.kind.media_type(), bytes).await?;
        file.size_bytes = i64::try_from(written).unwrap_or(i64::MAX);
        let hash = hasher.lock().unwrap_or_else(PoisonError::into_inner).clone().finalize();
        if let Err(problem) = self.compare(&hash) {
            self.remove(&file).await?;
            return Err(problem);
        }
        file.analysis = Analysis::Waiting;
        Ok(file)
    }

    /// Without anything that a camera says beside what is to be seen.
    async fn picture(&self) -> Result<StoredFile, Problem> {
        let mut bytes = Vec::new();
        let mut pieces = self.bytes().await?;
        while let Some(piece) = pieces.try_next().await? {
            bytes.extend_from_slice(&piece);
        }
        self.compare(&Sha256::digest(&bytes))?;
        let kind = self.kind;
        let _place = self.social.places().picture().await?;
        let anew = tokio::task::spawn_blocking(move || picture::anew(kind, bytes)).await;
        let Picture { bytes, thumbnail, width_px, height_px } =
            anew.map_err(|_| Problem::internal())??;
        let mut file = self.file();
        let small = ObjectId::fresh(self.social.now());
        file.size_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        file.thumbnail = Some((small, i64::try_from(thumbnail.len()).unwrap_or(i64::MAX)));
        file.size_px = Some((width_px.into(), height_px.into()));
        let objects = self.social.objects();
        objects.put_bytes(file.key(), kind.media_type(), bytes.into()).await?;
        let key = ObjectKey::new(ObjectKind::Thumbnail, small);
        objects.put_bytes(key, picture::THUMBNAIL_TYPE, thumbnail.into()).await?;
        Ok(file)
    }

    fn file(&self) -> StoredFile {
        let now = self.social.now();
        StoredFile {
            id: FileId::new(self.upload.id.uuid()),
            account: self.upload.account,
            name: self.upload.name.clone(),
            kind: self.kind,
            size_bytes: 0,
            object: ObjectId::fresh(now),
            thumbnail: None,
            size_px: None,
            analysis: Analysis::None,
            duration_ms: None,
            created_at: now,
        }
    }

    /// All parts, one after the other, each read when its turn comes.
    async fn bytes(&self) -> Result<ObjectStream, Problem> {
        let parts = self.social.db().read().await?.upload_parts(self.upload.id).await?;
        let objects = self.social.objects().clone();
        let all = stream::iter(parts).then(move |(size, object)| {
            let objects = objects.clone();
            async move {
                let key = ObjectKey::new(ObjectKind::Part, object);
                objects.read(key, 0..u64::try_from(size).unwrap_or(0)).await
            }
        });
        Ok(all.try_flatten().boxed())
    }

    fn compare(&self, hash: &[u8]) -> Result<(), Problem> {
        match &self.wanted {
            Some(wanted) if !equal(wanted, hash) => {
                let text = "what is here has another SHA-256: cancel this, and send it again";
                Err(Problem::invalid("sha256", text))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Makes it the owner's; not where the upload is no longer there.
    async fn keep(&self, file: &StoredFile) -> Result<bool, Problem> {
        let now = self.social.now();
        let mut tx = self.social.db().begin().await?;
        tx.lock_account(file.account).await?;
        let Some(parts) = tx.end_upload(self.upload.id).await? else { return Ok(false) };
        // A picture may have become larger.
        check_quota(&self.social, &mut tx, file.account, file.size_bytes).await?;
        tx.add_file(file).await?;
        Remove::schedule(&mut tx, &parts, now).await?;
        if file.analysis == Analysis::Waiting {
            Audio::schedule(&mut tx, file.id, now).await?;
        }
        tx.commit().await?;
        self.social.wake_jobs();
        Ok(true)
    }

    /// Has the objects of a file deleted that comes to nothing.
    async fn remove(&self, file: &StoredFile) -> Result<(), Problem> {
        let mut tx = self.social.db().begin().await?;
        Remove::schedule(&mut tx, &file.keys(), self.social.now()).await?;
        tx.commit().await?;
        self.social.wake_jobs();
        Ok(())
    }
}
