//! The files of somebody in their archive: as they are kept, under names that lead nowhere else.
//!
//! What surprises: `contents.json` comes before what it names, since an archive is written from end to
//! end. A file that is deleted while the archive is made is in the list, and then not in the archive.

use futures_util::TryStreamExt as _;
use serde_json::{Map, Value, json};

use super::archive::Archive;
use crate::clock::Clock;
use crate::erasure::Failed;
use crate::id::{AccountId, FileId};
use crate::limits::{EXPORT_LEASE_BYTES, EXPORT_NAME_CHARS_MAX, FILES_PAGE_MAX};
use crate::objects::{Objects, ObjectsError};
use crate::store::{Db, Job, StoreError, StoredFile};

/// Writes the files of somebody.
#[derive(Debug)]
pub(super) struct Contents<'a> {
    pub(super) db: &'a Db,
    pub(super) clock: &'a dyn Clock,
    pub(super) objects: &'a Objects,
    /// Whose lease is extended for as long as there is something to write.
    pub(super) job: &'a Job,
}

impl Contents<'_> {
    /// Writes which files there are, and all of them.
    pub(super) async fn write(
        &self,
        archive: &mut Archive,
        account: AccountId,
    ) -> Result<(), Failed> {
        archive.begin(&format!("{LIST}.json")).await?;
        let ids = self.write_list(archive, account).await?;
        let mut unleased = 0;
        for id in ids {
            let Some(file) = self.db.read().await?.file(id).await? else { continue };
            self.write_file(archive, &file, &mut unleased).await?;
        }
        Ok(())
    }

    async fn write_list(
        &self,
        archive: &mut Archive,
        account: AccountId,
    ) -> Result<Vec<FileId>, Failed> {
        let mut ids = Vec::new();
        let mut between = "[\n";
        loop {
            let before = ids.last().copied();
            let page = self.db.read().await?.files_of(account, before, FILES_PAGE_MAX).await?;
            for file in &page {
                let entry =
                    json!({ "file": file.id, "path": path(file), "bytes": file.size_bytes });
                archive.write(between.as_bytes()).await?;
                archive.write(entry.to_string().as_bytes()).await?;
                between = ",\n";
                ids.push(file.id);
            }
            if page.is_empty() {
                break;
            }
        }
        let end = if ids.is_empty() { "[]\n" } else { "\n]\n" };
        archive.write(end.as_bytes()).await?;
        Ok(ids)
    }

    async fn write_file(
        &self,
        archive: &mut Archive,
        file: &StoredFile,
        unleased: &mut u64,
    ) -> Result<(), Failed> {
        let size = u64::try_from(file.size_bytes).unwrap_or(0);
        let mut pieces = match self.objects.read(file.key(), 0..size).await {
            Ok(pieces) => pieces,
            Err(ObjectsError::Gone) => {
                // Deleted in this moment. Or lost: all else of its owner's is not to wait for it.
                if self.db.read().await?.file(file.id).await?.is_some() {
                    tracing::error!("a file has no object, and is not in an archive");
                }
                return Ok(());
            }
            Err(error) => return Err(failed(error)),
        };
        archive.begin(&path(file)).await?;
        let mut written = 0;
        *unleased += EXPORT_PIECE_OF_FILE;
        while let Some(piece) = pieces.try_next().await.map_err(failed)? {
            let length = piece.len() as u64;
            archive.write(&piece).await?;
            written += length;
            *unleased += length;
            if EXPORT_LEASE_BYTES <= *unleased {
                *unleased = 0;
                self.extend().await?;
            }
        }
        if written != size {
            return Err(failed(ObjectsError::Source));
        }
        Ok(())
    }

    async fn extend(&self) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        tx.extend_job(self.job, self.clock.now()).await?;
        tx.commit().await
    }
}

fn failed(error: ObjectsError) -> Failed {
    Failed::File(std::io::Error::other(error))
}

/// What a file is called in an archive. Its id tells it from others of the same name, and comes first, so
/// that no system takes the name for one of its own.
pub(super) fn path(file: &StoredFile) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name = file.name.chars().take(EXPORT_NAME_CHARS_MAX);
    let mut name: String = name.map(|c| if is_plain(c) { c } else { '_' }).collect();
    let extension = file.kind.extension();
    if !name.to_lowercase().ends_with(&format!(".{extension}")) {
        name = format!("{name}.{extension}");
    }
    format!("{FOLDER}/{}-{name}", file.id)
}

/// The list's JSON Schema.
pub(super) fn schema() -> Value {
    let field = |kind: &str, description: &str| json!({ "type": kind, "description": description });
    let mut fields = Map::new();
    for (name, kind, description) in FIELDS {
        fields.insert((*name).to_owned(), field(kind, description));
    }
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": fields,
            "additionalProperties": false,
            "required": FIELDS.map(|(name, ..)| name),
        },
    })
}

/// The list's name, without `.json`.
pub(super) const LIST: &str = "contents";

/// What each entry of the list says.
pub(super) const FIELDS: [(&str, &str, &str); 3] = [
    ("file", "string", "Which of your files it is, as in files.json."),
    ("path", "string", "Where it is in the archive, unless it was deleted meanwhile."),
    ("bytes", "integer", "How large it is."),
];

/// Where the files are.
const FOLDER: &str = "files";

/// What a file costs beside its bytes.
const EXPORT_PIECE_OF_FILE: u64 = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMs;
    use crate::files::MediaKind;
    use crate::id::ObjectId;
    use crate::store::Analysis;

    #[test]
    fn a_name_stays_in_its_folder_and_is_one_part_of_a_path() {
        let now = UnixMs(1);
        let mut file = StoredFile {
            id: FileId::fresh(now),
            account: AccountId::fresh(now),
            name: String::new(),
            kind: MediaKind::Wav,
            size_bytes: 1,
            object: ObjectId::fresh(now),
            thumbnail: None,
            size_px: None,
            analysis: Analysis::Done,
            duration_ms: None,
            created_at: now,
        };
        let id = file.id;
        for (name, is) in [
            ("Übung 3.WAV", "Übung_3.WAV"),
            ("../../etc/passwd", ".._.._etc_passwd.wav"),
            ("..\\x:y|z.wav", ".._x_y_z.wav"),
            ("a\u{202e}\n\u{0}b", "a___b.wav"),
            ("page.html", "page.html.wav"),
            ("", ".wav"),
        ] {
            file.name = name.to_owned();
            assert_eq!(path(&file), format!("files/{id}-{is}"), "{name:?}");
        }
        file.name = "x".repeat(200);
        assert!(path(&file).len() < 150);
    }
}
