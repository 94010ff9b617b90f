//! Rows that come back from a backup.

use sqlx::{AssertSqlSafe, query, query_as, query_scalar, raw_sql};
use uuid::Uuid;

use super::{Cell, Conn, Driver, StoreError, Tx, on, unknown_word};

/// What inserts rows of one table.
#[derive(Debug, Clone)]
pub struct Insert {
    sql: String,
    kinds: Vec<Kind>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Text,
    Bytes,
    Uuid,
}

impl Conn {
    /// Whether a table has any row.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn has_rows(&mut self, table: &str) -> Result<bool, StoreError> {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1) AS rows");
        let count: i64 = on!(self, c => query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }

    /// What inserts into columns of a table; both are the data map's words.
    ///
    /// # Errors
    /// When the database fails, or has no such column.
    pub(crate) async fn insert_into(
        &mut self,
        table: &str,
        columns: &[String],
    ) -> Result<Insert, StoreError> {
        let there: Vec<(String, String)> = match self.driver() {
            Driver::Sqlite(c) => {
                let sql = "SELECT name, lower(type) FROM pragma_table_info($1)";
                query_as(sql).bind(table).fetch_all(c).await?
            }
            Driver::Pg(c) => {
                let sql = "SELECT column_name::text, data_type::text
                           FROM information_schema.columns
                           WHERE table_schema = current_schema() AND table_name = $1";
                query_as(sql).bind(table).fetch_all(c).await?
            }
        };
        let kind = |column: &String| {
            let kind = there.iter().find(|(name, _)| name == column).map(|(_, kind)| kind.as_str());
            match kind.unwrap_or_default() {
                "integer" | "bigint" => Ok(Kind::Int),
                "text" => Ok(Kind::Text),
                "blob" | "bytea" => Ok(Kind::Bytes),
                "uuid" => Ok(Kind::Uuid),
                other => Err(unknown_word("the type of a column", other)),
            }
        };
        let kinds = columns.iter().map(kind).collect::<Result<Vec<_>, _>>()?;
        let places: Vec<_> = (1..=columns.len()).map(|number| format!("${number}")).collect();
        let (columns, places) = (columns.join(", "), places.join(", "));
        Ok(Insert { sql: format!("INSERT INTO {table} ({columns}) VALUES ({places})"), kinds })
    }
}

impl Tx {
    /// Lets rows come in any order: whether what they name is there is asked at the end.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn postpone_checks(&mut self) -> Result<(), StoreError> {
        match self.driver() {
            // Ends by itself with the transaction.
            Driver::Sqlite(c) => {
                raw_sql("PRAGMA defer_foreign_keys = ON").execute(c).await?;
            }
            Driver::Pg(_) => self.alter_foreign_keys("DEFERRABLE INITIALLY DEFERRED").await?,
        }
        Ok(())
    }

    /// Asks it, and lets the tables be as they were.
    ///
    /// # Errors
    /// When something is named that is not there, or the database fails.
    pub(crate) async fn check_postponed(&mut self) -> Result<(), StoreError> {
        if let Driver::Pg(c) = self.driver() {
            raw_sql("SET CONSTRAINTS ALL IMMEDIATE").execute(c).await?;
            self.alter_foreign_keys("NOT DEFERRABLE").await?;
        }
        Ok(())
    }

    /// Deletes all rows of a table.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn empty(&mut self, table: &str) -> Result<(), StoreError> {
        let sql = format!("DELETE FROM {table}");
        on!(self, c => query(AssertSqlSafe(sql)).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    async fn alter_foreign_keys(&mut self, how: &str) -> Result<(), StoreError> {
        let Driver::Pg(c) = self.driver() else { return Ok(()) };
        let sql = "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint
                   WHERE contype = 'f' AND connamespace = current_schema()::regnamespace";
        let all: Vec<(String, String)> = query_as(sql).fetch_all(&mut *c).await?;
        for (table, name) in all {
            let sql = format!("ALTER TABLE {table} ALTER CONSTRAINT {name} {how}");
            raw_sql(AssertSqlSafe(sql)).execute(&mut *c).await?;
        }
        Ok(())
    }

    /// Inserts a row.
    ///
    /// # Errors
    /// When the database fails, or a value is of another kind than its column.
    pub(crate) async fn insert_row(
        &mut self,
        insert: &Insert,
        row: Vec<Cell>,
    ) -> Result<(), StoreError> {
        let Insert { sql, kinds } = insert;
        if row.len() != kinds.len() {
            return Err(unknown_word("a row of a backup", "other columns"));
        }
        on!(self, c => {
            let mut filled = query(AssertSqlSafe(sql.as_str()));
            for (cell, kind) in row.into_iter().zip(kinds) {
                filled = match (kind, cell) {
                    (Kind::Int, Cell::Int(number)) => filled.bind(number),
                    (Kind::Int, Cell::Null) => filled.bind(None::<i64>),
                    (Kind::Text, Cell::Text(text)) => filled.bind(text),
                    (Kind::Text, Cell::Null) => filled.bind(None::<String>),
                    (Kind::Bytes, Cell::Bytes(bytes)) => filled.bind(bytes),
                    (Kind::Bytes, Cell::Null) => filled.bind(None::<Vec<u8>>),
                    (Kind::Uuid, Cell::Bytes(bytes)) => filled.bind(
                        Uuid::from_slice(&bytes).map_err(|_| unknown_word("an id", "others"))?,
                    ),
                    (Kind::Uuid, Cell::Null) => filled.bind(None::<Uuid>),
                    (Kind::Int | Kind::Text | Kind::Bytes | Kind::Uuid, _) => {
                        return Err(unknown_word("a column", "a value of another kind"));
                    }
                };
            }
            filled.execute(&mut *c).await?;
        });
        Ok(())
    }
}
