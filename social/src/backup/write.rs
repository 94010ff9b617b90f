//! Makes a backup. It writes to its file where it stands, and is meant for a process of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::seal::Sealer;
use super::{BackupError, Header, LEFT_OUT, TableLine};
use crate::clock::UnixMs;
use crate::data_map;
use crate::limits::BACKUP_ROWS_MAX;
use crate::secret::{Purpose, ServerKey, hex};
use crate::store::{Cell, Conn, Db};

/// Writes a backup of a database into a file that is not there yet; how many rows it has. The file is
/// there when it is whole.
///
/// # Errors
/// When the database or the file fails.
pub async fn back_up(
    db: &Db,
    key: &ServerKey,
    path: &Path,
    now: UnixMs,
) -> Result<u64, BackupError> {
    let wrong = BackupError::file(path);
    if path.exists() {
        return Err(wrong(io::ErrorKind::AlreadyExists.into()));
    }
    let mut conn = db.snapshot().await?;
    if !conn.has_server_key(&key.keyed_hash(Purpose::Key, b"server key")).await? {
        return Err(BackupError::OtherKey);
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(".part");
    let draft = Path::new(&draft);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft);
    let file = BufWriter::new(file.map_err(&wrong)?);
    let written = write_tables(&mut conn, key, file, now, &wrong).await;
    let written = written.and_then(|(rows, file)| {
        file.sync_all().map_err(&wrong)?;
        fs::rename(draft, path).map_err(&wrong)?;
        Ok(rows)
    });
    if written.is_err() {
        // What is left of it is people's; that it cannot be removed is the smaller fault.
        let _ = fs::remove_file(draft);
    }
    written
}

async fn write_tables(
    conn: &mut Conn,
    key: &ServerKey,
    file: BufWriter<File>,
    now: UnixMs,
    wrong: &impl Fn(io::Error) -> BackupError,
) -> Result<(u64, File), BackupError> {
    let mut to = Sealer::new(key, &Header::new(now), file).map_err(wrong)?;
    let mut count = 0;
    for TableLine { table, columns } in tables() {
        let line = TableLine { table: table.clone(), columns: columns.clone() };
        let line = serde_json::to_string(&line).map_err(|error| wrong(error.into()))?;
        writeln!(to, "{line}").map_err(wrong)?;
        let (send, taken) = mpsc::channel(BACKUP_ROWS_MAX);
        let reading = conn.send_rows(&table, &columns, send);
        let to = &mut to;
        let writing = async move {
            // Dropped at the first error, or whoever reads would wait for good.
            let mut rows = taken;
            let mut count = 0;
            while let Some(row) = rows.recv().await {
                let row: Vec<Value> = row.into_iter().map(value).collect();
                writeln!(to, "{}", Value::Array(row))?;
                count += 1;
            }
            Ok::<u64, io::Error>(count)
        };
        let (read, written) = tokio::join!(reading, writing);
        read?;
        count += written.map_err(wrong)?;
    }
    let file =
        to.finish().and_then(|file| file.into_inner().map_err(io::IntoInnerError::into_error));
    Ok((count, file.map_err(wrong)?))
}

/// The tables of the data map that are in a backup, with their columns.
pub(super) fn tables() -> Vec<TableLine> {
    let mut tables: Vec<TableLine> = Vec::new();
    for (table, column) in data_map::columns().filter_map(|entry| entry.place.split_once('.')) {
        if LEFT_OUT.contains(&table) {
            continue;
        }
        let known = tables.iter_mut().find(|line| line.table == table);
        match known {
            Some(line) => line.columns.push(column.to_owned()),
            None => {
                tables.push(TableLine { table: table.into(), columns: vec![column.to_owned()] });
            }
        }
    }
    tables
}

/// Bytes are told from texts by being in an object.
fn value(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => number.into(),
        Cell::Text(text) => text.into(),
        Cell::Bytes(bytes) => json!({ "hex": hex(&bytes) }),
    }
}
