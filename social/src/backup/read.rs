//! Restores a backup.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use serde_json::Value;

use super::seal::Opener;
use super::write::tables;
use super::{BackupError, Header, TableLine};
use crate::erasure::Eraser;
use crate::files::Orphans;
use crate::limits::RESTORE_CLEAN_TRIES;
use crate::secret::{Purpose, unhex};
use crate::store::{Cell, Compaction, DatabaseUrl, Insert, Tx};

/// Reads a backup into a database that is empty, and erases whoever was erased since it was made; how
/// many rows came, and how many accounts went again. Of a backup that is not whole, nothing stays.
///
/// # Errors
/// When the backup is too old, another server's or not whole, when the database has something in it,
/// or when either fails.
pub async fn restore(
    eraser: &Eraser,
    database: &DatabaseUrl,
    path: &Path,
) -> Result<(u64, usize), BackupError> {
    let wrong = BackupError::file(path);
    let mut file = BufReader::new(File::open(path).map_err(&wrong)?);
    let header = Header::read(&mut file).map_err(&wrong)?;
    let now = eraser.clock.now();
    if header.is_too_old(now) {
        return Err(BackupError::TooOld(now.since(header.created_at).as_secs() / 86_400));
    }
    let mut lines = BufReader::new(Opener::new(&eraser.key, &header, file)).lines();
    // What only the table of those who were erased knows goes into the file, before it is emptied.
    eraser.replay().await?;
    let mut tx = eraser.db.begin().await?;
    for line in tables() {
        if MADE_AT_ONCE.contains(&line.table.as_str()) {
            tx.empty(&line.table).await?;
        } else if tx.has_rows(&line.table).await? {
            return Err(BackupError::NotEmpty { database: database.clone(), table: line.table });
        }
    }
    if !tx.is_server_key(&eraser.key.keyed_hash(Purpose::Key, b"server key")).await? {
        return Err(BackupError::OtherKey);
    }
    tx.postpone_checks().await?;
    let mut count = 0;
    let mut insert = None;
    for line in &mut lines {
        let line = line.map_err(&wrong)?;
        let malformed = || wrong(io::ErrorKind::InvalidData.into());
        let line: Value = serde_json::from_str(&line).map_err(|_| malformed())?;
        if let Value::Array(row) = line {
            let insert = insert.as_ref().ok_or_else(malformed)?;
            let row: Option<Vec<Cell>> = row.into_iter().map(cell).collect();
            tx.insert_row(insert, row.ok_or_else(malformed)?).await?;
            count += 1;
        } else {
            let head: TableLine = serde_json::from_value(line).map_err(|_| malformed())?;
            insert = Some(known(&mut tx, head).await?);
        }
    }
    tx.check_postponed().await?;
    Orphans::schedule_rows(&mut tx, now).await?;
    tx.commit().await?;
    // Before anybody says that it is done; a server that starts does it too.
    let erased = eraser.replay().await?;
    let mut tries = if erased == 0 { 0 } else { RESTORE_CLEAN_TRIES };
    while tries != 0 && eraser.db.compact().await? == Compaction::Busy {
        tries -= 1;
        if tries == 0 {
            tracing::warn!("what was erased again is cleaned from the files when the server runs");
        }
    }
    Ok((count, erased))
}

/// What inserts rows of a table, if this version has it with these columns.
async fn known(tx: &mut Tx, head: TableLine) -> Result<Insert, BackupError> {
    let ours = tables().into_iter().find(|line| line.table == head.table);
    let lacking = match &ours {
        None => Some(head.table.clone()),
        Some(ours) => head.columns.iter().find(|column| !ours.columns.contains(column)).cloned(),
    };
    match lacking {
        Some(lacking) => Err(BackupError::OtherVersion(lacking)),
        None => Ok(tx.insert_into(&head.table, &head.columns).await?),
    }
}

fn cell(value: Value) -> Option<Cell> {
    match value {
        Value::Null => Some(Cell::Null),
        Value::Number(number) => number.as_i64().map(Cell::Int),
        Value::String(text) => Some(Cell::Text(text)),
        Value::Object(object) => unhex(object.get("hex")?.as_str()?).map(Cell::Bytes),
        Value::Bool(_) | Value::Array(_) => None,
    }
}

/// Tables that a server fills before anybody has an account. What is in them does not count.
const MADE_AT_ONCE: [&str; 2] = ["jobs", "erasures"];
