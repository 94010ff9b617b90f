//! Rows of any table, for whoever takes all of them: an export of what is kept of somebody.
//!
//! What surprises: a UUID is 16 bytes here, as SQLite has it. Which tables and columns there are says
//! the data map, so nothing that somebody typed becomes a part of a query.

use futures_util::TryStreamExt as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, TypeInfo as _, ValueRef as _, query, query_as};
use tokio::sync::mpsc::Sender;
use uuid::Uuid;

use super::{Conn, Driver, StoreError, on, unknown_word};
use crate::id::AccountId;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// None.
    Null,
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes; 16 of them may be a UUID.
    Bytes(Vec<u8>),
}

impl Conn {
    /// Sends the rows of a table whose `owner` is an account, in the order of their first column, until
    /// nobody takes them any more.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn send_rows_of(
        &mut self,
        table: &str,
        columns: &[&str],
        owner: &str,
        account: AccountId,
        to: Sender<Vec<Cell>>,
    ) -> Result<(), StoreError> {
        let columns = columns.join(", ");
        let sql = format!("SELECT {columns} FROM {table} WHERE {owner} = $1 ORDER BY 1");
        on!(self, c => {
            let mut rows = query(AssertSqlSafe(sql)).bind(account).fetch(&mut *c);
            while let Some(row) = rows.try_next().await? {
                if to.send(row.cells()?).await.is_err() {
                    break;
                }
            }
        });
        Ok(())
    }

    /// Sends all rows of a table, in the order of their first column, until nobody takes them any more.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn send_rows(
        &mut self,
        table: &str,
        columns: &[String],
        to: Sender<Vec<Cell>>,
    ) -> Result<(), StoreError> {
        let columns = columns.join(", ");
        let sql = format!("SELECT {columns} FROM {table} ORDER BY 1");
        on!(self, c => {
            let mut rows = query(AssertSqlSafe(sql)).fetch(&mut *c);
            while let Some(row) = rows.try_next().await? {
                if to.send(row.cells()?).await.is_err() {
                    break;
                }
            }
        });
        Ok(())
    }

    /// The columns that hold numbers, as table and column.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn columns_of_numbers(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(match self.driver() {
            Driver::Sqlite(c) => {
                let sql = "SELECT m.name, p.name FROM sqlite_schema m, pragma_table_info(m.name) p
                           WHERE m.type = 'table' AND p.type = 'INTEGER'";
                query_as(sql).fetch_all(c).await?
            }
            Driver::Pg(c) => {
                let sql = "SELECT table_name::text, column_name::text
                           FROM information_schema.columns
                           WHERE table_schema = current_schema() AND data_type = 'bigint'";
                query_as(sql).fetch_all(c).await?
            }
        })
    }
}

/// What the drivers' rows hold.
trait Cells {
    fn cells(&self) -> Result<Vec<Cell>, StoreError>;
}

impl Cells for SqliteRow {
    fn cells(&self) -> Result<Vec<Cell>, StoreError> {
        let cell = |index| {
            let value = self.try_get_raw(index)?;
            if value.is_null() {
                return Ok(Cell::Null);
            }
            let kind = value.type_info().name().to_owned();
            Ok(match kind.as_str() {
                "INTEGER" => Cell::Int(self.try_get(index)?),
                "TEXT" => Cell::Text(self.try_get(index)?),
                "BLOB" => Cell::Bytes(self.try_get(index)?),
                other => return Err(unknown_word("the type of a column", other)),
            })
        };
        (0..self.len()).map(cell).collect()
    }
}

impl Cells for PgRow {
    fn cells(&self) -> Result<Vec<Cell>, StoreError> {
        let cell = |index| {
            let value = self.try_get_raw(index)?;
            if value.is_null() {
                return Ok(Cell::Null);
            }
            let kind = value.type_info().name().to_owned();
            Ok(match kind.as_str() {
                "INT8" => Cell::Int(self.try_get(index)?),
                "TEXT" => Cell::Text(self.try_get(index)?),
                "BYTEA" => Cell::Bytes(self.try_get(index)?),
                "UUID" => Cell::Bytes(self.try_get::<Uuid, _>(index)?.into_bytes().to_vec()),
                other => return Err(unknown_word("the type of a column", other)),
            })
        };
        (0..self.len()).map(cell).collect()
    }
}
