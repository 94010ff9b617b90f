//! Makes archives.

use std::future::Future;
use std::pin::Pin;

use serde_json::json;
use tokio::sync::{Semaphore, mpsc};

use super::archive::Archive;
use super::contents::Contents;
use super::files::{self, Part};
use crate::clock::UnixMs;
use crate::erasure::{Eraser, Failed};
use crate::id::{AccountId, ExportId};
use crate::jobs::{Handler, Outcome};
use crate::limits::{EXPORT_AGAIN_AFTER, EXPORT_PIECES_MAX, PURGE_EVERY};
use crate::mail::{Mailer, Template};
use crate::objects::Objects;
use crate::store::{Cell, Job, NewJob, StoreError, Tx};

/// The kind of its jobs.
pub const KIND: &str = "export";

/// Makes them.
#[derive(Debug)]
pub struct Make {
    /// Of what, and where they are kept.
    pub eraser: Eraser,
    /// Who says that one is ready.
    pub mailer: Mailer,
    /// Where the files of people are.
    pub objects: Objects,
    /// For as many as are made at once: those with many files keep no mail waiting.
    pub places: Semaphore,
}

impl Make {
    /// Has one made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule(tx: &mut Tx, id: ExportId, now: UnixMs) -> Result<(), StoreError> {
        let payload = json!({ "export": id });
        let job = NewJob { kind: KIND, payload, once_key: None, due_at: now };
        tx.enqueue(&job, now).await.map(drop)
    }

    async fn make(&self, job: &Job) -> Result<Outcome, Failed> {
        let Eraser { db, clock, archives, .. } = &self.eraser;
        let id = job.payload["export"].as_str().and_then(|id| id.parse::<ExportId>().ok());
        let Some(id) = id else { return Ok(Outcome::Done) };
        let account = {
            let mut conn = db.read().await?;
            let export = conn.export(id).await?;
            let Some(export) = export.filter(|export| export.bytes.is_none()) else {
                return Ok(Outcome::Done);
            };
            conn.account(export.account_id).await?
        };
        let Some(account) = account else {
            // It is to be erased, and its owner may still take that back.
            return Ok(Outcome::Again(clock.now().after(PURGE_EVERY)));
        };
        let Ok(_place) = self.places.try_acquire() else {
            return Ok(Outcome::Again(clock.now().after(EXPORT_AGAIN_AFTER)));
        };
        super::make_room(&self.eraser, account.id, clock.now()).await?;
        let mut archive = Archive::create(archives.draft(id));
        archive.begin("README.txt").await?;
        archive.write(files::readme().as_bytes()).await?;
        archive.begin("schema.json").await?;
        archive.write(format!("{:#}\n", files::schema(db).await?).as_bytes()).await?;
        for (name, parts) in files::files() {
            archive.begin(&format!("{name}.json")).await?;
            self.write_list(&mut archive, &parts, account.id).await?;
            // Whoever keeps much is at work for long.
            let mut tx = db.begin().await?;
            tx.extend_job(job, clock.now()).await?;
            tx.commit().await?;
        }
        let contents = Contents { db, clock: clock.as_ref(), objects: &self.objects, job };
        contents.write(&mut archive, account.id).await?;
        let bytes = i64::try_from(archive.finish().await?).unwrap_or(i64::MAX);
        archives.keep(id).await?;
        let now = clock.now();
        let mut tx = db.begin().await?;
        if tx.finish_export(id, bytes).await? {
            self.mailer.to_account(&mut tx, &account, Template::ExportReady, now).await?;
            tx.commit().await?;
        } else if tx.export(id).await?.is_none() {
            // The account was erased meanwhile.
            archives.remove(id).await?;
        }
        Ok(Outcome::Done)
    }

    async fn write_list(
        &self,
        archive: &mut Archive,
        parts: &[Part],
        account: AccountId,
    ) -> Result<(), Failed> {
        let mut before = "[\n";
        for part in parts {
            let (send, rows) = mpsc::channel::<Vec<Cell>>(EXPORT_PIECES_MAX);
            let mut conn = self.eraser.db.read().await?;
            let reading = conn.send_rows_of(part.table, &part.columns, part.owner, account, send);
            // Its end of the channel goes with it: where the disk is full, nobody reads on.
            let writing = async {
                let mut rows = rows;
                while let Some(row) = rows.recv().await {
                    if let Some(entry) = files::entry_of(part, row) {
                        archive.write(before.as_bytes()).await?;
                        archive.write(entry.to_string().as_bytes()).await?;
                        before = ",\n";
                    }
                }
                Ok::<_, std::io::Error>(())
            };
            let (read, written) = tokio::join!(reading, writing);
            read?;
            written?;
        }
        let end = if before == ",\n" { "\n]\n" } else { "[]\n" };
        archive.write(end.as_bytes()).await?;
        Ok(())
    }
}

impl Handler for Make {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            match self.make(&job).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    tracing::error!(%error, "an archive is not made yet");
                    Outcome::Failed("not_made")
                }
            }
        })
    }
}
