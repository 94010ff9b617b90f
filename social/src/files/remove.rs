//! Deletes objects whose rows are gone, until they are.

use std::future::Future;
use std::pin::Pin;

use serde_json::json;

use crate::clock::UnixMs;
use crate::jobs::{Handler, Outcome};
use crate::limits::OBJECTS_REMOVED_AT_ONCE_MAX;
use crate::objects::{ObjectKey, Objects};
use crate::store::{Job, NewJob, StoreError, Tx};

/// The kind of its jobs.
pub const KIND: &str = "remove_objects";

/// Does it.
#[derive(Debug)]
pub struct Remove {
    /// Of which objects.
    pub objects: Objects,
}

impl Remove {
    /// Has objects deleted, once this transaction is committed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule(tx: &mut Tx, keys: &[ObjectKey], now: UnixMs) -> Result<(), StoreError> {
        for keys in keys.chunks(OBJECTS_REMOVED_AT_ONCE_MAX) {
            let names: Vec<_> = keys.iter().map(ToString::to_string).collect();
            let payload = json!({ "objects": names });
            let job = NewJob { kind: KIND, payload, once_key: None, due_at: now };
            tx.enqueue(&job, now).await?;
        }
        Ok(())
    }
}

impl Handler for Remove {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            let names = job.payload["objects"].as_array().cloned().unwrap_or_default();
            for key in names.iter().filter_map(|name| name.as_str()?.parse().ok()) {
                if let Err(error) = self.objects.remove(key).await {
                    tracing::error!(%error, "an object is not deleted");
                    return Outcome::Failed("objects");
                }
            }
            Outcome::Done
        })
    }
}
